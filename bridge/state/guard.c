/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/claimant.h"
#include "bridge/state/claims.h"
#include "bridge/state/dirty_names.h"
#include "bridge/state/disputes.h"
#include "bridge/state/edit.h"
#include "bridge/state/holds.h"
#include "bridge/state/owner_words.h"
#include "bridge/state/rights_text.h"
#include "bridge/state/settle_claims.h"

/*
 * Below this number explained removals pass (rule 3c), and agents of running workspaces go (rule
 * 1).
 */
enum { AT_LEAST = 10 };

/* "BOOTTIME:N " at most. */
enum { WINDOW_TEXT_MAX = 42 };

static uint32_t guard_limit(const struct hf_state *s, uint64_t of, uint32_t at_least)
{
	uint64_t share = of * s->conf.guard_percent / 100;

	return share > at_least ? (uint32_t)share : at_least;
}

void hf_st_guard_hold(
    struct hf_state *s, uint32_t ws, uint8_t marks, const char *why, struct hf_when now)
{
	uint32_t owner = s->ws[ws].row.owner;

	s->why = HF_WHY_HELD;
	hf_st_ws_set_held(s, ws, true, marks);
	hf_st_hold_open(s, s->owners[owner].row.source, owner, ST_HOLD_REMOVAL, why, now);
}

/* --- rule 1: agents --- */

void hf_st_guard_drop_agents(struct hf_state *s, uint32_t ws)
{
	uint32_t next;

	for (uint32_t a = s->ws[ws].first_agent; a != ST_NONE; a = next) {
		next = s->agents[a].next;
		if (s->agents[a].mark != s->mark)
			hf_st_agent_remove(s, a);
	}
}

static bool is_listed(const struct hf_state *s, const struct st_ws *w)
{
	return w->mark == s->mark;
}

/* What a snapshot does to one of its owner's workspaces: which agents it leaves out. */
static void look_at_agents(struct hf_state *s, struct st_ws *w)
{
	bool any = false;

	w->behind = false;
	for (uint32_t a = w->first_agent; a != ST_NONE; a = s->agents[a].next) {
		any = any || s->agents[a].mark == s->mark;
		w->behind = w->behind || s->agents[a].mark != s->mark;
	}
	w->lost = !any && !w->bad && w->n_agents && w->row.status == HF_WS_RUNNING;
}

/* --- rules 3 and 4: workspaces --- */

/* Everything that rule 5 asks for is there, and this message is the snapshot. */
static bool may_release(const struct hf_state *s, const struct st_owner *o, struct hf_when now)
{
	return o->hold != ST_NONE &&
	       !(hf_st_hold_waits(s, &s->holds[o->hold], now) & ~(unsigned)HF_WAITS_SNAPSHOT);
}

/*
 * What its stream does not list any more and another one's does goes over there, and is no removal.
 */
static void guard_hand_over(struct hf_state *s, uint32_t owner)
{
	uint32_t next;

	if (!s->n_disputes)
		return;
	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = next) {
		next = s->ws[w].next;
		if (!is_listed(s, &s->ws[w]))
			hf_st_dispute_dropped(s, w);
	}
	hf_st_dispute_not_listed(s, owner);
}

struct tally {
	uint32_t had;     /* good and not held, before the message */
	uint32_t listed;  /* good */
	uint32_t gone;    /* good, absent and not held yet */
	uint32_t running; /* listed as such */
	/* ... of which so many have lost all their agents, and are not held yet */
	uint32_t lost;
	bool same; /* all is listed, and nothing is held: nothing is to be judged */
};

static struct tally tally_of(struct hf_state *s, uint32_t owner, uint32_t had)
{
	struct tally n = { .had = had, .same = true };

	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = s->ws[w].next) {
		struct st_ws *ws = &s->ws[w];

		if (!is_listed(s, ws)) {
			n.gone += !ws->bad && !ws->row.held;
			n.same = false;
			continue;
		}
		look_at_agents(s, ws);
		n.same = n.same && !ws->behind && !ws->row.held;
		if (ws->bad)
			continue;
		n.listed++;
		n.running += ws->row.status == HF_WS_RUNNING;
		n.lost += ws->lost && !ws->row.held;
	}
	return n;
}

/* Why what is not listed waits, or NULL. */
static const char *why_held(const struct hf_state *s, uint32_t owner, const struct tally *n)
{
	if (!n->gone)
		return NULL;
	if (!n->listed)
		return "the server lists none of its workspaces";
	if (n->gone > guard_limit(s, n->had, s->conf.guard_min))
		return "too many of its workspaces at once are not listed";
	if (hf_st_rights_less(s, owner, NULL, 0))
		return "not listed while the token has less rights than before";
	return NULL;
}

