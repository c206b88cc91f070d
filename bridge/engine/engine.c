/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in, and the work: changes of the state into the store, the store into the zone. */
#include "bridge/engine/engine_private.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"

enum {
	SLICE_US = 10000,             /* how long one slice of a large change may hold the loop */
	SLICE_NAMES = 8000,           /* that are summed beside it: some 2 ms */
	LAST_NAMES = 4 * SLICE_NAMES, /* ... and when nothing is beside it any more */
	COMMIT_EVERY_MS = 50,         /* at most 20 commits and publications a second */
	RETRY_MS = 1000,              /* after a disk that would not take it */
	TICK_EARLY_MS = 15000,        /* a tick of each minute comes with what else wakes us then */
	REARM_AFTER_MS = 3600 * 1000, /* fresh for so long: the one recovery is allowed again */
};

/* --- in --- */

static int engine_after(struct hf_engine *c, int rc)
{
	c->tick_at = 0;
	return rc;
}

int hf_engine_configure(struct hf_engine *c, const struct hf_config *config)
{
	struct hf_state_source_conf sources[HF_ZONE_SOURCES_MAX];
	struct hf_engine_names before;
	struct hf_state_conf conf;
	int rc;

	if (hf_engine_busy(c))
		return -EBUSY;
	c->config = config;
	hf_engine_conf(config, sources, &conf);
	c->unpublished = true;
	hf_engine_names(c->state, &before);
	rc = hf_state_configure(c->state, &conf, hf_engine_now(c));
	hf_engine_renamed(c, &before, c->state);
	/* One that left, or has another name, is not live for readers either. */
	hf_engine_pulse_down(c);
	return engine_after(c, rc);
}

int hf_engine_identify(struct hf_engine *c, const char *source, const struct hf_identity *id,
    struct hf_judgement *ret_judgement)
{
	int rc;

	memset(ret_judgement, 0, sizeof(*ret_judgement));
	if (hf_engine_busy(c))
		return -EBUSY;
	rc = hf_state_identify(c->state, source, id, hf_engine_now(c), ret_judgement);
	if (ret_judgement->verdict == HF_VERDICT_HELD)
		hf_engine_beat(c, source, NULL, false);
	/* The suffix may be known now: an empty zone can say that it is not ready. */
	c->unpublished = true;
	return engine_after(c, rc);
}

int hf_engine_owner_set(
    struct hf_engine *c, const char *source, const struct hf_uuid *owner, const char *name)
{
	uint32_t source_rid, before = UINT32_MAX, rid = UINT32_MAX;
	int rc;

	if (hf_engine_busy(c))
		return -EBUSY;
	hf_state_find(c->state, source, owner, &source_rid, &before);
	rc = hf_state_owner_set(c->state, source, owner, name, hf_engine_now(c));
	hf_state_find(c->state, source, owner, &source_rid, &rid);
	/* The number may have been another's, who was confirmed a moment ago. */
	if (before == UINT32_MAX && rid != UINT32_MAX)
		hf_publish_owner_clear(c->publish, (uint16_t)rid);
	return engine_after(c, rc);
}

int hf_engine_owner_missing(struct hf_engine *c, const char *source, const char *word)
{
	return hf_engine_busy(c) ? -EBUSY
				 : engine_after(c, hf_state_owner_missing(
						       c->state, source, word, hf_engine_now(c)));
}

int hf_engine_owners_settled(struct hf_engine *c, const char *source)
{
	return hf_engine_busy(c)
		   ? -EBUSY
		   : engine_after(c, hf_state_owners_settled(c->state, source, hf_engine_now(c)));
}

int hf_engine_workspace_owner(struct hf_engine *c, const char *source,
    const struct hf_uuid *workspace, const struct hf_uuid *owner)
{
	if (hf_engine_busy(c))
		return -EBUSY;
	return engine_after(
	    c, hf_state_workspace_owner(c->state, source, workspace, owner, hf_engine_now(c)));
}

bool hf_engine_disputed(struct hf_engine *c, const char *source, struct hf_uuid *ret_workspace)
{
	return hf_state_disputed(c->state, source, ret_workspace);
}

void hf_engine_owner_readable(struct hf_engine *c, const char *source, const struct hf_uuid *owner,
    enum hf_readable readable, int64_t asked_ms)
{
	if (!hf_engine_busy(c))
		hf_state_owner_readable(c->state, source, owner, readable, asked_ms);
}

int hf_engine_decide(struct hf_engine *c, const char *source, const struct hf_uuid *owner,
    const char *what, enum hf_decision decision)
{
	if (hf_engine_busy(c))
		return -EBUSY;
	return engine_after(
	    c, hf_state_decide(c->state, source, owner, what, decision, hf_engine_now(c)));
}

