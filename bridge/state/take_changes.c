/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From dirty rows and names to a changeset, and back to clean.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/dirty_names.h"

static int changes_push(struct hf_state *s, struct hf_row_change change)
{
	if (hf_st_grow((void **)&s->rows, s->changes.n_rows, &s->size_rows, sizeof(*s->rows)) < 0)
		return -ENOMEM;
	s->rows[s->changes.n_rows++] = change;
	return 0;
}

/* A removed row has only its rid. */
static int push_gone(struct hf_state *s, const struct st_gone *g)
{
	return changes_push(
	    s, (struct hf_row_change){
		   .kind = g->kind, .removed = true, .why = g->why, .rid = g->rid });
}

static int push_rows(struct hf_state *s, bool soft)
{
	int rc = hf_st_reserve((void **)&s->rows, s->n_gone + s->dirty_ws.n + s->dirty_agents.n,
	    &s->size_rows, sizeof(*s->rows));

	for (size_t i = 0; i < s->n_gone && !rc; i++)
		rc = push_gone(s, &s->gone[i]);
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX && !rc; i++)
		if (s->sources[i].used &&
		    (s->sources[i].dirty || (soft && s->sources[i].soft_dirty)))
			rc = changes_push(s, (struct hf_row_change){ .kind = HF_ROW_SOURCE,
						 .rid = s->sources[i].row.rid,
						 .row.source = &s->sources[i].row });
	for (size_t i = 0; i < s->n_owners && !rc; i++)
		if (s->owners[i].used && (s->owners[i].dirty || (soft && s->owners[i].soft_dirty)))
			rc = changes_push(s, (struct hf_row_change){ .kind = HF_ROW_OWNER,
						 .rid = s->owners[i].row.rid,
						 .row.owner = &s->owners[i].row });
	for (size_t i = 0; i < s->dirty_ws.n && !rc; i++)
		if (s->dirty_ws.at[i] != ST_NONE)
			rc = changes_push(s, (struct hf_row_change){ .kind = HF_ROW_WORKSPACE,
						 .rid = s->ws[s->dirty_ws.at[i]].row.rid,
						 .row.workspace = &s->ws[s->dirty_ws.at[i]].row });
	for (size_t i = 0; i < s->dirty_agents.n && !rc; i++)
		if (s->dirty_agents.at[i] != ST_NONE)
			rc = changes_push(
			    s, (struct hf_row_change){ .kind = HF_ROW_AGENT,
				   .rid = s->agents[s->dirty_agents.at[i]].row.rid,
				   .row.agent = &s->agents[s->dirty_agents.at[i]].row });
	for (size_t i = 0; i < s->n_holds && !rc; i++)
		if (s->holds[i].used && (s->holds[i].dirty || soft))
			rc = changes_push(s, (struct hf_row_change){ .kind = HF_ROW_HOLD,
						 .rid = s->holds[i].row.rid,
						 .row.hold = &s->holds[i].row });
	for (size_t i = 0; i < s->n_texts && !rc; i++)
		if (s->texts[i].row && s->texts[i].dirty)
			rc = changes_push(s, (struct hf_row_change){ .kind = HF_ROW_TEXT,
						 .rid = s->texts[i].row->rid,
						 .row.text = s->texts[i].row });
	return rc;
}

static int push_restored(struct hf_state *s)
{
	s->changes.n_restored = 0;
	for (size_t i = 0; i < s->n_restored; i++) {
		if (!s->restored[i].used || !s->restored[i].dirty)
			continue;
		if (hf_st_grow((void **)&s->restored_rows, s->changes.n_restored,
			&s->size_restored_rows, sizeof(*s->restored_rows)) < 0)
			return -ENOMEM;
		s->restored_rows[s->changes.n_restored++] = s->restored[i].row;
	}
	s->changes.restored = s->restored_rows;
	s->changes.restored_gone = s->restored_gone;
	s->changes.n_restored_gone = s->n_restored_gone;
	return 0;
}

static bool soft_rows(const struct hf_state *s)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used && s->sources[i].soft_dirty)
			return true;
	for (size_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used && s->owners[i].soft_dirty)
			return true;
	return false;
}

bool hf_state_dirty(const struct hf_state *s)
{
	if (s->n_gone || s->n_dirty || s->n_restored_gone)
		return true;
	for (size_t i = 0; i < s->dirty_ws.n; i++)
		if (s->dirty_ws.at[i] != ST_NONE)
			return true;
	for (size_t i = 0; i < s->dirty_agents.n; i++)
		if (s->dirty_agents.at[i] != ST_NONE)
			return true;
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used && s->sources[i].dirty)
			return true;
	for (size_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used && s->owners[i].dirty)
			return true;
	for (size_t i = 0; i < s->n_holds; i++)
		if (s->holds[i].used && s->holds[i].dirty)
			return true;
	for (size_t i = 0; i < s->n_restored; i++)
		if (s->restored[i].used && s->restored[i].dirty)
			return true;
	for (size_t i = 0; i < s->n_texts; i++)
		if (s->texts[i].row && s->texts[i].dirty)
			return true;
	return false;
}