static uint32_t name_hash(const struct hf_state *s, const struct st_ws *w)
{
	return hf_st_hash(s, w->row.name, strlen(w->row.name));
}

/* It may have been made again under another id: it is held, or is about to be. */
static bool may_be_replaced(const struct hf_state *s, const struct st_ws *w)
{
	return !w->bad && !is_listed(s, w);
}

static int index_replaceable(struct hf_state *s, uint32_t owner, struct hf_multimap *m)
{
	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = s->ws[w].next) {
		s->ws[w].replaced = false;
		if (may_be_replaced(s, &s->ws[w]) &&
		    hf_multimap_add(m, name_hash(s, &s->ws[w]), w) < 0)
			return -ENOMEM;
	}
	return 0;
}

void hf_st_guard_mark_replaced(struct hf_state *s, uint32_t owner)
{
	struct hf_multimap old = { 0 };
	uint32_t w = s->owners[owner].first_ws, other;

	if (index_replaceable(s, owner, &old) < 0)
		s->failed = true;
	for (; w != ST_NONE && !s->failed; w = s->ws[w].next) {
		size_t at = HF_MULTIMAP_START;

		if (s->ws[w].bad || !is_listed(s, &s->ws[w]))
			continue;
		while (hf_multimap_next(&old, name_hash(s, &s->ws[w]), &at, &other))
			if (!strcmp(s->ws[other].row.name, s->ws[w].row.name))
				s->ws[other].replaced = true;
	}
	hf_multimap_done(&old);
}

void hf_st_guard_drop_replaced(struct hf_state *s, uint32_t owner)
{
	uint32_t next;

	if (!s->owners[owner].n_held)
		return;
	hf_st_guard_mark_replaced(s, owner);
	for (uint32_t w = s->owners[owner].first_ws; w != ST_NONE; w = next) {
		next = s->ws[w].next;
		if (s->ws[w].row.held && s->ws[w].replaced)
			hf_st_ws_remove(s, w);
	}
	hf_st_hold_settle(s, owner);
}

static bool stays_held(const struct st_judge *j, const struct st_ws *w)
{
	return w->row.held && (w->row.marks & HF_WS_KEPT || !j->release);
}

/* The agents of one that is listed. */
static void judge_listed(struct hf_state *s, uint32_t w, struct st_judge *j)
{
	struct st_ws *ws = &s->ws[w];

	if (!ws->behind && !ws->row.held)
		return;
	if (ws->lost && stays_held(j, ws))
		return;
	if (ws->lost && !ws->row.held && j->why_lost) {
		hf_st_guard_hold(s, w, HF_WS_LISTED, j->why_lost, j->now);
		j->held++;
		return;
	}
	s->why = ws->row.held && ws->lost ? HF_WHY_RELEASED : HF_WHY_SNAPSHOT;
	hf_st_ws_set_held(s, w, false, 0);
	hf_st_guard_drop_agents(s, w);
}

static void judge_absent(struct hf_state *s, uint32_t w, struct st_judge *j)
{
	struct st_ws *ws = &s->ws[w];

	if (ws->replaced && j->replaced) {
		s->why = HF_WHY_SNAPSHOT;
		hf_st_ws_remove(s, w);
	} else if (stays_held(j, ws)) {
		/* One that was listed without its agents, and is not listed at all now. */
		hf_st_ws_set_held(s, w, true, ws->row.marks & (uint8_t)~HF_WS_LISTED);
	} else if (!ws->row.held && !ws->bad && j->why_gone) {
		hf_st_guard_hold(s, w, 0, j->why_gone, j->now);
		j->held++;
	} else {
		s->why = ws->row.held ? HF_WHY_RELEASED : HF_WHY_SNAPSHOT;
		hf_st_ws_remove(s, w);
	}
}

/* False while the budget did not suffice. */
static bool judge_some(struct hf_state *s, struct st_judge *j)
{
	while (j->next != ST_NONE && !s->failed) {
		uint32_t w = j->next;

		if (!hf_st_spend(s, 1 + s->ws[w].n_listed))
			return false;
		j->next = s->ws[w].next;
		if (is_listed(s, &s->ws[w]))
			judge_listed(s, w, j);
		else
			judge_absent(s, w, j);
	}
	return true;
}

static void judge_end(struct hf_state *s, uint32_t owner)
{
	hf_st_hold_settle(s, owner);
	s->why = HF_WHY_SNAPSHOT;
}

