/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/from_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/state/claims.h"
#include "bridge/state/edit.h"
#include "bridge/state/guard.h"
#include "bridge/state/holds.h"
#include "bridge/state/rights_text.h"

/*
 * What passed since the age was last saved: by boottime within one boot; over a reboot by the wall
 * clock, and only where that can be trusted.
 */
static uint64_t away_while_down(const struct hf_source_row *row, struct hf_when now)
{
	int64_t ms = now.boot_ms - row->counted_ms;

	if (hf_uuid_is_zero(&row->counted_boot))
		return 0;
	if (!hf_uuid_equal(&row->counted_boot, &now.boot))
		ms = now.wall_synced && row->counted_s ? (now.wall_s - row->counted_s) * 1000 : 0;
	return ms > 0 ? (uint64_t)ms : 0;
}

static int load_sources(struct hf_state *s, const struct hf_image *image, struct hf_when now)
{
	for (size_t i = 0; i < image->n_sources; i++) {
		const struct hf_source_row *row = &image->sources[i];
		struct st_source *src;

		if (row->rid >= HF_ZONE_SOURCES_MAX)
			return HF_EFORMAT;
		src = &s->sources[row->rid];
		src->row = *row;
		src->used = src->stored = true;
		src->order = row->rid;
		src->row.away_ms += away_while_down(row, now);
		src->away_from_ms = now.boot_ms;
		hf_st_guard_load_window(src, away_while_down(row, now), now);
	}
	return 0;
}

static int load_owners(struct hf_state *s, const struct hf_image *image)
{
	for (size_t i = 0; i < image->n_owners; i++) {
		const struct hf_owner_row *row = &image->owners[i];
		struct st_owner *o;

		if (row->rid >= HF_ZONE_OWNERS_MAX || row->source >= HF_ZONE_SOURCES_MAX ||
		    !s->sources[row->source].used)
			return HF_EFORMAT;
		while (s->n_owners <= row->rid) {
			if (hf_st_grow((void **)&s->owners, s->n_owners, &s->size_owners,
				sizeof(*s->owners)) < 0)
				return -ENOMEM;
			o = &s->owners[s->n_owners++];
			o->first_ws = o->hold = o->kept = ST_NONE;
		}
		o = &s->owners[row->rid];
		o->row = *row;
		o->used = o->stored = true;
		if (hf_st_owner_index(s, row->rid) < 0)
			return -ENOMEM;
		/* A program that knew no texts may have left the number of one that is no more. */
		if (row->rights && *hf_st_text(s, row->rights))
			s->texts[row->rights].users++;
		else
			o->row.rights = 0;
	}
	return 0;
}

static int load_workspaces(struct hf_state *s, const struct hf_image *image)
{
	for (size_t i = 0; i < image->n_workspaces; i++) {
		const struct hf_workspace_row *row = &image->workspaces[i];
		uint32_t ix;

		if (row->owner >= s->n_owners || !s->owners[row->owner].used)
			return HF_EFORMAT;
		/* By this order an agent finds its workspace. */
		if (i && row->rid <= image->workspaces[i - 1].rid)
			return HF_EFORMAT;
		/* Counted as live when it is added; the hold moves it over. */
		if (hf_st_ws_add(s, row->owner, &row->id, &ix) < 0)
			return -ENOMEM;
		s->ws[ix].stored = true;
		hf_st_ws_set_held(s, ix, row->held, row->held ? row->marks : 0);
		s->ws[ix].row = *row;
	}
	return 0;
}

/*
 * A new state's workspaces lie as they came, by rid. `near`: where the one before was found, which
 * is often the place.
 */
static uint32_t find_rid(const struct hf_state *s, uint32_t rid, uint32_t near)
{
	uint32_t lo = 0, n = (uint32_t)s->n_ws;

	for (uint32_t i = near; i < n && i <= near + 1; i++)
		if (s->ws[i].row.rid == rid)
			return i;
	while (lo < n) {
		uint32_t mid = lo + (n - lo) / 2;
		uint32_t at = s->ws[mid].row.rid;

		if (at == rid)
			return mid;
		if (at < rid)
			lo = mid + 1;
		else
			n = mid;
	}
	return ST_NONE;
}

