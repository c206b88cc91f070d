/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/apply_update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/claimant.h"
#include "bridge/state/claims.h"
#include "bridge/state/dispute_list.h"
#include "bridge/state/disputes.h"
#include "bridge/state/edit.h"
#include "bridge/state/guard.h"
#include "bridge/state/holds.h"

/*
 * A label as it is published. Returns NULL, or why it is refused; then `out` is a printable form of
 * it, for those who ask what was refused.
 */
static const char *take_label(const struct hf_bytes *in, char out[static HF_LABEL_MAX + 1])
{
	const char *why = NULL;
	size_t n = in->len < HF_LABEL_MAX ? in->len : HF_LABEL_MAX;
	int rc = hf_agent_label_check(in->at, in->len, &why);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)in->at[i];

		out[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		if (rc && (c <= ' ' || c > '~'))
			out[i] = '?';
	}
	out[n] = '\0';
	return rc ? (why ? why : "not a label that can be served") : NULL;
}

static void note_refused(struct hf_state *s, uint32_t owner, const char *what, const char *name,
    const char *reason, struct hf_judgement *j)
{
	struct st_owner *o = &s->owners[owner];
	struct hf_update_refused *r;

	j->records_refused++;
	s->sources[o->row.source].refused_total++;
	/*
	 * Most owners never have one: 10,000 of them would take 30 MB. What cannot be listed is
	 * counted all the same.
	 */
	if (!o->refused)
		o->refused = calloc(ST_FORM_REFUSED_MAX, sizeof(*o->refused));
	if (!o->refused || o->n_refused == ST_FORM_REFUSED_MAX)
		return;
	r = &o->refused[o->n_refused++];
	snprintf(r->what, sizeof(r->what), "%s", what);
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
}

/* A bad name is counted once in all: when it comes, not each time that it is listed. */
static void count_bad(struct hf_state *s, uint32_t owner, bool is_new, struct hf_judgement *j)
{
	j->records_refused++;
	s->sources[s->owners[owner].row.source].refused_total += is_new;
}

/* Another one's stream has it: refused alone, with its agents. */
static bool is_refused_to(struct hf_state *s, uint32_t ws, uint32_t owner, const char *name,
    const char *bad, struct hf_when now, struct hf_judgement *j)
{
	if (s->ws[ws].row.owner == owner || !hf_st_dispute_listed(s, ws, owner, now))
		return false;
	hf_st_dispute_name(s, ws, name, bad);
	note_refused(s, owner, "workspace", name, "another owner's stream lists it too", j);
	return true;
}

/* --- one record --- */

static void ws_change_owner(struct hf_state *s, uint32_t ws, uint32_t owner)
{
	uint32_t former = s->ws[ws].row.owner;

	if (former == owner)
		return;
	hf_st_ws_move(s, ws, owner);
	hf_st_hold_settle(s, former);
}

/*
 * It is listed again. What is held of one that was listed all the time are its agents: those come
 * later.
 */
static void return_held(struct hf_state *s, uint32_t ws, uint32_t owner)
{
	struct st_ws *w = &s->ws[ws];

	if (!w->row.held)
		return;
	w->returned = s->job.returned = true;
	if (w->row.marks & HF_WS_LISTED)
		return;
	hf_st_ws_set_held(s, ws, false, 0);
	hf_st_hold_settle(s, owner);
}

static uint32_t add_ws(struct hf_state *s, uint32_t owner, const struct hf_update_workspace *u,
    const char *name, const char *bad, struct hf_when now)
{
	uint32_t ix;

	if (hf_st_ws_add(s, owner, &u->id, &ix) < 0) {
		s->failed = true;
		return ST_NONE;
	}
	s->ws[ix].row.first_seen_s = now.wall_s;
	s->ws[ix].row.status = (uint8_t)u->status;
	hf_st_ws_rename(s, ix, name, bad);
	return ix;
}

static void upsert_ws(struct hf_state *s, uint32_t owner, const struct hf_update_workspace *u,
    struct hf_when now, struct hf_judgement *j)
{
	uint32_t ix = hf_st_ws_find(s, s->owners[owner].row.source, &u->id);
	char name[HF_LABEL_MAX + 1];
	const char *bad = take_label(&u->name, name);
	bool is_new = ix == ST_NONE;
	struct st_ws *w;

