#include "bridge/state/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Who claims a name: kind in the top bits, then an index; an agent's has the name's place (0 to 2)
 * in its lowest two bits. In the map of addresses an agent stands with place 0.
 */
enum { WHO_AGENT = 0, WHO_RESTORED = 1, WHO_SENTINEL = 2, WHO_KIND_SHIFT = 30 };
#define WHO(kind, ix) ((uint32_t)(kind) << WHO_KIND_SHIFT | (ix))
#define WHO_AGENT_NAME(ix, place) WHO(WHO_AGENT, (ix) << 2 | (place))

enum { PLACES = 3, CHUNK_BYTES = 64 * 1024, NAMES_LISTED_MAX = 20000 };

/* What the store has of a name that was touched since. */
struct before {
	uint8_t flags;
	uint8_t addr[16];
	uint32_t source, owner, agent;
	int64_t first_seen_s;
};

struct st_dirty_name {
	const struct before *before; /* in the arena; NULL: not published */
	uint32_t hash;
	bool unresolved;
	bool published; /* as last resolved */
	uint8_t why;
	uint8_t len;
	uint8_t wire[];
};

struct st_chunk {
	struct st_chunk *next;
	size_t used;
	_Alignas(16) uint8_t bytes[CHUNK_BYTES];
};

static void *arena_alloc(struct hf_state *s, size_t size)
{
	struct st_chunk *c = s->arena;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!c || CHUNK_BYTES - c->used < size) {
		c = malloc(sizeof(*c));
		if (!c)
			return NULL;
		c->next = s->arena;
		c->used = 0;
		s->arena = c;
	}
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

static void arena_free(struct hf_state *s)
{
	while (s->arena) {
		struct st_chunk *next = s->arena->next;

		free(s->arena);
		s->arena = next;
	}
}

/* --- who is who --- */

static unsigned who_kind(uint32_t who)
{
	return who >> WHO_KIND_SHIFT;
}

static uint32_t who_ix(uint32_t who)
{
	uint32_t rest = who & (((uint32_t)1 << WHO_KIND_SHIFT) - 1);

	return who_kind(who) == WHO_AGENT ? rest >> 2 : rest;
}

static unsigned who_bit(uint32_t who)
{
	return 1u << (who & 3);
}

static const struct st_owner *agent_owner(const struct hf_state *s, const struct st_agent *a)
{
	return &s->owners[s->ws[a->ws].row.owner];
}

static uint32_t who_source(const struct hf_state *s, uint32_t who)
{
	uint32_t ix = who_ix(who);

	if (who_kind(who) == WHO_AGENT)
		return agent_owner(s, &s->agents[ix])->row.source;
	return who_kind(who) == WHO_RESTORED ? s->restored[ix].row.source : ix;
}

static int agent_name(const struct hf_state *s, uint32_t ix, unsigned bit, struct hf_name *ret_name)
{
	const struct st_agent *a = &s->agents[ix];
	const struct st_owner *o = agent_owner(s, a);
	struct hf_agent_label label = {
		.agent = a->row.name,
		.workspace = s->ws[a->ws].row.name,
		.owner = o->row.name,
		.suffix = &s->sources[o->row.source].row.suffix,
	};

	return hf_agent_name(&label, bit, ret_name);
}

static int who_name(const struct hf_state *s, uint32_t who, struct hf_name *ret_name)
{
	static const char sentinel[] = "is.coder--connect--enabled--right--now";

	switch (who_kind(who)) {
	case WHO_AGENT:
		return agent_name(s, who_ix(who), who_bit(who), ret_name);
	case WHO_RESTORED:
		*ret_name = s->restored[who_ix(who)].row.name;
		return 0;
	default:
		*ret_name = s->sources[who_ix(who)].row.suffix;
		if (hf_name_prepend(ret_name, sentinel + 3, sizeof(sentinel) - 4) < 0)
			return HF_NAME_MAX;
		return hf_name_prepend(ret_name, sentinel, 2);
	}
}

static bool who_is(const struct hf_state *s, uint32_t who, const uint8_t *wire, uint8_t len)
{
	struct hf_name name;

	return who_name(s, who, &name) == 0 && name.len == len && !memcmp(name.wire, wire, len);
}