static int load_agents(struct hf_state *s, const struct hf_image *image)
{
	bool shared = false;
	uint32_t ws = 0, ix;

	for (size_t i = 0; i < image->n_agents; i++) {
		const struct hf_agent_row *row = &image->agents[i];

		ws = find_rid(s, row->workspace, ws);
		if (ws == ST_NONE)
			return HF_EFORMAT;
		if (hf_st_agent_add(s, ws, &row->id, &ix) < 0)
			return -ENOMEM;
		s->agents[ix].row = *row;
		s->agents[ix].bad = NULL;
		s->agents[ix].stored = true;
		s->ws[ws].n_agents++;
	}
	/* Only now does each workspace know whether it has the short name. */
	for (uint32_t i = 0; i < s->n_agents; i++)
		shared = hf_st_load_address(s, i) || shared;
	for (uint32_t i = 0; i < s->n_agents; i++)
		hf_st_load_claims(s, i, shared);
	return 0;
}

static int load_restored(struct hf_state *s, const struct hf_image *image)
{
	for (size_t i = 0; i < image->n_restored; i++) {
		const struct hf_restored_row *row = &image->restored[i];

		if (row->source >= HF_ZONE_SOURCES_MAX || !s->sources[row->source].used)
			return HF_EFORMAT;
		if (hf_st_grow((void **)&s->restored, s->n_restored, &s->size_restored,
			sizeof(*s->restored)) < 0)
			return -ENOMEM;
		s->restored[s->n_restored] =
		    (struct st_restored){ .row = *row, .used = true, .stored = true };
		s->sources[row->source].n_restored++;
		s->sources[row->source].restored_at_first += !(row->flags & HF_REC_HELD);
		hf_st_load_restored(s, (uint32_t)s->n_restored++);
	}
	return 0;
}

static int load_texts(struct hf_state *s, const struct hf_image *image)
{
	for (size_t i = 0; i < image->n_texts; i++) {
		const struct hf_text_row *row = &image->texts[i];

		if (!row->rid || row->rid > UINT16_MAX)
			return HF_EFORMAT;
		while (s->n_texts <= row->rid) {
			if (hf_st_grow((void **)&s->texts, s->n_texts, &s->size_texts,
				sizeof(*s->texts)) < 0)
				return -ENOMEM;
			s->n_texts++;
		}
		s->texts[row->rid] =
		    (struct st_text){ .row = malloc(sizeof(*row)), .stored = true };
		if (!s->texts[row->rid].row)
			return -ENOMEM;
		*s->texts[row->rid].row = *row;
	}
	return 0;
}

/* What no row refers to goes with the next changeset. */
static void drop_unused_texts(struct hf_state *s)
{
	for (uint32_t i = 0; i < s->n_texts; i++) {
		if (!s->texts[i].row || s->texts[i].users)
			continue;
		s->texts[i].users = 1;
		hf_st_text_drop(s, i);
	}
}

static int load_holds(struct hf_state *s, const struct hf_image *image, struct hf_when now)
{
	for (size_t i = 0; i < image->n_holds; i++) {
		const struct hf_hold_row *row = &image->holds[i];
		bool of_owner = row->owner != ST_NONE;

		if (row->rid > UINT16_MAX || row->source >= HF_ZONE_SOURCES_MAX ||
		    (of_owner && row->owner >= s->n_owners))
			return HF_EFORMAT;
		while (s->n_holds <= row->rid) {
			if (hf_st_grow((void **)&s->holds, s->n_holds, &s->size_holds,
				sizeof(*s->holds)) < 0)
				return -ENOMEM;
			s->n_holds++;
		}
		s->holds[row->rid] = (struct st_hold){
			.row = *row, .used = true, .stored = true, .counted_boot_ms = now.boot_ms
		};
		hf_st_hold_loaded(s, row->rid);
	}
	return 0;
}

