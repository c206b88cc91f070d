/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/holds.h"

#include <stdio.h>
#include <string.h>

#include "bridge/state/edit.h"
#include "bridge/state/rights_text.h"

/* --- fresh --- */

bool hf_st_source_fresh(const struct st_source *src, struct hf_when now)
{
	return src->live && src->contact_boot_ms &&
	       now.boot_ms - src->contact_boot_ms <= (int64_t)src->fresh_ms;
}

bool hf_st_owner_fresh(const struct hf_state *s, const struct st_owner *o, struct hf_when now)
{
	const struct st_source *src = &s->sources[o->row.source];

	return hf_st_source_fresh(src, now) && o->accepted &&
	       now.boot_ms - o->snapshot_boot_ms < 2 * (int64_t)src->snapshot_ms;
}

static bool readers_know(const struct st_seen *seen, struct hf_when now, uint64_t good_ms)
{
	return !seen->less || seen->boot_ms >= now.boot_ms - (int64_t)good_ms;
}

bool hf_st_source_seen_fresh(const struct st_source *src, struct hf_when now)
{
	return hf_st_source_fresh(src, now) && readers_know(&src->seen, now, src->fresh_ms);
}

bool hf_st_owner_seen_fresh(const struct hf_state *s, const struct st_owner *o, struct hf_when now)
{
	const struct st_source *src = &s->sources[o->row.source];

	return hf_st_owner_fresh(s, o, now) && hf_st_source_seen_fresh(src, now) &&
	       readers_know(&o->seen, now, 2 * (uint64_t)src->snapshot_ms);
}

/* --- the list --- */

bool hf_st_hold_is(const struct st_hold *h, const char *kind)
{
	return !strcmp(h->row.kind, kind);
}

/* What is held of workspaces and names, not of identity. */
static bool is_removal(const char *kind)
{
	return !strcmp(kind, ST_HOLD_REMOVAL) || !strcmp(kind, ST_HOLD_RESTORED);
}

/*
 * Where a source has the index of its hold of this kind; -1: of an owner's kinds, or of none that
 * is known.
 */
static int hold_place_of(const char *kind, bool rejected)
{
	if (!strcmp(kind, ST_HOLD_RESTORED))
		return rejected;
	if (!strcmp(kind, ST_HOLD_DEPLOYMENT))
		return 2;
	return strcmp(kind, ST_HOLD_SUFFIX) ? -1 : 3;
}

/* With 10,000 owners held at once nothing may look through all holds for one of them. */
static uint32_t hold_find(
    const struct hf_state *s, uint32_t source, uint32_t owner, const char *kind, bool rejected)
{
	const struct st_owner *o = owner == ST_NONE ? NULL : &s->owners[owner];
	int place = hold_place_of(kind, rejected);
	uint32_t next = 0;

	if (o && !strcmp(kind, ST_HOLD_REMOVAL))
		return rejected ? o->kept : o->hold;
	if (o && !strcmp(kind, ST_HOLD_USER))
		next = o->former;
	else if (!o && place >= 0)
		next = s->sources[source].holds[place];
	return next ? next - 1 : ST_NONE;
}

/* Notes where it is found, or that it is no more. False: of no kind that is known. */
static bool set_place(struct hf_state *s, uint32_t hold, bool there)
{
	const struct st_hold *h = &s->holds[hold];
	struct st_owner *o = h->row.owner == ST_NONE ? NULL : &s->owners[h->row.owner];
	int place = hold_place_of(h->row.kind, h->row.rejected);

	if (o && hf_st_hold_is(h, ST_HOLD_REMOVAL))
		*(h->row.rejected ? &o->kept : &o->hold) = there ? hold : ST_NONE;
	else if (o && hf_st_hold_is(h, ST_HOLD_USER))
		o->former = there ? hold + 1 : 0;
	else if (!o && place >= 0)
		s->sources[h->row.source].holds[place] = there ? hold + 1 : 0;
	else
		return false;
	return true;
}

void hf_st_hold_loaded(struct hf_state *s, uint32_t hold)
{
	/* Another program's: nothing of it could be shown or decided. */
	if (!set_place(s, hold, true))
		hf_st_hold_close(s, hold);
}

uint32_t hf_st_hold_find(
    const struct hf_state *s, uint32_t source, uint32_t owner, const char *kind)
{
	return hold_find(s, source, owner, kind, false);
}

bool hf_st_deployment_held(const struct hf_state *s, uint32_t source)
{
	return hf_st_hold_find(s, source, ST_NONE, ST_HOLD_DEPLOYMENT) != ST_NONE;
}

