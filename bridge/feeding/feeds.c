/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feeding/feeds.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/engine/engine.h"
#include "config/config.h"

enum { ENTRIES_MAX = 2 * HF_CONFIG_ADAPTERS_MAX, AGAIN_MS = 1000, LATER_MS = 10 };

/* A configuration that is no longer in force, but lent to an adapter. */
struct kept {
	struct hf_config *config; /* owned; NULL: the one in force, which is not ours */
	unsigned users;
	struct kept *next;
};

struct feeds_entry {
	struct hf_feeds *feeds;
	struct hf_feed *feed;                   /* owned */
	struct event *timer;                    /* owned: hf_feed_work() is due */
	const struct hf_config_adapter *config; /* of `kept` */
	struct kept *kept;
	char name[HF_LABEL_MAX + 1];
	bool leaving; /* it is no longer configured, and takes its names out */
};

struct hf_feeds {
	struct event_base *base;
	struct hf_engine *engine;
	const struct hf_clock *clock;
	const struct hf_config *config;
	struct kept *kept;    /* owned list; the first is the one in force */
	struct kept *reserve; /* owned: for the next configuration; NULL: none */
	int64_t again_ms;     /* boottime: when those that could not be made are tried again */
	struct feeds_entry *entries[ENTRIES_MAX];
	size_t n;
	struct event *sweep; /* owned: an entry has left */
	struct event *limit; /* owned: the end has taken long enough */
	void (*done)(void *arg);
	void *done_arg;
};

/* --- configurations --- */

static void let_go(struct hf_feeds *s, struct kept *k)
{
	struct kept **at = &s->kept;

	if (--k->users || !k->config)
		return;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	hf_config_free(k->config);
	free(k);
}

int hf_feeds_reserve(struct hf_feeds *s)
{
	if (!s->reserve)
		s->reserve = calloc(1, sizeof(*s->reserve));
	return s->reserve ? 0 : -ENOMEM;
}

/* Of the reserve. */
static void begin_kept(struct hf_feeds *s)
{
	s->reserve->next = s->kept;
	s->kept = s->reserve;
	s->reserve = NULL;
}

/* --- what a feed asks --- */

static void feeds_wake(void *arg)
{
	struct feeds_entry *e = arg;

	event_active(e->timer, EV_TIMEOUT, 0);
}

static int fill_subject(const struct hf_record_view *r, void *arg)
{
	static char id[HF_UUID_TEXT_MAX];
	struct hf_subject *subject = arg;

	subject->source = r->source->name;
	subject->owner = r->owner ? r->owner->name : NULL;
	subject->workspace = r->workspace ? r->workspace->name : NULL;
	subject->agent = r->agent ? r->agent->name : NULL;
	subject->agent_id = r->agent ? hf_uuid_text(&r->agent->id, id) : NULL;
	subject->held = r->flags & HF_REC_HELD;
	return 1;
}

static bool feeds_subject(void *arg, const struct hf_record *record, struct hf_subject *ret_subject)
{
	struct hf_engine *engine = ((struct feeds_entry *)arg)->feeds->engine;

	return hf_state_one_record(hf_engine_state(engine), &record->name, hf_engine_now(engine),
		   fill_subject, ret_subject) == 1;
}

static void on_feeds_timer(evutil_socket_t fd, short what, void *arg)
{
	struct feeds_entry *e = arg;
	/* Adapters ask the model what a name is of, which half a message does not tell. */
	bool later = hf_engine_updating(e->feeds->engine);
	int64_t wait = later ? LATER_MS : hf_feed_work(e->feed);
	struct timeval tv = hf_time_of_ms(wait);

	if (wait >= 0)
		event_add(e->timer, &tv);
	if (e->leaving && hf_feed_is_clean(e->feed))
		event_active(e->feeds->sweep, EV_TIMEOUT, 0);
}

/* --- entries --- */

static void feeds_entry_free(struct feeds_entry *e)
{
	if (!e)
		return;
	hf_feed_free(e->feed);
	if (e->timer)
		event_free(e->timer);
	if (e->kept)
		let_go(e->feeds, e->kept);
	free(e);
}