static bool who_published(const struct hf_state *s, uint32_t who)
{
	uint32_t ix = who_ix(who);

	if (who_kind(who) == WHO_AGENT)
		return s->agents[ix].row.names & who_bit(who);
	return who_kind(who) == WHO_RESTORED ? s->restored[ix].published
					     : s->sources[ix].sentinel_published;
}

static void who_address(const struct hf_state *s, uint32_t who, uint8_t ret_addr[static 16])
{
	static const struct hf_uuid sentinel = { { [15] = 0x53 } };

	if (who_kind(who) == WHO_AGENT)
		hf_addr_of_agent(&s->agents[who_ix(who)].row.id, ret_addr);
	else if (who_kind(who) == WHO_RESTORED)
		memcpy(ret_addr, s->restored[who_ix(who)].row.addr, 16);
	else
		hf_addr_of_agent(&sentinel, ret_addr);
}

/* Live before held before restored. */
static int who_rank(const struct hf_state *s, uint32_t who)
{
	if (who_kind(who) == WHO_RESTORED)
		return 2;
	return who_kind(who) == WHO_AGENT && s->ws[s->agents[who_ix(who)].ws].row.held;
}

/* The one order of this room: negative if a is the better claimant. */
static int compare(const struct hf_state *s, uint32_t a, uint32_t b)
{
	uint32_t order_a = s->sources[who_source(s, a)].order;
	uint32_t order_b = s->sources[who_source(s, b)].order;
	int d = (order_a > order_b) - (order_a < order_b);

	if (!d)
		d = who_rank(s, a) - who_rank(s, b);
	if (!d && who_kind(a) == WHO_AGENT && who_kind(b) == WHO_AGENT) {
		const struct st_agent *x = &s->agents[who_ix(a)], *y = &s->agents[who_ix(b)];

		d = memcmp(s->ws[x->ws].row.id.b, s->ws[y->ws].row.id.b, 16);
		if (!d)
			d = memcmp(x->row.id.b, y->row.id.b, 16);
	}
	return d ? d : (a > b) - (a < b);
}

static void record_of(const struct hf_state *s, uint32_t who, struct before *ret)
{
	uint32_t ix = who_ix(who), source = who_source(s, who);

	memset(ret, 0, sizeof(*ret));
	who_address(s, who, ret->addr);
	ret->source = source;
	ret->owner = ret->agent = ST_NONE;
	if (s->sources[source].row.withdrawn)
		ret->flags |= HF_REC_WITHDRAWN;
	if (who_kind(who) == WHO_AGENT) {
		const struct st_agent *a = &s->agents[ix];

		ret->owner = s->ws[a->ws].row.owner;
		ret->agent = a->row.rid;
		ret->first_seen_s = a->row.first_seen_s;
		if (s->ws[a->ws].row.held)
			ret->flags |= HF_REC_HELD;
		if (a->row.primary == who_bit(who))
			ret->flags |= HF_REC_PRIMARY;
	} else if (who_kind(who) == WHO_RESTORED) {
		ret->first_seen_s = s->restored[ix].row.first_seen_s;
		ret->flags |= HF_REC_RESTORED;
		if (s->restored[ix].row.primary)
			ret->flags |= HF_REC_PRIMARY;
	}
}

static uint32_t name_hash(const struct hf_state *s, const uint8_t *wire, size_t len)
{
	return st_hash(s, wire, len);
}

static uint32_t publisher(const struct hf_state *s, uint32_t hash, const uint8_t *wire, uint8_t len)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t who;

	while (hf_multimap_next(&s->claims, hash, &at, &who))
		if (who_published(s, who) && who_is(s, who, wire, len))
			return who;
	return ST_NONE;
}

/* --- touched names --- */

static struct st_dirty_name *dirty_new(
    struct hf_state *s, uint32_t hash, const uint8_t *wire, uint8_t len)
{
	uint32_t who = publisher(s, hash, wire, len);
	struct st_dirty_name *d = arena_alloc(s, sizeof(*d) + len);
	struct before *b = who == ST_NONE ? NULL : arena_alloc(s, sizeof(*b));

