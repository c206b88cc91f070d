/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

uint32_t hf_backoff_fail(struct hf_backoff *b)
{
	uint64_t wait = b->floor_ms ? b->floor_ms : 1;

	for (unsigned i = 0; i < b->failures && wait < b->cap_ms; i++)
		wait *= 2;
	if (b->failures < 64)
		b->failures++;
	if (wait > b->cap_ms)
		wait = b->cap_ms;
	return wait ? (uint32_t)wait : 1; /* 0 would be a busy loop */
}

uint32_t hf_backoff_fail_jittered(struct hf_backoff *b, uint32_t random)
{
	uint64_t wait = hf_backoff_fail(b);
	uint64_t low = wait * 3 / 4, high = wait * 5 / 4;

	/* Spread under the cap too: many that wait the longest must not come back together. */
	if (high > b->cap_ms)
		high = b->cap_ms;
	wait = low + (high - low) * random / UINT32_MAX;
	return wait ? (uint32_t)wait : 1;
}

void hf_backoff_reset(struct hf_backoff *b)
{
	b->failures = 0;
}
