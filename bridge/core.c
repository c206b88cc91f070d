#include "bridge/core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "bridge/publish.h"
#include "bridge/restore.h"
#include "config/config.h"

enum {
	SLICE_US = 10000,     /* how long one slice of a large change may hold the loop */
	COMMIT_EVERY_MS = 50, /* at most 20 commits and publications a second */
	RETRY_MS = 1000,      /* after a disk that would not take it */
	COPY_EVERY_MS = 3600 * 1000,
	REARM_AFTER_MS = 3600 * 1000, /* fresh for so long: the one recovery is allowed again */
};

struct hf_core {
	const struct hf_config *config; /* borrowed */
	const struct hf_clock *clock;   /* borrowed */
	struct hf_store *store;         /* owned */
	bool wall_synced;       /* at the start: what passed while we were down is counted by it */
	struct hf_state *state; /* owned */
	struct hf_publish *publish; /* owned */
	bool applying;              /* a changeset is between begin and its last step */
	bool shown;                 /* the changeset that is being applied holds names */
	bool unpublished;           /* the store is ahead of the zone */
	int64_t commit_not_before;  /* boottime */
	int64_t publish_not_before;
	int64_t tick_at;
	int64_t copy_at;
	int64_t fresh_since; /* boottime; 0: not fresh */
	struct hf_fault store_fault;
	struct hf_fault zone_fault;
};

struct hf_when hf_core_now(const struct hf_core *c)
{
	struct hf_when now = { .boot_ms = hf_boot_ms(c->clock),
		.wall_s = hf_wall_ms(c->clock) / 1000,
		.wall_synced = c->wall_synced };

	hf_boot_id(now.boot.b);
	return now;
}

/* --- what state needs of the configuration, and the zone of state --- */

static size_t fill_conf(const struct hf_config *config, struct hf_state_source_conf *sources,
    struct hf_state_conf *ret_conf)
{
	size_t n = config->sources.n;

	for (size_t i = 0; i < n; i++) {
		const struct hf_config_source *s = &config->sources.at[i];

		sources[i] = (struct hf_state_source_conf){
			.name = s->name,
			.url = s->url ? s->url : "",
			.suffix = s->suffix.len ? &s->suffix : NULL,
			.sentinel = s->sentinel,
			.fresh_ms = (uint32_t)s->fresh_window_ms,
			.snapshot_ms = (uint32_t)s->snapshot_interval_ms,
		};
	}
	*ret_conf = (struct hf_state_conf){
		.sources = sources,
		.n_sources = n,
		.guard_min = (uint32_t)config->guard.min_workspaces,
		.guard_percent = (uint32_t)config->guard.max_removal,
		.grace_ms = (uint64_t)config->guard.grace_ms,
		.max_age_ms = config->hold.policy == HF_CONFIG_HOLD_MAX_AGE
				  ? (uint64_t)config->hold.max_age_ms
				  : 0,
	};
	return n;
}

static int add_meta_source(const struct hf_source_view *view, void *arg)
{
	struct hf_zone_meta *meta = arg;
	struct hf_zone_source *s;

	if (!view->row->suffix.len || view->row->rid >= HF_ZONE_SOURCES_MAX)
		return 0;
	s = &meta->sources[view->row->rid];
	snprintf(s->name, sizeof(s->name), "%s", view->row->name);
	s->suffix = view->row->suffix;
	s->fresh_ms = view->fresh_ms;
	s->snapshot_ms = view->snapshot_ms;
	if (view->row->rid >= meta->n_sources)
		meta->n_sources = view->row->rid + 1;
	return 0;
}

/* The zone knows sources by their rid. A rid that is not in use shows another source: no record has
 * it. */
static void fill_holes(struct hf_zone_meta *meta)
{
	size_t used = 0;

	while (used < meta->n_sources && !meta->sources[used].suffix.len)
		used++;
	for (size_t i = 0; i < meta->n_sources; i++)
		if (!meta->sources[i].suffix.len)
			meta->sources[i] = meta->sources[used];
}

static void fill_meta(const struct hf_core *c, struct hf_zone_meta *ret_meta)
{
	memset(ret_meta, 0, sizeof(*ret_meta));
	ret_meta->ttl_s = (uint32_t)c->config->ttl_s;
	ret_meta->not_ready = c->config->not_ready;
	ret_meta->provenance = c->config->provenance;
	ret_meta->ready = hf_store_ready(c->store);
	hf_state_each_source(c->state, hf_core_now(c), add_meta_source, ret_meta);
	fill_holes(ret_meta);
}

