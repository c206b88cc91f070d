/* SPDX-License-Identifier: Apache-2.0 */
/* Opens store, state and zone, and closes them. */
#include "bridge/engine/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/handover.h"
#include "config/config.h"

static void log_opened(const struct hf_config *config, const struct hf_store_opened *o)
{
	switch (o->origin) {
	case HF_STORE_OPENED:
	case HF_STORE_IMAGE:
		break;
	case HF_STORE_NEW:
		hf_log_info("store: '%s' is new", config->store);
		break;
	case HF_STORE_COPY:
		hf_log_error(
		    "store: '%s' was damaged (%s); it lies at '%s' now, and the copy was taken",
		    config->store, o->reason, o->aside);
		break;
	case HF_STORE_EMPTY:
		hf_log_error(
		    "store: '%s' was damaged (%s); it lies at '%s' now; there is no good copy, so the names of the published zone are kept until the server confirms them",
		    config->store, o->reason, o->aside);
		break;
	case HF_STORE_SPENT:
		hf_log_error(
		    "store: '%s' is damaged again (%s) and its one recovery was spent; nothing is written. Restore it from a backup, or run: holdfastctl resync --recover",
		    config->store, o->reason);
		break;
	}
	if (o->orphans)
		hf_log_warn("store: %llu rows that belonged to nothing were removed",
		    (unsigned long long)o->orphans);
	if (o->migrated_from)
		hf_log_info("store: brought up from schema version %d", o->migrated_from);
}

/* --- what the zone knows --- */

static int on_record(const struct hf_record_view *record, void *arg)
{
	*(bool *)arg = *(bool *)arg || (record->flags & HF_REC_RESTORED);
	return *(bool *)arg;
}

/* The store has names that were taken back from a zone before. */
static bool has_restored(const struct hf_engine *c)
{
	bool any = false;

	hf_state_each_record(c->state, hf_engine_now(c), on_record, &any);
	return any;
}

/*
 * Whether the zone that was found knows what the store does not: the newest wins (promises 3 and
 * 8). A store knows nothing of the zone that was published of another one: a new one, an empty one,
 * a copy, one in which the recovery of a process that was killed was not yet through.
 */
static bool zone_is_newer(
    const struct hf_engine *c, const struct hf_store_opened *o, const struct hf_zone_stamp *zone)
{
	bool same_epoch = !memcmp(zone->epoch, hf_store_epoch(c->store), sizeof(zone->epoch));

	if (!zone->generation)
		return false;
	if (o->origin != HF_STORE_OPENED)
		return zone->generation > o->generation;
	/* A file that somebody put there, or that lost its last changes with its WAL. */
	if (same_epoch)
		return zone->generation > o->generation;
	if (o->zone_due)
		return zone->generation > o->generation && !has_restored(c);
	return !hf_store_ready(c->store) && !hf_state_n_names(c->state);
}

/* Whoever has it may be about to end: a program that a killed bridge had just begun. */
static bool wait_for_lock(struct hf_handover *handover, const char *what, const char *path)
{
	if (!handover->until_us)
		hf_log_info("%s: '%s' is in use; waits up to a second for it", what, path);
	return hf_handover_wait(handover);
}

static int open_store(struct hf_engine *c, struct hf_store_opened *ret_opened)
{
	const struct hf_store_opts opts = { .clock = c->clock };
	struct hf_handover handover = { 0 };
	int rc;

	do
		rc = hf_store_open(c->config->store, &opts, ret_opened, &c->store);
	while (rc == HF_ELOCKED && wait_for_lock(&handover, "store", c->config->store));
	if (rc == HF_ELOCKED)
		hf_log_error("store: '%s' is in use by another holdfastd; this one does not start",
		    c->config->store);
	else if (rc)
		hf_log_error("store: '%s' cannot be opened (%s): %s", c->config->store,
		    hf_strerror(rc), ret_opened->reason);
	else
		log_opened(c->config, ret_opened);
	return rc;
}

static int open_state(struct hf_engine *c)
{
	int rc = hf_engine_load_state(c, &c->state);

	if (rc)
		hf_log_error("store: '%s' cannot be read (%s)", c->config->store, hf_strerror(rc));
	return rc;
}

static int open_zone(struct hf_engine *c, struct hf_zone_stamp *ret_found)
{
	const struct hf_publish_opts opts = { .dir = c->config->zone,
		.clock = c->clock,
		.pulse_ms = (uint32_t)c->config->pulse_interval_ms };
	struct hf_handover handover = { 0 };
	int rc;

	do
		rc = hf_publish_open(&opts, ret_found, &c->publish);
	while (rc == HF_ELOCKED && wait_for_lock(&handover, "zone", c->config->zone));
	if (rc)
		hf_log_error("zone: '%s' cannot be used (%s)", c->config->zone, hf_strerror(rc));
	return rc;
}

