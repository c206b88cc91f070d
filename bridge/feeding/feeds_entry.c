/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/feeding/feeds_private.h"

enum { LATER_MS = 10 };

/* --- configurations --- */

void hf_feeds_kept_begin(struct hf_feeds *s)
{
	s->reserve->next = s->kept;
	s->kept = s->reserve;
	s->reserve = NULL;
}

void hf_feeds_kept_drop(struct hf_feeds *s, struct hf_feeds_kept *k)
{
	struct hf_feeds_kept **at = &s->kept;

	if (--k->users || !k->config)
		return;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	hf_config_free(k->config);
	free(k);
}

/* --- what a feed asks --- */

static void feeds_wake(void *arg)
{
	hf_feeds_entry_wake(arg);
}

void hf_feeds_entry_wake(struct hf_feeds_entry *e)
{
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
	struct hf_engine *engine = ((struct hf_feeds_entry *)arg)->feeds->engine;

	return hf_state_one_record(hf_engine_state(engine), &record->name, hf_engine_now(engine),
		   fill_subject, ret_subject) == 1;
}

static void on_feeds_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_feeds_entry *e = arg;
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

static void feeds_entry_free(struct hf_feeds_entry *e)
{
	if (!e)
		return;
	hf_feed_free(e->feed);
	if (e->timer)
		event_free(e->timer);
	if (e->kept)
		hf_feeds_kept_drop(e->feeds, e->kept);
	free(e);
}

void hf_feeds_entry_drop(struct hf_feeds *s, size_t i)
{
	feeds_entry_free(s->entries[i]);
	memmove(&s->entries[i], &s->entries[i + 1], (s->n - i - 1) * sizeof(s->entries[0]));
	s->n--;
}

/* Two hooks may run the same: the second one's ledger has its name. */
static void choose_ledger(const struct hf_feeds_entry *e, char out[static HF_TEXT_MAX])
{
	const struct hf_feeds *s = e->feeds;

	hf_feeds_place_text(e->config, out);
	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i] != e && !strcmp(s->entries[i]->ledger, out)) {
			snprintf(out, HF_TEXT_MAX, "%s", e->config->name);
			return;
		}
}

/*
 * A ledger of an older version has the adapter's name, one of the same place by another path that
 * one. Where the store cannot rename it now it stays as it is: it is this place's all the same.
 */
static void take_ledger(struct hf_feeds_entry *e, const char *before)
{
	struct hf_store *store = hf_engine_store(e->feeds->engine);
	struct hf_cursor cursor;

	choose_ledger(e, e->ledger);
	if (strcmp(before, e->ledger) == 0 || hf_store_cursor_get(store, e->ledger, &cursor) != 0 ||
	    hf_store_cursor_get(store, before, &cursor) != 1)
		return;
	if (hf_store_adapter_rename(store, before, e->ledger))
		snprintf(e->ledger, sizeof(e->ledger), "%s", before);
}

/* The feed of an entry by its configuration; the one before it is closed. */
static int open_feed(struct hf_feeds_entry *e, const char *ledger_before)
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
		.ledger = e->ledger,
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
	take_ledger(e, ledger_before);
	snprintf(e->name, sizeof(e->name), "%s", c->name);
	return conf.type ? hf_feed_new(&env, &conf, &e->feed) : HF_EUNSUPPORTED;
}

static size_t first_leaving(const struct hf_feeds *s)
{
	size_t i = 0;

	while (i < s->n && !s->entries[i]->leaving)
		i++;
	return i;
}

/* Room for those that are configured goes before what could not be cleaned for so long. */
static void make_room(struct hf_feeds *s)
{
	size_t i = first_leaving(s);

	if (s->n < HF_FEEDS_ENTRIES_MAX || i == s->n)
		return;
	hf_log_warn("adapter '%s': its names could not be taken out, and others wait for its turn",
	    s->entries[i]->name);
	hf_feeds_entry_drop(s, i);
}

int hf_feeds_entry_add(struct hf_feeds *s, const struct hf_config_adapter *config)
{
	struct hf_feeds_entry *e;
	size_t at;
	int rc;

	make_room(s);
	e = s->n < HF_FEEDS_ENTRIES_MAX ? calloc(1, sizeof(*e)) : NULL;
	if (!e)
		return -ENOMEM;
	e->feeds = s;
	e->config = e->now = config;
	e->kept = s->kept;
	e->kept->users++;
	e->timer = evtimer_new(s->base, on_feeds_timer, e);
	rc = e->timer ? open_feed(e, config->name) : -ENOMEM;
	if (rc) {
		hf_log_error("adapter '%s': cannot be made (%s)", config->name, hf_strerror(rc));
		feeds_entry_free(e);
		return rc;
	}
	at = first_leaving(s);
	memmove(&s->entries[at + 1], &s->entries[at], (s->n - at) * sizeof(s->entries[0]));
	s->entries[at] = e;
	s->n++;
	hf_feeds_entry_wake(e);
	return 0;
}

int hf_feeds_entry_reopen(struct hf_feeds_entry *e, const struct hf_config_adapter *config)
{
	struct hf_feeds_kept *old = e->kept;
	char before[HF_TEXT_MAX];
	int rc;

	snprintf(before, sizeof(before), "%s", e->ledger);
	hf_feed_succeed(e->feed, config);
	e->config = e->now = config;
	e->kept = e->feeds->kept;
	e->kept->users++;
	e->leaving = false;
	rc = open_feed(e, before);
	hf_feeds_kept_drop(e->feeds, old);
	if (rc)
		hf_log_error("adapter '%s': cannot be made anew (%s)", e->name, hf_strerror(rc));
	else
		hf_feeds_entry_wake(e);
	return rc;
}

void hf_feeds_entry_leave(struct hf_feeds *s, size_t i)
{
	struct hf_feeds_entry *e = s->entries[i];

	e->leaving = true;
	e->left_ms = hf_boot_ms(s->clock);
	memmove(&s->entries[i], &s->entries[i + 1], (s->n - i - 1) * sizeof(s->entries[0]));
	s->entries[s->n - 1] = e;
	hf_feed_clean(e->feed);
}
