/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/engine/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/state.h"
#include "zone/reader.h"

enum { KEPT_FLAGS = HF_REC_HELD | HF_REC_WITHDRAWN };

struct zone_restore {
	const struct hf_state *state;
	const struct hf_zone_meta *meta;
	struct hf_zone_reader *reader;
	struct hf_restored out;
	size_t size;
	uint32_t rids[HF_ZONE_SOURCES_MAX]; /* of the zone's sources; UINT32_MAX: there is none */
	uint16_t renamed;                   /* the one that is looked for */
};

static bool restore_find_source(const struct zone_restore *r, uint16_t source, uint32_t *ret_rid)
{
	if (source >= r->meta->n_sources || r->rids[source] == UINT32_MAX)
		return false;
	*ret_rid = r->rids[source];
	return true;
}

static bool restore_is_in_zone(const struct zone_restore *r, uint32_t rid)
{
	for (uint16_t i = 0; i < r->meta->n_sources; i++)
		if (r->rids[i] == rid)
			return true;
	return false;
}

/* The same server under a name that the zone does not know. */
static int on_restore_source(const struct hf_source_view *view, void *arg)
{
	struct zone_restore *r = arg;
	uint32_t *rid = &r->rids[r->renamed];

	if (*rid == UINT32_MAX && !restore_is_in_zone(r, view->row->rid) &&
	    hf_state_url_sum(view->row->url) == r->meta->sources[r->renamed].url_sum)
		*rid = view->row->rid;
	return 0;
}

/*
 * Which source each of the zone's is: by its name, else by its URL, as the operator may have
 * renamed it meanwhile.
 */
static void match_sources(struct zone_restore *r)
{
	const struct hf_when now = { 0 }; /* nothing of it is looked at */
	uint32_t none;

	for (uint16_t i = 0; i < r->meta->n_sources; i++) {
		r->rids[i] = UINT32_MAX;
		if (r->meta->sources[i].name[0])
			hf_state_find(r->state, r->meta->sources[i].name, NULL, &r->rids[i], &none);
	}
	for (r->renamed = 0; r->renamed < r->meta->n_sources; r->renamed++)
		if (r->rids[r->renamed] == UINT32_MAX && r->meta->sources[r->renamed].url_sum)
			hf_state_each_source(r->state, now, on_restore_source, r);
}

static int on_entry(const struct hf_name *name, const struct hf_zone_entry *entry, void *arg)
{
	struct zone_restore *r = arg;
	struct hf_restored *out = &r->out;
	struct hf_restored_row row = {
		.name = *name,
		.first_seen_s = entry->first_seen_s,
		.primary = entry->flags & HF_REC_PRIMARY,
		.flags = entry->flags & KEPT_FLAGS,
	};

	if (!restore_find_source(r, entry->source, &row.source))
		return 0;
	memcpy(row.addr, entry->addrs[0], sizeof(row.addr));
	if (out->n == r->size) {
		size_t more = r->size ? r->size * 2 : 64;
		struct hf_restored_row *rows = reallocarray(out->rows, more, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		out->rows = rows;
		r->size = more;
	}
	out->rows[out->n++] = row;
	return 0;
}

static void tell_sources(struct zone_restore *r, hf_restore_source_cb cb, void *arg)
{
	uint32_t source;

	for (uint16_t i = 0; i < r->meta->n_sources; i++) {
		if (!restore_find_source(r, i, &source))
			continue;
		if (source < HF_ZONE_SOURCES_MAX)
			r->out.known[source] = true;
		cb(source, &r->meta->sources[i], arg);
	}
}

int hf_restore_read(const char *dir, const struct hf_clock *clock, const struct hf_state *state,
    hf_restore_source_cb cb, void *arg, struct hf_restored *ret_restored)
{
	struct zone_restore r = { .state = state };
	struct hf_zone *zone = NULL;
	int rc = hf_zone_open(dir, clock, &zone);

	memset(ret_restored, 0, sizeof(*ret_restored));
	if (rc)
		return rc;
	rc = hf_zone_reader_new(zone, &r.reader);
	if (!rc)
		rc = hf_zone_reader_load(r.reader);
	if (!rc) {
		r.meta = hf_zone_reader_meta(r.reader);
		match_sources(&r);
		tell_sources(&r, cb, arg);
		rc = hf_zone_reader_walk(r.reader, on_entry, &r);
		r.out.whole = !rc && r.meta->ready;
	}
	hf_zone_reader_free(r.reader);
	hf_zone_close(zone);
	if (rc == -ENOMEM) {
		free(r.out.rows);
		return rc;
	}
	/* What could be read of a zone that is not whole is still the best that there is. */
	*ret_restored = r.out;
	return 0;
}