	if (!d || (who != ST_NONE && !b) ||
	    st_grow((void **)&s->dirty, s->n_dirty, &s->size_dirty,
		sizeof(struct st_dirty_name *)) < 0 ||
	    hf_multimap_add(&s->dirty_names, hash, (uint32_t)s->n_dirty) < 0) {
		s->failed = true;
		return NULL;
	}
	if (b)
		record_of(s, who, b);
	memset(d, 0, sizeof(*d));
	d->before = b;
	d->hash = hash;
	d->published = b;
	d->len = len;
	memcpy(d->wire, wire, len);
	s->dirty[s->n_dirty++] = d;
	return d;
}

static void touch(struct hf_state *s, uint32_t hash, const struct hf_name *name)
{
	size_t at = HF_MULTIMAP_START;
	struct st_dirty_name *d = NULL;
	uint32_t i = ST_NONE;

	while (!d && hf_multimap_next(&s->dirty_names, hash, &at, &i))
		if (s->dirty[i]->len == name->len &&
		    !memcmp(s->dirty[i]->wire, name->wire, name->len))
			d = s->dirty[i];
	if (!d) {
		i = (uint32_t)s->n_dirty;
		d = dirty_new(s, hash, name->wire, name->len);
	}
	if (!d)
		return;
	d->why = (uint8_t)s->why;
	if (d->unresolved)
		return;
	d->unresolved = true;
	if (st_vec_push(&s->unresolved, i) < 0)
		s->failed = true;
}

static void note_changed(struct hf_state *s, uint32_t who)
{
	if (st_vec_push(&s->changed, who) < 0)
		s->failed = true;
}

static void set_published(struct hf_state *s, uint32_t who, bool published)
{
	uint32_t ix = who_ix(who);

	if (who_published(s, who) == published)
		return;
	if (who_kind(who) == WHO_AGENT) {
		st_dirty_agent(s, ix);
		s->agents[ix].row.names ^= (uint8_t)who_bit(who);
		note_changed(s, WHO_AGENT_NAME(ix, 0));
	} else if (who_kind(who) == WHO_RESTORED) {
		s->restored[ix].published = published;
		note_changed(s, who);
	} else {
		s->sources[ix].sentinel_published = published;
	}
}

static void claim_add(struct hf_state *s, uint32_t who)
{
	struct hf_name name;
	uint32_t hash;

	if (who_name(s, who, &name))
		return;
	hash = name_hash(s, name.wire, name.len);
	touch(s, hash, &name);
	if (hf_multimap_add(&s->claims, hash, who) < 0)
		s->failed = true;
}

static void claim_del(struct hf_state *s, uint32_t who)
{
	struct hf_name name;
	uint32_t hash;

	if (who_name(s, who, &name))
		return;
	hash = name_hash(s, name.wire, name.len);
	touch(s, hash, &name);
	set_published(s, who, false);
	hf_multimap_del(&s->claims, hash, who);
}

/* --- agents --- */

static unsigned wanted(const struct hf_state *s, uint32_t ix)
{
	const struct st_agent *a = &s->agents[ix];
	const struct st_ws *w = &s->ws[a->ws];
	const struct st_owner *o = &s->owners[w->row.owner];
	const struct st_source *src = &s->sources[o->row.source];
	unsigned want = o->row.name[0] ? HF_NAME_OWNER : 0;

	if (a->bad || w->bad || a->addr_lost || !src->row.suffix.len)
		return 0;
	if (hf_uuid_equal(&o->row.id, &src->row.user))
		want |= HF_NAME_ME | (w->n_agents == 1 ? HF_NAME_SHORT : 0);
	return want;
}

static void claim_exactly(struct hf_state *s, uint32_t ix, unsigned want)
{
	for (unsigned place = 0; place < PLACES; place++) {
		unsigned bit = 1u << place, has = s->agents[ix].claimed & bit;
		uint32_t who = WHO_AGENT_NAME(ix, place);

		if (has && !(want & bit)) {
			claim_del(s, who);
			s->agents[ix].claimed &= (uint8_t)~bit;
		} else if (!has && (want & bit)) {
			claim_add(s, who);
			s->agents[ix].claimed |= (uint8_t)bit;
		}
	}
}

