/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_sums.h"

#include <errno.h>
#include <stdlib.h>

enum { SUMS_LEAST = 1024 }; /* a power of two, as all sizes are */

/* FNV-1a; never zero. */
uint64_t hf_ub_sum(uint64_t sum, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	if (!sum)
		sum = 0xcbf29ce484222325u;
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ at[i]) * 0x100000001b3u;
	return sum ? sum : 1;
}

static uint64_t *sums_slot(uint64_t *table, size_t size, uint64_t sum)
{
	size_t i = sum & (size - 1);

	while (table[i] && table[i] != sum)
		i = (i + 1) & (size - 1);
	return &table[i];
}

static int sums_grow(struct hf_ub_sums *s)
{
	size_t size = s->size ? s->size * 2 : SUMS_LEAST;
	uint64_t *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < s->size; i++)
		if (s->at[i])
			*sums_slot(table, size, s->at[i]) = s->at[i];
	free(s->at);
	s->at = table;
	s->size = size;
	return 0;
}

bool hf_ub_sums_has(const struct hf_ub_sums *s, uint64_t sum)
{
	return s->size && *sums_slot(s->at, s->size, sum);
}

int hf_ub_sums_add(struct hf_ub_sums *s, uint64_t sum)
{
	uint64_t *at;

	if (2 * (s->n + 1) > s->size && sums_grow(s))
		return -ENOMEM;
	at = sums_slot(s->at, s->size, sum);
	if (*at)
		return 0;
	*at = sum;
	s->n++;
	return 1;
}

void hf_ub_sums_free(struct hf_ub_sums *s)
{
	free(s->at);
	*s = (struct hf_ub_sums){ 0 };
}
