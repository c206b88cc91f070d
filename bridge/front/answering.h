/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * answering: whether anybody answers DNS out of the published zone. The one judgement that
 * `status`, `why`, `doctor` and /readyz share, so that they agree.
 *
 * A listener of dns.listen is expected to answer where the file names it, where it has answered
 * since the bridge began, or where nobody else is there to answer: no adapter is configured, and no
 * module of unbound was found. dns.listen has a default, so an operator who only feeds a resolver,
 * or only uses the module, hears nothing of a holdfast-dns that was never started.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/front/survey.h"

enum hf_listener_state {
	HF_LISTENER_UNKNOWN, /* not asked yet, or there is no suffix to ask for */
	HF_LISTENER_ANSWERS,
	HF_LISTENER_SILENT,
	HF_LISTENER_WRONG,  /* it answers, but does not serve our suffix */
	HF_LISTENER_ABSENT, /* this machine has no such address */
};

struct hf_listener {
	struct hf_endpoint at;
	enum hf_listener_state state;
	int code;              /* SILENT: why */
	uint8_t rcode;         /* WRONG: what it answers */
	bool seen;             /* it has answered since the bridge began */
	struct hf_name suffix; /* WRONG: which of several; len 0: there is one only */
};

/* Each suffix once. */
enum { HF_SUFFIXES_MAX = 64 };
struct hf_suffixes {
	struct hf_name at[HF_SUFFIXES_MAX];
	size_t n;
};
void hf_answering_suffixes_add(struct hf_suffixes *s, const struct hf_name *suffix);
/*
 * For how many of them, the first ones, each of `n_listeners` is asked: all, unless there are very
 * many of both.
 */
size_t hf_answering_suffixes_asked(const struct hf_suffixes *s, size_t n_listeners);

/* What an answer to a question for the suffix's SOA says. `allow` is dns.allow. */
void hf_answering_judge_one(
    struct hf_listener *l, const struct hf_asked *asked, const struct hf_prefixes *allow);
/* The same of one question for each suffix: it serves all of them, or it is WRONG. */
void hf_answering_judge_suffixes(struct hf_listener *l, const struct hf_survey_question *questions,
    size_t n, const struct hf_prefixes *allow);

/* What else is known. */
struct hf_answering_facts {
	bool given;         /* dns.listen is in the file */
	bool others;        /* somebody else is meant to answer: an adapter, the module */
	bool others_answer; /* and does */
};

bool hf_answering_expected(const struct hf_listener *l, const struct hf_answering_facts *f);

enum { HF_ANSWERING_TEXT_MAX = 400 };

struct hf_answering {
	size_t missing; /* listeners that should answer and do not */
	bool nobody;    /* nobody at all is known to answer */
	/* "holdfast-dns at 127.0.0.1@5453: Connection refused"; "" */
	char text[HF_ANSWERING_TEXT_MAX];
};

void hf_answering_judge(const struct hf_listener *listeners, size_t n,
    const struct hf_answering_facts *f, struct hf_answering *ret_answering);

/* "NXDOMAIN"; "RCODE 23" for one without a name, in `out`. */
enum { HF_RCODE_TEXT_MAX = 24 };
const char *hf_answering_rcode_text(unsigned rcode, char out[static HF_RCODE_TEXT_MAX]);
/* "answers", "silent", "wrong", "absent"; "unknown". */
const char *hf_answering_state_name(enum hf_listener_state state);
/* ... and back; UNKNOWN for another word. */
enum hf_listener_state hf_answering_state_of(const char *name);
