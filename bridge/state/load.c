#include "bridge/state/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/state/guard.h"
#include "bridge/state/names.h"
#include "bridge/state/rights.h"

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
		st_guard_load_window(src, away_while_down(row, now), now);
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
			if (st_grow((void **)&s->owners, s->n_owners, &s->size_owners,
				sizeof(*s->owners)) < 0)
				return -ENOMEM;
			o = &s->owners[s->n_owners++];
			o->first_ws = o->hold = o->kept = ST_NONE;
		}
		o = &s->owners[row->rid];
		o->row = *row;
		o->used = o->stored = true;
		if (st_owner_index(s, row->rid) < 0)
			return -ENOMEM;
		/* A program that knew no texts may have left the number of one that is no more. */
		if (row->rights && *st_text(s, row->rights))
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
		/* Counted as live when it is added; the hold moves it over. */
		if (st_ws_add(s, row->owner, &row->id, &ix) < 0)
			return -ENOMEM;
		s->ws[ix].stored = true;
		st_ws_set_held(s, ix, row->held, row->held ? row->marks : 0);
		s->ws[ix].row = *row;
	}
	return 0;
}

static int by_rid(const void *a, const void *b, void *arg)
{
	const struct hf_state *s = arg;
	uint32_t x = s->ws[*(const uint32_t *)a].row.rid, y = s->ws[*(const uint32_t *)b].row.rid;

	return (x > y) - (x < y);
}

static uint32_t find_rid(const struct hf_state *s, const uint32_t *sorted, size_t n, uint32_t rid)
{
	size_t lo = 0;

	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;
		uint32_t at = s->ws[sorted[mid]].row.rid;

		if (at == rid)
			return sorted[mid];
		if (at < rid)
			lo = mid + 1;
		else
			n = mid;
	}
	return ST_NONE;
}

static int load_agents(struct hf_state *s, const struct hf_image *image)
{
	uint32_t *sorted = calloc(s->n_ws + 1, sizeof(*sorted));
	int rc = sorted ? 0 : -ENOMEM;

	for (uint32_t i = 0; !rc && i < s->n_ws; i++)
		sorted[i] = i;
	if (!rc)
		qsort_r(sorted, s->n_ws, sizeof(*sorted), by_rid, s);
	for (size_t i = 0; !rc && i < image->n_agents; i++) {
		const struct hf_agent_row *row = &image->agents[i];
		uint32_t ws = find_rid(s, sorted, s->n_ws, row->workspace), ix;

		if (ws == ST_NONE) {
			rc = HF_EFORMAT;
		} else {
			rc = st_agent_add(s, ws, &row->id, &ix);
			if (rc)
				break;
			s->agents[ix].row = *row;
			s->agents[ix].bad = NULL;
			s->agents[ix].stored = true;
			s->ws[ws].n_agents++;
		}
	}
	free(sorted);
	/* Only now does each workspace know whether it has the short name. */
	for (uint32_t i = 0; !rc && i < s->n_agents; i++)
		st_load_address(s, i);
	for (uint32_t i = 0; !rc && i < s->n_agents; i++)
		st_load_claims(s, i);
	return rc;
}

static int load_restored(struct hf_state *s, const struct hf_image *image)
{
	for (size_t i = 0; i < image->n_restored; i++) {
		const struct hf_restored_row *row = &image->restored[i];

		if (row->source >= HF_ZONE_SOURCES_MAX || !s->sources[row->source].used)
			return HF_EFORMAT;
		if (st_grow((void **)&s->restored, s->n_restored, &s->size_restored,
			sizeof(*s->restored)) < 0)
			return -ENOMEM;
		s->restored[s->n_restored] =
		    (struct st_restored){ .row = *row, .used = true, .stored = true };
		s->sources[row->source].n_restored++;
		s->sources[row->source].restored_at_first += !(row->flags & HF_REC_HELD);
		st_load_restored(s, (uint32_t)s->n_restored++);
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
			if (st_grow((void **)&s->texts, s->n_texts, &s->size_texts,
				sizeof(*s->texts)) < 0)
				return -ENOMEM;
			s->n_texts++;
		}
		s->texts[row->rid] = (struct st_text){ .row = malloc(sizeof(*row)), .stored = true };
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
		st_text_drop(s, i);
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
			if (st_grow((void **)&s->holds, s->n_holds, &s->size_holds,
				sizeof(*s->holds)) < 0)
				return -ENOMEM;
			s->n_holds++;
		}
		s->holds[row->rid] = (struct st_hold){
			.row = *row, .used = true, .stored = true, .counted_boot_ms = now.boot_ms
		};
		if (!of_owner || !st_hold_is(&s->holds[row->rid], ST_HOLD_REMOVAL))
			continue;
		if (row->rejected)
			s->owners[row->owner].kept = row->rid;
		else
			s->owners[row->owner].hold = row->rid;
	}
	return 0;
}

/*
 * Version 1 knew one hold an owner, and no marks: what it rejected is all that is held. What is held under no hold at
 * all (its program may have ended one of two) waits under a new one.
 */
static void mend_holds(struct hf_state *s, struct hf_when now)
{
	for (uint32_t i = 0; i < s->n_owners; i++) {
		struct st_owner *o = &s->owners[i];

		if (!o->used)
			continue;
		for (uint32_t w = o->first_ws; w != ST_NONE; w = s->ws[w].next)
			if (s->ws[w].row.held && o->kept != ST_NONE && o->hold == ST_NONE)
				st_ws_set_held(s, w, true, s->ws[w].row.marks | HF_WS_KEPT);
		if (o->n_held > o->n_kept && o->hold == ST_NONE)
			st_hold_open(s, o->row.source, i, ST_HOLD_REMOVAL,
			    "no longer listed by the server", now);
		if (o->n_kept && o->kept == ST_NONE) {
			uint32_t hold = st_hold_open(s, o->row.source, i, ST_HOLD_REMOVAL,
			    "no longer listed by the server", now);

			if (hold != ST_NONE)
				st_hold_reject(s, hold);
		}
		st_hold_settle(s, i);
	}
}

int st_load(struct hf_state *s, const struct hf_image *image, struct hf_when now)
{
	int rc = load_sources(s, image, now);

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
			st_load_sentinel(s, i);
	if (!rc)
		rc = load_restored(s, image);
	if (!rc)
		rc = load_holds(s, image, now);
	if (rc)
		return rc;
	/* What does not follow from the rows any more (an older version's rules) is put right. */
	s->why = HF_WHY_CLASH;
	for (uint32_t i = 0; i < s->n_agents; i++)
		st_claim(s, i);
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