static void drop_entry(struct hf_feeds *s, size_t i)
{
	feeds_entry_free(s->entries[i]);
	memmove(&s->entries[i], &s->entries[i + 1], (s->n - i - 1) * sizeof(s->entries[0]));
	s->n--;
}

static struct feeds_entry *find_entry(const struct hf_feeds *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->entries[i]->name, name))
			return s->entries[i];
	return NULL;
}

/* The feed of an entry by its configuration; the one before it is closed. */
static int open_feed(struct feeds_entry *e)
{
	struct hf_feeds *s = e->feeds;
	const struct hf_config_adapter *c = e->config;
	const struct hf_feed_env env = { .base = s->base,
		.clock = s->clock,
		.store = hf_engine_store(s->engine),
		.wake = feeds_wake,
		.subject = feeds_subject,
		.arg = e };
	const struct hf_feed_conf conf = {
		.name = c->name,
		.type = hf_adapter_type(c->kind),
		.config = c,
		.verify_ms = c->verify_interval_ms,
		.floor_ms = c->retry.floor_ms,
		.cap_ms = c->retry.cap_ms,
		.failed_ms = c->retry.failed_after_ms,
		.skipped_ms = c->retry.skipped_ms,
	};

	hf_feed_free(e->feed);
	e->feed = NULL;
	return conf.type ? hf_feed_new(&env, &conf, &e->feed) : HF_EUNSUPPORTED;
}

static int add_entry(struct hf_feeds *s, const struct hf_config_adapter *config)
{
	struct feeds_entry *e = s->n < ENTRIES_MAX ? calloc(1, sizeof(*e)) : NULL;
	int rc;

	if (!e)
		return -ENOMEM;
	e->feeds = s;
	e->config = config;
	e->kept = s->kept;
	e->kept->users++;
	snprintf(e->name, sizeof(e->name), "%s", config->name);
	e->timer = evtimer_new(s->base, on_feeds_timer, e);
	rc = e->timer ? open_feed(e) : -ENOMEM;
	if (rc) {
		hf_log_error("adapter '%s': cannot be made (%s)", config->name, hf_strerror(rc));
		feeds_entry_free(e);
		return rc;
	}
	s->entries[s->n++] = e;
	feeds_wake(e);
	return 0;
}

/* --- suffixes --- */

struct zones {
	struct hf_name names[HF_ZONE_SOURCES_MAX];
	size_t n;
};

static int feeds_add_zone(const struct hf_source_view *source, void *arg)
{
	const struct hf_name *suffix = &source->row->suffix;
	struct zones *z = arg;

	for (size_t i = 0; i < z->n; i++)
		if (hf_name_equal(&z->names[i], suffix))
			return 0;
	if (suffix->len && z->n < HF_ZONE_SOURCES_MAX)
		z->names[z->n++] = *suffix;
	return 0;
}

static void tell_zones(struct hf_feeds *s)
{
	struct zones z = { .n = 0 };

	hf_state_each_source(
	    hf_engine_state(s->engine), hf_engine_now(s->engine), feeds_add_zone, &z);
	for (size_t i = 0; i < s->n; i++)
		hf_feed_zones(s->entries[i]->feed, z.names, z.n, (uint32_t)s->config->ttl_s);
}

/* --- configured, and no longer --- */

static const struct hf_config_adapter *feeds_find_config(
    const struct hf_config *c, const char *name)
{
	for (size_t i = 0; i < c->adapters.n; i++)
		if (!strcmp(c->adapters.at[i].name, name))
			return &c->adapters.at[i];
	return NULL;
}

/* Those that have no entry get one; a name whose former adapter still leaves waits for that. */
static void feeds_add_missing(struct hf_feeds *s)
{
	for (size_t i = 0; i < s->config->adapters.n; i++)
		if (!find_entry(s, s->config->adapters.at[i].name))
			add_entry(s, &s->config->adapters.at[i]);
	tell_zones(s);
}

