/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feeding/feeds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/feeding/feeds_private.h"

enum {
	AGAIN_MS = 1000,
	TURN_MS = 5000, /* one that leaves may keep another of the same file waiting so long */
};

int hf_feeds_reserve(struct hf_feeds *s)
{
	if (!s->reserve)
		s->reserve = calloc(1, sizeof(*s->reserve));
	return s->reserve ? 0 : -ENOMEM;
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
		hf_feed_set_zones(s->entries[i]->feed, z.names, z.n, (uint32_t)s->config->ttl_s);
}

/* --- configured, and no longer --- */

static const char *feeds_config_name(const struct hf_feeds *s, const char *name)
{
	for (size_t i = 0; i < s->config->adapters.n; i++)
		if (!strcmp(s->config->adapters.at[i].name, name))
			return s->config->adapters.at[i].name;
	return NULL;
}

/* The entry that has it; NULL: it has none yet. */
static struct hf_feeds_entry *entry_of(
    const struct hf_feeds *s, const struct hf_config_adapter *config)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i]->now == config)
			return s->entries[i];
	return NULL;
}

/* An adapter of another kind takes its names out of the same file: one of the two at a time. */
static struct hf_feeds_entry *in_the_way(
    const struct hf_feeds *s, const struct hf_config_adapter *config)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i]->leaving &&
		    hf_feeds_place_is_shared(s->entries[i]->config, config))
			return s->entries[i];
	return NULL;
}

/* Not before the other one had its time. */
static bool waits_for_turn(struct hf_feeds *s, const struct hf_config_adapter *config)
{
	struct hf_feeds_entry *other = in_the_way(s, config);
	int64_t wait = other ? other->left_ms + TURN_MS - hf_boot_ms(s->clock) : 0;
	const struct timeval tv = hf_time_of_ms(wait);

	if (!other)
		return false;
	if (wait > 0) {
		event_add(s->turn, &tv);
		return true;
	}
	hf_log_warn("adapter '%s': not all of its names could be taken out in time; '%s' begins",
	    other->name, config->name);
	for (size_t i = s->n; i-- > 0;)
		if (s->entries[i] == other) {
			hf_feeds_entry_drop(s, i);
			break;
		}
	return false;
}

/* Those that have no entry get one. */
static void feeds_add_missing(struct hf_feeds *s)
{
	for (size_t i = 0; i < s->config->adapters.n; i++) {
		const struct hf_config_adapter *c = &s->config->adapters.at[i];

		if (!entry_of(s, c) && !waits_for_turn(s, c))
			hf_feeds_entry_add(s, c);
	}
	tell_zones(s);
}

static bool is_any_missing(const struct hf_feeds *s)
{
	for (size_t i = 0; i < s->config->adapters.n; i++)
		if (!entry_of(s, &s->config->adapters.at[i]))
			return true;
	return false;
}

/* Those that memory or descriptors were missing for. */
static void try_again(struct hf_feeds *s)
{
	int64_t now = hf_boot_ms(s->clock);

	if (s->done || now < s->again_ms || !is_any_missing(s))
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
		hf_feeds_entry_wake(s->entries[i]);
}

struct unknown {
	struct hf_feeds *feeds;
	char ledgers[HF_FEEDS_ENTRIES_MAX][HF_TEXT_MAX];
	size_t n;
};

/* What no configured adapter goes on with, nor is about to. */
static int note_unknown(const char *ledger, void *arg)
{
	struct unknown *u = arg;
	bool known = feeds_config_name(u->feeds, ledger);

	for (size_t i = 0; i < u->feeds->n; i++)
		known = known || !strcmp(u->feeds->entries[i]->ledger, ledger);
	if (!known && u->n < HF_FEEDS_ENTRIES_MAX)
		snprintf(u->ledgers[u->n++], HF_TEXT_MAX, "%s", ledger);
	return 0;
}

/* Taken out while the bridge was down: what its keys were went with it, so only people can act. */
static void feeds_tell_unknown(struct hf_feeds *s)
{
	struct hf_store *store = hf_engine_store(s->engine);
	struct unknown *u = calloc(1, sizeof(*u));

	if (!u)
		return;
	u->feeds = s;
	hf_store_adapters(store, note_unknown, u);
	for (size_t i = 0; i < u->n; i++) {
		uint64_t n = hf_feed_left(store, u->ledgers[i]);

		if (n)
			hf_log_warn(
			    "adapter '%s': is no longer configured, and up to %llu names of ours are left in its resolver; to have them taken out, configure it again with teardown: clean, then take it out and reload",
			    u->ledgers[i], (unsigned long long)n);
	}
	free(u);
}

