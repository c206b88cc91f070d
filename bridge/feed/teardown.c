/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suffixes that come and go, and an adapter that goes with all it has.
 */
#include <string.h>

#include "bridge/feed/feed_private.h"

static const uint8_t no_addr[16];

/* --- suffixes --- */

static bool zones_has(const struct hf_name *names, size_t n, const struct hf_name *name)
{
	for (size_t i = 0; i < n; i++)
		if (hf_name_equal(&names[i], name))
			return true;
	return false;
}

bool hf_feed_zones_have(const struct hf_feed *f, const struct hf_name *name)
{
	for (size_t i = 0; i < f->n_zones; i++)
		if (hf_name_is_under(name, &f->zones[i]))
			return true;
	for (size_t i = 0; i < f->n_old; i++)
		if (hf_name_is_under(name, &f->old[i]))
			return true;
	return false;
}

static void add_old(struct hf_feed *f, const struct hf_name *name)
{
	if (f->n_old < HF_ZONE_SOURCES_MAX && !zones_has(f->old, f->n_old, name))
		f->old[f->n_old++] = *name;
}

static void keep_old(struct hf_feed *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_old; i++)
		if (!zones_has(f->zones, f->n_zones, &f->old[i]))
			f->old[n++] = f->old[i];
	f->n_old = n;
	f->leave = n > 0;
}

void hf_feed_zones(struct hf_feed *f, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	struct hf_name before[HF_ZONE_SOURCES_MAX];
	size_t n_before = f->n_zones;
	bool same;

	if (n > HF_ZONE_SOURCES_MAX)
		n = HF_ZONE_SOURCES_MAX;
	same = n == n_before && ttl_s == f->ttl_s;
	for (size_t i = 0; i < n; i++)
		same = same && hf_name_equal(&suffixes[i], &f->zones[i]);
	if (same)
		return;
	memcpy(before, f->zones, n_before * sizeof(before[0]));
	memcpy(f->zones, suffixes, n * sizeof(f->zones[0]));
	f->n_zones = n;
	for (size_t i = 0; i < n_before; i++)
		add_old(f, &before[i]);
	keep_old(f);
	/* What is below one that leaves and is in no row is found before it is let go. */
	if (f->leave)
		hf_adopt_want(f);
	if (f->told_ttl_s && ttl_s != f->ttl_s)
		hf_feed_refill(f, "the TTL is another one");
	f->ttl_s = ttl_s;
	f->zones_changed = true;
	hf_feed_wake(f);
}

static int load_zone(const struct hf_owned *row, void *arg)
{
	struct hf_feed *f = arg;

	add_old(f, &row->name);
	return 0;
}

int hf_feed_zones_load(struct hf_feed *f)
{
	int rc = hf_store_owned_state(f->env.store, f->ledger.adapter, ROW_ZONE, load_zone, f);

	keep_old(f);
	f->zones_changed = true;
	return rc;
}

static int zones_find(const struct hf_owned *row, void *arg)
{
	if (hf_ledger_row_of(row->state) == ROW_ZONE)
		*(bool *)arg = true;
	return 0;
}

/* So that the next start knows which suffixes may have to be cleaned up. */
static void write_zones(struct hf_feed *f)
{
	for (size_t i = 0; i < f->n_zones; i++) {
		bool known = false;

		hf_store_owned_name(
		    f->env.store, f->ledger.adapter, &f->zones[i], zones_find, &known);
		if (!known)
			hf_ledger_set(&f->ledger, &f->zones[i], no_addr, ROW_NONE, ROW_ZONE);
	}
}

void hf_feed_zones_tell(struct hf_feed *f)
{
	struct hf_name all[HF_FEED_ZONES_MAX];

	if (!f->zones_changed)
		return;
	f->zones_changed = false;
	f->told_ttl_s = f->ttl_s;
	write_zones(f);
	memcpy(all, f->zones, f->n_zones * sizeof(all[0]));
	memcpy(all + f->n_zones, f->old, f->n_old * sizeof(all[0]));
	f->type->zones(f->adapter, all, f->n_zones + f->n_old, f->ttl_s);
}

struct search {
	const struct hf_name *under;
	bool found;
};

static int find_under(const struct hf_owned *row, void *arg)
{
	struct search *s = arg;

	/* What others go on to answer does not keep the suffix. */
	s->found = hf_ledger_row_of(row->state) != ROW_ZONE &&
		   hf_ledger_row_of(row->state) != ROW_STUCK &&
		   hf_name_is_under(&row->name, s->under);
	return s->found;
}

