/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/dirty_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/claimant.h"
#include "zone/sum.h"

enum { CHUNK_BYTES = 64 * 1024, NAMES_LISTED_MAX = 20000 };

struct st_chunk {
	struct st_chunk *next;
	size_t used;
	_Alignas(16) uint8_t bytes[CHUNK_BYTES];
};

static void *dirty_arena_alloc(struct hf_state *s, size_t size)
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

static void dirty_arena_free(struct hf_state *s)
{
	while (s->arena) {
		struct st_chunk *next = s->arena->next;

		free(s->arena);
		s->arena = next;
	}
}

static struct st_dirty_name *dirty_new(
    struct hf_state *s, uint32_t hash, const uint8_t *wire, uint8_t len)
{
	uint32_t who = hf_st_publisher(s, hash, wire, len);
	struct st_dirty_name *d = dirty_arena_alloc(s, sizeof(*d) + len);
	struct st_record *b = who == ST_NONE ? NULL : dirty_arena_alloc(s, sizeof(*b));

	if (!d || (who != ST_NONE && !b) ||
	    hf_st_grow((void **)&s->dirty, s->n_dirty, &s->size_dirty,
		sizeof(struct st_dirty_name *)) < 0 ||
	    hf_multimap_add(&s->dirty_names, hash, (uint32_t)s->n_dirty) < 0) {
		s->failed = true;
		return NULL;
	}
	if (b)
		hf_st_record_of(s, who, b);
	memset(d, 0, sizeof(*d));
	d->before = b;
	d->hash = hash;
	d->published = b;
	d->len = len;
	memcpy(d->wire, wire, len);
	s->dirty[s->n_dirty++] = d;
	return d;
}

void hf_st_touch(struct hf_state *s, uint32_t hash, const struct hf_name *name)
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
	s->work++;
	d->why = (uint8_t)s->why;
	if (d->unresolved)
		return;
	d->unresolved = true;
	if (hf_st_vec_push(&s->unresolved, i) < 0)
		s->failed = true;
}

void hf_st_note_changed(struct hf_state *s, uint32_t who)
{
	uint32_t ix = hf_st_who_ix(who);
	bool *noted =
	    hf_st_who_kind(who) == WHO_AGENT ? &s->agents[ix].noted : &s->restored[ix].noted;

	if (*noted)
		return;
	*noted = true;
	if (hf_st_vec_push(&s->changed, who) < 0)
		s->failed = true;
}

void hf_st_set_published(struct hf_state *s, uint32_t who, bool published)
{
	uint32_t ix = hf_st_who_ix(who);

	if (hf_st_who_published(s, who) == published)
		return;
	if (hf_st_who_kind(who) == WHO_AGENT) {
		hf_st_dirty_agent(s, ix);
		s->agents[ix].row.names ^= (uint8_t)hf_st_who_bit(who);
		hf_st_note_changed(s, WHO_AGENT_NAME(ix, 0));
	} else if (hf_st_who_kind(who) == WHO_RESTORED) {
		s->restored[ix].published = published;
		hf_st_note_changed(s, who);
	} else {
		s->sources[ix].row.sentinel = published;
		s->sources[ix].dirty = true;
	}
}

void hf_st_touch_published(struct hf_state *s, uint32_t who)
{
	struct hf_name name;

	if (hf_st_who_published(s, who) && !hf_st_who_name(s, who, &name))
		hf_st_touch(s, hf_st_name_hash(s, name.wire, name.len), &name);
}

/* --- for the changeset --- */

