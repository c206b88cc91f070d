/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/disputes.h"

#include <errno.h>
#include <string.h>

#include "bridge/state/dispute_list.h"
#include "bridge/state/edit.h"
#include "bridge/state/holds.h"
#include "bridge/state/settle_claims.h"

/* --- what streams say --- */

/* Whose stream lists it as far as anybody knows: one that REST names, and that did not drop it. */
static bool has_it(const struct hf_state *s, const struct st_ws *w)
{
	return s->owners[w->row.owner].followed && (!w->row.held || w->row.marks & HF_WS_LISTED);
}

bool hf_st_dispute_listed(struct hf_state *s, uint32_t ws, uint32_t owner, struct hf_when now)
{
	struct st_dispute *d = hf_st_dispute_find(s, ws);
	int64_t again_ms = s->sources[s->owners[owner].row.source].snapshot_ms;

	if (!has_it(s, &s->ws[ws])) {
		if (d)
			hf_st_dispute_drop(s, d);
		return false;
	}
	if (!d)
		d = hf_st_dispute_add(s, ws);
	if (!d)
		return true;
	/* Another claim is another question, and an answer is not for ever. */
	if (d->claimant != owner || now.boot_ms - d->answered_ms >= again_ms)
		d->answered = false;
	d->claimant = owner;
	d->mark = s->mark;
	return true;
}

static bool may_have_it(const struct hf_state *s, uint32_t owner)
{
	return s->owners[owner].used && s->owners[owner].followed;
}

/*
 * It goes over with its agents, and what was held of it is not any more. The new owner's stream
 * lists it by `name`: by another one it might be taken for another workspace of that owner.
 */
static void dispute_give_ws(struct hf_state *s, uint32_t ws, uint32_t to, const char *name)
{
	uint32_t former = s->ws[ws].row.owner;

	hf_st_ws_set_held(s, ws, false, 0);
	hf_st_ws_move(s, ws, to);
	if (strcmp(s->ws[ws].row.name, name))
		hf_st_ws_rename(s, ws, name, NULL);
	hf_st_hold_settle(s, former);
	s->owners[to].wanted = true;
}

bool hf_st_dispute_dropped(struct hf_state *s, uint32_t ws)
{
	struct st_dispute *d = hf_st_dispute_find(s, ws), was;

	if (!d)
		return false;
	was = *d;
	hf_st_dispute_drop(s, d);
	if (!may_have_it(s, was.claimant))
		return false;
	/* It has no name there: it comes with the snapshot that is asked for now. */
	if (was.bad) {
		s->owners[was.claimant].wanted = true;
		return false;
	}
	dispute_give_ws(s, ws, was.claimant, was.name);
	return true;
}

void hf_st_dispute_not_listed(struct hf_state *s, uint32_t owner)
{
	for (size_t i = s->n_disputes; i-- > 0;)
		if (s->disputes[i].claimant == owner && s->disputes[i].mark != s->mark)
			hf_st_dispute_drop(s, &s->disputes[i]);
}

/* --- what REST says --- */

static uint32_t source_of(const struct hf_state *s, const struct st_dispute *d)
{
	return s->owners[d->claimant].row.source;
}

bool hf_state_disputed(struct hf_state *s, const char *source, struct hf_uuid *ret_workspace)
{
	struct st_dispute *next = NULL;
	uint32_t src, owner;

	if (!s->n_disputes || !hf_state_find(s, source, NULL, &src, &owner))
		return false;
	for (size_t i = 0; i < s->n_disputes; i++) {
		struct st_dispute *d = &s->disputes[i];

		if (!d->answered && source_of(s, d) == src && (!next || d->turn < next->turn))
			next = d;
	}
	if (!next)
		return false;
	next->turn = ++s->dispute_turn;
	*ret_workspace = s->ws[next->ws].row.id;
	return true;
}

int hf_state_workspace_owner(struct hf_state *s, const char *source,
    const struct hf_uuid *workspace, const struct hf_uuid *owner, struct hf_when now)
{
	struct st_source *src = hf_st_source_find(s, source);
	uint32_t ix = src ? hf_st_source_ix(s, src) : ST_NONE, ws, to, former;
	struct st_dispute *d;
	struct st_ws was;

	if (hf_st_is_lent(s, __func__))
		return -EBUSY;
	if (!src)
		return -ENOENT;
	ws = hf_st_ws_find(s, ix, workspace);
	d = ws == ST_NONE ? NULL : hf_st_dispute_find(s, ws);
	if (!d || hf_st_deployment_held(s, ix))
		return 0;
	d->answered = true;
	d->answered_ms = now.boot_ms;
	to = hf_st_owner_find(s, ix, owner);
	former = s->ws[ws].row.owner;
	if (to == ST_NONE || to == former || !may_have_it(s, to))
		return 0;
	s->why = HF_WHY_IDENTITY;
	was = s->ws[ws];
	dispute_give_ws(s, ws, to, d->claimant == to && !d->bad ? d->name : was.row.name);
	/* The former one's stream lists it all the same: that is the dispute now. */
	d = hf_st_dispute_find(s, ws);
	if (d)
		d->claimant = former;
	hf_st_dispute_name(s, ws, was.row.name, was.bad);
	hf_st_resolve(s);
	return s->failed ? -ENOMEM : 0;
}

int hf_state_each_dispute(const struct hf_state *s, hf_state_dispute_cb cb, void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < s->n_disputes && !rc; i++) {
		const struct st_dispute *d = &s->disputes[i];
		const struct st_owner *o = &s->owners[s->ws[d->ws].row.owner];

		rc = cb(&(struct hf_dispute_view){ .source = &s->sources[o->row.source].row,
			    .workspace = &s->ws[d->ws].row,
			    .owner = &o->row,
			    .claimant = &s->owners[d->claimant].row,
			    .answered = d->answered },
		    arg);
	}
	return rc;
}