struct newest {
	int64_t contact_s;
};

static int on_newest_source(const struct hf_source_view *view, void *arg)
{
	struct newest *newest = arg;

	if (view->row->contact_s > newest->contact_s)
		newest->contact_s = view->row->contact_s;
	return 0;
}

static void age_text(int64_t s, char *out, size_t size)
{
	if (s < 0)
		s = 0;
	if (s < 120)
		snprintf(out, size, "%llds", (long long)s);
	else if (s < 7200)
		snprintf(out, size, "%lldm", (long long)s / 60);
	else if (s < 2 * 86400)
		snprintf(out, size, "%lldh", (long long)s / 3600);
	else
		snprintf(out, size, "%lldd", (long long)s / 86400);
}

/* Promise 3: serve first. */
static void log_serving(const struct hf_engine *c)
{
	struct newest newest = { 0 };
	char age[32], when[48] = "at a time that nobody knows";

	if (!hf_state_n_names(c->state))
		return;
	hf_state_each_source(c->state, hf_engine_now(c), on_newest_source, &newest);
	if (newest.contact_s) {
		age_text(hf_engine_now(c).wall_s - newest.contact_s, age, sizeof(age));
		snprintf(when, sizeof(when), "%s ago", age);
	}
	hf_log_info("re-applying DNS hosts from previous session: %zu names, last confirmed %s",
	    hf_state_n_names(c->state), when);
}

/*
 * Until its first contact with this process nothing is live, however recent the last one was. All
 * numbers: the zone of before stays in force while the store is not ready, and in it a source may
 * have another one than here.
 */
static void all_down(struct hf_engine *c)
{
	for (uint16_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		hf_publish_source(c->publish, i, false);
}

static int clear_owner(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	(void)source;
	hf_publish_owner_clear(arg, (uint16_t)owner->row->rid);
	return 0;
}

/*
 * What the pulse has was written by a bridge on another store, in which these numbers may have been
 * others'.
 */
static void clear_owners(struct hf_engine *c, const struct hf_zone_stamp *zone)
{
	if (memcmp(zone->epoch, hf_store_epoch(c->store), sizeof(zone->epoch)) != 0)
		hf_state_each_owner(c->state, hf_engine_now(c), clear_owner, c->publish);
}

int hf_engine_open(
    const struct hf_config *config, const struct hf_clock *clock, struct hf_engine **ret_core)
{
	struct hf_engine *c = calloc(1, sizeof(*c));
	struct hf_store_opened opened = { 0 };
	struct hf_zone_stamp found = { 0 };
	int rc;

	if (!c)
		return -ENOMEM;
	c->config = config;
	c->clock = clock;
	c->wall_synced = hf_wall_synced();
	rc = open_store(c, &opened);
	if (rc)
		goto fail;
	rc = open_state(c);
	if (rc)
		goto fail;
	rc = open_zone(c, &found);
	if (rc)
		goto fail;
	hf_store_seen_generation(c->store, found.generation);
	if (zone_is_newer(c, &opened, &found)) {
		c->newer = found;
		c->newer_than = opened.generation;
	} else if (opened.zone_due) {
		hf_store_zone_taken(c->store);
	}
	rc = hf_engine_take_zone(c, c->state);
	if (rc > 0)
		rc = hf_store_set_ready(c->store);
	if (rc < 0 && opened.origin != HF_STORE_SPENT)
		goto fail;
	all_down(c);
	clear_owners(c, &found);
	hf_engine_pulse_down(c);
	c->unpublished = true;
	/* The image of the store is gone again; its memory is not. */
	c->large = true;
	c->copy_at = hf_boot_ms(clock) + HF_ENGINE_COPY_EVERY_MS;
	log_serving(c);
	hf_engine_settle(c);
	c->opened = true;
	*ret_core = c;
	return 0;
fail:
	hf_engine_free(c);
	return rc;
}

void hf_engine_free(struct hf_engine *c)
{
	if (!c)
		return;
	/* What was not taken up as a whole says nothing over the zone. */
	if (c->opened)
		hf_engine_settle(c);
	hf_engine_update_drop(c);
	hf_publish_free(c->publish);
	hf_state_free(c->state);
	hf_store_free(c->store);
	free(c);
}
