/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed_private: the feed itself, for feed.c (what is done next, what a failure means), feed_work.c
 * (what is wished, one slice of work), feed_host.c (what the adapter is given and says) and
 * feed_status.c. Nobody else sees all of it: each of its objects has a header of its own.
 */
#include "bridge/feed/adopt.h"
#include "bridge/feed/checker.h"
#include "bridge/feed/feed.h"
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/feed_step.h"
#include "bridge/feed/feed_warnings.h"
#include "bridge/feed/feed_zones.h"
#include "bridge/feed/outbox.h"
#include "bridge/feed/pass.h"
#include "bridge/feed/questions.h"
#include "bridge/feed/retry.h"
#include "bridge/feed/teardown.h"

enum hf_feed_phase {
	FEED_IDLE,
	FEED_ADOPTING, /* what is there and in no row? */
	FEED_SETTLING, /* of rows of a life that was cut off: are they there? */
	FEED_PASSING,  /* a pass is under way */
	FEED_LEAVING,  /* suffixes that are no longer ours */
	FEED_EMPTYING, /* all of it goes */
	FEED_CLEAN,    /* all of it is gone */
};

struct hf_feed {
	struct hf_feed_env env;
	char name[HF_TEXT_MAX];
	char who[HF_TEXT_MAX + 16]; /* "adapter 'NAME'" */
	struct hf_feed_peer peer;
	struct hf_adapter_host host;

	/* its objects */
	struct hf_outbox outbox; /* with the ledger */
	struct hf_feed_zones zones;
	struct hf_questions questions;
	struct hf_feed_warnings warnings;
	struct hf_checker checker;
	struct hf_adopt adopt;
	struct hf_feed_teardown teardown;
	struct hf_pass *pass; /* owned; NULL while there is none */
	uint64_t n_passes;    /* so far */
	uint64_t random;

	/* wishes */
	bool refill, full;
	char why[HF_FEED_TEXT_MAX]; /* of the refill; "" once it was logged */
	bool clean;
	bool clean_looked; /* what nobody knows of was looked for, before all of it is taken */
	bool late;         /* nothing was finished since the start, or since this wish */
	bool completed;    /* the adapter's complete() was called in this life */

	enum hf_feed_phase phase;
	enum hf_feed_state told_state;
	int64_t since_s;
	struct hf_retry retry;
	struct hf_fault store_fault;
	uint64_t n_written; /* by the ledger, as the fault was looked at last */
	int64_t store_at;   /* boottime before which the store is not tried again */
};

/* feed.c */
void hf_feed_enter(struct hf_feed *f, enum hf_feed_phase phase);
/* What a step or an answer has come to: a failure is tried again by the table of waits. */
void hf_feed_heard(struct hf_feed *f, const struct hf_feed_step *step);
/* Writes what waits: AGAIN, or why it cannot be written. */
struct hf_feed_step hf_feed_flush(struct hf_feed *f);
/* What is there and in no row is looked for. */
void hf_feed_begin_adopting(struct hf_feed *f);
/* One step of what is under way, or of what is next. */
struct hf_feed_step hf_feed_go_on(struct hf_feed *f);

static inline int64_t hf_feed_now(const struct hf_feed *f)
{
	return hf_feed_peer_now(&f->peer);
}

/* Of two waits; -1: none. */
static inline int64_t hf_feed_sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static inline void hf_feed_wake(struct hf_feed *f)
{
	if (f->env.wake)
		f->env.wake(f->env.arg);
}

/* What the adapter says of the resolver as a whole: it is not fed, whatever our ledger has. */
static inline const char *hf_feed_unwell(const struct hf_feed *f)
{
	const char *text = hf_feed_warnings_text(&f->warnings, HF_WARN_NO_ANSWER);

	return text ? text : hf_feed_warnings_text(&f->warnings, HF_WARN_INCOMPLETE);
}