/* Its place is no longer configured. Another adapter may have its name from now on. */
static void feeds_leave(struct hf_feeds *s, size_t i)
{
	struct hf_feeds_entry *e = s->entries[i];
	char former[HF_TEXT_MAX];

	if (e->config->teardown == HF_TEARDOWN_KEEP) {
		hf_log_info("adapter '%s': '%s' is no longer configured and keeps the names",
		    e->name, e->ledger);
		hf_feeds_entry_drop(s, i);
		return;
	}
	if (feeds_config_name(s, e->name)) {
		snprintf(former, sizeof(former), "%.100s (former)", e->name);
		snprintf(e->name, sizeof(e->name), "%s", former);
		hf_feed_rename(e->feed, former);
	}
	hf_log_info("adapter '%s': '%s' is no longer configured; our names are taken out of it",
	    e->name, e->ledger);
	hf_feeds_entry_leave(s, i);
}

/*
 * How well what is configured goes on with an entry; 0: it does not. A hook by another program is
 * the same hook: what it fed may be the same.
 */
static int rank_of(const struct hf_feeds_entry *e, const struct hf_config_adapter *c)
{
	bool same = hf_feeds_place_is_same(e->config, c), name = !strcmp(e->name, c->name);

	if (same)
		return name ? 3 : 2;
	return name && c->kind == HF_ADAPTER_HOOK && e->config->kind == HF_ADAPTER_HOOK;
}

/* What the next configuration has for that place and no other entry goes on with; NULL. */
static const struct hf_config_adapter *feeds_next_of(
    const struct hf_feeds *s, const struct hf_feeds_entry *e)
{
	const struct hf_config_adapter *ret = NULL;
	int rank, best = 0;

	for (size_t i = 0; i < s->config->adapters.n; i++) {
		const struct hf_config_adapter *c = &s->config->adapters.at[i];

		rank = rank_of(e, c);
		if (rank <= best || entry_of(s, c))
			continue;
		ret = c;
		best = rank;
	}
	return ret;
}

/*
 * The same place goes on, with the same ledger, and no name is away meanwhile. It is filled where
 * something else may be there: by other settings, or because names were being taken.
 */
static bool feeds_go_on(
    struct hf_feeds *s, struct hf_feeds_entry *e, const struct hf_config_adapter *config)
{
	bool was_leaving = e->leaving, same = hf_feeds_place_is_unchanged(e->config, config);

	if (strcmp(e->name, config->name) != 0 && !was_leaving)
		hf_log_info("adapter '%s': is now '%s'", e->name, config->name);
	if (hf_feeds_entry_reopen(e, config))
		return false;
	if (was_leaving)
		hf_feed_refill(e->feed, "it is configured again");
	else if (!same)
		hf_feed_refill(e->feed, "its settings have changed");
	return true;
}

/* Nothing at all of it is another one than in the configuration that is no longer in force. */
static bool feeds_is_same(const struct hf_feeds_entry *e, const struct hf_config_adapter *config)
{
	return !e->leaving && !strcmp(e->name, config->name) &&
	       e->config->teardown == config->teardown &&
	       hf_feeds_place_is_unchanged(e->config, config);
}

void hf_feeds_configure(struct hf_feeds *s, const struct hf_config *next, struct hf_config *before)
{
	struct hf_feeds_kept *old = s->kept;

	hf_feeds_kept_begin(s);
	old->config = before;
	old->users++;
	s->config = next;
	for (size_t i = 0; i < s->n; i++)
		s->entries[i]->now = NULL;
	for (size_t i = s->n; i-- > 0;) {
		struct hf_feeds_entry *e = s->entries[i];
		const struct hf_config_adapter *c = feeds_next_of(s, e);

		if (!c && !e->leaving)
			feeds_leave(s, i);
		else if (c && feeds_is_same(e, c))
			e->now = c;
		else if (c && !feeds_go_on(s, e, c))
			hf_feeds_entry_drop(s, i);
	}
	hf_feeds_kept_drop(s, old);
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
			hf_feeds_entry_drop(s, i);
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
		struct hf_feeds_entry *e = s->entries[i];

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
	s->turn = evtimer_new(base, on_sweep, s);
	if (!s->sweep || !s->limit || !s->turn || hf_feeds_reserve(s)) {
		hf_feeds_free(s);
		return -ENOMEM;
	}
	hf_feeds_kept_begin(s);
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
		hf_feeds_entry_drop(s, s->n - 1);
	while (s->kept) {
		struct hf_feeds_kept *k = s->kept;

		s->kept = k->next;
		hf_config_free(k->config);
		free(k);
	}
	free(s->reserve);
	if (s->sweep)
		event_free(s->sweep);
	if (s->limit)
		event_free(s->limit);
	if (s->turn)
		event_free(s->turn);
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
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->entries[i]->name, name))
			return s->entries[i]->feed;
	return NULL;
}
