/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/claims.h"

#include <string.h>

#include "bridge/state/claimant.h"
#include "bridge/state/dirty_names.h"
#include "zone/sum.h"

static bool is_crowded(const struct hf_multimap *m, uint32_t hash, unsigned max)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t value;
	unsigned n = 0;

	while (n < max && hf_multimap_next(m, hash, &at, &value))
		n++;
	return n == max;
}

/* False if too many claim that name. */
static bool claim_add(struct hf_state *s, uint32_t who)
{
	struct hf_name name;
	uint32_t hash;

	s->work++;
	if (hf_st_who_name(s, who, &name))
		return true;
	hash = hf_st_name_hash(s, name.wire, name.len);
	if (is_crowded(&s->claims, hash, ST_SAME_NAME_MAX))
		return false;
	hf_st_touch(s, hash, &name);
	if (hf_multimap_add(&s->claims, hash, who) < 0)
		s->failed = true;
	return true;
}

static void claim_del(struct hf_state *s, uint32_t who)
{
	struct hf_name name;
	uint32_t hash;

	s->work++;
	if (hf_st_who_name(s, who, &name))
		return;
	hash = hf_st_name_hash(s, name.wire, name.len);
	hf_st_touch(s, hash, &name);
	hf_st_set_published(s, who, false);
	hf_multimap_del(&s->claims, hash, who);
}

/* --- agents --- */

static unsigned claims_wanted(const struct hf_state *s, uint32_t ix)
{
	const struct st_agent *a = &s->agents[ix];
	const struct st_ws *w = &s->ws[a->ws];
	const struct st_owner *o = &s->owners[w->row.owner];
	const struct st_source *src = &s->sources[o->row.source];
	unsigned want = o->row.name[0] ? HF_NAME_OWNER : 0;

	if (a->bad || w->bad || a->addr_lost || !src->row.suffix.len ||
	    o->row.marks & HF_OWNER_UNSEEN)
		return 0;
	if (hf_uuid_equal(&o->row.id, &src->row.user) || o->row.marks & HF_OWNER_FORMER)
		want |= HF_NAME_ME | (w->n_agents == 1 ? HF_NAME_SHORT : 0);
	return want;
}

static void claim_exactly(struct hf_state *s, uint32_t ix, unsigned want)
{
	for (unsigned place = 0; place < ST_PLACES; place++) {
		unsigned bit = 1u << place, has = s->agents[ix].claimed & bit;
		uint32_t who = WHO_AGENT_NAME(ix, place);

		if (has && !(want & bit)) {
			claim_del(s, who);
			s->agents[ix].claimed &= (uint8_t)~bit;
		} else if (!has && (want & bit)) {
			if (claim_add(s, who))
				s->agents[ix].claimed |= (uint8_t)bit;
			else
				s->agents[ix].crowded = true;
		}
	}
}

void hf_st_unclaim(struct hf_state *s, uint32_t agent)
{
	claim_exactly(s, agent, 0);
	/* What its PTR told went with the names. */
	s->agents[agent].row.primary = 0;
}

void hf_st_claim(struct hf_state *s, uint32_t agent)
{
	claim_exactly(s, agent, claims_wanted(s, agent));
}

void hf_st_reclaim_short(struct hf_state *s, uint32_t ws)
{
	/* With a third one there was none before. */
	if (s->ws[ws].n_agents > 2)
		return;
	for (uint32_t a = s->ws[ws].first_agent; a != ST_NONE; a = s->agents[a].next)
		hf_st_claim(s, a);
}

