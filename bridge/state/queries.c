/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others may see of the model: for status, records and why.
 */
#include <stdio.h>
#include <string.h>

#include "bridge/state/claims.h"
#include "bridge/state/holds.h"
#include "bridge/state/objects.h"
#include "bridge/state/rights_text.h"
#include "zone/sum.h"

uint64_t hf_state_sum(const struct hf_state *s)
{
	return s->sum;
}

static int add_sum(const struct hf_name_change *record, void *arg)
{
	*(uint64_t *)arg +=
	    hf_sum_of(&record->name, record->addr, record->flags, record->source, record->owner);
	return 0;
}

uint64_t hf_state_count_sum(const struct hf_state *s)
{
	uint64_t sum = 0;

	hf_st_each_name(s, add_sum, &sum);
	return sum;
}

bool hf_state_sum_again(struct hf_state *s)
{
	uint64_t before = s->sum;

	if (!s->n_dirty)
		s->sum = hf_state_count_sum(s);
	return s->sum != before;
}

size_t hf_state_n_names(const struct hf_state *s)
{
	return s->n_names;
}

/* Of all owners: one line for people, each word once. */
static void view_missing(const struct hf_state *s, uint32_t ix, struct hf_source_view *ret)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < s->n_owners; i++) {
		const struct st_owner *o = &s->owners[i];
		char words[sizeof(ret->missing_rights)];
		size_t len = strlen(ret->missing_rights);

		/* Most owners share one text. */
		if (!o->used || o->row.source != ix || !o->row.rights || o->row.rights == seen)
			continue;
		seen = o->row.rights;
		hf_st_rights_less(s, i, words, sizeof(words));
		if (*words && !strstr(ret->missing_rights, words))
			snprintf(ret->missing_rights + len, sizeof(words) - len, "%s%s",
			    len ? " " : "", words);
	}
}

/*
 * A source is stale from the moment its connection was lost, at the latest when the fresh window
 * since its last proof of life is over.
 */
static int64_t stale_since_s(const struct st_source *src, struct hf_when now)
{
	int64_t since = src->row.contact_s + src->fresh_ms / 1000;

	if (!src->row.contact_s || hf_st_source_seen_fresh(src, now))
		return 0;
	if (hf_st_source_fresh(src, now))
		return src->seen.since_s;
	if (!src->live && src->lost_s >= src->row.contact_s && src->lost_s < since)
		since = src->lost_s;
	return since < now.wall_s ? since : now.wall_s;
}

static void view_source(
    const struct hf_state *s, uint32_t ix, struct hf_when now, struct hf_source_view *ret)
{
	const struct st_source *src = &s->sources[ix];

	memset(ret, 0, sizeof(*ret));
	ret->row = &src->row;
	ret->fresh = hf_st_source_seen_fresh(src, now);
	ret->heard = hf_st_source_fresh(src, now);
	ret->stale_since_s = stale_since_s(src, now);
	ret->identity_held = hf_st_deployment_held(s, ix);
	ret->leaving = src->leaving;
	ret->rights = src->told.text ? src->told.text : "";
	ret->fresh_ms = src->fresh_ms;
	ret->snapshot_ms = src->snapshot_ms;
	ret->refused_total = src->refused_total;
	for (size_t i = 0; i < s->n_disputes; i++)
		ret->disputed += s->owners[s->disputes[i].claimant].row.source == ix;
}

/* What needs a look at all owners. */
static void view_owners_of(const struct hf_state *s, uint32_t ix, struct hf_source_view *ret)
{
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used && s->owners[i].row.source == ix &&
		    s->owners[i].row.marks & HF_OWNER_FORMER)
			ret->former_user = s->owners[i].row.name;
	view_missing(s, ix, ret);
}

static uint32_t count_sources(const struct hf_state *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		n += s->sources[i].used;
	return n;
}

