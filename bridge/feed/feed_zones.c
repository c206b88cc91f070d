/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/feed_zones.h"

#include <string.h>

static const uint8_t no_addr[16];

static bool zones_has(const struct hf_name *names, size_t n, const struct hf_name *name)
{
	for (size_t i = 0; i < n; i++)
		if (hf_name_equal(&names[i], name))
			return true;
	return false;
}

bool hf_feed_zones_have(const struct hf_feed_zones *z, const struct hf_name *name)
{
	for (size_t i = 0; i < z->n_now; i++)
		if (hf_name_is_under(name, &z->now[i]))
			return true;
	for (size_t i = 0; i < z->n_old; i++)
		if (hf_name_is_under(name, &z->old[i]))
			return true;
	return false;
}

static void add_old(struct hf_feed_zones *z, const struct hf_name *name)
{
	if (z->n_old < HF_ZONE_SOURCES_MAX && !zones_has(z->old, z->n_old, name))
		z->old[z->n_old++] = *name;
}

static void keep_old(struct hf_feed_zones *z)
{
	size_t n = 0;

	for (size_t i = 0; i < z->n_old; i++)
		if (!zones_has(z->now, z->n_now, &z->old[i]))
			z->old[n++] = z->old[i];
	z->n_old = n;
	z->leave = n > 0;
}

bool hf_feed_zones_set(struct hf_feed_zones *z, const struct hf_name *suffixes, size_t n,
    uint32_t ttl_s, bool *ret_ttl)
{
	struct hf_name before[HF_ZONE_SOURCES_MAX];
	size_t n_before = z->n_now;
	bool same;

	if (n > HF_ZONE_SOURCES_MAX)
		n = HF_ZONE_SOURCES_MAX;
	same = n == n_before && ttl_s == z->ttl_s;
	for (size_t i = 0; i < n; i++)
		same = same && hf_name_equal(&suffixes[i], &z->now[i]);
	*ret_ttl = z->told_ttl_s && ttl_s != z->ttl_s;
	if (same)
		return false;
	memcpy(before, z->now, n_before * sizeof(before[0]));
	memcpy(z->now, suffixes, n * sizeof(z->now[0]));
	z->n_now = n;
	for (size_t i = 0; i < n_before; i++)
		add_old(z, &before[i]);
	keep_old(z);
	z->ttl_s = ttl_s;
	z->changed = true;
	return true;
}

static int load_zone(const struct hf_owned *row, void *arg)
{
	add_old(arg, &row->name);
	return 0;
}

int hf_feed_zones_load(struct hf_feed_zones *z)
{
	int rc = hf_store_owned_state(z->peer->store, z->ledger->adapter, ROW_ZONE, load_zone, z);

	keep_old(z);
	z->changed = true;
	return rc;
}

static int zones_find(const struct hf_owned *row, void *arg)
{
	if (hf_ledger_row_of(row->state) == ROW_ZONE)
		*(bool *)arg = true;
	return 0;
}

/* So that the next start knows which suffixes may have to be cleaned up. */
static void write_zone(struct hf_feed_zones *z, const struct hf_name *zone)
{
	bool known = false;

	hf_store_owned_name(z->peer->store, z->ledger->adapter, zone, zones_find, &known);
	if (!known)
		hf_ledger_set(z->ledger, zone, no_addr, ROW_NONE, ROW_ZONE);
}

static void write_zones(struct hf_feed_zones *z)
{
	for (size_t i = 0; i < z->n_now; i++)
		write_zone(z, &z->now[i]);
}

void hf_feed_zones_former(struct hf_feed_zones *z, const struct hf_name *suffix)
{
	size_t n_old = z->n_old;

	if (!zones_has(z->now, z->n_now, suffix))
		add_old(z, suffix);
	if (z->n_old == n_old)
		return;
	write_zone(z, suffix);
	z->changed = z->leave = true;
	hf_feed_zones_tell(z);
}

void hf_feed_zones_tell(struct hf_feed_zones *z)
{
	struct hf_name all[2 * HF_ZONE_SOURCES_MAX];

	if (!z->changed)
		return;
	z->changed = false;
	z->told_ttl_s = z->ttl_s;
	write_zones(z);
	memcpy(all, z->now, z->n_now * sizeof(all[0]));
	memcpy(all + z->n_now, z->old, z->n_old * sizeof(all[0]));
	z->peer->type->zones(z->peer->adapter, all, z->n_now + z->n_old, z->ttl_s);
}

struct zone_search {
	const struct hf_name *under;
	bool found;
};

static int find_under(const struct hf_owned *row, void *arg)
{
	struct zone_search *s = arg;

	/* What others go on to answer does not keep the suffix. */
	s->found = hf_ledger_row_of(row->state) != ROW_ZONE &&
		   hf_ledger_row_of(row->state) != ROW_STUCK &&
		   hf_name_is_under(&row->name, s->under);
	return s->found;
}

bool hf_feed_zones_leave(struct hf_feed_zones *z)
{
	size_t n = 0, n_old = z->n_old;

	z->leave = false;
	for (size_t i = 0; i < n_old; i++) {
		struct zone_search s = { .under = &z->old[i] };

		hf_store_owned_all(z->peer->store, z->ledger->adapter, find_under, &s);
		if (s.found)
			z->old[n++] = z->old[i];
		else
			hf_ledger_gone(z->ledger, &z->old[i], no_addr, ROW_ZONE);
	}
	z->n_old = n;
	if (n == n_old)
		return false;
	z->changed = true;
	hf_feed_zones_tell(z);
	return true;
}

void hf_feed_zones_passed(struct hf_feed_zones *z)
{
	z->leave = z->n_old > 0;
}
