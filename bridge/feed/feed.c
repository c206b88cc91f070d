/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

static const char *const phase_names[] = {
	[FEED_IDLE] = "idle",
	[FEED_LISTING] = "listing",
	[FEED_COMPARING] = "comparing",
	[FEED_SEEKING] = "seeking",
	[FEED_SETTLING] = "settling",
	[FEED_DRAWING] = "drawing",
	[FEED_PUTTING] = "putting",
	[FEED_CONFIRMING] = "confirming",
	[FEED_TAKING] = "taking",
	[FEED_SEEING_OFF] = "seeing off",
	[FEED_LEAVING] = "leaving",
	[FEED_EMPTYING] = "emptying",
	[FEED_CLEAN] = "clean",
};

/* --- life --- */

void hf_feed_rename(struct hf_feed *f, const char *name)
{
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->who, sizeof(f->who), "adapter '%s'", f->name);
}

static void take_conf(struct hf_feed *f, const struct hf_feed_conf *conf)
{
	f->type = conf->type;
	f->verify_ms = conf->verify_ms;
	f->skipped_ms = f->skipped_wait_ms = conf->skipped_ms;
	hf_feed_rename(f, conf->name);
	f->adopt.wait = (struct hf_backoff){ (uint32_t)conf->floor_ms, (uint32_t)conf->cap_ms, 0 };
	f->retry = (struct hf_retry){
		.who = f->who,
		.clock = f->env.clock,
		.wait = { .floor_ms = (uint32_t)conf->floor_ms, .cap_ms = (uint32_t)conf->cap_ms },
		.failed_ms = conf->failed_ms,
	};
}

int hf_feed_new(
    const struct hf_feed_env *env, const struct hf_feed_conf *conf, struct hf_feed **ret_feed)
{
	struct hf_feed *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->env = *env;
	take_conf(f, conf);
	hf_adopt_want(f);
	f->next_max = 64;
	f->verified = -1;
	f->check.unexpected = -1;
	f->late = true;
	f->told_state = HF_FEED_APPLYING;
	f->since_s = hf_wall_ms(env->clock) / 1000;
	if (getrandom(&f->random, sizeof(f->random), 0) != sizeof(f->random) || !f->random)
		f->random = 1;
	hf_ledger_init(
	    &f->ledger, env->store, env->clock, conf->ledger ? conf->ledger : conf->name);
	hf_aside_init(&f->aside, env->clock, (uint32_t)conf->floor_ms, (uint32_t)conf->skipped_ms);
	hf_feed_host(f);
	rc = f->type->open(conf->config, &f->host, &f->adapter);
	if (rc) {
		f->adapter = NULL;
		hf_feed_free(f);
		return rc;
	}
	*ret_feed = f;
	return 0;
}

void hf_feed_free(struct hf_feed *f)
{
	if (!f)
		return;
	if (f->adapter)
		f->type->close(f->adapter);
	/* What cannot be written now is found out by the next one. */
	if (f->phase != FEED_CLEAN)
		hf_ledger_flush(&f->ledger);
	hf_pass_drop(f);
	hf_adopt_drop(f);
	hf_wanted_free(f->repairs);
	hf_ledger_done(&f->ledger);
	hf_aside_done(&f->aside);
	free(f);
}

void hf_feed_enter(struct hf_feed *f, enum hf_feed_phase phase)
{
	if (f->phase == phase)
		return;
	hf_log_debug("%s: %s -> %s", f->who, phase_names[f->phase], phase_names[phase]);
	f->phase = phase;
}

/* --- trouble --- */

void hf_feed_failed(struct hf_feed *f, int code, const char *text)
{
	uint32_t wait = hf_retry_fail(&f->retry, code, text);

	if (f->late && f->retry.attempts == 1)
		hf_log_warn(
		    "%s: re-applying failed (%s), retry in %u ms", f->who, f->retry.error, wait);
}

int64_t hf_feed_store_failed(struct hf_feed *f, int code)
{
	if (code == -EBUSY)
		return HF_FEED_BUSY_MS;
	hf_fault_set(&f->store_fault, f->env.clock, HF_LOG_WARN, "%s: waits for the store (%s)",
	    f->who, hf_strerror(code));
	f->store_at = hf_feed_now(f) + HF_FEED_STORE_MS;
	return HF_FEED_STORE_MS;
}

int64_t hf_feed_flush(struct hf_feed *f, bool all)
{
	int rc = all ? hf_ledger_flush(&f->ledger) : 0;

	if (rc)
		return hf_feed_store_failed(f, rc) + 1;
	if (all)
		hf_fault_clear(&f->store_fault, f->env.clock, f->who);
	return 0;
}

