/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice of what to do next, and what a failure means. The feed's objects only say what a step
 * has come to.
 */
#include "bridge/feed/feed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "bridge/feed/feed_private.h"
#include "bridge/feed/settle.h"

enum {
	STORE_MS = 1000, /* the store does not take it */
};

static const char *const phase_names[] = {
	[FEED_IDLE] = "idle",
	[FEED_ADOPTING] = "adopting",
	[FEED_SETTLING] = "settling",
	[FEED_PASSING] = "passing",
	[FEED_LEAVING] = "leaving",
	[FEED_EMPTYING] = "emptying",
	[FEED_CLEAN] = "clean",
};

void hf_feed_enter(struct hf_feed *f, enum hf_feed_phase phase)
{
	if (f->phase == phase)
		return;
	hf_log_debug("%s: %s -> %s", f->who, phase_names[f->phase], phase_names[phase]);
	f->phase = phase;
}

/* --- trouble --- */

static void resolver_failed(struct hf_feed *f, int code, const char *text)
{
	uint32_t wait = hf_retry_fail(&f->retry, code, text);

	if (f->late && f->retry.attempts == 1)
		hf_log_warn(
		    "%s: re-applying failed (%s), retry in %u ms", f->who, f->retry.error, wait);
}

/* That it applies a changeset is nothing to speak of: its commit wakes the feed. */
static void store_failed(struct hf_feed *f, int code)
{
	if (code == -EBUSY)
		return;
	f->store_at = hf_feed_now(f) + STORE_MS;
	hf_fault_set(&f->store_fault, f->env.clock, HF_LOG_WARN, "%s: waits for the store (%s)",
	    f->who, hf_strerror(code));
}

void hf_feed_heard(struct hf_feed *f, const struct hf_feed_step *step)
{
	if (step->next == HF_STEP_FAILED && step->store)
		store_failed(f, step->code);
	else if (step->next == HF_STEP_FAILED)
		resolver_failed(f, step->code, step->text);
	else if (step->well)
		hf_retry_ok(&f->retry);
}

struct hf_feed_step hf_feed_flush(struct hf_feed *f)
{
	int rc = hf_ledger_flush(&f->outbox.ledger);

	if (rc)
		return hf_feed_store_refused(rc);
	hf_fault_clear(&f->store_fault, f->env.clock, f->who);
	return hf_feed_again();
}

static void feed_complete(struct hf_feed *f, uint64_t generation)
{
	f->completed = true;
	if (f->peer.type->complete)
		f->peer.type->complete(f->peer.adapter, generation);
}

/* --- passes --- */

static struct hf_pass_env pass_env(struct hf_feed *f)
{
	return (struct hf_pass_env){
		.peer = &f->peer,
		.outbox = &f->outbox,
		.zones = &f->zones,
		.questions = &f->questions,
		.random = &f->random,
	};
}

static struct hf_feed_step pass_begun(struct hf_feed *f, struct hf_pass *pass, int rc)
{
	if (rc)
		return hf_feed_store_refused(rc);
	f->pass = pass;
	f->n_passes++;
	hf_feed_enter(f, FEED_PASSING);
	return hf_feed_again();
}

static struct hf_feed_step begin_full(struct hf_feed *f, bool refill)
{
	const struct hf_pass_env env = pass_env(f);
	struct hf_pass *pass = NULL;
	int rc = hf_pass_new_full(&env, refill, &pass);

	if (!rc)
		f->full = f->refill = false;
	return pass_begun(f, pass, rc);
}

/* `before`: the pass that it overtakes; NULL: none. It ends then. */
static struct hf_feed_step begin_log(struct hf_feed *f, struct hf_pass *before)
{
	const struct hf_pass_env env = pass_env(f);
	bool unconfirmed = before && before->unconfirmed;
	struct hf_pass *pass = NULL;
	int rc = hf_pass_new_log(&env, before, &pass);

	if (rc && rc != -ESTALE)
		return hf_feed_store_refused(rc);
	f->full = f->full || (before && before->full);
	hf_pass_free(before);
	f->pass = NULL;
	return rc ? begin_full(f, unconfirmed) : pass_begun(f, pass, 0);
}

static struct hf_feed_step begin_repairs(struct hf_feed *f)
{
	const struct hf_pass_env env = pass_env(f);
	struct hf_wanted *repairs = f->checker.repairs;
	struct hf_pass *pass = NULL;
	int rc;

	f->checker.repairs = NULL;
	rc = hf_pass_new_repairs(&env, repairs, &pass);
	return pass_begun(f, pass, rc);
}

static void tell_end(const struct hf_feed *f, const struct hf_pass *p)
{
	enum hf_log_level level = p->full && (p->n_put || p->n_taken) ? HF_LOG_INFO : HF_LOG_DEBUG;

	hf_log(level, "%s: has generation %llu: %llu names put, %llu taken in %lld ms", f->who,
	    (unsigned long long)p->target, (unsigned long long)p->n_put,
	    (unsigned long long)p->n_taken, (long long)(hf_feed_now(f) - p->begun_at));
}