bool hf_st_source_touch_some(struct hf_state *s, uint32_t source, size_t *at)
{
	for (; *at < s->n_agents; ++*at) {
		uint32_t ix = (uint32_t)*at;

		if (!hf_st_spend(s, 1))
			return false;
		if (s->agents[ix].used && hf_st_who_source(s, WHO_AGENT_NAME(ix, 0)) == source)
			for (unsigned place = 0; place < ST_PLACES; place++)
				hf_st_touch_published(s, WHO_AGENT_NAME(ix, place));
	}
	for (; *at < s->n_agents + s->n_restored; ++*at) {
		uint32_t ix = (uint32_t)(*at - s->n_agents);

		if (!hf_st_spend(s, 1))
			return false;
		if (s->restored[ix].used && s->restored[ix].row.source == source)
			hf_st_touch_published(s, WHO(WHO_RESTORED, ix));
	}
	hf_st_touch_published(s, WHO(WHO_SENTINEL, source));
	return true;
}

void hf_st_source_touch(struct hf_state *s, uint32_t source)
{
	size_t at = 0, budget = s->budget;

	s->budget = SIZE_MAX;
	hf_st_source_touch_some(s, source, &at);
	s->budget = budget;
}

/* --- addresses --- */

/* The best other agent of the same source with this agent's address. */
static uint32_t address_rival(const struct hf_state *s, uint32_t agent)
{
	uint32_t me = WHO_AGENT_NAME(agent, 0), best = ST_NONE, who;
	size_t at = HF_MULTIMAP_START;

	while (hf_multimap_next(&s->addresses, hf_st_address_hash(s, me), &at, &who))
		if (hf_st_who_kind(who) == WHO_AGENT && who != me &&
		    hf_st_who_source(s, who) == hf_st_who_source(s, me) &&
		    hf_st_same_address(s, who, me) &&
		    (best == ST_NONE || hf_st_holder_compare(s, who, best) < 0))
			best = who;
	return best;
}

/* Whoever else has the address may now be the one that its PTR tells. */
static void note_others(struct hf_state *s, uint32_t gone)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t who;

	while (hf_multimap_next(&s->addresses, hf_st_address_hash(s, gone), &at, &who))
		if (hf_st_same_address(s, who, gone))
			hf_st_note_changed(s, who);
}

void hf_st_address_add(struct hf_state *s, uint32_t agent)
{
	struct st_agent *a = &s->agents[agent];
	uint32_t me = WHO_AGENT_NAME(agent, 0), rival;

	if (a->bad || s->ws[a->ws].bad)
		return;
	if (is_crowded(&s->addresses, hf_st_address_hash(s, me), ST_SAME_ADDRESS_MAX)) {
		a->addr_lost = a->crowded = true;
		return;
	}
	rival = address_rival(s, agent);
	if (rival != ST_NONE && hf_st_holder_compare(s, rival, me) < 0) {
		a->addr_lost = true;
	} else if (rival != ST_NONE && !s->agents[hf_st_who_ix(rival)].addr_lost) {
		hf_st_unclaim(s, hf_st_who_ix(rival));
		s->agents[hf_st_who_ix(rival)].addr_lost = true;
	}
	if (hf_multimap_add(&s->addresses, hf_st_address_hash(s, me), me) < 0)
		s->failed = true;
}

void hf_st_address_del(struct hf_state *s, uint32_t agent)
{
	struct st_agent *a = &s->agents[agent];
	uint32_t me = WHO_AGENT_NAME(agent, 0), rival;

	if (a->bad || s->ws[a->ws].bad)
		return;
	hf_multimap_del(&s->addresses, hf_st_address_hash(s, me), me);
	note_others(s, me);
	rival = a->addr_lost ? ST_NONE : address_rival(s, agent);
	a->addr_lost = false;
	if (rival == ST_NONE)
		return;
	s->agents[hf_st_who_ix(rival)].addr_lost = false;
	hf_st_claim(s, hf_st_who_ix(rival));
}

/* --- restored names, sentinels --- */

void hf_st_restored_claim(struct hf_state *s, uint32_t restored)
{
	uint32_t who = WHO(WHO_RESTORED, restored);

	claim_add(s, who);
	if (hf_multimap_add(&s->addresses, hf_st_address_hash(s, who), who) < 0)
		s->failed = true;
}

