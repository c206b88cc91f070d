#include "bridge/state/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/state/names.h"

/* Explained removals need more than this to be held, however small the source is (rule 3c). */
enum { EXPLAINED_MIN = 10 };

bool st_source_fresh(const struct st_source *src, struct hf_when now)
{
	return src->live && src->contact_boot_ms &&
	       now.boot_ms - src->contact_boot_ms <= (int64_t)src->fresh_ms;
}

bool st_owner_fresh(const struct hf_state *s, const struct st_owner *o, struct hf_when now)
{
	const struct st_source *src = &s->sources[o->row.source];

	return st_source_fresh(src, now) && o->accepted &&
	       now.boot_ms - o->confirmed_boot_ms < 2 * (int64_t)src->snapshot_ms;
}

/* --- holds --- */

uint32_t st_hold_find(const struct hf_state *s, uint32_t source, uint32_t owner, const char *kind)
{
	for (uint32_t i = 0; i < s->n_holds; i++) {
		const struct st_hold *h = &s->holds[i];

		if (h->used && h->row.source == source && h->row.owner == owner &&
		    !strcmp(h->row.kind, kind))
			return i;
	}
	return ST_NONE;
}

uint32_t st_hold_open(struct hf_state *s, uint32_t source, uint32_t owner, const char *kind,
    const char *detail, struct hf_when now)
{
	uint32_t i = st_hold_find(s, source, owner, kind);
	struct st_hold *h;

	if (i == ST_NONE) {
		for (i = 0; i < s->n_holds; i++)
			if (!s->holds[i].used && !s->holds[i].stored)
				break;
		if (st_grow((void **)&s->holds, i, &s->size_holds, sizeof(*s->holds)) < 0) {
			s->failed = true;
			return ST_NONE;
		}
		if (i == s->n_holds)
			s->n_holds++;
		h = &s->holds[i];
		memset(h, 0, sizeof(*h));
		h->used = true;
		h->row.rid = i;
		h->row.source = source;
		h->row.owner = owner;
		h->row.since_s = now.wall_s;
		snprintf(h->row.kind, sizeof(h->row.kind), "%s", kind);
		if (owner != ST_NONE && !strcmp(kind, ST_HOLD_REMOVAL))
			s->owners[owner].hold = i;
	}
	h = &s->holds[i];
	snprintf(h->row.detail, sizeof(h->row.detail), "%s", detail);
	/* Something more is held: its grace begins now, on the safe side also for the rest. */
	h->row.fresh_ms = 0;
	h->due_boot_ms = 0;
	h->counted_boot_ms = now.boot_ms;
	h->dirty = true;
	return i;
}

void st_hold_close(struct hf_state *s, uint32_t hold)
{
	struct st_hold *h = &s->holds[hold];

	if (h->stored)
		st_gone(s, HF_ROW_HOLD, h->row.rid);
	if (h->row.owner != ST_NONE && s->owners[h->row.owner].hold == hold)
		s->owners[h->row.owner].hold = ST_NONE;
	h->used = false;
}

/* Up to when the last proof of life counts; what passed after it was not fresh. */
static int64_t fresh_until(const struct st_source *src, struct hf_when now)
{
	int64_t end = src->contact_boot_ms + (int64_t)src->fresh_ms;

	if (!src->live || !src->contact_boot_ms)
		return INT64_MIN;
	return end < now.boot_ms ? end : now.boot_ms;
}

void st_hold_count(struct hf_state *s, uint32_t source, struct hf_when now)
{
	int64_t until = fresh_until(&s->sources[source], now);

	for (size_t i = 0; i < s->n_holds; i++) {
		struct st_hold *h = &s->holds[i];

		if (!h->used || h->row.source != source)
			continue;
		if (until > h->counted_boot_ms) {
			h->row.fresh_ms += (uint64_t)(until - h->counted_boot_ms);
			s->sources[source].soft_dirty = true;
		}
		h->counted_boot_ms = now.boot_ms;
		if (!h->due_boot_ms && h->row.fresh_ms >= s->conf.grace_ms)
			h->due_boot_ms = now.boot_ms ? now.boot_ms : 1;
	}
}

