/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * claimant: who may claim a name, as one number: an agent under one of its names, a restored name,
 * a sentinel. What each would publish, and which of two is the better claimant. Private to state.
 */
#include "bridge/state/objects.h"

/*
 * The kind in the top bits, then an index; an agent's has the name's place (0 to 2) in its lowest
 * two bits. In the map of addresses an agent stands with place 0.
 */
enum { WHO_AGENT = 0, WHO_RESTORED = 1, WHO_SENTINEL = 2, WHO_KIND_SHIFT = 30, ST_PLACES = 3 };
#define WHO(kind, ix) ((uint32_t)(kind) << WHO_KIND_SHIFT | (ix))
#define WHO_AGENT_NAME(ix, place) WHO(WHO_AGENT, (ix) << 2 | (place))

/* What a published name tells. */
struct st_record {
	uint8_t flags;
	uint8_t addr[16];
	uint32_t source, owner, agent; /* rids, ST_NONE: none */
	int64_t first_seen_s;
};

unsigned hf_st_who_kind(uint32_t who);
uint32_t hf_st_who_ix(uint32_t who);
unsigned hf_st_who_bit(uint32_t who); /* of an agent's name */
uint32_t hf_st_who_source(const struct hf_state *s, uint32_t who);
bool hf_st_who_published(const struct hf_state *s, uint32_t who);
/* 0, or HF_ENAME: it cannot have this name. */
int hf_st_who_name(const struct hf_state *s, uint32_t who, struct hf_name *ret_name);
bool hf_st_who_is(const struct hf_state *s, uint32_t who, const uint8_t *wire, uint8_t len);
/* The one order of this room: negative if a is the better claimant of a name. */
int hf_st_who_compare(const struct hf_state *s, uint32_t a, uint32_t b);
/* The same for an address: whichever of its names stands for an agent. */
int hf_st_holder_compare(const struct hf_state *s, uint32_t a, uint32_t b);
void hf_st_record_of(const struct hf_state *s, uint32_t who, struct st_record *ret_record);

uint32_t hf_st_name_hash(const struct hf_state *s, const uint8_t *wire, size_t len);
/* Who publishes the name now, or ST_NONE. */
uint32_t hf_st_publisher(const struct hf_state *s, uint32_t hash, const uint8_t *wire, uint8_t len);
/* A live agent of the source, or its sentinel, claims the name. */
bool hf_st_is_listed_again(
    const struct hf_state *s, uint32_t source, uint32_t hash, const uint8_t *wire, uint8_t len);
uint32_t hf_st_address_hash(const struct hf_state *s, uint32_t who);
bool hf_st_same_address(const struct hf_state *s, uint32_t a, uint32_t b);
