/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * multimap: from a 32-bit hash to any number of 32-bit values, in 8 bytes an entry at most 3/4
 * full. It holds no keys: whoever asks compares what the value stands for. State keeps its ids,
 * names and addresses in it, where 300,000 entries of a general hash table would weigh more than
 * the model.
 */
#include <stddef.h>
#include <stdint.h>

struct hf_multimap {
	struct hf_multimap_slot {
		uint32_t hash;
		uint32_t value; /* plus one; 0: free */
	} * slots;              /* owned */
	size_t size;            /* a power of two */
	size_t used;
};

void hf_multimap_done(struct hf_multimap *m);
/* Room for so many entries in all, so that they come in without a copy of the map. 0 or -ENOMEM. */
int hf_multimap_reserve(struct hf_multimap *m, size_t n);
/* 0 or -ENOMEM. `value` is below UINT32_MAX. The same pair may be added twice. */
int hf_multimap_add(struct hf_multimap *m, uint32_t hash, uint32_t value);
/* Takes one such pair out, if there is one. */
void hf_multimap_del(struct hf_multimap *m, uint32_t hash, uint32_t value);

/*
 * All values of a hash: size_t at = HF_MULTIMAP_START; while (hf_multimap_next(m, hash, &at,
 * &value)) ... The map must not change meanwhile.
 */
#define HF_MULTIMAP_START SIZE_MAX
int hf_multimap_next(const struct hf_multimap *m, uint32_t hash, size_t *at, uint32_t *ret_value);