void hf_feed_complete(struct hf_feed *f, uint64_t generation)
{
	f->completed = true;
	if (f->type->complete)
		f->type->complete(f->adapter, generation);
}

/* --- what to do next --- */

static bool is_of_this_epoch(const struct hf_feed *f)
{
	return !memcmp(
	    f->ledger.cursor.epoch, hf_store_epoch(f->env.store), sizeof(f->ledger.cursor.epoch));
}

/* Reads the ledger; with none of this epoch, what is there has to be found out. */
static int64_t feed_load(struct hf_feed *f)
{
	int rc = hf_ledger_load(&f->ledger);

	if (rc >= 0 && hf_feed_zones_load(f) < 0)
		rc = -EIO;
	if (rc < 0) {
		f->ledger.loaded = false;
		return hf_feed_store_failed(f, rc);
	}
	hf_feed_zones_tell(f);
	if (f->ledger.counts[ROW_CLASH] + f->ledger.counts[ROW_UNFIT])
		f->skipped_at = hf_feed_now(f) + f->skipped_ms;
	/* What each is to be, the store knows; when it is due, nobody. */
	f->full = f->full || hf_pass_n_aside(f);
	f->adopt.lost = !rc;
	if (!rc)
		hf_feed_enter(f, FEED_LISTING);
	return HF_FEED_AGAIN;
}

static bool feed_is_due(const struct hf_feed *f, int64_t at)
{
	return at && hf_feed_now(f) >= at;
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
	uint64_t generation = f->ledger.cursor.generation;

	return generation && generation == hf_store_generation(f->env.store) && !f->refill &&
	       !f->full && !f->zones_changed && !f->ledger.counts[ROW_TRIED];
}

/* Returns false where nothing of the store has to be read for it. */
static bool has_work(struct hf_feed *f)
{
	return f->refill || f->full || f->repairs || f->leave || f->zones_changed ||
	       f->ledger.counts[ROW_TRIED] || hf_adopt_wait(f) == 0 ||
	       hf_aside_wait(&f->aside) == 0 || feed_is_due(f, f->skipped_at) ||
	       hf_store_generation(f->env.store) != f->ledger.cursor.generation ||
	       hf_spot_check_wait(f) == 0;
}

static int64_t begin_work(struct hf_feed *f)
{
	uint64_t generation = hf_store_generation(f->env.store), done = f->ledger.cursor.generation;

	hf_feed_zones_tell(f);
	if (f->ledger.counts[ROW_TRIED]) {
		hf_feed_enter(f, FEED_SETTLING);
		return HF_FEED_AGAIN;
	}
	if (hf_adopt_wait(f) == 0) {
		hf_feed_enter(f, FEED_LISTING);
		return HF_FEED_AGAIN;
	}
	if (f->leave && hf_feed_zones_leave(f))
		return HF_FEED_AGAIN;
	if (f->refill) {
		tell_refill(f);
		return hf_pass_begin_full(f, true);
	}
	if (f->full || feed_is_due(f, f->skipped_at) || (!done && generation) || generation < done)
		return hf_pass_begin_full(f, false);
	if (generation != done || hf_aside_wait(&f->aside) == 0)
		return hf_pass_begin_log(f);
	if (f->repairs)
		return hf_pass_begin_repairs(f);
	if (hf_spot_check_wait(f) == 0)
		return hf_spot_check_step(f);
	return HF_FEED_AGAIN;
}

static int64_t feed_sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static int64_t feed_choose(struct hf_feed *f)
{
	int64_t wait;

	if (!hf_store_ready(f->env.store))
		return HF_FEED_EVENT;
	if (!f->ledger.loaded || !is_of_this_epoch(f))
		return feed_load(f);
	/* Nothing changed since the last life: what the adapter itself keeps may still be old. */
	if (!f->completed && hf_adopt_wait(f) && is_up_to_date(f))
		hf_feed_complete(f, f->ledger.cursor.generation);
	if (has_work(f)) {
		wait = hf_feed_flush(f, true);
		return wait ? wait - 1 : begin_work(f);
	}
	wait = feed_sooner(hf_spot_check_wait(f), hf_aside_wait(&f->aside));
	wait = feed_sooner(wait, hf_adopt_wait(f));
	if (f->skipped_at)
		wait = feed_sooner(wait, f->skipped_at - hf_feed_now(f));
	return wait;
}

