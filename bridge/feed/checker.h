/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * checker: in turn, round after round, the resolver is asked for all that it should have, and for
 * what was taken and not seen to be gone. What is missing is put into `repairs`; where most of a
 * lot is missing, all is lost. It keeps what was found: for status, and for who verifies.
 */
#include "base/log.h"
#include "bridge/feed/feed.h"
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/feed_step.h"
#include "bridge/feed/feed_warnings.h"
#include "bridge/feed/outbox.h"
#include "bridge/feed/questions.h"
#include "bridge/feed/wanted.h"

enum { HF_CHECKER_RATE = 350 /* names a second, on the average */ };

/* Names where others' records were seen: in this round of questions, and in the one before. */
struct hf_checker_foreign {
	uint64_t now, before;
};

struct hf_checker {
	const struct hf_feed_peer *peer; /* borrowed, as the next three */
	struct hf_outbox *outbox;
	struct hf_questions *questions;
	struct hf_feed_warnings *warnings;
	int64_t verify_ms; /* a round takes so long, or longer */

	struct hf_wanted *repairs; /* owned; NULL: nothing is to be repaired */
	struct hf_owned last, before;
	bool has_last, had_before;
	bool wrapped;      /* it began anew, and has asked for none since */
	uint64_t n_passes; /* so many had begun when it was asked */
	int64_t at;        /* boottime of the next question */
	uint64_t left;     /* of a full one: so many are still to be asked for */
	bool now;
	int verified; /* 1: the last question was answered right, 0: wrong, -1: none yet */
	struct hf_feed_check check;
	struct hf_fault wrong;
	struct hf_checker_foreign foreign;
};

void hf_checker_done(struct hf_checker *c);

int64_t hf_checker_wait(const struct hf_checker *c); /* until the next question; -1: never */
int64_t hf_checker_round_ms(const struct hf_checker *c);
/* Asks the next lot. `n_passes`: so many have begun. */
struct hf_feed_step hf_checker_step(struct hf_checker *c, uint64_t n_passes);
/*
 * The answer. What a pass has changed since the question is asked for once more. FAILED: nobody
 * answers. *ret_lost: most of it is missing.
 */
struct hf_feed_step hf_checker_answered(
    struct hf_checker *c, int code, const char *text, uint64_t n_passes, bool *ret_lost);

/* Somebody wants to know: for a sample, or for all. */
void hf_checker_verify(struct hf_checker *c, bool full);
/* The list for that verification is through: so many should not be there; -1: not known. */
void hf_checker_counted(struct hf_checker *c, uint64_t number, int64_t n);
/* A pass is through. */
void hf_checker_passed(struct hf_checker *c);
/* Names where others' records were seen beside or instead of ours. */
uint64_t hf_checker_n_foreign(const struct hf_checker *c);
