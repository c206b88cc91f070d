/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has what: settled for all names that were touched, then for the addresses of whoever
 * publishes more or less.
 */
#include "bridge/state/settle_claims.h"

#include "bridge/state/claims.h"
#include "bridge/state/dirty_names.h"
#include "bridge/state/holds.h"

/*
 * The source lists the name of one that was restored again (an agent of it, or its sentinel): that
 * one has done its service, also where another source has the name.
 */
static void note_superseded(struct hf_state *s, const struct st_dirty_name *d, uint32_t who)
{
	if (hf_st_who_kind(who) == WHO_RESTORED &&
	    hf_st_is_listed_again(s, hf_st_who_source(s, who), d->hash, d->wire, d->len) &&
	    hf_st_vec_push(&s->superseded, hf_st_who_ix(who)) < 0)
		s->failed = true;
}

static void resolve_name(struct hf_state *s, struct st_dirty_name *d)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t best = ST_NONE, who;

	s->work++;
	while (hf_multimap_next(&s->claims, d->hash, &at, &who))
		if (hf_st_who_is(s, who, d->wire, d->len) &&
		    (best == ST_NONE || hf_st_who_compare(s, who, best) < 0))
			best = who;
	at = HF_MULTIMAP_START;
	while (hf_multimap_next(&s->claims, d->hash, &at, &who))
		if (who != best && hf_st_who_is(s, who, d->wire, d->len)) {
			hf_st_set_published(s, who, false);
			note_superseded(s, d, who);
		}
	if (best != ST_NONE)
		hf_st_set_published(s, best, true);
	s->n_names += (size_t)(best != ST_NONE) - (size_t)d->published;
	d->published = best != ST_NONE;
}

static void set_primary(struct hf_state *s, uint32_t who, bool primary)
{
	uint32_t ix = hf_st_who_ix(who);

	if (hf_st_who_kind(who) == WHO_RESTORED) {
		struct st_restored *r = &s->restored[ix];

		if (r->row.primary == primary)
			return;
		hf_st_touch_published(s, who);
		r->row.primary = primary;
		r->dirty = true;
	} else {
		struct st_agent *a = &s->agents[ix];
		unsigned bit = primary ? (unsigned)a->row.names & -(unsigned)a->row.names : 0;

		if (a->row.primary == bit)
			return;
		for (unsigned place = 0; place < ST_PLACES; place++)
			if ((bit | a->row.primary) & 1u << place)
				hf_st_touch_published(s, WHO_AGENT_NAME(ix, place));
		hf_st_dirty_agent(s, ix);
		a->row.primary = (uint8_t)bit;
	}
}

static bool who_publishes(const struct hf_state *s, uint32_t who)
{
	return hf_st_who_kind(who) == WHO_AGENT ? s->agents[hf_st_who_ix(who)].row.names
						: hf_st_who_published(s, who);
}

/* Of all that publish this address, the best one's first name is what the PTR tells. */
static void resolve_address(struct hf_state *s, uint32_t of)
{
	uint32_t hash = hf_st_address_hash(s, of), best = ST_NONE, who;
	size_t at = HF_MULTIMAP_START;

	s->work++;
	while (hf_multimap_next(&s->addresses, hash, &at, &who))
		if (hf_st_same_address(s, who, of) && who_publishes(s, who) &&
		    (best == ST_NONE || hf_st_holder_compare(s, who, best) < 0))
			best = who;
	at = HF_MULTIMAP_START;
	while (hf_multimap_next(&s->addresses, hash, &at, &who))
		if (hf_st_same_address(s, who, of))
			set_primary(s, who, who == best);
}

static bool who_exists(const struct hf_state *s, uint32_t who)
{
	return hf_st_who_kind(who) == WHO_AGENT ? s->agents[hf_st_who_ix(who)].used
						: s->restored[hf_st_who_ix(who)].used;
}

static bool *who_noted(struct hf_state *s, uint32_t who)
{
	uint32_t ix = hf_st_who_ix(who);

	return hf_st_who_kind(who) == WHO_AGENT ? &s->agents[ix].noted : &s->restored[ix].noted;
}

/* Each of them, from where the last call came to; false while the budget did not suffice. */
static bool settle_each(
    struct hf_state *s, const struct st_vec *v, void (*act)(struct hf_state *s, uint32_t value))
{
	size_t *at = &s->resolving.at;

	/* What comes in meanwhile is gone through as well. */
	for (; *at < v->n; ++*at) {
		if (!hf_st_spend(s, 1))
			return false;
		act(s, v->at[*at]);
	}
	*at = 0;
	return true;
}

static void of_name(struct hf_state *s, uint32_t i)
{
	resolve_name(s, s->dirty[i]);
}

static void of_address(struct hf_state *s, uint32_t who)
{
	if (who_exists(s, who))
		resolve_address(s, who);
}

static void end_note(struct hf_state *s, uint32_t who)
{
	*who_noted(s, who) = false;
}

/* Names that the PTRs touched meanwhile keep their holder: nothing is left to settle. */
static void end_name(struct hf_state *s, uint32_t i)
{
	s->dirty[i]->unresolved = false;
}

static void of_superseded(struct hf_state *s, uint32_t restored)
{
	const struct st_restored *r = &s->restored[restored];

	if (!r->used)
		return;
	s->resolving.less[r->row.source] = true;
	hf_st_restored_remove(s, restored);
}

/* A hold of those that went may have none left. */
static void end_superseded(struct hf_state *s)
{
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++) {
		if (s->resolving.less[i])
			hf_st_hold_settle_restored(s, i);
		s->resolving.less[i] = false;
	}
}

bool hf_st_resolve_some(struct hf_state *s)
{
	struct st_resolving *r = &s->resolving;

	for (;;) {
		switch (r->part) {
		case ST_OF_NAMES:
			if (!settle_each(s, &s->unresolved, of_name))
				return false;
			break;
		case ST_OF_ADDRESSES:
			if (!settle_each(s, &s->changed, of_address))
				return false;
			break;
		case ST_END_NOTES:
			if (!settle_each(s, &s->changed, end_note))
				return false;
			s->changed.n = 0;
			break;
		case ST_END_NAMES:
			if (!settle_each(s, &s->unresolved, end_name))
				return false;
			s->unresolved.n = 0;
			break;
		case ST_OF_SUPERSEDED:
			if (!settle_each(s, &s->superseded, of_superseded))
				return false;
			s->superseded.n = 0;
			r->part = ST_OF_NAMES;
			if (s->unresolved.n || s->changed.n)
				continue;
			end_superseded(s);
			return true;
		}
		r->part++;
	}
}

void hf_st_resolve(struct hf_state *s)
{
	size_t budget = s->budget;

	s->budget = SIZE_MAX;
	hf_st_resolve_some(s);
	s->budget = budget;
}