void st_unclaim(struct hf_state *s, uint32_t agent)
{
	claim_exactly(s, agent, 0);
	/* What its PTR told went with the names. */
	s->agents[agent].row.primary = 0;
}

void st_claim(struct hf_state *s, uint32_t agent)
{
	claim_exactly(s, agent, wanted(s, agent));
}

void st_reclaim_short(struct hf_state *s, uint32_t ws)
{
	for (uint32_t a = s->ws[ws].first_agent; a != ST_NONE; a = s->agents[a].next)
		st_claim(s, a);
}

static void touch_published(struct hf_state *s, uint32_t who)
{
	struct hf_name name;

	if (who_published(s, who) && !who_name(s, who, &name))
		touch(s, name_hash(s, name.wire, name.len), &name);
}

void st_source_touch(struct hf_state *s, uint32_t source)
{
	for (uint32_t ix = 0; ix < s->n_agents; ix++)
		if (s->agents[ix].used && agent_owner(s, &s->agents[ix])->row.source == source)
			for (unsigned place = 0; place < PLACES; place++)
				touch_published(s, WHO_AGENT_NAME(ix, place));
	for (uint32_t ix = 0; ix < s->n_restored; ix++)
		if (s->restored[ix].used && s->restored[ix].row.source == source)
			touch_published(s, WHO(WHO_RESTORED, ix));
	touch_published(s, WHO(WHO_SENTINEL, source));
}

/* --- addresses --- */

static uint32_t address_hash(const struct hf_state *s, uint32_t who)
{
	uint8_t addr[16];

	who_address(s, who, addr);
	return st_hash(s, addr, sizeof(addr));
}

static bool same_address(const struct hf_state *s, uint32_t a, uint32_t b)
{
	uint8_t x[16], y[16];

	who_address(s, a, x);
	who_address(s, b, y);
	return !memcmp(x, y, sizeof(x));
}

/* The best other agent of the same source with this agent's address. */
static uint32_t address_rival(const struct hf_state *s, uint32_t agent)
{
	uint32_t me = WHO_AGENT_NAME(agent, 0), best = ST_NONE, who;
	size_t at = HF_MULTIMAP_START;

	while (hf_multimap_next(&s->addresses, address_hash(s, me), &at, &who))
		if (who_kind(who) == WHO_AGENT && who != me &&
		    who_source(s, who) == who_source(s, me) && same_address(s, who, me) &&
		    (best == ST_NONE || compare(s, who, best) < 0))
			best = who;
	return best;
}

/* Whoever else has the address may now be the one that its PTR tells. */
static void note_others(struct hf_state *s, uint32_t gone)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t who;

	while (hf_multimap_next(&s->addresses, address_hash(s, gone), &at, &who))
		if (same_address(s, who, gone))
			note_changed(s, who);
}

void st_address_add(struct hf_state *s, uint32_t agent)
{
	struct st_agent *a = &s->agents[agent];
	uint32_t me = WHO_AGENT_NAME(agent, 0), rival;

	if (a->bad || s->ws[a->ws].bad)
		return;
	rival = address_rival(s, agent);
	if (rival != ST_NONE && compare(s, rival, me) < 0) {
		a->addr_lost = true;
	} else if (rival != ST_NONE && !s->agents[who_ix(rival)].addr_lost) {
		st_unclaim(s, who_ix(rival));
		s->agents[who_ix(rival)].addr_lost = true;
	}
	if (hf_multimap_add(&s->addresses, address_hash(s, me), me) < 0)
		s->failed = true;
}

void st_address_del(struct hf_state *s, uint32_t agent)
{
	struct st_agent *a = &s->agents[agent];
	uint32_t me = WHO_AGENT_NAME(agent, 0), rival;

	if (a->bad || s->ws[a->ws].bad)
		return;
	hf_multimap_del(&s->addresses, address_hash(s, me), me);
	note_others(s, me);
	rival = a->addr_lost ? ST_NONE : address_rival(s, agent);
	a->addr_lost = false;
	if (rival == ST_NONE)
		return;
	s->agents[who_ix(rival)].addr_lost = false;
	st_claim(s, who_ix(rival));
}