/* --- open --- */

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
		hf_log_error("store: '%s' was damaged (%s); it lies at '%s' now; there is no good "
			     "copy, so the "
			     "names of the published zone are kept until the server confirms them",
		    config->store, o->reason, o->aside);
		break;
	case HF_STORE_SPENT:
		hf_log_error(
		    "store: '%s' is damaged again (%s) and its one recovery was spent; nothing is "
		    "written. Restore it from a backup, or run: holdfastctl resync --recover",
		    config->store, o->reason);
		break;
	}
	if (o->orphans)
		hf_log_warn("store: %llu rows that belonged to nothing were removed",
		    (unsigned long long)o->orphans);
	if (o->migrated_from)
		hf_log_info("store: brought up from schema version %d", o->migrated_from);
}

/* Names of the zone become restored rows where the store knows nothing. */
static int restore(struct hf_core *c)
{
	struct hf_restored_row *rows = NULL;
	size_t n = 0;
	int rc = hf_restore_read(c->config->zone, c->clock, c->config, &rows, &n);

	if (!rc && n) {
		rc = hf_state_restore(c->state, rows, n, hf_core_now(c));
		if (!rc)
			hf_log_warn("store: %zu names were taken back from the published zone; "
				    "they are served "
				    "as stale until the server confirms them",
			    n);
	}
	free(rows);
	return rc < 0 ? rc : (int)n;
}

