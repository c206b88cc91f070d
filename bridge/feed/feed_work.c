/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed is driven: what is wished, one slice of work, when the next is due, and its state.
 */
#include <stdio.h>

#include "base/log.h"
#include "bridge/feed/feed_private.h"

enum {
	FLUSH_MS = 500, /* a receipt waits for others so long */
	BUSY_MS = 20,   /* the store is applying a changeset */
};

/* --- all of it goes --- */

/* Nothing was ever put there, and the last attempt to reach it failed. */
static bool is_unreached(const struct hf_feed *f)
{
	const struct hf_ledger *l = &f->outbox.ledger;
	const uint64_t *n = l->counts;

	return f->retry.attempts && !l->cursor.generation &&
	       !(n[ROW_TRIED] + n[ROW_PUT] + n[ROW_STALE] + n[ROW_FAILED]);
}

static void end_pass(struct hf_feed *f)
{
	hf_pass_free(f->pass);
	f->pass = NULL;
	hf_outbox_drop(&f->outbox);
}

/* The adapter goes: as soon as it has nothing of ours in its hands. */
static void begin_clean(struct hf_feed *f)
{
	bool loaded = f->outbox.ledger.loaded, lists = f->peer.type->list;

	if (f->phase >= FEED_EMPTYING || hf_outbox_is_out(&f->outbox) ||
	    f->questions.asking != ASK_NOTHING || f->adopt.asked ||
	    (f->phase == FEED_ADOPTING && f->clean_looked))
		return;
	/* The ledger is read first. */
	if (lists && !loaded && hf_store_ready(f->env.store))
		return;
	end_pass(f);
	if (lists && loaded && !is_unreached(f) && !f->clean_looked) {
		f->clean_looked = f->adopt.leaving = true;
		hf_feed_begin_adopting(f);
		return;
	}
	if (is_unreached(f))
		f->retry.next_at = 0;
	hf_adopt_drop(&f->adopt);
	hf_teardown_begin(&f->teardown, is_unreached(f));
	hf_feed_enter(f, FEED_EMPTYING);
}

/* --- its state --- */

/* To look for what should not be there is no change of state. */
static bool is_idle(const struct hf_feed *f)
{
	bool looks = f->phase == FEED_ADOPTING && !f->adopt.lost;

	return (f->phase == FEED_IDLE || looks) && f->outbox.ledger.loaded && !f->refill &&
	       !f->full;
}

static enum hf_feed_state feed_state_of(const struct hf_feed *f)
{
	const struct hf_ledger *l = &f->outbox.ledger;

	if (f->retry.failed)
		return HF_FEED_FAILED;
	if (f->retry.attempts || hf_feed_unwell(f) || l->counts[ROW_FAILED])
		return HF_FEED_RETRYING;
	if (f->phase == FEED_CLEAN)
		return HF_FEED_SYNCED;
	return is_idle(f) && l->cursor.generation == hf_store_generation(f->env.store)
		   ? HF_FEED_SYNCED
		   : HF_FEED_APPLYING;
}

static void note_state(struct hf_feed *f)
{
	enum hf_feed_state state = feed_state_of(f);

	if (state == f->told_state)
		return;
	f->told_state = state;
	f->since_s = hf_wall_ms(f->env.clock) / 1000;
}

/* --- one slice --- */

/* The store takes it again. */
static void note_written(struct hf_feed *f)
{
	if (f->n_written == f->outbox.ledger.n_written)
		return;
	f->n_written = f->outbox.ledger.n_written;
	hf_fault_clear(&f->store_fault, f->env.clock, f->who);
}

/* Until the resolver, or the store, is tried again. 0: now. */
static int64_t held_back(const struct hf_feed *f)
{
	int64_t wait = hf_retry_wait(&f->retry), store = f->store_at - hf_feed_now(f);

	return wait ? wait : store > 0 ? store : 0;
}

static int64_t after_failure(const struct hf_feed *f)
{
	int64_t wait = held_back(f);

	return wait ? wait : BUSY_MS;
}

/* Receipts that nothing else has written: the milliseconds until they are, or -1. */
static int64_t flush_late(struct hf_feed *f)
{
	const struct hf_ledger *l = &f->outbox.ledger;
	int64_t wait = l->since + FLUSH_MS - hf_feed_now(f);
	struct hf_feed_step step;

	if (!hf_ledger_waiting(l) || !l->loaded)
		return -1;
	if (wait > 0)
		return wait;
	step = hf_feed_flush(f);
	hf_feed_heard(f, &step);
	return step.next == HF_STEP_FAILED ? after_failure(f) : -1;
}

/* One step, and the milliseconds until the next: 0: at once, -1: when something happens. */
static int64_t feed_go(struct hf_feed *f)
{
	int64_t wait = held_back(f);
	struct hf_feed_step step;

	if (wait)
		return wait;
	step = hf_feed_go_on(f);
	hf_feed_heard(f, &step);
	switch (step.next) {
	case HF_STEP_AGAIN:
		return 0;
	case HF_STEP_IN_MS:
		return step.ms;
	case HF_STEP_ON_EVENT:
		return -1;
	case HF_STEP_FAILED:
		break;
	}
	return after_failure(f);
}

int64_t hf_feed_work(struct hf_feed *f)
{
	int64_t begun = hf_feed_now(f), wait, failing = hf_retry_look(&f->retry);

	do {
		if (f->clean)
			begin_clean(f);
		wait = feed_go(f);
	} while (wait == 0 && hf_feed_now(f) - begun < HF_FEED_SLICE_MS);
	if (wait != 0 && f->store_at <= hf_feed_now(f))
		wait = hf_feed_sooner(wait, flush_late(f));
	note_written(f);
	note_state(f);
	return hf_feed_sooner(wait, failing);
}

/* --- wishes --- */

void hf_feed_set_zones(struct hf_feed *f, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	bool ttl;

	if (!hf_feed_zones_set(&f->zones, suffixes, n, ttl_s, &ttl))
		return;
	/* What is below one that leaves and is in no row is found before it is let go. */
	if (f->zones.leave)
		hf_adopt_want(&f->adopt);
	if (ttl)
		hf_feed_refill(f, "the TTL is another one");
	hf_feed_wake(f);
}

void hf_feed_refill(struct hf_feed *f, const char *why)
{
	hf_adopt_want(&f->adopt);
	/* All is about to be put in any case. */
	if (f->pass && f->pass->fresh && !f->pass->n_put) {
		hf_log_debug("%s: %s", f->who, why);
		return;
	}
	f->refill = f->late = true;
	snprintf(f->why, sizeof(f->why), "%s", why);
	hf_feed_wake(f);
}

void hf_feed_verify(struct hf_feed *f, bool full)
{
	hf_checker_verify(&f->checker, full);
	if (full)
		hf_adopt_want(&f->adopt);
	hf_feed_wake(f);
}

void hf_feed_clean(struct hf_feed *f)
{
	f->clean = true;
	hf_feed_wake(f);
}

bool hf_feed_is_clean(const struct hf_feed *f)
{
	return f->phase == FEED_CLEAN;
}