void st_guard_hold(struct hf_state *s, uint32_t ws, struct hf_when now)
{
	uint32_t owner = s->ws[ws].row.owner;

	s->why = HF_WHY_HELD;
	st_ws_set_held(s, ws, true);
	st_hold_open(s, s->owners[owner].row.source, owner, ST_HOLD_REMOVAL,
	    "no longer listed by the server", now);
}

void st_guard_settle(struct hf_state *s, uint32_t owner)
{
	if (s->owners[owner].hold != ST_NONE && !s->owners[owner].n_held)
		st_hold_close(s, s->owners[owner].hold);
}

bool st_hold_is_meant(const struct st_hold *h, uint32_t source, uint32_t owner, bool of_owner,
    const char *what)
{
	bool identity = !strcmp(h->row.kind, ST_HOLD_DEPLOYMENT) || !strcmp(h->row.kind, ST_HOLD_SUFFIX);

	if (!h->used || h->row.source != source || (of_owner && h->row.owner != owner))
		return false;
	if (!what)
		return true;
	return strcmp(what, ST_HOLD_REMOVAL) ? !strcmp(what, h->row.kind) : !identity;
}

unsigned st_hold_waits(const struct hf_state *s, const struct st_hold *h, struct hf_when now)
{
	const struct st_source *src = &s->sources[h->row.source];
	unsigned waits = HF_WAITS_SNAPSHOT;

	if (!strcmp(h->row.kind, ST_HOLD_DEPLOYMENT) || !strcmp(h->row.kind, ST_HOLD_SUFFIX) ||
	    (h->row.owner != ST_NONE && !s->owners[h->row.owner].followed))
		return HF_WAITS_OPERATOR;
	if (!st_source_fresh(src, now))
		waits |= HF_WAITS_FRESH;
	if (h->row.fresh_ms < s->conf.grace_ms)
		waits |= HF_WAITS_GRACE;
	if (h->row.owner != ST_NONE && s->owners[h->row.owner].readable != READABLE_YES)
		waits |= s->owners[h->row.owner].readable == READABLE_NO ? HF_WAITS_READABLE
									 : HF_WAITS_REST;
	return waits;
}

/* --- rules 3 to 5 --- */

static uint32_t limit(const struct hf_state *s, uint64_t of, uint32_t at_least)
{
	uint64_t share = of * s->conf.guard_percent / 100;

	return share > at_least ? (uint32_t)share : at_least;
}

/* Rule 5: fresh for long enough, still lacking, and the owner exists and may be read. */
static bool may_release(const struct hf_state *s, const struct st_owner *o)
{
	const struct st_hold *h = o->hold == ST_NONE ? NULL : &s->holds[o->hold];

	return h && !h->row.rejected && h->row.fresh_ms >= s->conf.grace_ms &&
	       o->readable == READABLE_YES;
}

static bool absent(const struct hf_state *s, const struct st_ws *w)
{
	return w->mark != s->mark;
}

uint32_t st_guard_snapshot(
    struct hf_state *s, uint32_t owner, uint32_t had, bool empty, struct hf_when now)
{
	struct st_owner *o = &s->owners[owner];
	uint32_t gone = 0, held = 0, next;
	uint64_t restored = s->sources[o->row.source].n_restored;
	bool release = may_release(s, o), hold;

	for (uint32_t w = o->first_ws; w != ST_NONE; w = s->ws[w].next)
		gone += absent(s, &s->ws[w]) && !s->ws[w].bad && !s->ws[w].row.held;
	hold = (empty && had) || gone > limit(s, had, s->conf.guard_min);
	for (uint32_t w = o->first_ws; w != ST_NONE; w = next) {
		next = s->ws[w].next;
		if (!absent(s, &s->ws[w]) || (s->ws[w].row.held && !release))
			continue;
		s->why = s->ws[w].row.held ? HF_WHY_RELEASED : HF_WHY_SNAPSHOT;
		if (!s->ws[w].row.held && !s->ws[w].bad && hold) {
			st_guard_hold(s, w, now);
			held++;
		} else {
			st_ws_remove(s, w);
		}
	}
	/* Names that came back from a lost store count as workspaces; an empty answer does not end
	 * them. */
	if (empty && !had && restored && o->hold == ST_NONE &&
	    st_hold_find(s, o->row.source, ST_NONE, ST_HOLD_RESTORED) == ST_NONE)
		st_hold_open(s, o->row.source, ST_NONE, ST_HOLD_RESTORED,
		    "an empty snapshot after the store was lost", now);
	st_guard_settle(s, owner);
	s->why = HF_WHY_SNAPSHOT;
	return held;
}

