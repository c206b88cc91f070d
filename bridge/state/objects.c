/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/xxh.h"

void (*hf_state_on_lent)(const char *function);

bool hf_st_is_lent(const struct hf_state *s, const char *who)
{
	if (s->lent && hf_state_on_lent)
		hf_state_on_lent(who);
	return s->lent;
}

uint32_t hf_st_hash(const struct hf_state *s, const void *bytes, size_t len)
{
	return (uint32_t)XXH3_64bits_withSeed(bytes, len, s->seed);
}

int hf_st_grow(void **array, size_t n, size_t *size, size_t element)
{
	size_t more = *size < 16 ? 16 : *size + *size / 2;
	void *p = *array;

	if (n >= *size) {
		p = realloc(*array, more * element);
		if (!p)
			return -ENOMEM;
		*array = p;
		*size = more;
	}
	/* Only this one: room that is not in use yet costs no memory before it is touched. */
	memset((char *)p + n * element, 0, element);
	return 0;
}

int hf_st_reserve(void **array, size_t n, size_t *size, size_t element)
{
	void *p;

	if (n <= *size)
		return 0;
	p = reallocarray(*array, n, element);
	if (!p)
		return -ENOMEM;
	*array = p;
	*size = n;
	return 0;
}

int hf_st_vec_push(struct st_vec *v, uint32_t value)
{
	if (hf_st_grow((void **)&v->at, v->n, &v->size, sizeof(*v->at)) < 0)
		return -ENOMEM;
	v->at[v->n++] = value;
	return 0;
}

void hf_st_vec_done(struct st_vec *v)
{
	free(v->at);
	memset(v, 0, sizeof(*v));
}

/* --- what changed --- */

void hf_st_dirty_ws(struct hf_state *s, uint32_t ix)
{
	struct st_ws *w = &s->ws[ix];

	if (w->dirty_at || w->bad)
		return;
	if (hf_st_vec_push(&s->dirty_ws, ix) < 0)
		s->failed = true;
	else
		w->dirty_at = (uint32_t)s->dirty_ws.n;
}

void hf_st_dirty_agent(struct hf_state *s, uint32_t ix)
{
	struct st_agent *a = &s->agents[ix];

	if (a->dirty_at || a->bad || s->ws[a->ws].bad)
		return;
	if (hf_st_vec_push(&s->dirty_agents, ix) < 0)
		s->failed = true;
	else
		a->dirty_at = (uint32_t)s->dirty_agents.n;
}

void hf_st_gone(struct hf_state *s, enum hf_row_kind kind, uint32_t rid)
{
	if (hf_st_grow((void **)&s->gone, s->n_gone, &s->size_gone, sizeof(*s->gone)) < 0) {
		s->failed = true;
		return;
	}
	s->gone[s->n_gone++] = (struct st_gone){ kind, s->why, rid };
}

/* --- sources and owners --- */

struct st_source *hf_st_source_find(struct hf_state *s, const char *name)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used && !strcmp(s->sources[i].row.name, name))
			return &s->sources[i];
	return NULL;
}

uint32_t hf_st_source_ix(const struct hf_state *s, const struct st_source *src)
{
	return (uint32_t)(src - s->sources);
}

struct st_source *hf_st_source_add(struct hf_state *s, const char *name)
{
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		struct st_source *src = &s->sources[i];

		/* A rid that the store still has is not given again before it took the removal. */
		if (src->used || src->stored)
			continue;
		memset(src, 0, sizeof(*src));
		src->used = src->dirty = true;
		src->row.rid = i;
		memcpy(src->row.name, name, strnlen(name, sizeof(src->row.name) - 1));
		return src;
	}
	return NULL;
}

static uint32_t id_hash(const struct hf_state *s, uint32_t source, const struct hf_uuid *id)
{
	return hf_st_hash(s, id->b, sizeof(id->b)) ^ (source * 0x9e3779b1U);
}

uint32_t hf_st_owner_find(const struct hf_state *s, uint32_t source, const struct hf_uuid *id)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t ix;

	while (hf_multimap_next(&s->owners_by_id, id_hash(s, source, id), &at, &ix))
		if (hf_uuid_equal(&s->owners[ix].row.id, id) && s->owners[ix].row.source == source)
			return ix;
	return ST_NONE;
}