/* --- restored names, sentinels --- */

void st_restored_claim(struct hf_state *s, uint32_t restored)
{
	uint32_t who = WHO(WHO_RESTORED, restored);

	claim_add(s, who);
	if (hf_multimap_add(&s->addresses, address_hash(s, who), who) < 0)
		s->failed = true;
}

void st_restored_remove(struct hf_state *s, uint32_t restored)
{
	struct st_restored *r = &s->restored[restored];
	uint32_t who = WHO(WHO_RESTORED, restored);

	claim_del(s, who);
	hf_multimap_del(&s->addresses, address_hash(s, who), who);
	note_others(s, who);
	s->sources[r->row.source].n_restored--;
	r->used = false;
	if (!r->stored)
		return;
	if (st_grow((void **)&s->restored_gone, s->n_restored_gone, &s->size_restored_gone,
		sizeof(*s->restored_gone)) < 0)
		s->failed = true;
	else
		s->restored_gone[s->n_restored_gone++] = r->row.name;
}

void st_sentinel_claim(struct hf_state *s, uint32_t source)
{
	struct st_source *src = &s->sources[source];

	if (src->sentinel_claimed || !src->row.sentinel || !src->row.suffix.len)
		return;
	claim_add(s, WHO(WHO_SENTINEL, source));
	src->sentinel_claimed = true;
}

void st_sentinel_unclaim(struct hf_state *s, uint32_t source)
{
	if (!s->sources[source].sentinel_claimed)
		return;
	claim_del(s, WHO(WHO_SENTINEL, source));
	s->sources[source].sentinel_claimed = false;
}

/* --- out of the store --- */

static void load_claim(struct hf_state *s, uint32_t who)
{
	struct hf_name name;

	if (who_name(s, who, &name))
		return;
	if (hf_multimap_add(&s->claims, name_hash(s, name.wire, name.len), who) < 0)
		s->failed = true;
	s->n_names += who_published(s, who);
}

static void load_address(struct hf_state *s, uint32_t who)
{
	if (hf_multimap_add(&s->addresses, address_hash(s, who), who) < 0)
		s->failed = true;
}

void st_load_address(struct hf_state *s, uint32_t agent)
{
	load_address(s, WHO_AGENT_NAME(agent, 0));
}

void st_load_claims(struct hf_state *s, uint32_t agent)
{
	struct st_agent *a = &s->agents[agent];

	/* Without a name of its own only because another of its source has the address. */
	a->addr_lost = !a->row.names && address_rival(s, agent) != ST_NONE;
	a->claimed = (uint8_t)(wanted(s, agent) | a->row.names);
	for (unsigned place = 0; place < PLACES; place++)
		if (a->claimed & 1u << place)
			load_claim(s, WHO_AGENT_NAME(agent, place));
}

void st_load_restored(struct hf_state *s, uint32_t restored)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t me = WHO(WHO_RESTORED, restored), who;
	const struct hf_name *name = &s->restored[restored].row.name;
	uint32_t hash = name_hash(s, name->wire, name->len);
	bool taken = false;

	/* Agents come first: one that publishes the name has taken it over. */
	while (!taken && hf_multimap_next(&s->claims, hash, &at, &who))
		taken = who_published(s, who) && who_is(s, who, name->wire, name->len);
	s->restored[restored].published = !taken;
	load_claim(s, me);
	load_address(s, me);
}

void st_load_sentinel(struct hf_state *s, uint32_t source)
{
	struct st_source *src = &s->sources[source];

	if (!src->row.sentinel || !src->row.suffix.len)
		return;
	src->sentinel_claimed = src->sentinel_published = true;
	load_claim(s, WHO(WHO_SENTINEL, source));
}

/* --- settling --- */