void st_guard_lost(struct hf_state *s, uint32_t owner, const char *why, struct hf_when now)
{
	struct st_owner *o = &s->owners[owner];

	st_guard_snapshot(s, owner, o->n_live, true, now);
	if (o->hold != ST_NONE && strcmp(s->holds[o->hold].row.detail, why)) {
		struct st_hold *h = &s->holds[o->hold];

		memset(h->row.detail, 0, sizeof(h->row.detail));
		snprintf(h->row.detail, sizeof(h->row.detail), "%s", why);
		h->dirty = true;
	}
}

static uint64_t window_sum(struct hf_state *s, struct st_source *src, struct hf_when now)
{
	uint64_t sum = 0;
	size_t kept = 0;

	for (size_t i = 0; i < src->n_window; i++) {
		if (now.boot_ms - src->window[i].boot_ms >= (int64_t)s->conf.grace_ms)
			continue;
		src->window[kept++] = src->window[i];
		sum += src->window[kept - 1].n;
	}
	src->n_window = kept;
	return sum;
}

bool st_guard_explained(
    struct hf_state *s, uint32_t source, uint64_t had, uint32_t n, struct hf_when now)
{
	struct st_source *src = &s->sources[source];
	uint64_t before = window_sum(s, src, now);

	if (before + n > limit(s, had + before, EXPLAINED_MIN))
		return false;
	/* A full window adds to its newest entry: it then counts for a little too long, never too
	 * short. */
	if (src->n_window == ST_WINDOW_MAX)
		src->window[src->n_window - 1].n += n;
	else
		src->window[src->n_window++] = (struct st_removed){ now.boot_ms, n };
	src->window[src->n_window - 1].boot_ms = now.boot_ms;
	return true;
}

/* --- names of a lost store --- */

static bool all_accepted(const struct hf_state *s, uint32_t source)
{
	bool any = false;

	for (uint32_t i = 0; i < s->n_owners; i++) {
		const struct st_owner *o = &s->owners[i];

		if (!o->used || !o->followed || o->row.source != source)
			continue;
		if (!o->accepted || o->hold != ST_NONE)
			return false;
		any = true;
	}
	return any;
}

/* Rule 5, for all owners: each was asked again after the grace, and may be read. */
static bool restored_may_go(const struct hf_state *s, const struct st_hold *h)
{
	if (h->row.rejected || !h->due_boot_ms)
		return false;
	for (uint32_t i = 0; i < s->n_owners; i++) {
		const struct st_owner *o = &s->owners[i];

		if (o->used && o->followed && o->row.source == h->row.source &&
		    (o->readable != READABLE_YES || o->snapshot_boot_ms < h->due_boot_ms))
			return false;
	}
	return true;
}

void st_guard_restored(struct hf_state *s, uint32_t source, struct hf_when now)
{
	struct st_source *src = &s->sources[source];
	uint32_t hold = st_hold_find(s, source, ST_NONE, ST_HOLD_RESTORED);
	uint64_t missing = 0;

	if (!src->n_restored || !all_accepted(s, source))
		return;
	/* Which of them the message replaced is to be known first. */
	st_resolve(s);
	for (uint32_t r = 0; r < s->n_restored; r++)
		missing += s->restored[r].used && s->restored[r].row.source == source &&
			   s->restored[r].published;
	if (hold != ST_NONE && !restored_may_go(s, &s->holds[hold]))
		return;
	if (hold == ST_NONE && missing > limit(s, src->restored_at_first, s->conf.guard_min)) {
		st_hold_open(s, source, ST_NONE, ST_HOLD_RESTORED,
		    "names kept from the published zone are not listed by the server", now);
		return;
	}
	s->why = hold == ST_NONE ? HF_WHY_SNAPSHOT : HF_WHY_RELEASED;
	for (uint32_t r = 0; r < s->n_restored; r++)
		if (s->restored[r].used && s->restored[r].row.source == source)
			st_restored_remove(s, r);
	if (hold != ST_NONE)
		st_hold_close(s, hold);
}