void hf_st_restored_remove(struct hf_state *s, uint32_t restored)
{
	struct st_restored *r = &s->restored[restored];
	uint32_t who = WHO(WHO_RESTORED, restored);

	claim_del(s, who);
	hf_multimap_del(&s->addresses, hf_st_address_hash(s, who), who);
	note_others(s, who);
	s->sources[r->row.source].n_restored--;
	r->used = false;
	if (!r->stored)
		return;
	if (hf_st_grow((void **)&s->restored_gone, s->n_restored_gone, &s->size_restored_gone,
		sizeof(*s->restored_gone)) < 0)
		s->failed = true;
	else
		s->restored_gone[s->n_restored_gone++] = r->row.name;
}

void hf_st_sentinel_claim(struct hf_state *s, uint32_t source)
{
	struct st_source *src = &s->sources[source];

	if (src->sentinel_claimed || !src->sentinel || !src->row.suffix.len)
		return;
	claim_add(s, WHO(WHO_SENTINEL, source));
	src->sentinel_claimed = true;
}

void hf_st_sentinel_unclaim(struct hf_state *s, uint32_t source)
{
	if (!s->sources[source].sentinel_claimed)
		return;
	claim_del(s, WHO(WHO_SENTINEL, source));
	s->sources[source].sentinel_claimed = false;
}

/* --- out of the store --- */

/*
 * Rows of an older one's rules, or of another program: a second one has the name. The first one
 * keeps it until all is weighed.
 */
static void only_once(struct hf_state *s, uint32_t who, uint32_t hash, const struct hf_name *name)
{
	if (hf_st_publisher(s, hash, name->wire, name->len) == ST_NONE)
		return;
	hf_st_set_published(s, who, false);
	hf_st_touch(s, hash, name);
}

static uint64_t claim_sum(const struct hf_state *s, uint32_t who, const struct hf_name *name)
{
	struct st_record r;

	hf_st_record_of(s, who, &r);
	return hf_sum_of(name, r.addr, r.flags, r.source, r.owner);
}

/* False if too many claim that name already; whoever has it is always among them. */
static bool load_claim(struct hf_state *s, uint32_t who)
{
	struct hf_name name;
	uint32_t hash;

	if (hf_st_who_name(s, who, &name))
		return true;
	hash = hf_st_name_hash(s, name.wire, name.len);
	if (!hf_st_who_published(s, who) && is_crowded(&s->claims, hash, ST_SAME_NAME_MAX))
		return false;
	if (hf_st_who_published(s, who))
		only_once(s, who, hash, &name);
	if (hf_multimap_add(&s->claims, hash, who) < 0)
		s->failed = true;
	if (hf_st_who_published(s, who)) {
		s->n_names++;
		s->sum += claim_sum(s, who, &name);
	}
	return true;
}

static void load_address(struct hf_state *s, uint32_t who, uint32_t hash)
{
	if (hf_multimap_add(&s->addresses, hash, who) < 0)
		s->failed = true;
}

bool hf_st_load_address(struct hf_state *s, uint32_t agent)
{
	struct st_agent *a = &s->agents[agent];
	uint32_t me = WHO_AGENT_NAME(agent, 0), hash = hf_st_address_hash(s, me), other;
	size_t at = HF_MULTIMAP_START;
	bool shared = hf_multimap_next(&s->addresses, hash, &at, &other);

	/* One that has names is never left out. */
	a->crowded =
	    shared && !a->row.names && is_crowded(&s->addresses, hash, ST_SAME_ADDRESS_MAX);
	if (!a->crowded)
		load_address(s, me, hash);
	return shared;
}