	s->work++;
	if (!is_new && is_refused_to(s, ix, owner, name, bad, now, j))
		return;
	if (is_new)
		ix = add_ws(s, owner, u, name, bad, now);
	if (ix == ST_NONE)
		return;
	w = &s->ws[ix];
	w->mark = s->mark;
	ws_change_owner(s, ix, owner);
	return_held(s, ix, owner);
	if (w->row.status != (uint8_t)u->status) {
		w->row.status = (uint8_t)u->status;
		hf_st_dirty_ws(s, ix);
	}
	if (bad && w->bad)
		count_bad(s, owner, is_new, j);
	/* A good name is kept when the new one is bad: only the change is refused. */
	if (strcmp(w->row.name, name) || !bad != !w->bad) {
		if (!bad || w->bad)
			hf_st_ws_rename(s, ix, name, bad);
		else
			note_refused(s, owner, "workspace", name, bad, j);
	}
}

static void upsert_agent(struct hf_state *s, uint32_t owner, uint32_t ws,
    const struct hf_update_agent *u, struct hf_when now, struct hf_judgement *j)
{
	uint32_t ix = hf_st_agent_find(s, s->owners[owner].row.source, &u->id);
	char name[HF_LABEL_MAX + 1];
	const char *bad = take_label(&u->name, name);
	bool is_new = ix == ST_NONE;
	struct st_agent *a;

	s->work++;
	if ((ix == ST_NONE || s->agents[ix].ws != ws) && s->ws[ws].n_listed >= ST_WS_AGENTS_MAX) {
		note_refused(s, owner, "agent", name, "its workspace has too many agents", j);
		return;
	}
	if (ix == ST_NONE) {
		if (hf_st_agent_add(s, ws, &u->id, &ix) < 0) {
			s->failed = true;
			return;
		}
		s->agents[ix].row.first_seen_s = now.wall_s;
		hf_st_agent_set(s, ix, ws, name, bad);
	}
	a = &s->agents[ix];
	a->mark = s->mark;
	a->doomed = false;
	if (bad && a->bad)
		count_bad(s, owner, is_new, j);
	/* One that was left out among too many is tried again. */
	if (a->ws == ws && !strcmp(a->row.name, name) && !bad == !a->bad && !a->crowded)
		return;
	if (bad && !a->bad) {
		note_refused(s, owner, "agent", name, bad, j);
		if (a->ws != ws) {
			char kept[HF_LABEL_MAX + 1];

			memcpy(kept, a->row.name, sizeof(kept));
			hf_st_agent_set(s, ix, ws, kept, NULL);
		}
		return;
	}
	hf_st_agent_set(s, ix, ws, name, bad);
}

static void note_form_refused(
    struct hf_state *s, uint32_t owner, const struct hf_update *u, struct hf_judgement *j)
{
	for (size_t i = 0; i < u->n_refused; i++)
		note_refused(
		    s, owner, u->refused[i].what, u->refused[i].name, u->refused[i].reason, j);
}

/* --- snapshot --- */

static bool is_unseen(const struct hf_state *s)
{
	return s->owners[s->job.owner].row.marks & HF_OWNER_UNSEEN;
}

bool hf_st_snapshot_prune(struct hf_state *s)
{
	struct st_job *job = &s->job;
	uint32_t w;

	while (is_unseen(s) && (w = job->ws) != ST_NONE) {
		if (!hf_st_spend(s, 1 + s->ws[w].n_listed))
			return false;
		job->ws = s->ws[w].next;
		if (s->ws[w].mark != s->mark)
			hf_st_ws_remove(s, w);
		else
			hf_st_guard_drop_agents(s, w);
	}
	if (is_unseen(s)) {
		s->owners[job->owner].row.marks &= (uint8_t)~HF_OWNER_UNSEEN;
		s->owners[job->owner].dirty = true;
		job->ws = s->owners[job->owner].first_ws;
	} else {
		job->ws = ST_NONE;
	}
	return true;
}

bool hf_st_snapshot_name(struct hf_state *s)
{
	struct st_job *job = &s->job;

	while (job->ws != ST_NONE) {
		if (!hf_st_spend(s, 1 + s->ws[job->ws].n_listed))
			return false;
		for (uint32_t a = s->ws[job->ws].first_agent; a != ST_NONE; a = s->agents[a].next)
			hf_st_claim(s, a);
		job->ws = s->ws[job->ws].next;
	}
	hf_st_hold_settle(s, job->owner);
	return true;
}

/*
 * Workspaces that were held until now have the agents that this message lists, and no others: the
 * server knew nothing of the old ones any more, and so will not name them when they are gone. One
 * whose agents alone are held is so until an agent comes, or it runs no longer.
 */