void hf_st_guard_weigh(struct hf_state *s, uint32_t owner, uint32_t had, bool refused,
    struct hf_when now, struct st_judge *ret_judge)
{
	struct st_judge j = { .now = now };
	struct tally n;

	guard_hand_over(s, owner);
	n = tally_of(s, owner, had);
	j.why_gone = why_held(s, owner, &n);
	if (n.lost > guard_limit(s, n.running, AT_LEAST))
		j.why_lost = "too many running workspaces are listed without their agents";
	/* That is a mass removal, and what is absent beside it is a part of it. */
	if (n.gone && !j.why_gone)
		j.why_gone = j.why_lost;
	/* A snapshot that has something more held is no proof that the rest is gone. */
	j.release =
	    !refused && !j.why_gone && !j.why_lost && may_release(s, &s->owners[owner], now);
	j.replaced = !refused && (n.gone || s->owners[owner].n_held);
	if (j.replaced)
		hf_st_guard_mark_replaced(s, owner);
	j.next = n.same ? ST_NONE : s->owners[owner].first_ws;
	*ret_judge = j;
}

bool hf_st_guard_judge(struct hf_state *s, uint32_t owner, bool refused, struct st_judge *judge)
{
	if (judge->next != ST_NONE) {
		if (!judge_some(s, judge))
			return false;
		judge_end(s, owner);
	}
	if (!refused && s->owners[owner].hold == ST_NONE)
		hf_st_rights_good(s, owner);
	return true;
}

void hf_st_guard_lost(struct hf_state *s, uint32_t owner, const char *why, struct hf_when now)
{
	struct st_judge j = { .why_gone = why, .now = now };

	guard_hand_over(s, owner);
	j.next = s->owners[owner].first_ws;
	s->budget = SIZE_MAX; /* nothing else is under way */
	judge_some(s, &j);
	judge_end(s, owner);
	/* Also of what was held before: this is what it waits for from now on. */
	if (s->owners[owner].hold != ST_NONE)
		hf_st_hold_explain(s, s->owners[owner].hold, why);
}

/*
 * The row has the window too: a restart gives nobody a new allowance. The oldest entries have no
 * room in it perhaps; they are counted with the oldest that has, for a little too long.
 */
static void write_window(struct st_source *src)
{
	char *text = src->row.removals;
	size_t at = 0, i = src->n_window;
	uint64_t n = 0;

	memset(text, 0, HF_REMOVALS_MAX);
	while (i-- > 0) {
		bool last = !i || at + 3 * WINDOW_TEXT_MAX >= HF_REMOVALS_MAX;

		for (size_t k = last ? 0 : i; k <= i; k++)
			n += src->window[k].n;
		at += (size_t)snprintf(text + at, HF_REMOVALS_MAX - at, "%s%lld:%llu",
		    at ? " " : "", (long long)src->window[i].boot_ms, (unsigned long long)n);
		n = 0;
		if (last)
			break;
	}
	src->dirty = true;
}

/*
 * One "BOOTTIME:N" of the row. Returns what follows, or NULL: there is no more that could be read.
 */
static const char *read_entry(const char *at, struct st_removed *ret)
{
	char *end;
	long long ms = strtoll(at, &end, 10);
	unsigned long long n;

	if (end == at || *end != ':')
		return NULL;
	at = end + 1;
	n = strtoull(at, &end, 10);
	if (end == at || (*end && *end != ' '))
		return NULL;
	*ret = (struct st_removed){ ms, n < UINT32_MAX ? (uint32_t)n : UINT32_MAX };
	return *end ? end + 1 : end;
}

