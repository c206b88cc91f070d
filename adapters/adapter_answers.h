/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * adapter_answers: what an adapter owes its host, each once, from the loop and never from within a
 * call, and one a turn: the host may close the adapter in any of them, and then none follows.
 */
#include "adapters/adapter_job.h"

struct hf_adapter_host;

/* In this order where several are due. */
enum hf_adapter_answer {
	HF_ANSWER_LOST,
	HF_ANSWER_APPLY,
	HF_ANSWER_LIST,
	HF_ANSWER_VERIFY,
	HF_ANSWER_DOCTOR,
	HF_ANSWERS,
};

struct hf_adapter_answers {
	/* Its own. */
	struct hf_adapter *a; /* borrowed, as the next two */
	const struct hf_adapter_host *host;
	const hf_adapter_step *give;
	struct event *turn; /* owned */
	unsigned due;       /* a bit each */
	char lost_why[HF_ADAPTER_TEXT_MAX];
	int verify_code;
	char verify_text[HF_ADAPTER_TEXT_MAX];
};

/*
 * `give` has HF_ANSWERS functions: each gives that answer to the host, as the last thing that it
 * does, or says when it is due again (a listing comes in parts). NULL: the answer is what lost(),
 * verified() and examined() say below. 0 or -ENOMEM: done() is called all the same.
 */
int hf_adapter_answers_init(struct hf_adapter_answers *s, struct event_base *base,
    struct hf_adapter *a, const struct hf_adapter_host *host, const hf_adapter_step *give);
/* Nothing is answered any more. One that was never initialised (zero) is fine. */
void hf_adapter_answers_done(struct hf_adapter_answers *s);

/* It is given in a turn of its own, soon. Once, however often this is called before. */
void hf_adapter_answers_due(struct hf_adapter_answers *s, enum hf_adapter_answer which);

/* The resolver has lost what it had; the last reason counts. Any time. */
void hf_adapter_answers_lost(struct hf_adapter_answers *s, const char *why);
/* To verify(): the array is filled in, or `code` and why nothing was found out. */
void hf_adapter_answers_verified(struct hf_adapter_answers *s, int code, const char *text);
/* To doctor(): all was found. */
void hf_adapter_answers_examined(struct hf_adapter_answers *s);
