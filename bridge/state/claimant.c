/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/claimant.h"

#include <string.h>

unsigned hf_st_who_kind(uint32_t who)
{
	return who >> WHO_KIND_SHIFT;
}

uint32_t hf_st_who_ix(uint32_t who)
{
	uint32_t rest = who & (((uint32_t)1 << WHO_KIND_SHIFT) - 1);

	return hf_st_who_kind(who) == WHO_AGENT ? rest >> 2 : rest;
}

unsigned hf_st_who_bit(uint32_t who)
{
	return 1u << (who & 3);
}

static const struct st_owner *agent_owner(const struct hf_state *s, const struct st_agent *a)
{
	return &s->owners[s->ws[a->ws].row.owner];
}

uint32_t hf_st_who_source(const struct hf_state *s, uint32_t who)
{
	uint32_t ix = hf_st_who_ix(who);

	if (hf_st_who_kind(who) == WHO_AGENT)
		return agent_owner(s, &s->agents[ix])->row.source;
	return hf_st_who_kind(who) == WHO_RESTORED ? s->restored[ix].row.source : ix;
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

int hf_st_who_name(const struct hf_state *s, uint32_t who, struct hf_name *ret_name)
{
	static const char sentinel[] = "is.coder--connect--enabled--right--now";

	switch (hf_st_who_kind(who)) {
	case WHO_AGENT:
		return agent_name(s, hf_st_who_ix(who), hf_st_who_bit(who), ret_name);
	case WHO_RESTORED:
		*ret_name = s->restored[hf_st_who_ix(who)].row.name;
		return 0;
	default:
		*ret_name = s->sources[hf_st_who_ix(who)].row.suffix;
		if (hf_name_prepend(ret_name, sentinel + 3, sizeof(sentinel) - 4) < 0)
			return HF_NAME_MAX;
		return hf_name_prepend(ret_name, sentinel, 2);
	}
}

bool hf_st_who_is(const struct hf_state *s, uint32_t who, const uint8_t *wire, uint8_t len)
{
	struct hf_name name;

	return hf_st_who_name(s, who, &name) == 0 && name.len == len &&
	       !memcmp(name.wire, wire, len);
}

bool hf_st_who_published(const struct hf_state *s, uint32_t who)
{
	uint32_t ix = hf_st_who_ix(who);

	if (hf_st_who_kind(who) == WHO_AGENT)
		return s->agents[ix].row.names & hf_st_who_bit(who);
	return hf_st_who_kind(who) == WHO_RESTORED ? s->restored[ix].published
						   : s->sources[ix].row.sentinel;
}

static void who_address(const struct hf_state *s, uint32_t who, uint8_t ret_addr[static 16])
{
	static const struct hf_uuid sentinel = { { [15] = 0x53 } };

	if (hf_st_who_kind(who) == WHO_AGENT)
		hf_addr_of_agent(&s->agents[hf_st_who_ix(who)].row.id, ret_addr);
	else if (hf_st_who_kind(who) == WHO_RESTORED)
		memcpy(ret_addr, s->restored[hf_st_who_ix(who)].row.addr, 16);
	else
		hf_addr_of_agent(&sentinel, ret_addr);
}

/* A name of the token's own user, of an agent of a former one. */
static bool who_is_former(const struct hf_state *s, uint32_t who)
{
	const struct st_owner *o;

	if (hf_st_who_kind(who) != WHO_AGENT || hf_st_who_bit(who) == HF_NAME_OWNER)
		return false;
	o = agent_owner(s, &s->agents[hf_st_who_ix(who)]);
	return !hf_uuid_equal(&o->row.id, &s->sources[o->row.source].row.user);
}

/* Live before held before restored; `name`: and before restored what was a former user's. */
static int who_rank(const struct hf_state *s, uint32_t who, bool name)
{
	if (hf_st_who_kind(who) == WHO_RESTORED)
		return 3;
	if (name && who_is_former(s, who))
		return 2;
	return hf_st_who_kind(who) == WHO_AGENT && s->ws[s->agents[hf_st_who_ix(who)].ws].row.held;
}

static int claimants_compare(const struct hf_state *s, uint32_t a, uint32_t b, bool name)
{
	uint32_t order_a = s->sources[hf_st_who_source(s, a)].order;
	uint32_t order_b = s->sources[hf_st_who_source(s, b)].order;
	int d = (order_a > order_b) - (order_a < order_b);

	if (!d)
		d = who_rank(s, a, name) - who_rank(s, b, name);
	if (!d && hf_st_who_kind(a) == WHO_AGENT && hf_st_who_kind(b) == WHO_AGENT) {
		const struct st_agent *x = &s->agents[hf_st_who_ix(a)],
				      *y = &s->agents[hf_st_who_ix(b)];

		d = memcmp(s->ws[x->ws].row.id.b, s->ws[y->ws].row.id.b, 16);
		/*
		 * Of two agents of one workspace the newer one: the other's address is the old one.
		 */
		if (!d)
			d = (x->row.rid < y->row.rid) - (x->row.rid > y->row.rid);
	}
	return d ? d : (a > b) - (a < b);
}

int hf_st_who_compare(const struct hf_state *s, uint32_t a, uint32_t b)
{
	return claimants_compare(s, a, b, true);
}

int hf_st_holder_compare(const struct hf_state *s, uint32_t a, uint32_t b)
{
	return claimants_compare(s, a, b, false);
}

void hf_st_record_of(const struct hf_state *s, uint32_t who, struct st_record *ret_record)
{
	uint32_t ix = hf_st_who_ix(who), source = hf_st_who_source(s, who);

	memset(ret_record, 0, sizeof(*ret_record));
	who_address(s, who, ret_record->addr);
	ret_record->source = source;
	ret_record->owner = ret_record->agent = ST_NONE;
	if (s->sources[source].row.withdrawn)
		ret_record->flags |= HF_REC_WITHDRAWN;
	if (hf_st_who_kind(who) == WHO_AGENT) {
		const struct st_agent *a = &s->agents[ix];

		ret_record->owner = s->ws[a->ws].row.owner;
		ret_record->agent = a->row.rid;
		ret_record->first_seen_s = a->row.first_seen_s;
		if (s->ws[a->ws].row.held || who_is_former(s, who))
			ret_record->flags |= HF_REC_HELD;
		if (a->row.primary == hf_st_who_bit(who))
			ret_record->flags |= HF_REC_PRIMARY;
	} else if (hf_st_who_kind(who) == WHO_RESTORED) {
		ret_record->first_seen_s = s->restored[ix].row.first_seen_s;
		ret_record->flags |= HF_REC_RESTORED | (s->restored[ix].row.flags & HF_REC_HELD);
		if (s->restored[ix].row.primary)
			ret_record->flags |= HF_REC_PRIMARY;
	}
}

uint32_t hf_st_name_hash(const struct hf_state *s, const uint8_t *wire, size_t len)
{
	return hf_st_hash(s, wire, len);
}

uint32_t hf_st_publisher(const struct hf_state *s, uint32_t hash, const uint8_t *wire, uint8_t len)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t who;

	while (hf_multimap_next(&s->claims, hash, &at, &who))
		if (hf_st_who_published(s, who) && hf_st_who_is(s, who, wire, len))
			return who;
	return ST_NONE;
}

bool hf_st_is_listed_again(
    const struct hf_state *s, uint32_t source, uint32_t hash, const uint8_t *wire, uint8_t len)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t who;

	while (hf_multimap_next(&s->claims, hash, &at, &who)) {
		bool held = hf_st_who_kind(who) == WHO_AGENT &&
			    s->ws[s->agents[hf_st_who_ix(who)].ws].row.held;

		if (hf_st_who_kind(who) != WHO_RESTORED && !held &&
		    hf_st_who_source(s, who) == source && hf_st_who_is(s, who, wire, len))
			return true;
	}
	return false;
}

uint32_t hf_st_address_hash(const struct hf_state *s, uint32_t who)
{
	uint8_t addr[16];

	who_address(s, who, addr);
	return hf_st_hash(s, addr, sizeof(addr));
}

bool hf_st_same_address(const struct hf_state *s, uint32_t a, uint32_t b)
{
	uint8_t x[16], y[16];

	who_address(s, a, x);
	who_address(s, b, y);
	return !memcmp(x, y, sizeof(x));
}