/* --- work --- */

static void store_told(struct hf_engine *c, int rc)
{
	if (rc == HF_EDAMAGED) {
		/* hf_engine_recover() says what becomes of it. */
		c->commit_not_before = hf_boot_ms(c->clock) + RETRY_MS;
	} else if (rc < 0) {
		hf_fault_set(&c->store_fault, c->clock, HF_LOG_ERROR,
		    "store: '%s' is not written (%s); changes wait in memory and it is tried again each second",
		    c->config->store, hf_strerror(rc));
		c->commit_not_before = hf_boot_ms(c->clock) + RETRY_MS;
	} else {
		hf_fault_clear(&c->store_fault, c->clock, "store:");
		c->commit_not_before = hf_boot_ms(c->clock) + COMMIT_EVERY_MS;
	}
}

/*
 * Only when what was accepted is on the disk: whoever acts on "ready" acts on what the store holds.
 */
static void get_ready(struct hf_engine *c)
{
	if (c->accepted && !hf_store_ready(c->store) && hf_store_set_ready(c->store) == 0)
		c->unpublished = true;
}

static bool is_unwritten(const struct hf_engine *c)
{
	return hf_store_get_state(c->store, NULL, NULL) == HF_STORE_NOT_WRITTEN;
}

/* With nothing to write, nobody would find out that it is written again. */
static void try_store(struct hf_engine *c)
{
	if (is_unwritten(c))
		store_told(c, hf_store_try(c->store));
}

/* 1 if there is a changeset, and the store has begun it. */
static int begin_changes(struct hf_engine *c, const struct hf_changeset **ret_changes)
{
	int rc = hf_state_take(c->state, hf_engine_now(c), ret_changes);

	if (!rc) {
		try_store(c);
		get_ready(c);
		return 0;
	}
	if (rc > 0) {
		c->applying = true;
		rc = hf_store_begin(c->store, *ret_changes);
		if (!rc)
			return 1;
		hf_engine_applied(c, false);
	}
	store_told(c, rc);
	return rc;
}

/*
 * A slice of the changeset that is under way: the store's part, and beside it the state's, of which
 * there may be some left when the store has all.
 */
static int write_slice(struct hf_engine *c)
{
	size_t names = c->written ? LAST_NAMES : SLICE_NAMES;
	int rc = c->written ? 0 : hf_store_step(c->store, SLICE_US);

	if (rc < 0)
		return rc;
	c->written = !rc;
	return hf_state_lent_step(c->state, names) || rc == 1;
}

/*
 * Begins the next changeset, or goes on with the one that is under way. Returns 1 while there is
 * more to do.
 */
static int work_store(struct hf_engine *c)
{
	const struct hf_changeset *changes;
	struct hf_zone_meta meta;
	int rc = hf_engine_recover(c);

	if (rc)
		return rc;
	if (!c->applying) {
		if (hf_boot_ms(c->clock) < c->commit_not_before)
			return 0;
		rc = begin_changes(c, &changes);
		if (rc <= 0)
			return rc;
		c->shown = changes->n_names || changes->names_reset;
		c->large = c->large || changes->names_reset;
	}
	rc = write_slice(c);
	if (rc == 1)
		return 1;
	hf_engine_applied(c, !rc);
	store_told(c, rc);
	if (rc)
		return rc;
	get_ready(c);
	hf_engine_meta(c, &meta);
	/*
	 * Stamps alone are nothing that readers see; a suffix is, also one that has no names yet.
	 */
	c->unpublished = c->unpublished || c->shown || !hf_publish_same_meta(&meta, &c->meta);
	c->meta = meta;
	return 1;
}

/* Returns 1 while there is more to do at once. */
static int work_zone(struct hf_engine *c)
{
	int rc;

	if (!c->unpublished || hf_boot_ms(c->clock) < c->publish_not_before || hf_engine_ails(c))
		return 0;
	/*
	 * What state has changed since the last commit is not for readers yet: a suffix goes with
	 * its names.
	 */
	if (!hf_state_dirty(c->state))
		hf_engine_meta(c, &c->meta);
	/*
	 * Before any suffix is known there is nothing that a zone could be of; after the last one
	 * was taken out it is empty.
	 */
	rc = c->meta.n_sources || hf_publish_has_zone(c->publish)
		 ? hf_publish_store(c->publish, c->store, &c->meta)
		 : 1;
	/* It was the store that was found damaged: that is mended first. */
	if (rc == -EAGAIN || (rc < 0 && hf_engine_ails(c)))
		return 1;
	if (rc < 0) {
		hf_fault_set(&c->zone_fault, c->clock, HF_LOG_ERROR,
		    "zone: '%s' cannot be published (%s); the last picture stays and it is tried again each second",
		    c->config->zone, hf_strerror(rc));
		c->publish_not_before = hf_boot_ms(c->clock) + RETRY_MS;
		return rc;
	}
	hf_fault_clear(&c->zone_fault, c->clock, "zone:");
	c->unpublished = false;
	c->check_at = 0;
	/* 20 MiB at 100,000 agents, which would stay with us in pieces. */
	if (c->large)
		malloc_trim(0);
	c->large = false;
	return 0;
}