int hf_feed_zones_leave(struct hf_feed *f)
{
	size_t n = 0, n_old = f->n_old;

	f->leave = false;
	for (size_t i = 0; i < n_old; i++) {
		struct search s = { .under = &f->old[i] };

		hf_store_owned_all(f->env.store, f->ledger.adapter, find_under, &s);
		if (s.found)
			f->old[n++] = f->old[i];
		else
			hf_ledger_gone(&f->ledger, &f->old[i], no_addr, ROW_ZONE);
	}
	f->n_old = n;
	if (n == n_old)
		return 0;
	f->zones_changed = true;
	hf_feed_zones_tell(f);
	f->empty_done = false;
	hf_feed_enter(f, FEED_LEAVING);
	return 1;
}

int64_t hf_feed_zones_leaving(struct hf_feed *f)
{
	if (hf_outbox_is_out(f))
		return HF_FEED_EVENT;
	if (!f->empty_done) {
		hf_outbox_send_empty(f);
		return HF_FEED_EVENT;
	}
	hf_feed_enter(f, FEED_IDLE);
	return HF_FEED_AGAIN;
}

/* --- all of it --- */

static int take_any(const struct hf_owned *row, void *arg)
{
	struct hf_feed *f = arg;
	struct hf_change c = { .op = HF_CHANGE_TAKE,
		.record.name = row->name,
		.record.primary = row->state & ROW_PRIMARY };

	f->run.last = *row;
	f->run.has_last = true;
	if (!hf_ledger_row_may_be_there(row->state))
		return hf_ledger_gone(&f->ledger, &row->name, row->addr, row->state);
	memcpy(c.record.addr, row->addr, sizeof(c.record.addr));
	return hf_outbox_push(f, &c, row->state, ROW_NONE);
}

bool hf_teardown_is_unreached(const struct hf_feed *f)
{
	const uint64_t *n = f->ledger.counts;

	return f->retry.attempts && !f->ledger.cursor.generation &&
	       !(n[ROW_TRIED] + n[ROW_PUT] + n[ROW_STALE] + n[ROW_FAILED]);
}

/*
 * The zones themselves, and then the ledger. Where nothing ever was, one attempt is enough: a slip
 * in a path is reached never.
 */
static int64_t last_things(struct hf_feed *f)
{
	bool give_up = f->unreached && f->n_emptied;
	int rc;

	if (!f->empty_done && !give_up) {
		f->n_emptied++;
		f->type->zones(f->adapter, f->zones, 0, f->ttl_s);
		hf_outbox_send_empty(f);
		return HF_FEED_EVENT;
	}
	rc = hf_ledger_forget(&f->ledger);
	if (rc)
		return hf_feed_store_failed(f, rc);
	if (f->empty_done)
		hf_log_info("%s: all %llu names of ours were taken out of it", f->who,
		    (unsigned long long)f->run.n_taken);
	else
		hf_log_info("%s: it never had a name of ours, and is not tried any more", f->who);
	hf_pass_drop(f);
	hf_feed_enter(f, FEED_CLEAN);
	return HF_FEED_EVENT;
}

int64_t hf_teardown_step(struct hf_feed *f)
{
	struct hf_owned last = f->run.last;
	bool had = f->run.has_last;
	int64_t wait;
	int rc;

	if (hf_outbox_is_out(f))
		return HF_FEED_EVENT;
	if (!hf_outbox_is_empty(f))
		return hf_outbox_send(f);
	if (f->run.ended && !f->ledger.counts[ROW_FAILED])
		return last_things(f);
	wait = hf_feed_flush(f, true);
	if (wait)
		return wait - 1;
	/* Those that could not be taken are left: once more, when one of them is due. */
	if (f->run.ended) {
		wait = hf_aside_wait(&f->aside);
		if (wait > 0)
			return wait;
		had = false;
	}
	f->run.has_last = false;
	rc = hf_store_owned_after(
	    f->env.store, f->ledger.adapter, had ? &last : NULL, hf_outbox_room(f), take_any, f);
	if (rc < 0)
		return hf_feed_store_failed(f, rc);
	f->run.ended = !f->run.has_last;
	f->empty_done = false;
	return HF_FEED_AGAIN;
}