static uint32_t hold_add(struct hf_state *s)
{
	uint32_t i = s->free_hold;

	while (i < s->n_holds && (s->holds[i].used || s->holds[i].stored))
		i++;
	if (hf_st_grow((void **)&s->holds, i, &s->size_holds, sizeof(*s->holds)) < 0) {
		s->failed = true;
		return ST_NONE;
	}
	if (i == s->n_holds)
		s->n_holds++;
	s->free_hold = i + 1;
	s->holds[i].used = true;
	s->holds[i].row.rid = i;
	return i;
}

void hf_st_hold_explain(struct hf_state *s, uint32_t hold, const char *detail)
{
	struct st_hold *h = &s->holds[hold];

	if (!strncmp(h->row.detail, detail, sizeof(h->row.detail) - 1))
		return;
	memset(h->row.detail, 0, sizeof(h->row.detail));
	snprintf(h->row.detail, sizeof(h->row.detail), "%s", detail);
	h->dirty = true;
}

void hf_st_hold_more(struct hf_state *s, uint32_t hold, struct hf_when now)
{
	struct st_hold *h = &s->holds[hold];

	h->row.fresh_ms = 0;
	h->due_boot_ms = 0;
	h->held_boot_ms = h->counted_boot_ms = now.boot_ms;
	h->dirty = true;
}

uint32_t hf_st_hold_open(struct hf_state *s, uint32_t source, uint32_t owner, const char *kind,
    const char *detail, struct hf_when now)
{
	uint32_t i = hf_st_hold_find(s, source, owner, kind);
	struct st_hold *h;

	if (i == ST_NONE) {
		i = hold_add(s);
		if (i == ST_NONE)
			return ST_NONE;
		h = &s->holds[i];
		h->row.source = source;
		h->row.owner = owner;
		h->row.since_s = now.wall_s;
		snprintf(h->row.kind, sizeof(h->row.kind), "%s", kind);
		set_place(s, i, true);
	}
	hf_st_hold_explain(s, i, detail);
	hf_st_hold_more(s, i, now);
	return i;
}

void hf_st_hold_close(struct hf_state *s, uint32_t hold)
{
	struct st_hold *h = &s->holds[hold];

	/* What the store has yet is free when it took the removal. */
	if (h->stored)
		hf_st_gone(s, HF_ROW_HOLD, h->row.rid);
	else if (hold < s->free_hold)
		s->free_hold = hold;
	set_place(s, hold, false);
	h->used = false;
}

/* The same hold, that of what the operator rejected before, or this one as that. */
static void become_kept(struct hf_state *s, uint32_t hold)
{
	struct st_hold *h = &s->holds[hold];
	uint32_t kept = hold_find(s, h->row.source, h->row.owner, h->row.kind, true);

	if (kept != ST_NONE) {
		hf_st_hold_close(s, hold);
		return;
	}
	set_place(s, hold, false);
	h->row.rejected = h->dirty = true;
	set_place(s, hold, true);
}

void hf_st_hold_reject(struct hf_state *s, uint32_t hold)
{
	struct st_hold *h = &s->holds[hold];

	if (h->row.rejected)
		return;
	if (!is_removal(h->row.kind)) {
		h->row.rejected = h->dirty = true;
		return;
	}
	if (hf_st_hold_is(h, ST_HOLD_RESTORED)) {
		for (uint32_t r = 0; r < s->n_restored; r++)
			if (hf_st_hold_has_restored(h, &s->restored[r]))
				s->restored[r].row.kept = s->restored[r].dirty = true;
	} else {
		for (uint32_t w = s->owners[h->row.owner].first_ws; w != ST_NONE; w = s->ws[w].next)
			if (s->ws[w].row.held)
				hf_st_ws_set_held(s, w, true, s->ws[w].row.marks | HF_WS_KEPT);
	}
	become_kept(s, hold);
}

void hf_st_holds_of_owner_end(struct hf_state *s, uint32_t owner)
{
	struct st_owner *o = &s->owners[owner];

	if (o->hold != ST_NONE)
		hf_st_hold_close(s, o->hold);
	if (o->kept != ST_NONE)
		hf_st_hold_close(s, o->kept);
	if (o->former)
		hf_st_hold_close(s, o->former - 1);
}

bool hf_st_former_has_names(const struct hf_state *s, uint32_t owner)
{
	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = s->ws[w].next)
		if (!s->ws[w].bad && s->ws[w].n_agents)
			return true;
	return false;
}