int hf_state_each_source(
    const struct hf_state *s, struct hf_when now, hf_state_source_cb cb, void *arg)
{
	uint32_t left = count_sources(s);
	struct hf_source_view view;
	int rc = 0;

	/* The last are those that go as soon as their successors are confirmed. */
	for (uint32_t order = 0; left && order < 2 * HF_ZONE_SOURCES_MAX && !rc; order++)
		for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX && !rc; i++) {
			if (!s->sources[i].used || s->sources[i].order != order)
				continue;
			view_source(s, i, now, &view);
			view_owners_of(s, i, &view);
			rc = cb(&view, arg);
			left--;
		}
	return rc;
}

static void owner_view_count(
    const struct hf_state *s, const struct st_owner *o, struct hf_owner_view *view)
{
	for (uint32_t w = o->first_ws; w != ST_NONE; w = s->ws[w].next) {
		if (s->ws[w].bad)
			continue;
		view->agents += s->ws[w].n_agents;
		view->idle += !s->ws[w].n_agents && !s->ws[w].row.held;
	}
}

static void set_seen(struct st_seen *seen, int64_t boot_ms, struct hf_when now)
{
	if (!seen->less)
		seen->since_s = now.wall_s;
	seen->less = boot_ms != INT64_MAX;
	seen->boot_ms = boot_ms;
}

void hf_state_set_seen(
    struct hf_state *s, uint32_t source, uint32_t owner, int64_t boot_ms, struct hf_when now)
{
	if (owner == ST_NONE && source < HF_ZONE_SOURCES_MAX)
		set_seen(&s->sources[source].seen, boot_ms, now);
	else if (owner < s->n_owners)
		set_seen(&s->owners[owner].seen, boot_ms, now);
}

int hf_state_each_owner(
    const struct hf_state *s, struct hf_when now, hf_state_owner_cb cb, void *arg)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->n_owners && !rc; i++) {
		const struct st_owner *o = &s->owners[i];
		struct hf_source_view source;
		struct hf_owner_view view;

		if (!o->used)
			continue;
		view_source(s, o->row.source, now, &source);
		view = (struct hf_owner_view){
			.row = &o->row,
			.workspaces = o->n_live + o->n_held,
			.held = o->n_held,
			.accepted = o->accepted,
			.fresh = hf_st_owner_seen_fresh(s, o, now),
			.readable = o->readable,
		};
		owner_view_count(s, o, &view);
		rc = cb(&source, &view, arg);
	}
	return rc;
}

bool hf_state_identity_held(const struct hf_state *s, const char *source)
{
	uint32_t ix, owner;

	return hf_state_find(s, source, NULL, &ix, &owner) && hf_st_deployment_held(s, ix);
}

bool hf_state_find(const struct hf_state *s, const char *source, const struct hf_uuid *owner,
    uint32_t *ret_source, uint32_t *ret_owner)
{
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		if (!s->sources[i].used || strcmp(s->sources[i].row.name, source))
			continue;
		*ret_source = i;
		*ret_owner = owner ? hf_st_owner_find(s, i, owner) : ST_NONE;
		return true;
	}
	return false;
}

int hf_state_each_workspace(const struct hf_state *s, hf_state_workspace_cb cb, void *arg)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->n_ws && !rc; i++) {
		const struct st_ws *w = &s->ws[i];
		const struct st_owner *o = w->used ? &s->owners[w->row.owner] : NULL;
		struct hf_workspace_view view;

		if (!o)
			continue;
		view = (struct hf_workspace_view){ .row = &w->row,
			.owner = &o->row,
			.source = &s->sources[o->row.source].row,
			.agents = w->n_agents,
			.bad = w->bad };
		rc = cb(&view, arg);
	}
	return rc;
}

/* --- records --- */

struct record_walk {
	const struct hf_state *s;
	struct hf_when now;
	hf_state_record_cb cb;
	void *arg;
};