/* Those that memory or descriptors were missing for. */
static void try_again(struct hf_feeds *s)
{
	int64_t now = hf_boot_ms(s->clock);

	if (s->done || s->n >= s->config->adapters.n || now < s->again_ms)
		return;
	s->again_ms = now + AGAIN_MS;
	feeds_add_missing(s);
}

void hf_feeds_poke(struct hf_feeds *s)
{
	if (!s)
		return;
	try_again(s);
	if (!s->n)
		return;
	tell_zones(s);
	for (size_t i = 0; i < s->n; i++)
		feeds_wake(s->entries[i]);
}

static int count_owned(const struct hf_owned *owned, void *arg)
{
	++*(uint64_t *)arg;
	return 0;
}

struct unknown {
	struct hf_feeds *feeds;
	char names[ENTRIES_MAX][HF_TEXT_MAX];
	size_t n;
};

static int note_unknown(const char *adapter, void *arg)
{
	struct unknown *u = arg;

	if (!feeds_find_config(u->feeds->config, adapter) && u->n < ENTRIES_MAX)
		snprintf(u->names[u->n++], HF_TEXT_MAX, "%s", adapter);
	return 0;
}

/* Taken out while the bridge was down: how to reach it went with it, so only people can act. */
static void feeds_tell_unknown(struct hf_feeds *s)
{
	struct hf_store *store = hf_engine_store(s->engine);
	struct unknown *u = calloc(1, sizeof(*u));

	if (!u)
		return;
	u->feeds = s;
	hf_store_adapters(store, note_unknown, u);
	for (size_t i = 0; i < u->n; i++) {
		uint64_t n = 0;

		hf_store_owned_all(store, u->names[i], count_owned, &n);
		if (n)
			hf_log_warn(
			    "adapter '%s': is no longer configured, and up to %llu names of ours are left in its resolver; to have them taken out, configure it again with teardown: clean, then take it out and reload",
			    u->names[i], (unsigned long long)n);
	}
	free(u);
}

/* `forget`: another adapter will have its name. */
static void feeds_entry_leave(struct hf_feeds *s, size_t i, bool forget)
{
	struct feeds_entry *e = s->entries[i];
	char name[HF_LABEL_MAX + 1];

	if (e->config->teardown == HF_TEARDOWN_CLEAN) {
		e->leaving = true;
		hf_feed_clean(e->feed);
		return;
	}
	hf_log_info("adapter '%s': is no longer configured; its resolver keeps the names", e->name);
	snprintf(name, sizeof(name), "%s", e->name);
	drop_entry(s, i);
	if (forget)
		hf_store_adapter_forget(hf_engine_store(s->engine), name);
}

struct touched {
	const char *name;
	bool teardown, other, kind;
};

/* "adapters[NAME].KEY" */
static void on_change(const struct hf_config_change *change, void *arg)
{
	struct touched *t = arg;
	size_t len = strlen(t->name);
	const char *key;

	if (strncmp(change->path, "adapters[", 9) || strncmp(change->path + 9, t->name, len) ||
	    change->path[9 + len] != ']')
		return;
	key = change->path + 9 + len + 1;
	if (!strcmp(key, ".teardown"))
		t->teardown = true;
	else if (!strcmp(key, ".type"))
		t->kind = true;
	else
		t->other = true;
}

/* Another resolver, perhaps: it is filled, whatever is believed to be there. */
static void feeds_entry_reopen(
    struct hf_feeds *s, struct feeds_entry *e, const struct hf_config_adapter *config)
{
	struct kept *old = e->kept;
	int rc;

	e->config = config;
	e->kept = s->kept;
	e->kept->users++;
	rc = open_feed(e);
	let_go(s, old);
	if (!rc) {
		hf_feed_refill(e->feed, "its settings have changed");
		feeds_wake(e);
		return;
	}
	hf_log_error("adapter '%s': cannot be made anew (%s)", e->name, hf_strerror(rc));
	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i] == e)
			drop_entry(s, i);
}