void hf_st_former_end(struct hf_state *s, uint32_t owner)
{
	struct st_owner *o = &s->owners[owner];
	uint32_t hold = hf_st_hold_find(s, o->row.source, owner, ST_HOLD_USER);

	if (hold != ST_NONE)
		hf_st_hold_close(s, hold);
	if (!(o->row.marks & HF_OWNER_FORMER))
		return;
	hf_st_owner_unclaim(s, owner);
	o->row.marks &= (uint8_t)~HF_OWNER_FORMER;
	o->dirty = true;
	hf_st_owner_claim(s, owner);
}

void hf_st_hold_settle(struct hf_state *s, uint32_t owner)
{
	struct st_owner *o = &s->owners[owner];

	if (o->hold != ST_NONE && o->n_held == o->n_kept)
		hf_st_hold_close(s, o->hold);
	if (o->kept != ST_NONE && !o->n_kept)
		hf_st_hold_close(s, o->kept);
	/* What is listed of a former user of the token from now on never had `me` names. */
	if (o->former && !hf_st_former_has_names(s, owner))
		hf_st_former_end(s, owner);
}

bool hf_st_hold_is_meant(
    const struct st_hold *h, uint32_t source, uint32_t owner, bool of_owner, const char *what)
{
	bool identity = hf_st_hold_is(h, ST_HOLD_DEPLOYMENT) || hf_st_hold_is(h, ST_HOLD_SUFFIX);

	if (!h->used || h->row.source != source || (of_owner && h->row.owner != owner))
		return false;
	if (!what)
		return true;
	return strcmp(what, ST_HOLD_REMOVAL) ? !strcmp(what, h->row.kind) : !identity;
}

bool hf_st_hold_has_restored(const struct st_hold *h, const struct st_restored *r)
{
	return r->used && r->row.source == h->row.source && r->row.kept == h->row.rejected &&
	       r->row.flags & HF_REC_HELD;
}

static void settle_restored(struct hf_state *s, uint32_t hold)
{
	for (uint32_t r = 0; hold != ST_NONE && r < s->n_restored; r++)
		if (hf_st_hold_has_restored(&s->holds[hold], &s->restored[r]))
			return;
	if (hold != ST_NONE)
		hf_st_hold_close(s, hold);
}

void hf_st_hold_settle_restored(struct hf_state *s, uint32_t source)
{
	settle_restored(s, hold_find(s, source, ST_NONE, ST_HOLD_RESTORED, false));
	settle_restored(s, hold_find(s, source, ST_NONE, ST_HOLD_RESTORED, true));
}

bool hf_st_hold_has(const struct hf_state *s, const struct st_hold *h, const struct st_ws *w)
{
	return hf_st_hold_is(h, ST_HOLD_REMOVAL) && w->row.owner == h->row.owner && w->row.held &&
	       !(w->row.marks & HF_WS_KEPT) == !h->row.rejected;
}

/* --- time --- */

static int64_t until_lower(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Up to when what was said last of the owner counts. */
static int64_t owner_until(const struct hf_state *s, const struct st_owner *o)
{
	if (!o->accepted)
		return INT64_MIN;
	return o->snapshot_boot_ms + 2 * (int64_t)s->sources[o->row.source].snapshot_ms;
}

/* Up to when the last proof of life counts; what passed after it was not fresh. */
static int64_t fresh_until(const struct hf_state *s, const struct st_hold *h, struct hf_when now)
{
	const struct st_source *src = &s->sources[h->row.source];
	int64_t end = until_lower(now.boot_ms, src->contact_boot_ms + (int64_t)src->fresh_ms);

	if (!src->live || !src->contact_boot_ms)
		return INT64_MIN;
	if (h->row.owner != ST_NONE)
		return until_lower(end, owner_until(s, &s->owners[h->row.owner]));
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used && s->owners[i].followed &&
		    s->owners[i].row.source == h->row.source)
			end = until_lower(end, owner_until(s, &s->owners[i]));
	return end;
}

static void hold_count_fresh(struct hf_state *s, uint32_t hold, struct hf_when now)
{
	struct st_hold *h = &s->holds[hold];
	int64_t until = fresh_until(s, h, now);

	if (until > h->counted_boot_ms) {
		h->row.fresh_ms += (uint64_t)(until - h->counted_boot_ms);
		s->sources[h->row.source].soft_dirty = true;
	}
	h->counted_boot_ms = now.boot_ms;
	if (!h->due_boot_ms && h->row.fresh_ms >= s->conf.grace_ms)
		h->due_boot_ms = now.boot_ms ? now.boot_ms : 1;
}

void hf_st_hold_count(struct hf_state *s, uint32_t source, struct hf_when now)
{
	for (uint32_t i = 0; i < s->n_holds; i++)
		if (s->holds[i].used && s->holds[i].row.source == source)
			hold_count_fresh(s, i, now);
}

