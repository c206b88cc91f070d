/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/sum.h"

#include <string.h>

#include "base/xxh.h"
#include "zone/record.h"

/*
 * What stands beside the name is the seed of its hash: a start sums all names twice, so nothing is
 * copied together.
 */
static uint64_t sum_mix(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 32;
}

uint64_t hf_sum_of(const struct hf_name *name, const uint8_t addr[static 16], uint8_t flags,
    uint32_t source, uint32_t owner)
{
	uint64_t halves[2], slot = owner < HF_ZONE_OWNERS_MAX ? owner : HF_ZONE_OWNER_NONE;
	uint64_t seed = flags | (uint64_t)(uint16_t)source << 8 | slot << 24;

	memcpy(halves, addr, sizeof(halves));
	seed = sum_mix(sum_mix(sum_mix(0, seed), halves[0]), halves[1]);
	return XXH3_64bits_withSeed(name->wire, name->len, seed);
}