static void settle_returned(struct hf_state *s, uint32_t ws)
{
	struct st_ws *w = &s->ws[ws];
	bool any = false;

	if (w->row.held && w->row.marks & HF_WS_LISTED) {
		for (uint32_t a = w->first_agent; a != ST_NONE; a = s->agents[a].next)
			any = any || s->agents[a].mark == s->mark;
		if (!any && w->row.status == HF_WS_RUNNING && w->n_agents)
			return;
		hf_st_ws_set_held(s, ws, false, 0);
		w->returned = true;
	}
	if (w->returned && !w->row.held)
		hf_st_guard_drop_agents(s, ws);
	w->returned = false;
}

/* The workspaces of the message, then those of its agents. */
static uint32_t nth_listed(
    const struct hf_state *s, uint32_t source, const struct hf_update *u, size_t i)
{
	if (i < u->n_upserted_workspaces)
		return hf_st_ws_find(s, source, &u->upserted_workspaces[i].id);
	return hf_st_ws_find(
	    s, source, &u->upserted_agents[i - u->n_upserted_workspaces].workspace);
}

static void settle_all_returned(struct hf_state *s, uint32_t source, const struct hf_update *u)
{
	for (size_t i = 0; i < u->n_upserted_workspaces + u->n_upserted_agents; i++) {
		uint32_t ws = nth_listed(s, source, u, i);

		if (ws != ST_NONE)
			settle_returned(s, ws);
	}
}

bool hf_st_snapshot_back(struct hf_state *s)
{
	struct st_job *job = &s->job;
	size_t n = job->update->n_upserted_workspaces + job->update->n_upserted_agents;

	for (; job->returned && job->at < n; job->at++) {
		uint32_t ws = nth_listed(s, job->source, job->update, job->at);

		if (!hf_st_spend(s, 1))
			return false;
		if (ws != ST_NONE)
			settle_returned(s, ws);
	}
	hf_st_hold_settle(s, job->owner);
	job->at = 0;
	return true;
}

static const char *const unknown_workspace = "its workspace is not in the same message";

/* False: what could not be read might have been anything. */
static bool snapshot_agent(struct hf_state *s, const struct hf_update_agent *a)
{
	struct st_job *job = &s->job;
	uint32_t ws = hf_st_ws_find(s, job->source, &a->workspace);
	uint32_t ix = hf_st_agent_find(s, job->source, &a->id);
	bool known = ws != ST_NONE && s->ws[ws].mark == s->mark;
	bool twice = ix != ST_NONE && s->agents[ix].mark == s->mark;
	char name[HF_LABEL_MAX + 1];

	/* Refused with its workspace. */
	if (!known && ws != ST_NONE && hf_st_is_disputed_by(s, ws, job->owner))
		return true;
	if (known && !twice) {
		upsert_agent(s, job->owner, ws, a, job->now, &job->judgement);
		return true;
	}
	take_label(&a->name, name);
	note_refused(s, job->owner, "agent", name,
	    twice ? "its id is listed twice" : unknown_workspace, &job->judgement);
	return known;
}

bool hf_st_snapshot_agents(struct hf_state *s)
{
	struct st_job *job = &s->job;
	const struct hf_update *u = job->update;

	for (; job->at < u->n_upserted_agents && !s->failed; job->at++) {
		if (!hf_st_spend(s, 1))
			return false;
		if (!snapshot_agent(s, &u->upserted_agents[job->at]))
			job->readable = false;
	}
	job->at = 0;
	job->ws = s->owners[job->owner].first_ws;
	return true;
}

static void snapshot_workspace(struct hf_state *s, const struct hf_update_workspace *w)
{
	struct st_job *job = &s->job;
	uint32_t ix = hf_st_ws_find(s, job->source, &w->id);
	char name[HF_LABEL_MAX + 1];

	if (ix == ST_NONE || s->ws[ix].mark != s->mark) {
		upsert_ws(s, job->owner, w, job->now, &job->judgement);
		return;
	}
	take_label(&w->name, name);
	note_refused(s, job->owner, "workspace", name, "its id is listed twice", &job->judgement);
}

bool hf_st_snapshot_workspaces(struct hf_state *s)
{
	struct st_job *job = &s->job;
	const struct hf_update *u = job->update;

	for (; job->at < u->n_upserted_workspaces && !s->failed; job->at++) {
		if (!hf_st_spend(s, 1))
			return false;
		snapshot_workspace(s, &u->upserted_workspaces[job->at]);
	}
	job->at = 0;
	return true;
}