void hf_st_hold_count_owner(struct hf_state *s, uint32_t owner, struct hf_when now)
{
	const struct st_owner *o = &s->owners[owner];
	const struct st_source *src = &s->sources[o->row.source];

	if (o->hold != ST_NONE)
		hold_count_fresh(s, o->hold, now);
	if (o->kept != ST_NONE)
		hold_count_fresh(s, o->kept, now);
	if (o->former)
		hold_count_fresh(s, o->former - 1, now);
	for (size_t i = 0; i < ST_HOLDS_OF_SOURCE; i++)
		if (src->holds[i])
			hold_count_fresh(s, src->holds[i] - 1, now);
}

/* --- rule 5 --- */

static bool is_old_word(const struct st_hold *h, const struct st_owner *o)
{
	return o->readable_ms <= h->held_boot_ms;
}

/* REST's word on the owner, the connection, the rights. */
static unsigned owner_waits(const struct hf_state *s, const struct st_hold *h, uint32_t owner)
{
	const struct st_owner *o = &s->owners[owner];
	unsigned waits = hf_st_rights_less(s, owner, NULL, 0) ? HF_WAITS_RIGHTS : 0;

	if (is_old_word(h, o) || o->readable == READABLE_UNKNOWN)
		return waits | HF_WAITS_REST;
	if (o->readable == READABLE_NO)
		return waits | HF_WAITS_READABLE;
	if (s->sources[h->row.source].connected.at_ms < o->readable_ms)
		return waits | HF_WAITS_CONNECTION;
	return waits;
}

/* After the grace, on a connection that is younger than REST's word. */
static bool has_new_snapshot(const struct st_hold *h, const struct st_owner *o)
{
	return h->due_boot_ms && o->whole && o->whole_boot_ms >= h->due_boot_ms &&
	       o->whole_connected_ms >= o->readable_ms;
}

bool hf_st_hold_wants_snapshot(const struct hf_state *s, const struct st_hold *h, uint32_t owner)
{
	return s->owners[owner].followed && !has_new_snapshot(h, &s->owners[owner]);
}

/* REST knows the owner no more; of names from a lost store: one whose they may be. */
static bool nobody_can_be_asked(const struct hf_state *s, const struct st_hold *h)
{
	return h->row.owner == ST_NONE ? s->sources[h->row.source].missing
				       : !s->owners[h->row.owner].followed;
}

unsigned hf_st_hold_waits(const struct hf_state *s, const struct st_hold *h, struct hf_when now)
{
	unsigned waits = 0;

	if (h->row.rejected)
		return 0;
	if (!is_removal(h->row.kind) || nobody_can_be_asked(s, h))
		return HF_WAITS_OPERATOR;
	if (!hf_st_source_fresh(&s->sources[h->row.source], now))
		waits |= HF_WAITS_FRESH;
	if (h->row.fresh_ms < s->conf.grace_ms)
		waits |= HF_WAITS_GRACE;
	if (h->row.owner != ST_NONE)
		return waits | owner_waits(s, h, h->row.owner) | HF_WAITS_SNAPSHOT;
	/* Of the source as a whole: all its owners. */
	for (uint32_t i = 0; i < s->n_owners; i++) {
		const struct st_owner *o = &s->owners[i];

		if (!o->used || !o->followed || o->row.source != h->row.source)
			continue;
		waits |= owner_waits(s, h, i);
		if (!has_new_snapshot(h, o))
			waits |= HF_WAITS_SNAPSHOT;
	}
	return waits;
}

static bool says_nothing(const struct st_hold *h, const struct st_owner *o)
{
	return !is_old_word(h, o) && o->readable == READABLE_UNKNOWN;
}

/* REST has no word from after the hold; one that says nothing would be asked for in vain again. */
static bool word_is_wanted(const struct hf_state *s, const struct st_hold *h)
{
	if (h->row.owner != ST_NONE)
		return !says_nothing(h, &s->owners[h->row.owner]);
	for (uint32_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used && s->owners[i].followed &&
		    s->owners[i].row.source == h->row.source && says_nothing(h, &s->owners[i]))
			return false;
	return true;
}

bool hf_st_hold_wants_connection(
    const struct hf_state *s, const struct st_hold *h, struct hf_when now)
{
	unsigned waits = hf_st_hold_waits(s, h, now);
	const unsigned cured = HF_WAITS_CONNECTION | HF_WAITS_REST;

	return waits & cured && !(waits & ~(cured | HF_WAITS_SNAPSHOT)) &&
	       (!(waits & HF_WAITS_REST) || word_is_wanted(s, h));
}