void hf_feeds_configure(struct hf_feeds *s, const struct hf_config *next, struct hf_config *before)
{
	struct kept *old = s->kept;

	begin_kept(s);
	old->config = before;
	old->users++;
	s->config = next;
	for (size_t i = s->n; i-- > 0;) {
		struct feeds_entry *e = s->entries[i];
		const struct hf_config_adapter *c = feeds_find_config(next, e->name);
		struct touched t = { .name = e->name };

		if (e->leaving)
			continue;
		hf_config_diff(before, next, on_change, &t);
		if (!c || (t.kind && c->kind != e->config->kind))
			feeds_entry_leave(s, i, c);
		else if (t.other || t.teardown)
			feeds_entry_reopen(s, e, c);
	}
	let_go(s, old);
	feeds_add_missing(s);
	hf_feeds_poke(s);
}

/* --- life --- */

static void finish_if_clean(struct hf_feeds *s)
{
	void (*done)(void *arg) = s->done;

	for (size_t i = 0; done && i < s->n; i++)
		if (s->entries[i]->leaving)
			return;
	s->done = NULL;
	if (done)
		done(s->done_arg);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct hf_feeds *s = arg;

	for (size_t i = s->n; i-- > 0;)
		if (s->entries[i]->leaving && hf_feed_is_clean(s->entries[i]->feed))
			drop_entry(s, i);
	if (!s->done)
		feeds_add_missing(s);
	finish_if_clean(s);
}

static void on_feeds_limit(evutil_socket_t fd, short what, void *arg)
{
	struct hf_feeds *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i]->leaving) {
			hf_log_warn("adapter '%s': not all of its names could be taken out in time",
			    s->entries[i]->name);
			s->entries[i]->leaving = false;
		}
	finish_if_clean(s);
}

void hf_feeds_end(struct hf_feeds *s, int64_t limit_ms, void (*done)(void *arg), void *arg)
{
	const struct timeval tv = hf_time_of_ms(limit_ms);

	s->done = done;
	s->done_arg = arg;
	for (size_t i = 0; i < s->n; i++) {
		struct feeds_entry *e = s->entries[i];

		if (e->config->teardown == HF_TEARDOWN_CLEAN)
			e->leaving = true;
		if (e->leaving)
			hf_feed_clean(e->feed);
	}
	event_add(s->limit, &tv);
	event_active(s->sweep, EV_TIMEOUT, 0);
}

int hf_feeds_new(struct event_base *base, struct hf_engine *engine, const struct hf_clock *clock,
    const struct hf_config *config, struct hf_feeds **ret_feeds)
{
	struct hf_feeds *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->base = base;
	s->engine = engine;
	s->clock = clock;
	s->config = config;
	s->sweep = evtimer_new(base, on_sweep, s);
	s->limit = evtimer_new(base, on_feeds_limit, s);
	if (!s->sweep || !s->limit || hf_feeds_reserve(s)) {
		hf_feeds_free(s);
		return -ENOMEM;
	}
	begin_kept(s);
	feeds_add_missing(s);
	feeds_tell_unknown(s);
	*ret_feeds = s;
	return 0;
}

void hf_feeds_free(struct hf_feeds *s)
{
	if (!s)
		return;
	while (s->n)
		drop_entry(s, s->n - 1);
	while (s->kept) {
		struct kept *k = s->kept;

		s->kept = k->next;
		hf_config_free(k->config);
		free(k);
	}
	free(s->reserve);
	if (s->sweep)
		event_free(s->sweep);
	if (s->limit)
		event_free(s->limit);
	free(s);
}

/* --- for status --- */

size_t hf_feeds_n(const struct hf_feeds *s)
{
	return s->n;
}

struct hf_feed *hf_feeds_at(const struct hf_feeds *s, size_t i)
{
	return s->entries[i]->feed;
}

struct hf_feed *hf_feeds_find(const struct hf_feeds *s, const char *name)
{
	const struct feeds_entry *e = find_entry(s, name);

	return e ? e->feed : NULL;
}