static int on_queried_name(const struct hf_name_change *record, void *arg)
{
	const struct record_walk *walk = arg;
	const struct hf_state *s = walk->s;
	struct hf_record_view view = {
		.name = record->name,
		.flags = record->flags,
		.first_seen_s = record->first_seen_s,
		.source = &s->sources[record->source].row,
	};

	memcpy(view.addr, record->addr, sizeof(view.addr));
	view.fresh = hf_st_source_seen_fresh(&s->sources[record->source], walk->now);
	view.confirmed_s = view.source->contact_s;
	if (record->owner != ST_NONE) {
		const struct st_owner *o = &s->owners[record->owner];

		view.owner = &o->row;
		view.agent = &s->agents[record->agent].row;
		view.workspace = &s->ws[s->agents[record->agent].ws].row;
		view.fresh = hf_st_owner_seen_fresh(s, o, walk->now);
		view.confirmed_s = o->row.confirmed_s;
	}
	if (record->flags & (HF_REC_HELD | HF_REC_RESTORED))
		view.fresh = false;
	return walk->cb(&view, walk->arg);
}

int hf_state_each_record(
    const struct hf_state *s, struct hf_when now, hf_state_record_cb cb, void *arg)
{
	struct record_walk walk = { s, now, cb, arg };

	return hf_st_each_name(s, on_queried_name, &walk);
}

int hf_state_one_record(const struct hf_state *s, const struct hf_name *name, struct hf_when now,
    hf_state_record_cb cb, void *arg)
{
	struct record_walk walk = { s, now, cb, arg };

	return hf_st_one_name(s, name, on_queried_name, &walk);
}

static uint32_t held_by(const struct st_hold *h, const struct st_owner *o)
{
	if (!o || !hf_st_hold_is(h, ST_HOLD_REMOVAL))
		return 0;
	return h->row.rejected ? o->n_kept : o->n_held - o->n_kept;
}

int hf_state_each_hold(const struct hf_state *s, hf_state_hold_cb cb, void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < s->n_holds && !rc; i++) {
		const struct st_hold *h = &s->holds[i];
		const struct st_owner *o =
		    h->row.owner == ST_NONE ? NULL : &s->owners[h->row.owner];

		if (h->used)
			rc = cb(&h->row, &s->sources[h->row.source].row, o ? &o->row : NULL,
			    held_by(h, o), arg);
	}
	return rc;
}

/* --- what was refused --- */

static const char *agent_trouble(const struct st_agent *a)
{
	if (a->bad)
		return a->bad;
	if (a->crowded)
		return "too many records have the same name or address";
	if (a->addr_lost)
		return "another agent has the same address";
	if (a->claimed & ~a->row.names)
		return "another record has the same name";
	return NULL;
}

static int each_form_refused(
    const struct hf_state *s, const struct st_owner *o, hf_state_refused_cb cb, void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < o->n_refused && !rc; i++)
		rc = cb(&(struct hf_refused_view){ s->sources[o->row.source].row.name,
			    o->refused[i].name, o->refused[i].reason },
		    arg);
	return rc;
}

int hf_state_each_refused(const struct hf_state *s, hf_state_refused_cb cb, void *arg)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->n_owners && !rc; i++)
		if (s->owners[i].used)
			rc = each_form_refused(s, &s->owners[i], cb, arg);
	for (uint32_t i = 0; i < s->n_ws && !rc; i++)
		if (s->ws[i].used && s->ws[i].bad)
			rc = cb(
			    &(struct hf_refused_view){
				s->sources[s->owners[s->ws[i].row.owner].row.source].row.name,
				s->ws[i].row.name, s->ws[i].bad },
			    arg);
	for (uint32_t i = 0; i < s->n_agents && !rc; i++) {
		const struct st_agent *a = &s->agents[i];
		const char *why = a->used ? agent_trouble(a) : NULL;

		if (why)
			rc = cb(
			    &(struct hf_refused_view){
				s->sources[s->owners[s->ws[a->ws].row.owner].row.source].row.name,
				a->row.name, why },
			    arg);
	}
	return rc;
}