static int open_store(struct hf_core *c, struct hf_store_opened *ret_opened)
{
	const struct hf_store_opts opts = { .clock = c->clock };
	int rc = hf_store_open(c->config->store, &opts, ret_opened, &c->store);

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

static int open_state(struct hf_core *c)
{
	struct hf_state_source_conf sources[HF_ZONE_SOURCES_MAX];
	struct hf_image *image = NULL;
	struct hf_state_conf conf;
	int rc = hf_store_load(c->store, &image);

	if (!rc) {
		fill_conf(c->config, sources, &conf);
		rc = hf_state_new(&conf, image, hf_core_now(c), &c->state);
	}
	hf_image_free(image);
	if (rc)
		hf_log_error("store: '%s' cannot be read (%s)", c->config->store, hf_strerror(rc));
	return rc;
}

struct newest {
	int64_t contact_s;
};

static int on_source(const struct hf_source_view *view, void *arg)
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
static void log_serving(const struct hf_core *c)
{
	struct newest newest = { 0 };
	char age[32] = "unknown time";

	if (!hf_state_n_names(c->state))
		return;
	hf_state_each_source(c->state, hf_core_now(c), on_source, &newest);
	if (newest.contact_s)
		age_text(hf_core_now(c).wall_s - newest.contact_s, age, sizeof(age));
	hf_log_info("re-applying DNS hosts from previous session: %zu names, last confirmed %s ago",
	    hf_state_n_names(c->state), age);
}

static int pulse_down(const struct hf_source_view *view, void *arg)
{
	hf_publish_source(arg, (uint16_t)view->row->rid, false);
	return 0;
}

int hf_core_open(
    const struct hf_config *config, const struct hf_clock *clock, struct hf_core **ret_core)
{
	struct hf_publish_opts publish = {
		.dir = config->zone, .clock = clock, .pulse_ms = (uint32_t)config->pulse_interval_ms
	};
	struct hf_core *c = calloc(1, sizeof(*c));
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
	rc = hf_publish_open(&publish, &found, &c->publish);
	if (rc) {
		hf_log_error("zone: '%s' cannot be used (%s)", config->zone, hf_strerror(rc));
		goto fail;
	}
	hf_store_seen_generation(c->store, found.generation);
	rc = opened.origin == HF_STORE_NEW || opened.origin == HF_STORE_EMPTY ||
		     opened.origin == HF_STORE_SPENT
		 ? restore(c)
		 : 0;
	if (rc > 0)
		rc = hf_store_set_ready(c->store);
	if (rc < 0 && opened.origin != HF_STORE_SPENT)
		goto fail;
	/* Until its first contact with this process nothing is live, however recent the last one
	 * was. */
	hf_state_each_source(c->state, hf_core_now(c), pulse_down, c->publish);
	c->unpublished = true;
	c->copy_at = hf_boot_ms(clock) + COPY_EVERY_MS;
	log_serving(c);
	hf_core_settle(c);
	*ret_core = c;
	return 0;
fail:
	hf_core_free(c);
	return rc;
}

void hf_core_free(struct hf_core *c)
{
	if (!c)
		return;
	if (c->publish && c->state)
		hf_core_settle(c);
	hf_publish_free(c->publish);
	hf_state_free(c->state);
	hf_store_free(c->store);
	free(c);
}

/* --- in --- */

static int after(struct hf_core *c, int rc)
{
	c->tick_at = 0;
	return rc;
}

int hf_core_configure(struct hf_core *c, const struct hf_config *config)
{
	struct hf_state_source_conf sources[HF_ZONE_SOURCES_MAX];
	struct hf_state_conf conf;

	c->config = config;
	fill_conf(config, sources, &conf);
	c->unpublished = true;
	return after(c, hf_state_configure(c->state, &conf, hf_core_now(c)));
}

int hf_core_identify(struct hf_core *c, const char *source, const struct hf_identity *id,
    struct hf_judgement *ret_judgement)
{
	int rc = hf_state_identify(c->state, source, id, hf_core_now(c), ret_judgement);

	/* The suffix may be known now: an empty zone can say that it is not ready. */
	c->unpublished = true;
	return after(c, rc);
}

int hf_core_owner_set(
    struct hf_core *c, const char *source, const struct hf_uuid *owner, const char *name)
{
	return after(c, hf_state_owner_set(c->state, source, owner, name, hf_core_now(c)));
}

int hf_core_owner_del(struct hf_core *c, const char *source, const struct hf_uuid *owner)
{
	return after(c, hf_state_owner_del(c->state, source, owner, hf_core_now(c)));
}

void hf_core_owner_readable(
    struct hf_core *c, const char *source, const struct hf_uuid *owner, bool readable)
{
	hf_state_owner_readable(c->state, source, owner, readable);
}

struct pulse {
	struct hf_publish *publish;
	const char *source;
	const struct hf_uuid *owner; /* NULL: the source alone */
	bool live;
};

static int pulse_source(const struct hf_source_view *view, void *arg)
{
	struct pulse *p = arg;

	if (!strcmp(view->row->name, p->source))
		hf_publish_source(p->publish, (uint16_t)view->row->rid, p->live);
	return 0;
}

static int pulse_owner(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	struct pulse *p = arg;

	if (!strcmp(source->row->name, p->source) && hf_uuid_equal(&owner->row->id, p->owner))
		hf_publish_owner(p->publish, (uint16_t)owner->row->rid);
	return 0;
}

static void beat(struct hf_core *c, const char *source, const struct hf_uuid *owner, bool live)
{
	struct pulse p = { c->publish, source, owner, live };

	hf_state_each_source(c->state, hf_core_now(c), pulse_source, &p);
	if (owner)
		hf_state_each_owner(c->state, hf_core_now(c), pulse_owner, &p);
}

int hf_core_update(struct hf_core *c, const char *source, const struct hf_update *update,
    struct hf_judgement *ret_judgement)
{
	int rc = hf_state_update(c->state, source, update, hf_core_now(c), ret_judgement);

	if (!rc && ret_judgement->verdict == HF_VERDICT_ACCEPTED) {
		beat(c, source, &update->owner, true);
		if (!hf_store_ready(c->store) && hf_store_set_ready(c->store) == 0)
			c->unpublished = true;
	}
	return after(c, rc);
}

void hf_core_contact(struct hf_core *c, const char *source)
{
	hf_state_contact(c->state, source, hf_core_now(c));
	beat(c, source, NULL, true);
}

void hf_core_away(struct hf_core *c, const char *source)
{
	hf_state_away(c->state, source, hf_core_now(c));
	beat(c, source, NULL, false);
	after(c, 0);
}

int hf_core_decide(struct hf_core *c, const char *source, const struct hf_uuid *owner,
    const char *what, enum hf_decision decision)
{
	return after(c, hf_state_decide(c->state, source, owner, what, decision, hf_core_now(c)));
}

bool hf_core_busy(const struct hf_core *c)
{
	return c->applying;
}

/* --- work --- */

static void store_told(struct hf_core *c, int rc)
{
	if (rc < 0) {
		hf_fault_set(&c->store_fault, c->clock, HF_LOG_ERROR,
		    "store: '%s' is not written (%s); changes wait in memory and it is tried again "
		    "each second",
		    c->config->store, hf_strerror(rc));
		c->commit_not_before = hf_boot_ms(c->clock) + RETRY_MS;
	} else {
		hf_fault_clear(&c->store_fault, c->clock, "store:");
		c->commit_not_before = hf_boot_ms(c->clock) + COMMIT_EVERY_MS;
	}
}

/* Begins the next changeset, or goes on with the one that is under way. Returns 1 while there is
 * more to do. */
static int work_store(struct hf_core *c)
{
	const struct hf_changeset *changes;
	int rc;

	if (!c->applying) {
		if (hf_boot_ms(c->clock) < c->commit_not_before)
			return 0;
		rc = hf_state_take(c->state, hf_core_now(c), &changes);
		if (rc > 0) {
			rc = hf_store_begin(c->store, changes);
			rc = rc ? rc : 1;
		}
		if (rc <= 0) {
			if (rc)
				store_told(c, rc);
			return rc;
		}
		c->applying = true;
		c->shown = changes->n_names || changes->names_reset;
	}
	rc = hf_store_step(c->store, SLICE_US);
	if (rc == 1)
		return 1;
	c->applying = false;
	store_told(c, rc);
	if (rc)
		return rc;
	/* Stamps alone are nothing that readers see. */
	c->unpublished = c->unpublished || c->shown;
	hf_state_committed(c->state);
	return 1;
}

/* Returns 1 while there is more to do at once. */
static int work_zone(struct hf_core *c)
{
	struct hf_zone_meta meta;
	int rc;

	if (!c->unpublished || hf_boot_ms(c->clock) < c->publish_not_before)
		return 0;
	fill_meta(c, &meta);
	/* Before any suffix is known there is nothing that a zone could be of. */
	rc = meta.n_sources ? hf_publish_store(c->publish, c->store, &meta) : 1;
	if (rc == -EAGAIN)
		return 1;
	if (rc < 0) {
		hf_fault_set(&c->zone_fault, c->clock, HF_LOG_ERROR,
		    "zone: '%s' cannot be published (%s); the last picture stays and it is tried "
		    "again each "
		    "second",
		    c->config->zone, hf_strerror(rc));
		c->publish_not_before = hf_boot_ms(c->clock) + RETRY_MS;
		return rc;
	}
	hf_fault_clear(&c->zone_fault, c->clock, "zone:");
	c->unpublished = false;
	return 0;
}

static int any_fresh(const struct hf_source_view *view, void *arg)
{
	*(bool *)arg = *(bool *)arg || view->fresh;
	return 0;
}

/* Rarely: the copy that stands by, and the one recovery armed again after an hour of good health.
 */
static void work_care(struct hf_core *c)
{
	int64_t now = hf_boot_ms(c->clock);
	bool fresh = false;

	hf_state_each_source(c->state, hf_core_now(c), any_fresh, &fresh);
	if (!fresh)
		c->fresh_since = 0;
	else if (!c->fresh_since)
		c->fresh_since = now;
	if (c->fresh_since && now - c->fresh_since >= REARM_AFTER_MS &&
	    hf_store_attempt_spent(c->store) && hf_store_attempt_rearm(c->store) == 0)
		hf_log_info(
		    "store: one hour fresh; its recovery may run again if it is ever needed");
	if (now >= c->copy_at && !c->applying) {
		c->copy_at = now + COPY_EVERY_MS;
		hf_store_copy_begin(c->store);
	}
}

static int64_t soonest(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static int64_t until(const struct hf_core *c, int64_t at)
{
	int64_t wait = at - hf_boot_ms(c->clock);

	return wait > 0 ? wait : 0;
}

int64_t hf_core_work(struct hf_core *c)
{
	int64_t wait;

	if (!c->applying && until(c, c->tick_at) == 0) {
		c->tick_at = hf_boot_ms(c->clock) + hf_state_tick(c->state, hf_core_now(c));
		work_care(c);
	}
	if (work_store(c) == 1)
		return 0;
	if (work_zone(c) == 1)
		return 0;
	if (hf_publish_work(c->publish) < 0)
		c->unpublished = true;
	wait = soonest(until(c, c->tick_at), hf_publish_wait_ms(c->publish));
	if (hf_state_dirty(c->state))
		wait = soonest(wait, until(c, c->commit_not_before));
	if (c->unpublished)
		wait = soonest(wait, until(c, c->publish_not_before));
	return wait;
}

int hf_core_fd(const struct hf_core *c)
{
	return hf_publish_fd(c->publish);
}

int hf_core_settle(struct hf_core *c)
{
	int rc;

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

const struct hf_state *hf_core_state(const struct hf_core *c)
{
	return c->state;
}

struct hf_store *hf_core_store(struct hf_core *c)
{
	return c->store;
}

uint64_t hf_core_published(const struct hf_core *c)
{
	return hf_publish_generation(c->publish);
}
