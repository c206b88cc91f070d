/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * questions: what the resolver itself is asked, one lot of names at a time, and what its answers
 * come to. Who asks fills the lot and says what for; the answer goes to that one.
 */
#include "bridge/feed/feed_peer.h"

enum { HF_FEED_SAMPLE = 200 /* names asked for at once */ };

enum hf_feed_asking {
	ASK_NOTHING, /* the adapter has no lot of ours: it may be filled */
	ASK_RUN,
	ASK_SETTLE,
	ASK_LOOK,
	ASK_SEEK,
};

struct hf_questions {
	const struct hf_feed_peer *peer; /* borrowed */
	enum hf_feed_asking asking;
	struct hf_expect at[HF_FEED_SAMPLE]; /* with the adapter while asking */
	uint8_t rows[HF_FEED_SAMPLE];        /* SETTLE: their states until now */
	size_t n;
};

struct hf_questions_tally {
	size_t right, wrong, foreign, silent;
	size_t first_bad; /* of wrong, else silent; n: none */
};

/* Hands the lot over. The answer comes as hf_adapter_host's verified(). */
void hf_questions_ask(struct hf_questions *q, enum hf_feed_asking what);
/* The answer is there: what for it was asked. */
enum hf_feed_asking hf_questions_answered(struct hf_questions *q);
/* Counts the answers; with a code all are silent. */
void hf_questions_tally(
    const struct hf_questions *q, int code, struct hf_questions_tally *ret_tally);