static void resolve_name(struct hf_state *s, struct st_dirty_name *d)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t best = ST_NONE, who;

	while (hf_multimap_next(&s->claims, d->hash, &at, &who))
		if (who_is(s, who, d->wire, d->len) &&
		    (best == ST_NONE || compare(s, who, best) < 0))
			best = who;
	at = HF_MULTIMAP_START;
	while (hf_multimap_next(&s->claims, d->hash, &at, &who))
		if (who != best && who_is(s, who, d->wire, d->len))
			set_published(s, who, false);
	if (best != ST_NONE)
		set_published(s, best, true);
	s->n_names += (size_t)(best != ST_NONE) - (size_t)d->published;
	d->published = best != ST_NONE;
}

static void set_primary(struct hf_state *s, uint32_t who, bool primary)
{
	uint32_t ix = who_ix(who);

	if (who_kind(who) == WHO_RESTORED) {
		struct st_restored *r = &s->restored[ix];

		if (r->row.primary == primary)
			return;
		touch_published(s, who);
		r->row.primary = primary;
		r->dirty = true;
	} else {
		struct st_agent *a = &s->agents[ix];
		unsigned bit = primary ? (unsigned)a->row.names & -(unsigned)a->row.names : 0;

		if (a->row.primary == bit)
			return;
		for (unsigned place = 0; place < PLACES; place++)
			if ((bit | a->row.primary) & 1u << place)
				touch_published(s, WHO_AGENT_NAME(ix, place));
		st_dirty_agent(s, ix);
		a->row.primary = (uint8_t)bit;
	}
}

static bool publishes(const struct hf_state *s, uint32_t who)
{
	return who_kind(who) == WHO_AGENT ? s->agents[who_ix(who)].row.names
					  : who_published(s, who);
}

/* Of all that publish this address, the best one's first name is what the PTR tells. */
static void resolve_address(struct hf_state *s, uint32_t of)
{
	uint32_t hash = address_hash(s, of), best = ST_NONE, who;
	size_t at = HF_MULTIMAP_START;

	while (hf_multimap_next(&s->addresses, hash, &at, &who))
		if (same_address(s, who, of) && publishes(s, who) &&
		    (best == ST_NONE || compare(s, who, best) < 0))
			best = who;
	at = HF_MULTIMAP_START;
	while (hf_multimap_next(&s->addresses, hash, &at, &who))
		if (same_address(s, who, of))
			set_primary(s, who, who == best);
}

static bool who_exists(const struct hf_state *s, uint32_t who)
{
	return who_kind(who) == WHO_AGENT ? s->agents[who_ix(who)].used
					  : s->restored[who_ix(who)].used;
}

void st_resolve(struct hf_state *s)
{
	for (size_t i = 0; i < s->unresolved.n; i++)
		resolve_name(s, s->dirty[s->unresolved.at[i]]);
	for (size_t i = 0; i < s->changed.n; i++)
		if (who_exists(s, s->changed.at[i]))
			resolve_address(s, s->changed.at[i]);
	/* Names that the PTRs touched meanwhile keep their holder: nothing is left to settle. */
	for (size_t i = 0; i < s->unresolved.n; i++)
		s->dirty[s->unresolved.at[i]]->unresolved = false;
	s->unresolved.n = s->changed.n = 0;
}

/* --- for the changeset --- */