/*
 * Room for what most of is new, so that no table is moved in the middle: of 300,000 names that
 * would be the longest call of all. Room that is not used costs no memory, and without it they grow
 * as ever.
 */
static void update_make_room(struct hf_state *s, const struct hf_update *u)
{
	size_t agents = u->n_upserted_agents, ws = u->n_upserted_workspaces;
	size_t n_names = ST_PLACES * agents;

	if (agents <= 2 * s->n_agents)
		return;
	(void)(hf_st_reserve((void **)&s->ws, s->n_ws + ws, &s->size_ws, sizeof(*s->ws)) ||
	       hf_st_reserve((void **)&s->agents, s->n_agents + agents, &s->size_agents,
		   sizeof(*s->agents)) ||
	       hf_multimap_reserve(&s->ws_by_id, s->ws_by_id.used + ws) ||
	       hf_multimap_reserve(&s->agents_by_id, s->agents_by_id.used + agents) ||
	       hf_multimap_reserve(&s->addresses, s->addresses.used + agents) ||
	       hf_multimap_reserve(&s->claims, s->claims.used + n_names) ||
	       hf_multimap_reserve(&s->dirty_names, s->dirty_names.used + n_names));
}

void hf_st_snapshot_begin(struct hf_state *s)
{
	struct st_job *job = &s->job;

	update_make_room(s, job->update);
	job->had = s->owners[job->owner].n_live;
	job->readable = !job->update->refused_total;
	s->mark++;
	s->why = HF_WHY_SNAPSHOT;
	s->owners[job->owner].n_refused = 0;
	note_form_refused(s, job->owner, job->update, &job->judgement);
}

/* --- diff --- */

static bool in_list(const struct hf_state *s, const struct hf_multimap *m,
    const struct hf_update_workspace *w, const struct hf_uuid *id)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t i;

	while (hf_multimap_next(m, hf_st_hash(s, id->b, 16), &at, &i))
		if (hf_uuid_equal(&w[i].id, id))
			return true;
	return false;
}

/* The ids of a list, to find one in without a search of the list for each. */
static int index_ids(
    struct hf_state *s, struct hf_multimap *m, const struct hf_update_workspace *w, size_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!in_list(s, m, w, &w[i].id) &&
		    hf_multimap_add(m, hf_st_hash(s, w[i].id.b, 16), i) < 0)
			return -1;
	return 0;
}

/* Every agent must belong to a workspace that is there once the workspaces' part is done. */
static const char *check_diff(struct hf_state *s, uint32_t source, const struct hf_update *u)
{
	struct hf_multimap added = { 0 }, deleted = { 0 };
	const char *why = NULL;

	if (index_ids(s, &added, u->upserted_workspaces, u->n_upserted_workspaces) < 0 ||
	    index_ids(s, &deleted, u->deleted_workspaces, u->n_deleted_workspaces) < 0)
		why = "out of memory";
	for (size_t i = 0; i < u->n_upserted_agents && !why; i++) {
		const struct hf_uuid *id = &u->upserted_agents[i].workspace;

		if (in_list(s, &deleted, u->deleted_workspaces, id) ||
		    (!in_list(s, &added, u->upserted_workspaces, id) &&
			hf_st_ws_find(s, source, id) == ST_NONE))
			why = "an agent of an unknown workspace";
	}
	hf_multimap_done(&added);
	hf_multimap_done(&deleted);
	return why;
}

/*
 * Marks what is to go; an upsert later in the same message may yet keep an agent. Returns how many
 * are unknown.
 */
static uint32_t doom_agents(struct hf_state *s, uint32_t owner, const struct hf_update *u)
{
	uint32_t unknown = 0;

	for (size_t i = 0; i < u->n_deleted_agents; i++) {
		uint32_t ix =
		    hf_st_agent_find(s, s->owners[owner].row.source, &u->deleted_agents[i].id);

		if (ix == ST_NONE)
			unknown++;
		else if (s->ws[s->agents[ix].ws].row.owner == owner)
			s->agents[ix].doomed = true;
	}
	return unknown;
}

static uint32_t doom_workspaces(
    struct hf_state *s, uint32_t owner, const struct hf_update *u, uint32_t *ret_good)
{
	uint32_t unknown = 0;

