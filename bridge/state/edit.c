/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/edit.h"

#include <string.h>

#include "bridge/state/claims.h"
#include "bridge/state/dispute_list.h"

/* --- agents --- */

void hf_st_agent_remove(struct hf_state *s, uint32_t ix)
{
	uint32_t ws = s->agents[ix].ws;

	hf_st_unclaim(s, ix);
	hf_st_address_del(s, ix);
	hf_st_agent_unlink(s, ix);
	hf_st_reclaim_short(s, ws);
	hf_st_agent_drop(s, ix);
}

void hf_st_agent_set(
    struct hf_state *s, uint32_t ix, uint32_t ws, const char *name, const char *bad)
{
	struct st_agent *a = &s->agents[ix];
	uint32_t before = a->ws, had = s->ws[before].n_agents;

	hf_st_unclaim(s, ix);
	hf_st_address_del(s, ix);
	hf_st_agent_unlink(s, ix);
	a->bad = bad;
	a->crowded = false;
	memset(a->row.name, 0, sizeof(a->row.name));
	memcpy(a->row.name, name, strnlen(name, sizeof(a->row.name) - 1));
	hf_st_agent_link(s, ix, ws);
	hf_st_address_add(s, ix);
	hf_st_claim(s, ix);
	if (s->ws[before].n_agents != had)
		hf_st_reclaim_short(s, before);
	if (ws != before)
		hf_st_reclaim_short(s, ws);
	hf_st_dirty_agent(s, ix);
}

/* --- workspaces --- */

void hf_st_ws_remove(struct hf_state *s, uint32_t ix)
{
	const struct st_ws *w = &s->ws[ix];

	s->work++;
	while (w->first_agent != ST_NONE)
		hf_st_agent_remove(s, w->first_agent);
	if (s->n_disputes)
		hf_st_dispute_end(s, ix);
	hf_st_ws_drop(s, ix);
}

/* Around a change that all names of the workspace hang on. */
static void ws_agents_leave(struct hf_state *s, uint32_t ix)
{
	for (uint32_t a = s->ws[ix].first_agent; a != ST_NONE; a = s->agents[a].next) {
		hf_st_unclaim(s, a);
		hf_st_address_del(s, a);
	}
}

static void ws_agents_enter(struct hf_state *s, uint32_t ix)
{
	for (uint32_t a = s->ws[ix].first_agent; a != ST_NONE; a = s->agents[a].next) {
		hf_st_address_add(s, a);
		hf_st_claim(s, a);
	}
}

void hf_st_ws_move(struct hf_state *s, uint32_t ix, uint32_t owner)
{
	struct st_ws *w = &s->ws[ix];

	ws_agents_leave(s, ix);
	hf_st_ws_count(s, w, -1);
	hf_st_ws_unlink(s, ix);
	hf_st_ws_link(s, ix, owner);
	hf_st_ws_count(s, w, 1);
	ws_agents_enter(s, ix);
	hf_st_dirty_ws(s, ix);
}

void hf_st_ws_set_held(struct hf_state *s, uint32_t ix, bool held, uint8_t marks)
{
	struct st_ws *w = &s->ws[ix];
	bool other = w->row.held != held;

	if (!other && w->row.marks == marks)
		return;
	/* Held or live decides clashes: the claims are weighed again. */
	if (other)
		ws_agents_leave(s, ix);
	hf_st_ws_count(s, w, -1);
	w->row.held = held;
	w->row.marks = marks;
	hf_st_ws_count(s, w, 1);
	if (other)
		ws_agents_enter(s, ix);
	hf_st_dirty_ws(s, ix);
}

void hf_st_ws_rename(struct hf_state *s, uint32_t ix, const char *name, const char *bad)
{
	struct st_ws *w = &s->ws[ix];
	bool was_bad = w->bad;

	ws_agents_leave(s, ix);
	hf_st_ws_count(s, w, -1);
	w->bad = bad;
	hf_st_ws_count(s, w, 1);
	memset(w->row.name, 0, sizeof(w->row.name));
	memcpy(w->row.name, name, strnlen(name, sizeof(w->row.name) - 1));
	ws_agents_enter(s, ix);
	hf_st_dirty_ws(s, ix);
	/* Agents of a refused workspace are not stored; now they are to be. */
	for (uint32_t a = w->first_agent; was_bad && a != ST_NONE; a = s->agents[a].next)
		hf_st_dirty_agent(s, a);
}

/* --- all of an owner, all of a source --- */

static void owner_each_agent(
    struct hf_state *s, uint32_t owner, void (*act)(struct hf_state *s, uint32_t agent))
{
	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = s->ws[w].next)
		for (uint32_t a = s->ws[w].first_agent; a != ST_NONE; a = s->agents[a].next)
			act(s, a);
}

void hf_st_owner_unclaim(struct hf_state *s, uint32_t owner)
{
	owner_each_agent(s, owner, hf_st_unclaim);
}

void hf_st_owner_claim(struct hf_state *s, uint32_t owner)
{
	owner_each_agent(s, owner, hf_st_claim);
}

static void source_each_owner(
    struct hf_state *s, uint32_t source, void (*act)(struct hf_state *s, uint32_t owner))
{
	for (uint32_t o = 0; o < s->n_owners; o++)
		if (hf_st_owner_is_of(s, o, source))
			act(s, o);
}

void hf_st_source_unclaim(struct hf_state *s, uint32_t source)
{
	hf_st_sentinel_unclaim(s, source);
	source_each_owner(s, source, hf_st_owner_unclaim);
}

void hf_st_source_claim(struct hf_state *s, uint32_t source)
{
	hf_st_sentinel_claim(s, source);
	source_each_owner(s, source, hf_st_owner_claim);
	/* After a change of the suffix: what came out of the zone stands under the former one. */
	for (uint32_t r = 0; r < s->n_restored; r++)
		if (s->restored[r].used && s->restored[r].row.source == source &&
		    !hf_name_is_under(&s->restored[r].row.name, &s->sources[source].row.suffix)) {
			s->resolving.less[source] = true;
			hf_st_restored_remove(s, r);
		}
}

void hf_st_suffix_set(struct hf_state *s, struct st_source *src, const struct hf_name *suffix)
{
	hf_st_source_unclaim(s, hf_st_source_ix(s, src));
	src->row.suffix = *suffix;
	src->dirty = true;
	hf_st_source_claim(s, hf_st_source_ix(s, src));
}