static int64_t feed_step(struct hf_feed *f)
{
	switch (f->phase) {
	case FEED_IDLE:
		return feed_choose(f);
	case FEED_LISTING:
		return hf_adopt_list(f);
	case FEED_COMPARING:
		return hf_adopt_compare(f);
	case FEED_SEEKING:
		return hf_adopt_seek(f);
	case FEED_SETTLING:
		return hf_adopt_settle(f);
	case FEED_DRAWING:
		return hf_pass_draw(f);
	case FEED_PUTTING:
		return hf_pass_put(f);
	case FEED_CONFIRMING:
	case FEED_SEEING_OFF:
		return hf_pass_confirm_step(f);
	case FEED_TAKING:
		return hf_pass_take(f);
	case FEED_LEAVING:
		return hf_feed_zones_leaving(f);
	case FEED_EMPTYING:
		return hf_teardown_step(f);
	case FEED_CLEAN:
		break;
	}
	return HF_FEED_EVENT;
}

/* --- driven from outside --- */

/* The adapter goes: as soon as it has nothing of ours in its hands. */
static void begin_clean(struct hf_feed *f)
{
	bool looks = f->phase >= FEED_LISTING && f->phase <= FEED_SEEKING;

	if (f->phase >= FEED_EMPTYING || hf_outbox_is_out(f) || f->asking != ASK_NOTHING ||
	    f->adopt.asked || (looks && f->clean_looked))
		return;
	/* The ledger is read first. */
	if (f->type->list && !f->ledger.loaded && hf_store_ready(f->env.store))
		return;
	f->unreached = hf_teardown_is_unreached(f);
	if (f->type->list && f->ledger.loaded && !f->unreached && !f->clean_looked) {
		f->clean_looked = true;
		hf_pass_drop(f);
		hf_feed_enter(f, FEED_LISTING);
		return;
	}
	if (f->unreached)
		f->retry.next_at = 0;
	hf_pass_drop(f);
	hf_adopt_drop(f);
	f->empty_done = false;
	hf_feed_enter(f, FEED_EMPTYING);
}

/* To look for what should not be there is no change of state. */
static bool is_idle(const struct hf_feed *f)
{
	bool looks = f->phase >= FEED_LISTING && f->phase <= FEED_SEEKING;

	return (f->phase == FEED_IDLE || (looks && !f->adopt.lost)) && f->ledger.loaded &&
	       !f->refill && !f->full;
}

static enum hf_feed_state feed_state_of(const struct hf_feed *f)
{

	if (f->retry.failed)
		return HF_FEED_FAILED;
	if (f->retry.attempts || f->unwell || f->ledger.counts[ROW_FAILED])
		return HF_FEED_RETRYING;
	if (f->phase == FEED_CLEAN)
		return HF_FEED_SYNCED;
	return is_idle(f) && f->ledger.cursor.generation == hf_store_generation(f->env.store)
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

/* Receipts that nothing else has written. */
static int64_t flush_late(struct hf_feed *f)
{
	int64_t wait = f->ledger.since + HF_FEED_FLUSH_MS - hf_feed_now(f);

	if (!hf_ledger_waiting(&f->ledger) || !f->ledger.loaded)
		return HF_FEED_EVENT;
	if (wait > 0)
		return wait;
	wait = hf_feed_flush(f, true);
	return wait ? wait - 1 : HF_FEED_EVENT;
}

int64_t hf_feed_work(struct hf_feed *f)
{
	int64_t begun = hf_feed_now(f), wait, failing = hf_retry_look(&f->retry);

	do {
		if (f->clean)
			begin_clean(f);
		wait = hf_retry_wait(&f->retry);
		if (!wait && f->store_at > hf_feed_now(f))
			wait = f->store_at - hf_feed_now(f);
		if (!wait)
			wait = feed_step(f);
	} while (wait == HF_FEED_AGAIN && hf_feed_now(f) - begun < HF_FEED_SLICE_MS);
	if (wait != HF_FEED_AGAIN && f->store_at <= hf_feed_now(f))
		wait = feed_sooner(wait, flush_late(f));
	note_state(f);
	return feed_sooner(wait, failing);
}

void hf_feed_refill(struct hf_feed *f, const char *why)
{
	hf_adopt_want(f);
	/* All is about to be put in any case. */
	if (f->run.picture && f->run.fresh && !f->run.n_put) {
		hf_log_debug("%s: %s", f->who, why);
		return;
	}
	f->refill = f->late = true;
	snprintf(f->why, sizeof(f->why), "%s", why);
	hf_feed_wake(f);
}

void hf_feed_verify(struct hf_feed *f, bool full)
{
	uint64_t number = f->check.number + 1;

	f->check = (struct hf_feed_check){
		.number = number,
		.full = full,
		.listing = full && f->type->list,
		.unexpected = -1,
	};
	f->look_now = f->type->verify;
	f->look_left =
	    full && f->type->verify ? f->ledger.counts[ROW_PUT] + f->ledger.counts[ROW_STUCK] : 0;
	if (full) {
		hf_spot_check_restart(f);
		hf_adopt_want(f);
	}
	f->check.running = f->look_now || f->check.listing;
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