static void pass_finished(struct hf_feed *f)
{
	struct hf_pass *p = f->pass;
	bool changed = p->n_put || p->n_taken;

	hf_ledger_reached(&f->outbox.ledger, p->epoch, p->target, changed || p->full);
	tell_end(f, p);
	hf_outbox_passed(&f->outbox, p->full);
	hf_adopt_passed(&f->adopt);
	hf_checker_passed(&f->checker);
	if (p->full)
		hf_checker_counted(&f->checker, f->adopt.check, (int64_t)p->n_stale);
	f->late = false;
	if (f->outbox.n_failed < HF_OUTBOX_FAILED_MAX)
		hf_retry_ok(&f->retry);
	if (changed || p->full || !f->completed)
		feed_complete(f, p->target);
	f->pass = NULL;
	hf_pass_free(p);
	hf_feed_zones_passed(&f->zones);
	hf_feed_enter(f, FEED_IDLE);
}

static struct hf_feed_step feed_pass(struct hf_feed *f)
{
	struct hf_pass *p = f->pass;
	struct hf_feed_step step;

	p->late = f->late;
	p->failed = f->retry.failed;
	step = hf_pass_step(p);
	if (step.next == HF_STEP_FAILED && p->state == PASS_DRAWING) {
		/* Once more, from the beginning. */
		f->full = true;
		f->refill = f->refill || p->refill;
		f->pass = NULL;
		hf_pass_free(p);
		hf_feed_enter(f, FEED_IDLE);
	} else if (p->overtaken) {
		return begin_log(f, p);
	} else if (p->state == PASS_DONE) {
		pass_finished(f);
	}
	return step;
}

/* --- what to do next --- */

static bool is_of_this_epoch(const struct hf_feed *f)
{
	const struct hf_ledger *l = &f->outbox.ledger;

	return !memcmp(l->cursor.epoch, hf_store_epoch(f->env.store), sizeof(l->cursor.epoch));
}

/* Reads the ledger; with none of this epoch, what is there has to be found out. */
static struct hf_feed_step feed_load(struct hf_feed *f)
{
	struct hf_ledger *l = &f->outbox.ledger;
	int rc = hf_ledger_load(l);

	if (rc >= 0 && hf_feed_zones_load(&f->zones) < 0)
		rc = -EIO;
	if (rc < 0) {
		l->loaded = false;
		return hf_feed_store_refused(rc);
	}
	hf_feed_zones_tell(&f->zones);
	hf_outbox_loaded(&f->outbox);
	/* What each is to be, the store knows; when it is due, nobody. */
	f->full = f->full || hf_outbox_n_aside(&f->outbox);
	f->adopt.lost = !rc;
	if (!rc) {
		hf_adopt_begin(&f->adopt, 0);
		hf_feed_enter(f, FEED_ADOPTING);
	}
	return hf_feed_again();
}

static void tell_refill(struct hf_feed *f)
{
	if (f->why[0])
		hf_log_info("%s: %s; it is filled again", f->who, f->why);
	f->why[0] = '\0';
}

/* As far as the ledger knows. */
static bool is_up_to_date(const struct hf_feed *f)
{
	const struct hf_ledger *l = &f->outbox.ledger;

	return l->cursor.generation && l->cursor.generation == hf_store_generation(f->env.store) &&
	       !f->refill && !f->full && !f->zones.changed && !l->counts[ROW_TRIED];
}

/* What is below one that leaves and is in no row is found before it is let go. */
static bool may_leave(const struct hf_feed *f)
{
	return f->zones.leave && hf_adopt_wait(&f->adopt) < 0;
}

/* False: nothing of the store has to be read for it. */
static bool has_work(const struct hf_feed *f)
{
	const struct hf_ledger *l = &f->outbox.ledger;

	return f->refill || f->full || f->checker.repairs || may_leave(f) || f->zones.changed ||
	       l->counts[ROW_TRIED] || hf_adopt_wait(&f->adopt) == 0 ||
	       hf_aside_wait(&f->outbox.aside) == 0 || hf_outbox_skipped_wait(&f->outbox) == 0 ||
	       hf_store_generation(f->env.store) != l->cursor.generation ||
	       hf_checker_wait(&f->checker) == 0;
}

void hf_feed_begin_adopting(struct hf_feed *f)
{
	const struct hf_feed_check *check = &f->checker.check;

	hf_adopt_begin(&f->adopt, check->listing ? check->number : 0);
	hf_feed_enter(f, FEED_ADOPTING);
}