/*
 * Version 1 knew one hold an owner, and no marks: what it rejected is all that is held. What is
 * held under no hold at all (its program may have ended one of two) waits under a new one.
 */
static void mend_holds(struct hf_state *s, struct hf_when now)
{
	for (uint32_t i = 0; i < s->n_owners; i++) {
		struct st_owner *o = &s->owners[i];

		if (!o->used)
			continue;
		for (uint32_t w = o->first_ws; w != ST_NONE; w = s->ws[w].next)
			if (s->ws[w].row.held && o->kept != ST_NONE && o->hold == ST_NONE)
				hf_st_ws_set_held(s, w, true, s->ws[w].row.marks | HF_WS_KEPT);
		if (o->n_held > o->n_kept && o->hold == ST_NONE)
			hf_st_hold_open(s, o->row.source, i, ST_HOLD_REMOVAL,
			    "no longer listed by the server", now);
		if (o->n_kept && o->kept == ST_NONE) {
			uint32_t hold = hf_st_hold_open(s, o->row.source, i, ST_HOLD_REMOVAL,
			    "no longer listed by the server", now);

			if (hold != ST_NONE)
				hf_st_hold_reject(s, hold);
		}
		hf_st_hold_settle(s, i);
	}
}

/* Nothing needs to be moved while it comes in; what is added later grows as ever. */
static int from_image_reserve(struct hf_state *s, const struct hf_image *image)
{
	size_t names = image->n_restored;

	for (size_t i = 0; i < image->n_agents; i++)
		names += (size_t)__builtin_popcount(image->agents[i].names);
	if (hf_st_reserve((void **)&s->ws, image->n_workspaces, &s->size_ws, sizeof(*s->ws)) < 0 ||
	    hf_st_reserve(
		(void **)&s->agents, image->n_agents, &s->size_agents, sizeof(*s->agents)) < 0 ||
	    hf_multimap_reserve(&s->ws_by_id, image->n_workspaces) < 0 ||
	    hf_multimap_reserve(&s->agents_by_id, image->n_agents) < 0 ||
	    hf_multimap_reserve(&s->addresses, image->n_agents + image->n_restored) < 0 ||
	    hf_multimap_reserve(&s->claims, names) < 0)
		return -ENOMEM;
	return 0;
}

int hf_st_load(struct hf_state *s, const struct hf_image *image, struct hf_when now)
{
	int rc = load_sources(s, image, now);

	if (!rc)
		rc = from_image_reserve(s, image);
	if (!rc)
		rc = load_texts(s, image);
	if (!rc)
		rc = load_owners(s, image);
	if (!rc)
		rc = load_workspaces(s, image);
	if (!rc)
		rc = load_agents(s, image);
	/* A restored name is for what nobody else has: it comes last. */
	for (uint32_t i = 0; !rc && i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used)
			hf_st_load_sentinel(s, i);
	if (!rc)
		rc = load_restored(s, image);
	if (!rc)
		rc = load_holds(s, image, now);
	if (rc)
		return rc;
	/* What does not follow from the rows any more (an older version's rules) is put right. */
	s->why = HF_WHY_CLASH;
	for (uint32_t i = 0; i < s->n_agents; i++)
		hf_st_claim(s, i);
	/* Adding rows made them look changed; they are as the store has them. */
	for (size_t i = 0; i < s->dirty_ws.n; i++)
		s->ws[s->dirty_ws.at[i]].dirty_at = 0;
	s->dirty_ws.n = 0;
	mend_holds(s, now);
	drop_unused_texts(s);
	s->next_ws_rid = image->next_workspace;
	s->next_agent_rid = image->next_agent;
	return s->failed ? -ENOMEM : 0;
}
