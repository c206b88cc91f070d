/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * prng: random numbers that are the same in every run, for property tests. A loop test takes its
 * number as the seed, so Check tells the seed of what failed.
 */
#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t state;
};

/* splitmix64: good enough to choose test cases. */
static inline uint64_t prng_next(struct prng *p)
{
	uint64_t z = p->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number below `limit`, which is not 0. */
static inline size_t prng_below(struct prng *p, size_t limit)
{
	return prng_next(p) % limit;
}

static inline void prng_bytes(struct prng *p, void *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = (uint8_t)prng_next(p);
}

/* `len` characters out of the string `from`, and a NUL after them. */
static inline void prng_text(struct prng *p, const char *from, size_t n_from, char *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = from[prng_below(p, n_from)];
	out[len] = '\0';
}