static struct hf_feed_step begin_work(struct hf_feed *f)
{
	uint64_t generation = hf_store_generation(f->env.store);
	uint64_t done = f->outbox.ledger.cursor.generation;
	bool compares = f->full || hf_outbox_skipped_wait(&f->outbox) == 0;

	hf_feed_zones_tell(&f->zones);
	if (f->outbox.ledger.counts[ROW_TRIED]) {
		hf_feed_enter(f, FEED_SETTLING);
		return hf_feed_again();
	}
	if (hf_adopt_wait(&f->adopt) == 0) {
		hf_feed_begin_adopting(f);
		return hf_feed_again();
	}
	if (may_leave(f) && hf_feed_zones_leave(&f->zones)) {
		f->outbox.empty_done = false;
		hf_feed_enter(f, FEED_LEAVING);
		return hf_feed_again();
	}
	if (f->refill) {
		tell_refill(f);
		return begin_full(f, true);
	}
	if (compares || (!done && generation) || generation < done)
		return begin_full(f, false);
	if (generation != done || hf_aside_wait(&f->outbox.aside) == 0)
		return begin_log(f, NULL);
	if (f->checker.repairs)
		return begin_repairs(f);
	if (hf_checker_wait(&f->checker) == 0)
		return hf_checker_step(&f->checker, f->n_passes);
	return hf_feed_again();
}

static struct hf_feed_step feed_until(int64_t ms)
{
	return ms < 0 ? hf_feed_on_event() : hf_feed_in_ms(ms);
}

static struct hf_feed_step feed_choose(struct hf_feed *f)
{
	struct hf_feed_step step;
	int64_t wait;

	if (!hf_store_ready(f->env.store))
		return hf_feed_on_event();
	if (!f->outbox.ledger.loaded || !is_of_this_epoch(f))
		return feed_load(f);
	/* Nothing changed since the last life: what the adapter itself keeps may still be old. */
	if (!f->completed && hf_adopt_wait(&f->adopt) && is_up_to_date(f))
		feed_complete(f, f->outbox.ledger.cursor.generation);
	if (has_work(f)) {
		step = hf_feed_flush(f);
		return step.next == HF_STEP_FAILED ? step : begin_work(f);
	}
	wait = hf_feed_sooner(hf_checker_wait(&f->checker), hf_aside_wait(&f->outbox.aside));
	wait = hf_feed_sooner(wait, hf_adopt_wait(&f->adopt));
	return feed_until(hf_feed_sooner(wait, hf_outbox_skipped_wait(&f->outbox)));
}

static struct hf_feed_step feed_adopt(struct hf_feed *f)
{
	struct hf_feed_step step = hf_adopt_step(&f->adopt);
	bool lost = f->adopt.lost;

	if (f->adopt.state != ADOPT_NOTHING)
		return step;
	hf_feed_enter(f, FEED_IDLE);
	if (lost || f->outbox.ledger.counts[ROW_STALE])
		f->full = true;
	else
		hf_checker_counted(&f->checker, f->adopt.check, f->adopt.whole ? 0 : -1);
	return step;
}

/* With nobody to ask, a comparison of all puts it once more, or takes it. */
static struct hf_feed_step feed_settle(struct hf_feed *f)
{
	int n;

	if (f->questions.asking != ASK_NOTHING)
		return hf_feed_on_event();
	n = hf_settle_fill(&f->outbox.ledger, &f->questions);
	if (n < 0)
		return hf_feed_store_refused(n);
	if (!n) {
		hf_feed_enter(f, FEED_IDLE);
		return hf_feed_again();
	}
	if (!f->peer.type->verify)
		return begin_full(f, f->refill);
	hf_questions_ask(&f->questions, ASK_SETTLE);
	return hf_feed_on_event();
}

static struct hf_feed_step feed_leave(struct hf_feed *f)
{
	if (hf_outbox_is_out(&f->outbox))
		return hf_feed_on_event();
	if (!f->outbox.empty_done) {
		hf_outbox_send_empty(&f->outbox);
		return hf_feed_on_event();
	}
	hf_feed_enter(f, FEED_IDLE);
	return hf_feed_again();
}

static struct hf_feed_step feed_empty(struct hf_feed *f)
{
	struct hf_feed_step step = hf_teardown_step(&f->teardown);

	if (f->teardown.clean)
		hf_feed_enter(f, FEED_CLEAN);
	return step;
}

struct hf_feed_step hf_feed_go_on(struct hf_feed *f)
{
	switch (f->phase) {
	case FEED_IDLE:
		return feed_choose(f);
	case FEED_ADOPTING:
		return feed_adopt(f);
	case FEED_SETTLING:
		return feed_settle(f);
	case FEED_PASSING:
		return feed_pass(f);
	case FEED_LEAVING:
		return feed_leave(f);
	case FEED_EMPTYING:
		return feed_empty(f);
	case FEED_CLEAN:
		break;
	}
	return hf_feed_on_event();
}