void hf_st_guard_load_window(struct st_source *src, uint64_t passed_ms, struct hf_when now)
{
	const char *at = src->row.removals;
	struct st_removed e;

	src->n_window = 0;
	while (src->n_window < ST_WINDOW_MAX && *at && (at = read_entry(at, &e)) != NULL) {
		/* Over a reboot whose length nobody knows it is as old as it was. */
		int64_t age = src->row.counted_ms - e.boot_ms + (int64_t)passed_ms;

		e.boot_ms = now.boot_ms - (age > 0 ? age : 0);
		memmove(&src->window[1], &src->window[0], src->n_window * sizeof(e));
		src->window[0] = e;
		src->n_window++;
	}
	/* In this boot's time; the store gets it with the next change of the row. */
	if (src->n_window) {
		bool dirty = src->dirty;

		write_window(src);
		src->dirty = dirty;
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

bool hf_st_guard_explained(
    struct hf_state *s, uint32_t source, uint64_t had, uint32_t n, struct hf_when now)
{
	struct st_source *src = &s->sources[source];
	uint64_t before = window_sum(s, src, now);

	if (before + n > guard_limit(s, had + before, AT_LEAST))
		return false;
	/*
	 * A full window adds to its newest entry: it then counts for a little too long, never too
	 * short.
	 */
	if (src->n_window == ST_WINDOW_MAX)
		src->window[src->n_window - 1].n += n;
	else
		src->window[src->n_window++] = (struct st_removed){ now.boot_ms, n };
	src->window[src->n_window - 1].boot_ms = now.boot_ms;
	write_window(src);
	return true;
}

/* --- names of a lost store --- */

/*
 * Every followed owner has a whole snapshot and nothing held. *ret_bare: one of them has no
 * workspace.
 */
static bool all_whole(const struct hf_state *s, uint32_t source, bool *ret_bare)
{
	bool any = false;

	*ret_bare = false;
	for (uint32_t i = 0; i < s->n_owners; i++) {
		const struct st_owner *o = &s->owners[i];

		if (!o->used || !o->followed || o->row.source != source)
			continue;
		if (!o->whole || o->hold != ST_NONE || o->kept != ST_NONE)
			return false;
		*ret_bare = *ret_bare || !o->n_live;
		any = true;
	}
	return any && hf_st_all_named(s, source);
}

static bool restored_is_of(const struct st_restored *r, uint32_t source)
{
	return r->used && r->row.source == source && !r->row.kept;
}

void hf_st_guard_drop_restored(struct hf_state *s, const struct st_hold *h)
{
	for (uint32_t r = 0; r < s->n_restored; r++)
		if (hf_st_hold_has_restored(h, &s->restored[r]))
			hf_st_restored_remove(s, r);
}

static void set_restored_held(struct hf_state *s, uint32_t r)
{
	if (s->restored[r].row.flags & HF_REC_HELD)
		return;
	hf_st_touch_published(s, WHO(WHO_RESTORED, r));
	s->restored[r].row.flags |= HF_REC_HELD;
	s->restored[r].dirty = true;
}

void hf_st_guard_hold_restored(
    struct hf_state *s, uint32_t source, const char *why, struct hf_when now)
{
	bool any = false;

	s->why = HF_WHY_HELD;
	for (uint32_t r = 0; r < s->n_restored; r++) {
		if (!restored_is_of(&s->restored[r], source) ||
		    s->restored[r].row.flags & HF_REC_HELD)
			continue;
		set_restored_held(s, r);
		any = true;
	}
	if (any)
		hf_st_hold_open(s, source, ST_NONE, ST_HOLD_RESTORED, why, now);
}

void hf_st_guard_restored(struct hf_state *s, uint32_t source, struct hf_when now)
{
	struct st_source *src = &s->sources[source];
	uint64_t missing = 0, held = 0;
	uint32_t hold;
	bool bare;

	if (!src->n_restored || !all_whole(s, source, &bare))
		return;
	/* Which of them the message replaced is to be known first: those are gone then. */
	hf_st_resolve(s);
	hold = hf_st_hold_find(s, source, ST_NONE, ST_HOLD_RESTORED);
	for (uint32_t r = 0; r < s->n_restored; r++) {
		if (!restored_is_of(&s->restored[r], source))
			continue;
		held += s->restored[r].row.flags & HF_REC_HELD;
		missing += !(s->restored[r].row.flags & HF_REC_HELD);
	}
	if (hold != ST_NONE && !hf_st_hold_waits(s, &s->holds[hold], now)) {
		s->why = HF_WHY_RELEASED;
		hf_st_guard_drop_restored(s, &s->holds[hold]);
		hf_st_hold_close(s, hold);
		return;
	}
	if (missing &&
	    (bare || missing > guard_limit(s, src->restored_at_first, s->conf.guard_min))) {
		hf_st_guard_hold_restored(s, source,
		    "names kept from the published zone are not listed by the server", now);
		return;
	}
	s->why = HF_WHY_SNAPSHOT;
	for (uint32_t r = 0; r < s->n_restored; r++)
		if (restored_is_of(&s->restored[r], source) &&
		    !(s->restored[r].row.flags & HF_REC_HELD))
			hf_st_restored_remove(s, r);
	if (held && hold == ST_NONE)
		hf_st_hold_open(s, source, ST_NONE, ST_HOLD_RESTORED,
		    "names that were held before the store was lost", now);
}