static bool same_record(const struct before *a, const struct before *b)
{
	return a->flags == b->flags && a->source == b->source && a->owner == b->owner &&
	       a->agent == b->agent && a->first_seen_s == b->first_seen_s &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static enum hf_what what_happened(const struct before *before, const struct before *now)
{
	uint8_t came = before ? now->flags & (uint8_t)~before->flags : 0;
	uint8_t went = before ? before->flags & (uint8_t)~now->flags : 0;

	if (!before)
		return HF_WHAT_ADDED;
	if (came & HF_REC_WITHDRAWN)
		return HF_WHAT_WITHDRAWN;
	if (went & HF_REC_WITHDRAWN)
		return HF_WHAT_RETURNED;
	if (came & HF_REC_HELD)
		return HF_WHAT_HELD;
	return went & HF_REC_HELD ? HF_WHAT_RELEASED : HF_WHAT_CHANGED;
}

static void change_at(const struct hf_changeset *c, size_t i, struct hf_name_change *ret)
{
	const struct hf_state *s = c->names_arg;
	const struct st_dirty_name *d = s->taken[i];
	uint32_t who = publisher(s, d->hash, d->wire, d->len);
	struct before now;

	memset(ret, 0, sizeof(*ret));
	ret->name.len = d->len;
	memcpy(ret->name.wire, d->wire, d->len);
	ret->removed = who == ST_NONE;
	ret->why = (enum hf_reason)d->why;
	if (who == ST_NONE)
		now = *d->before;
	else
		record_of(s, who, &now);
	ret->what = who == ST_NONE ? HF_WHAT_REMOVED : what_happened(d->before, &now);
	ret->flags = now.flags;
	memcpy(ret->addr, now.addr, sizeof(ret->addr));
	ret->source = now.source;
	ret->owner = now.owner;
	ret->agent = now.agent;
	ret->first_seen_s = now.first_seen_s;
}

static bool changed(const struct hf_state *s, const struct st_dirty_name *d)
{
	uint32_t who = publisher(s, d->hash, d->wire, d->len);
	struct before now;

	if (who == ST_NONE || !d->before)
		return (who == ST_NONE) != !d->before;
	record_of(s, who, &now);
	return !same_record(&now, d->before);
}

int st_names_take(struct hf_state *s)
{
	s->n_taken = 0;
	/* So many are not listed one by one: whoever follows takes all names anew. */
	s->changes.names_reset = s->n_dirty > NAMES_LISTED_MAX;
	if (s->changes.names_reset)
		return 0;
	for (size_t i = 0; i < s->n_dirty; i++) {
		if (!changed(s, s->dirty[i]))
			continue;
		if (st_grow((void **)&s->taken, s->n_taken, &s->size_taken,
			sizeof(struct st_dirty_name *)) < 0)
			return -ENOMEM;
		s->taken[s->n_taken++] = s->dirty[i];
	}
	s->changes.name_at = change_at;
	s->changes.names_arg = s;
	s->changes.n_names = s->n_taken;
	return 0;
}

void st_names_committed(struct hf_state *s)
{
	hf_multimap_done(&s->dirty_names);
	free(s->dirty);
	free(s->taken);
	s->dirty = s->taken = NULL;
	s->n_dirty = s->size_dirty = s->n_taken = s->size_taken = 0;
	arena_free(s);
}

void st_names_done(struct hf_state *s)
{
	st_names_committed(s);
	hf_multimap_done(&s->claims);
	hf_multimap_done(&s->addresses);
	st_vec_done(&s->unresolved);
	st_vec_done(&s->changed);
}

static int tell(const struct hf_state *s, uint32_t who, st_name_cb cb, void *arg)
{
	struct hf_name_change record = { 0 };
	struct before now;

	if (!who_published(s, who) || who_name(s, who, &record.name))
		return 0;
	record_of(s, who, &now);
	record.flags = now.flags;
	memcpy(record.addr, now.addr, sizeof(record.addr));
	record.source = now.source;
	record.owner = now.owner;
	record.agent = who_kind(who) == WHO_AGENT ? who_ix(who) : ST_NONE;
	record.first_seen_s = now.first_seen_s;
	return cb(&record, arg);
}

int st_each_name(const struct hf_state *s, st_name_cb cb, void *arg)
{
	int rc = 0;

	for (uint32_t ix = 0; ix < s->n_agents && !rc; ix++)
		for (unsigned place = 0; s->agents[ix].used && place < PLACES && !rc; place++)
			rc = tell(s, WHO_AGENT_NAME(ix, place), cb, arg);
	for (uint32_t ix = 0; ix < s->n_restored && !rc; ix++)
		if (s->restored[ix].used)
			rc = tell(s, WHO(WHO_RESTORED, ix), cb, arg);
	for (uint32_t ix = 0; ix < HF_ZONE_SOURCES_MAX && !rc; ix++)
		if (s->sources[ix].used)
			rc = tell(s, WHO(WHO_SENTINEL, ix), cb, arg);
	return rc;
}