void hf_st_load_claims(struct hf_state *s, uint32_t agent, bool shared)
{
	struct st_agent *a = &s->agents[agent];
	uint32_t rival = shared ? address_rival(s, agent) : ST_NONE;

	a->addr_lost = a->crowded || (rival != ST_NONE && hf_st_holder_compare(s, rival,
							      WHO_AGENT_NAME(agent, 0)) < 0);
	a->claimed = (uint8_t)(claims_wanted(s, agent) | a->row.names);
	for (unsigned place = 0; place < ST_PLACES; place++)
		if (a->claimed & 1u << place && !load_claim(s, WHO_AGENT_NAME(agent, place))) {
			a->claimed &= (uint8_t) ~(1u << place);
			a->crowded = true;
		}
}

void hf_st_load_restored(struct hf_state *s, uint32_t restored)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t me = WHO(WHO_RESTORED, restored), who;
	const struct hf_name *name = &s->restored[restored].row.name;
	uint32_t hash = hf_st_name_hash(s, name->wire, name->len);
	bool taken = false;

	/* Agents come first: one that publishes the name has taken it over. */
	while (!taken && hf_multimap_next(&s->claims, hash, &at, &who))
		taken = hf_st_who_published(s, who) && hf_st_who_is(s, who, name->wire, name->len);
	if (hf_st_is_listed_again(
		s, s->restored[restored].row.source, hash, name->wire, name->len) &&
	    hf_st_vec_push(&s->superseded, restored) < 0)
		s->failed = true;
	s->restored[restored].published = !taken;
	load_claim(s, me);
	load_address(s, me, hf_st_address_hash(s, me));
}

void hf_st_load_sentinel(struct hf_state *s, uint32_t source)
{
	struct st_source *src = &s->sources[source];

	src->sentinel = src->row.sentinel;
	if (!src->row.sentinel || !src->row.suffix.len)
		return;
	src->sentinel_claimed = true;
	load_claim(s, WHO(WHO_SENTINEL, source));
}

void hf_st_names_done(struct hf_state *s)
{
	hf_st_names_forget(s);
	hf_multimap_done(&s->claims);
	hf_multimap_done(&s->addresses);
	hf_st_vec_done(&s->unresolved);
	hf_st_vec_done(&s->changed);
	hf_st_vec_done(&s->superseded);
}

/* --- for who looks --- */

static int claim_tell(const struct hf_state *s, uint32_t who, st_name_cb cb, void *arg)
{
	struct hf_name_change record = { 0 };
	struct st_record now;

	if (!hf_st_who_published(s, who) || hf_st_who_name(s, who, &record.name))
		return 0;
	hf_st_record_of(s, who, &now);
	record.flags = now.flags;
	memcpy(record.addr, now.addr, sizeof(record.addr));
	record.source = now.source;
	record.owner = now.owner;
	record.agent = hf_st_who_kind(who) == WHO_AGENT ? hf_st_who_ix(who) : ST_NONE;
	record.first_seen_s = now.first_seen_s;
	return cb(&record, arg);
}

int hf_st_each_name(const struct hf_state *s, st_name_cb cb, void *arg)
{
	int rc = 0;

	for (uint32_t ix = 0; ix < s->n_agents && !rc; ix++)
		for (unsigned place = 0; s->agents[ix].used && place < ST_PLACES && !rc; place++)
			rc = claim_tell(s, WHO_AGENT_NAME(ix, place), cb, arg);
	for (uint32_t ix = 0; ix < s->n_restored && !rc; ix++)
		if (s->restored[ix].used)
			rc = claim_tell(s, WHO(WHO_RESTORED, ix), cb, arg);
	for (uint32_t ix = 0; ix < HF_ZONE_SOURCES_MAX && !rc; ix++)
		if (s->sources[ix].used)
			rc = claim_tell(s, WHO(WHO_SENTINEL, ix), cb, arg);
	return rc;
}

int hf_st_one_name(const struct hf_state *s, const struct hf_name *name, st_name_cb cb, void *arg)
{
	uint32_t who =
	    hf_st_publisher(s, hf_st_name_hash(s, name->wire, name->len), name->wire, name->len);

	return who == ST_NONE ? 0 : claim_tell(s, who, cb, arg);
}