int hf_st_owner_index(struct hf_state *s, uint32_t ix)
{
	const struct hf_owner_row *row = &s->owners[ix].row;

	return hf_multimap_add(&s->owners_by_id, id_hash(s, row->source, &row->id), ix);
}

int hf_st_owner_add(struct hf_state *s, uint32_t source, const struct hf_uuid *id, uint32_t *ret_ix)
{
	struct st_owner *o;
	uint32_t i;

	for (i = s->free_owner; i < s->n_owners; i++)
		if (!s->owners[i].used && !s->owners[i].stored)
			break;
	if (i >= HF_ZONE_OWNERS_MAX)
		return HF_ELIMIT;
	if (hf_st_grow((void **)&s->owners, i, &s->size_owners, sizeof(*s->owners)) < 0)
		return -ENOMEM;
	if (i == s->n_owners)
		s->n_owners++;
	o = &s->owners[i];
	memset(o, 0, sizeof(*o));
	o->used = o->dirty = true;
	o->row.rid = i;
	o->row.source = source;
	o->row.id = *id;
	o->first_ws = o->hold = o->kept = ST_NONE;
	if (hf_st_owner_index(s, i) < 0) {
		o->used = false;
		return -ENOMEM;
	}
	s->free_owner = i + 1;
	*ret_ix = i;
	return 0;
}

void hf_st_owner_drop(struct hf_state *s, uint32_t ix)
{
	struct st_owner *o = &s->owners[ix];

	if (o->stored)
		hf_st_gone(s, HF_ROW_OWNER, ix);
	else if (ix < s->free_owner)
		s->free_owner = ix;
	hf_multimap_del(&s->owners_by_id, id_hash(s, o->row.source, &o->row.id), ix);
	o->used = false;
}

/* --- workspaces --- */

uint32_t hf_st_ws_find(const struct hf_state *s, uint32_t source, const struct hf_uuid *id)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t ix;

	while (hf_multimap_next(&s->ws_by_id, id_hash(s, source, id), &at, &ix))
		if (hf_uuid_equal(&s->ws[ix].row.id, id) &&
		    s->owners[s->ws[ix].row.owner].row.source == source)
			return ix;
	return ST_NONE;
}

void hf_st_ws_link(struct hf_state *s, uint32_t ix, uint32_t owner)
{
	struct st_ws *w = &s->ws[ix];
	struct st_owner *o = &s->owners[owner];

	w->row.owner = owner;
	w->prev = ST_NONE;
	w->next = o->first_ws;
	if (w->next != ST_NONE)
		s->ws[w->next].prev = ix;
	o->first_ws = ix;
}

void hf_st_ws_unlink(struct hf_state *s, uint32_t ix)
{
	struct st_ws *w = &s->ws[ix];

	if (w->prev != ST_NONE)
		s->ws[w->prev].next = w->next;
	else
		s->owners[w->row.owner].first_ws = w->next;
	if (w->next != ST_NONE)
		s->ws[w->next].prev = w->prev;
}

void hf_st_ws_count(struct hf_state *s, const struct st_ws *w, int by)
{
	struct st_owner *o = &s->owners[w->row.owner];

	if (w->bad)
		return;
	s->sources[o->row.source].n_workspaces += (size_t)by;
	if (w->row.held)
		o->n_held += (uint32_t)by;
	else
		o->n_live += (uint32_t)by;
	if (w->row.marks & HF_WS_KEPT)
		o->n_kept += (uint32_t)by;
}

int hf_st_ws_add(struct hf_state *s, uint32_t owner, const struct hf_uuid *id, uint32_t *ret_ix)
{
	uint32_t source = s->owners[owner].row.source, ix;
	struct st_ws *w;

	if (s->free_ws.n) {
		ix = s->free_ws.at[s->free_ws.n - 1];
	} else {
		if (hf_st_grow((void **)&s->ws, s->n_ws, &s->size_ws, sizeof(*s->ws)) < 0)
			return -ENOMEM;
		ix = (uint32_t)s->n_ws;
	}
	if (hf_multimap_add(&s->ws_by_id, id_hash(s, source, id), ix) < 0)
		return -ENOMEM;
	if (s->free_ws.n)
		s->free_ws.n--;
	else
		s->n_ws++;
	w = &s->ws[ix];
	memset(w, 0, sizeof(*w));
	w->used = true;
	w->row.rid = s->next_ws_rid++;
	w->row.id = *id;
	w->first_agent = ST_NONE;
	hf_st_ws_link(s, ix, owner);
	hf_st_ws_count(s, w, 1);
	*ret_ix = ix;
	return 0;
}

