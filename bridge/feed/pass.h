/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pass: one catching up. What is wanted is drawn out of the store, what is missing or other is put,
 * the resolver is asked for a sample of it, and only then what is stale is taken. A pass is of
 * everything, of the change log, or of names to repair; it lives until it is done.
 */
#include "bridge/feed/feed.h"
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/feed_step.h"
#include "bridge/feed/feed_zones.h"
#include "bridge/feed/outbox.h"
#include "bridge/feed/questions.h"
#include "bridge/feed/wanted.h"

struct hf_store_walk;

/* What a pass works with: the feed's, borrowed. */
struct hf_pass_env {
	const struct hf_feed_peer *peer;
	struct hf_outbox *outbox;
	struct hf_feed_zones *zones;
	struct hf_questions *questions;
	uint64_t *random; /* not 0; it goes on from pass to pass */
};

enum hf_pass_state {
	PASS_DRAWING, /* what is wanted, out of the store */
	PASS_PUTTING,
	PASS_CONFIRMING,
	PASS_TAKING,
	PASS_SEEING_OFF, /* is what was taken gone? */
	PASS_DONE,
};

struct hf_pass {
	struct hf_pass_env env;
	enum hf_pass_state state;
	struct hf_wanted *picture;  /* owned */
	struct hf_store_walk *walk; /* owned; only while it is drawn of everything */
	bool full;                  /* the picture is of all names: what is not in it goes */
	bool refill;                /* also what is believed to be there is put */
	bool fresh;      /* nothing was believed to be there, or all of it is put again */
	uint64_t target; /* the generation that the picture is of */
	uint8_t epoch[16];
	bool ended;           /* all of the picture was gone through, or all rows */
	bool unconfirmed;     /* the last question was not answered as it should be */
	bool overtaken;       /* there is news, which is not to wait: a pass of the log is due */
	unsigned n_looked;    /* answers to whether what was taken is gone, or put is there */
	bool any_right;       /* it answers something of what was put as it should */
	bool completed;       /* the adapter was told that all is there, before the first take */
	struct hf_owned last; /* TAKING: the row behind which to go on */
	bool has_last;
	uint64_t n_put, n_taken;
	uint64_t n_stale; /* rows that were stale when all that is wanted was confirmed */
	int64_t begun_at;

	struct hf_expect sample[HF_FEED_SAMPLE];
	size_t n_sample;
	uint64_t sampled; /* out of so many */
	char why[HF_FEED_TEXT_MAX];

	/* What the feed knows, set before each step. */
	bool late;   /* nothing was finished since the start, or since a loss */
	bool failed; /* it has failed for so long that it is said aloud */
};

/* 0 or a code of the store, as the two below: what waits for the ledger is written first. */
int hf_pass_new_full(const struct hf_pass_env *env, bool refill, struct hf_pass **ret_pass);
/*
 * Changes since the cursor, and what is due of what was set aside. `before` (may be NULL) was not
 * confirmed: what of its sample is open is put once more, and what the log has is asked for even if
 * it is believed to be there. -ESTALE: it has to be a full one.
 */
int hf_pass_new_log(
    const struct hf_pass_env *env, const struct hf_pass *before, struct hf_pass **ret_pass);
/* `repairs` is the pass's from now on, also where it fails. */
int hf_pass_new_repairs(
    const struct hf_pass_env *env, struct hf_wanted *repairs, struct hf_pass **ret_pass);
/* What is not sent yet is forgotten. NULL is fine. */
void hf_pass_free(struct hf_pass *p);

struct hf_feed_step hf_pass_step(struct hf_pass *p);
/* A change of it is through (hf_outbox_fate_cb, arg: the pass). */
void hf_pass_told(void *arg, const struct hf_change *change, enum hf_fate fate);
/* The answer to its question. *ret_verified: 1, 0, or -1: it says nothing of that. */
struct hf_feed_step hf_pass_answered(
    struct hf_pass *p, int code, const char *text, int *ret_verified);
