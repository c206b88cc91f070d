/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* hash: xxHash for the zone's files. */
#include <stdint.h>

#include "base/xxh.h"

/* XXH3 128 in its canonical (big endian) form: what `current` holds, in hex. */
static inline void hf_hash_store(XXH128_hash_t hash, uint8_t ret_hash[static 16])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	for (unsigned i = 0; i < sizeof(canonical.digest); i++)
		ret_hash[i] = canonical.digest[i];
}