	*ret_good = 0;
	for (size_t i = 0; i < u->n_deleted_workspaces; i++) {
		uint32_t ix =
		    hf_st_ws_find(s, s->owners[owner].row.source, &u->deleted_workspaces[i].id);
		struct st_ws *w = ix == ST_NONE ? NULL : &s->ws[ix];

		if (!w) {
			unknown++;
		} else if (w->row.owner != owner) {
			/* A former owner's stream has no say any more. */
			hf_st_dispute_withdrawn(s, ix, owner);
		} else if (!w->doomed && !(w->row.marks & HF_WS_KEPT) &&
			   !hf_st_dispute_dropped(s, ix)) {
			/* What the operator keeps goes by his word, or when it was listed again. */
			w->doomed = true;
			*ret_good += !w->bad;
		}
	}
	return unknown;
}

static void finish_workspaces(struct hf_state *s, uint32_t owner, const struct hf_update *u,
    bool hold, struct hf_when now, struct hf_judgement *j)
{
	for (size_t i = 0; i < u->n_deleted_workspaces; i++) {
		uint32_t ix =
		    hf_st_ws_find(s, s->owners[owner].row.source, &u->deleted_workspaces[i].id);
		struct st_ws *w = ix == ST_NONE ? NULL : &s->ws[ix];

		if (!w || !w->doomed)
			continue;
		w->doomed = false;
		if (!hold || w->bad) {
			s->why = HF_WHY_DIFF;
			hf_st_ws_remove(s, ix);
		} else if (w->row.held) {
			hf_st_ws_set_held(s, ix, true, w->row.marks & (uint8_t)~HF_WS_LISTED);
		} else {
			j->held++;
			hf_st_guard_hold(
			    s, ix, 0, "the server deleted too many workspaces at once", now);
		}
	}
	s->why = HF_WHY_DIFF;
}

/*
 * The agents of a workspace that this message's removal of is held stay with it, as those of one
 * that moved.
 */
static void finish_agents(struct hf_state *s, uint32_t owner, const struct hf_update *u)
{
	for (size_t i = 0; i < u->n_deleted_agents; i++) {
		uint32_t ix =
		    hf_st_agent_find(s, s->owners[owner].row.source, &u->deleted_agents[i].id);
		const struct st_ws *w = ix == ST_NONE ? NULL : &s->ws[s->agents[ix].ws];

		if (!w || !s->agents[ix].doomed)
			continue;
		s->agents[ix].doomed = false;
		if (w->row.owner != owner || (w->row.held && !(w->row.marks & HF_WS_LISTED)))
			continue;
		hf_st_agent_remove(s, ix);
		if (!w->n_agents)
			hf_st_ws_set_held(s, (uint32_t)(w - s->ws), false, 0);
	}
}

void hf_st_apply_diff(struct hf_state *s, uint32_t owner, const struct hf_update *u,
    struct hf_when now, struct hf_judgement *j)
{
	uint32_t source = s->owners[owner].row.source, good, unknown;
	uint64_t had = s->sources[source].n_workspaces;
	const char *why = check_diff(s, source, u);

	if (why) {
		j->verdict = HF_VERDICT_REFUSED;
		j->reason = why;
		j->want_snapshot = true;
		return;
	}
	s->mark++;
	s->why = HF_WHY_DIFF;
	note_form_refused(s, owner, u, j);
	for (size_t i = 0; i < u->n_upserted_workspaces && !s->failed; i++)
		upsert_ws(s, owner, &u->upserted_workspaces[i], now, j);
	unknown = doom_agents(s, owner, u);
	unknown += doom_workspaces(s, owner, u, &good);
	finish_workspaces(
	    s, owner, u, good && !hf_st_guard_explained(s, source, had, good, now), now, j);
	for (size_t i = 0; i < u->n_upserted_agents && !s->failed; i++) {
		uint32_t ws = hf_st_ws_find(s, source, &u->upserted_agents[i].workspace);

		if (!hf_st_is_disputed_by(s, ws, owner))
			upsert_agent(s, owner, ws, &u->upserted_agents[i], now, j);
	}
	finish_agents(s, owner, u);
	if (!s->failed)
		settle_all_returned(s, source, u);
	if (!j->records_refused && u->n_upserted_workspaces)
		hf_st_guard_drop_replaced(s, owner);
	hf_st_hold_settle(s, owner);
	/* What was refused might have been a removal. */
	j->want_snapshot = unknown || u->refused_total;
	if (unknown)
		j->reason = "it deletes what is not known; ignored";
}