static bool same_record(const struct st_record *a, const struct st_record *b)
{
	return a->flags == b->flags && a->source == b->source && a->owner == b->owner &&
	       a->agent == b->agent && a->first_seen_s == b->first_seen_s &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static enum hf_what what_happened(const struct st_record *before, const struct st_record *now)
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
	uint32_t who = hf_st_publisher(s, d->hash, d->wire, d->len);
	struct st_record now;

	memset(ret, 0, sizeof(*ret));
	ret->name.len = d->len;
	memcpy(ret->name.wire, d->wire, d->len);
	ret->removed = who == ST_NONE;
	ret->why = (enum hf_reason)d->why;
	if (who == ST_NONE)
		now = *d->before;
	else
		hf_st_record_of(s, who, &now);
	ret->what = who == ST_NONE ? HF_WHAT_REMOVED : what_happened(d->before, &now);
	ret->flags = now.flags;
	memcpy(ret->addr, now.addr, sizeof(ret->addr));
	ret->source = now.source;
	ret->owner = now.owner;
	ret->agent = now.agent;
	ret->first_seen_s = now.first_seen_s;
}

static bool dirty_name_changed(const struct hf_state *s, const struct st_dirty_name *d)
{
	uint32_t who = hf_st_publisher(s, d->hash, d->wire, d->len);
	struct st_record now;

	if (who == ST_NONE || !d->before)
		return (who == ST_NONE) != !d->before;
	hf_st_record_of(s, who, &now);
	return !same_record(&now, d->before);
}

int hf_st_names_take(struct hf_state *s)
{
	s->n_taken = 0;
	/* So many are not listed one by one: whoever follows takes all names anew. */
	s->changes.names_reset = s->n_dirty > NAMES_LISTED_MAX || s->rewrite;
	if (s->changes.names_reset)
		return 0;
	for (size_t i = 0; i < s->n_dirty; i++) {
		if (!dirty_name_changed(s, s->dirty[i]))
			continue;
		if (hf_st_grow((void **)&s->taken, s->n_taken, &s->size_taken,
			sizeof(struct st_dirty_name *)) < 0)
			return -ENOMEM;
		s->taken[s->n_taken++] = s->dirty[i];
	}
	s->changes.name_at = change_at;
	s->changes.names_arg = s;
	s->changes.n_names = s->n_taken;
	return 0;
}

static uint64_t sum_of_record(const struct hf_name *name, const struct st_record *r)
{
	return hf_sum_of(name, r->addr, r->flags, r->source, r->owner);
}

/* What a name that was touched tells now, in place of what it told. */
static uint64_t sum_of_change(const struct hf_state *s, const struct st_dirty_name *d)
{
	uint32_t who = hf_st_publisher(s, d->hash, d->wire, d->len);
	struct hf_name name = { .len = d->len };
	struct st_record now;
	uint64_t sum = 0;

	memcpy(name.wire, d->wire, d->len);
	if (d->before)
		sum -= sum_of_record(&name, d->before);
	if (who == ST_NONE)
		return sum;
	hf_st_record_of(s, who, &now);
	return sum + sum_of_record(&name, &now);
}

bool hf_state_lent_step(struct hf_state *s, size_t items)
{
	size_t left = s->n_dirty - s->summed;

	if (!s->lent || s->job.update)
		return false;
	for (size_t end = s->summed + (items < left ? items : left); s->summed < end; s->summed++)
		s->sum_more += sum_of_change(s, s->dirty[s->summed]);
	return s->summed < s->n_dirty;
}

void hf_st_names_not_committed(struct hf_state *s)
{
	s->summed = 0;
	s->sum_more = 0;
}

void hf_st_names_committed(struct hf_state *s)
{
	for (; s->summed < s->n_dirty; s->summed++)
		s->sum_more += sum_of_change(s, s->dirty[s->summed]);
	s->sum += s->sum_more;
	hf_st_names_forget(s);
}

void hf_st_names_forget(struct hf_state *s)
{
	hf_multimap_done(&s->dirty_names);
	free(s->dirty);
	free(s->taken);
	s->dirty = s->taken = NULL;
	s->n_dirty = s->size_dirty = s->n_taken = s->size_taken = 0;
	hf_st_names_not_committed(s);
	dirty_arena_free(s);
}