void hf_st_ws_drop(struct hf_state *s, uint32_t ix)
{
	struct st_ws *w = &s->ws[ix];
	uint32_t source = s->owners[w->row.owner].row.source;

	hf_st_ws_count(s, w, -1);
	hf_st_ws_unlink(s, ix);
	if (w->dirty_at)
		s->dirty_ws.at[w->dirty_at - 1] = ST_NONE;
	if (w->stored)
		hf_st_gone(s, HF_ROW_WORKSPACE, w->row.rid);
	hf_multimap_del(&s->ws_by_id, id_hash(s, source, &w->row.id), ix);
	w->used = false;
	if (hf_st_vec_push(&s->free_ws, ix) < 0)
		s->failed = true; /* the place is lost, nothing else */
}

/* --- agents --- */

uint32_t hf_st_agent_find(const struct hf_state *s, uint32_t source, const struct hf_uuid *id)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t ix;

	while (hf_multimap_next(&s->agents_by_id, id_hash(s, source, id), &at, &ix)) {
		const struct st_agent *a = &s->agents[ix];

		if (hf_uuid_equal(&a->row.id, id) &&
		    s->owners[s->ws[a->ws].row.owner].row.source == source)
			return ix;
	}
	return ST_NONE;
}

void hf_st_agent_link(struct hf_state *s, uint32_t ix, uint32_t ws)
{
	struct st_agent *a = &s->agents[ix];

	a->ws = ws;
	a->row.workspace = s->ws[ws].row.rid;
	a->next = s->ws[ws].first_agent;
	s->ws[ws].first_agent = ix;
	s->ws[ws].n_listed++;
	if (!a->bad)
		s->ws[ws].n_agents++;
}

void hf_st_agent_unlink(struct hf_state *s, uint32_t ix)
{
	struct st_agent *a = &s->agents[ix];
	uint32_t *at = &s->ws[a->ws].first_agent;

	while (*at != ix)
		at = &s->agents[*at].next;
	*at = a->next;
	s->ws[a->ws].n_listed--;
	if (!a->bad)
		s->ws[a->ws].n_agents--;
}

int hf_st_agent_add(struct hf_state *s, uint32_t ws, const struct hf_uuid *id, uint32_t *ret_ix)
{
	uint32_t source = s->owners[s->ws[ws].row.owner].row.source, ix;
	struct st_agent *a;

	if (s->free_agents.n) {
		ix = s->free_agents.at[s->free_agents.n - 1];
	} else {
		if (hf_st_grow(
			(void **)&s->agents, s->n_agents, &s->size_agents, sizeof(*s->agents)) < 0)
			return -ENOMEM;
		ix = (uint32_t)s->n_agents;
	}
	if (hf_multimap_add(&s->agents_by_id, id_hash(s, source, id), ix) < 0)
		return -ENOMEM;
	if (s->free_agents.n)
		s->free_agents.n--;
	else
		s->n_agents++;
	a = &s->agents[ix];
	memset(a, 0, sizeof(*a));
	a->used = true;
	a->bad = "not set"; /* until hf_st_agent_set() */
	a->row.rid = s->next_agent_rid++;
	a->row.id = *id;
	hf_st_agent_link(s, ix, ws);
	*ret_ix = ix;
	return 0;
}

void hf_st_agent_drop(struct hf_state *s, uint32_t ix)
{
	struct st_agent *a = &s->agents[ix];
	uint32_t source = s->owners[s->ws[a->ws].row.owner].row.source;

	if (a->dirty_at)
		s->dirty_agents.at[a->dirty_at - 1] = ST_NONE;
	if (a->stored)
		hf_st_gone(s, HF_ROW_AGENT, a->row.rid);
	hf_multimap_del(&s->agents_by_id, id_hash(s, source, &a->row.id), ix);
	a->used = false;
	if (hf_st_vec_push(&s->free_agents, ix) < 0)
		s->failed = true;
}
