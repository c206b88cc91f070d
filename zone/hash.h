#pragma once
/*
 * hash: xxHash for the zone's files, compiled in: nothing is linked, so that a plugin brings no
 * symbol of it into its host. Include this and never <xxhash.h>.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdint.h>

/* XXH3 128 in its canonical (big endian) form: what `current` holds, in hex. */
static inline void hf_hash_store(XXH128_hash_t hash, uint8_t ret_hash[static 16])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	for (unsigned i = 0; i < sizeof(canonical.digest); i++)
		ret_hash[i] = canonical.digest[i];
}
