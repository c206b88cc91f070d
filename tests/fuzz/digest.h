/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * digest: a number for all that came out of a decoder, byte by byte, so that a fuzz target can
 * demand the same of bytes that come whole and bytes that come in pieces.
 */
#include <stddef.h>
#include <stdint.h>

/* FNV-1a. */
static inline uint64_t digest_u8(uint64_t digest, uint8_t v)
{
	return (digest ^ v) * 0x100000001b3u;
}

static inline uint64_t digest_number(uint64_t digest, uint64_t v)
{
	for (int i = 0; i < 64; i += 8)
		digest = digest_u8(digest, (uint8_t)(v >> i));
	return digest;
}

/* `mark` before each byte: where a run of bytes was cut does not matter. */
static inline uint64_t digest_bytes(uint64_t digest, uint64_t mark, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		digest = digest_u8(digest_number(digest, mark), at[i]);
	return digest;
}