static int any_fresh(const struct hf_source_view *view, void *arg)
{
	*(bool *)arg = *(bool *)arg || view->heard;
	return 0;
}

/*
 * Rarely: the copy that stands by, and the one recovery armed again after an hour of good health.
 */
static void work_care(struct hf_engine *c)
{
	int64_t now = hf_boot_ms(c->clock);
	bool fresh = false;

	hf_state_each_source(c->state, hf_engine_now(c), any_fresh, &fresh);
	if (!fresh)
		c->fresh_since = 0;
	else if (!c->fresh_since)
		c->fresh_since = now;
	if (c->fresh_since && now - c->fresh_since >= REARM_AFTER_MS &&
	    hf_store_attempt_spent(c->store) && hf_store_attempt_rearm(c->store) == 0)
		hf_log_info(
		    "store: one hour fresh; its recovery may run again if it is ever needed");
	if (now >= c->copy_at && !c->applying) {
		c->copy_at = now + HF_ENGINE_COPY_EVERY_MS;
		hf_store_copy_begin(c->store);
	}
}

static int64_t wait_soonest(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static int64_t wait_until(const struct hf_engine *c, int64_t at)
{
	int64_t wait = at - hf_boot_ms(c->clock);

	return wait > 0 ? wait : 0;
}

static void engine_look_at_zone(struct hf_engine *c)
{
	if (hf_publish_look(c->publish) != 0)
		c->unpublished = true;
}

static void tick_engine(struct hf_engine *c)
{
	int64_t wait;

	c->wall_synced = hf_wall_synced();
	wait = hf_state_tick(c->state, hf_engine_now(c));
	c->tick_at = hf_boot_ms(c->clock) + wait;
	c->tick_early_ms = wait > 2 * TICK_EARLY_MS ? TICK_EARLY_MS : 0;
	work_care(c);
	engine_look_at_zone(c);
}

int64_t hf_engine_work(struct hf_engine *c)
{
	int64_t wait, check, pulse = hf_engine_pulse_look(c);

	/* Half a message is nothing that a tick, a commit or a repair may find. */
	if (hf_engine_updating(c)) {
		hf_engine_update_slice(c);
		return 0;
	}
	if (!c->applying && wait_until(c, c->tick_at) <= c->tick_early_ms)
		tick_engine(c);
	if (work_store(c) == 1)
		return 0;
	if (work_zone(c) == 1)
		return 0;
	if (hf_publish_work(c->publish) < 0) {
		engine_look_at_zone(c);
		c->publish_not_before = hf_boot_ms(c->clock) + RETRY_MS;
		c->unpublished = true;
	}
	check = hf_engine_check(c);
	if (check == 0)
		return 0;
	wait = wait_soonest(
	    check, wait_soonest(wait_until(c, c->tick_at), hf_publish_wait_ms(c->publish)));
	wait = wait_soonest(wait, pulse);
	if (hf_state_dirty(c->state) || is_unwritten(c))
		wait = wait_soonest(wait, wait_until(c, c->commit_not_before));
	if (hf_engine_ails(c))
		return wait_until(c, c->mend_at);
	if (c->unpublished)
		wait = wait_soonest(wait, wait_until(c, c->publish_not_before));
	return wait;
}

int hf_engine_fd(const struct hf_engine *c)
{
	return hf_publish_fd(c->publish);
}

int hf_engine_settle(struct hf_engine *c)
{
	int rc;

	while (hf_engine_update_slice(c) == 1)
		;
	c->commit_not_before = c->publish_not_before = 0;
	do {
		rc = work_store(c);
		c->commit_not_before = 0;
	} while (rc == 1);
	while (!rc && (rc = work_zone(c)) == 1)
		rc = 0;
	return rc;
}

/* --- for status --- */

const struct hf_state *hf_engine_state(const struct hf_engine *c)
{
	return c->state;
}

struct hf_store *hf_engine_store(struct hf_engine *c)
{
	return c->store;
}

uint64_t hf_engine_lives(const struct hf_engine *c)
{
	return c->lives;
}

uint64_t hf_engine_published(const struct hf_engine *c)
{
	return hf_publish_generation(c->publish);
}