int hf_state_rewrite(struct hf_state *s)
{
	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		s->sources[i].dirty = s->sources[i].dirty || s->sources[i].used;
	for (size_t i = 0; i < s->n_owners; i++)
		s->owners[i].dirty = s->owners[i].dirty || s->owners[i].used;
	for (size_t i = 0; i < s->n_holds; i++)
		s->holds[i].dirty = s->holds[i].dirty || s->holds[i].used;
	for (size_t i = 0; i < s->n_restored; i++)
		s->restored[i].dirty = s->restored[i].dirty || s->restored[i].used;
	for (size_t i = 0; i < s->n_texts; i++)
		s->texts[i].dirty = s->texts[i].row;
	for (uint32_t i = 0; i < s->n_ws; i++)
		if (s->ws[i].used)
			hf_st_dirty_ws(s, i);
	for (uint32_t i = 0; i < s->n_agents; i++)
		if (s->agents[i].used)
			hf_st_dirty_agent(s, i);
	s->rewrite = true;
	return s->failed ? -ENOMEM : 0;
}

/* Up to when their ages are counted. */
void hf_st_stamp_sources(struct hf_state *s, struct hf_when now)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		struct st_source *src = &s->sources[i];

		src->row.counted_boot = now.boot;
		src->row.counted_ms = src->away_from_ms;
		/* Of a clock that nobody vouches for nothing can be told after a reboot. */
		src->row.counted_s =
		    now.wall_synced ? now.wall_s - (now.boot_ms - src->row.counted_ms) / 1000 : 0;
	}
}

int hf_state_take(struct hf_state *s, struct hf_when now, const struct hf_changeset **ret_changes)
{
	bool hard = hf_state_dirty(s);
	bool due = now.boot_ms - s->soft_written_ms >= ST_SOFT_EVERY_MS;
	int rc;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!hard && !(due && soft_rows(s)))
		return 0;
	memset(&s->changes, 0, sizeof(s->changes));
	hf_st_stamp_sources(s, now);
	rc = push_rows(s, true);
	if (!rc)
		rc = push_restored(s);
	if (!rc)
		rc = hf_st_names_take(s);
	if (rc)
		return rc;
	s->changes.rows = s->rows;
	s->changes.wall_s = now.wall_s;
	s->soft_taken_ms = now.boot_ms;
	s->lent = true;
	*ret_changes = &s->changes;
	return 1;
}

static void clean_rows(struct hf_state *s)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		s->sources[i].stored = s->sources[i].used;
		s->sources[i].dirty = s->sources[i].soft_dirty = false;
	}
	for (size_t i = 0; i < s->n_owners; i++) {
		s->owners[i].stored = s->owners[i].used;
		s->owners[i].dirty = s->owners[i].soft_dirty = false;
	}
	s->free_owner = 0;
	for (size_t i = 0; i < s->n_holds; i++) {
		s->holds[i].stored = s->holds[i].used;
		s->holds[i].dirty = false;
	}
	s->free_hold = 0;
	for (size_t i = 0; i < s->n_restored; i++) {
		s->restored[i].stored = s->restored[i].used;
		s->restored[i].dirty = false;
	}
	for (size_t i = 0; i < s->n_texts; i++) {
		s->texts[i].stored = s->texts[i].row;
		s->texts[i].dirty = false;
	}
	for (size_t i = 0; i < s->dirty_ws.n; i++) {
		if (s->dirty_ws.at[i] == ST_NONE)
			continue;
		s->ws[s->dirty_ws.at[i]].stored = true;
		s->ws[s->dirty_ws.at[i]].dirty_at = 0;
	}
	for (size_t i = 0; i < s->dirty_agents.n; i++) {
		if (s->dirty_agents.at[i] == ST_NONE)
			continue;
		s->agents[s->dirty_agents.at[i]].stored = true;
		s->agents[s->dirty_agents.at[i]].dirty_at = 0;
	}
}

void hf_state_not_committed(struct hf_state *s)
{
	s->lent = false;
	hf_st_names_not_committed(s);
}

void hf_state_committed(struct hf_state *s)
{
	s->lent = s->rewrite = false;
	clean_rows(s);
	/* What a large snapshot needed is given back. */
	hf_st_vec_done(&s->dirty_ws);
	hf_st_vec_done(&s->dirty_agents);
	free(s->gone);
	free(s->restored_gone);
	free(s->rows);
	free(s->restored_rows);
	s->gone = NULL;
	s->restored_gone = NULL;
	s->rows = NULL;
	s->restored_rows = NULL;
	s->n_gone = s->size_gone = s->n_restored_gone = s->size_restored_gone = 0;
	s->size_rows = s->size_restored_rows = 0;
	memset(&s->changes, 0, sizeof(s->changes));
	hf_st_names_committed(s);
	s->soft_written_ms = s->soft_taken_ms;
}
