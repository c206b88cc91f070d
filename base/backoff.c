#include "base/backoff.h"

uint32_t hf_backoff_fail(struct hf_backoff *b)
{
	uint64_t wait = b->floor_ms;

	for (unsigned i = 0; i < b->failures && wait < b->cap_ms; i++)
		wait *= 2;
	if (b->failures < 64)
		b->failures++;
	return wait < b->cap_ms ? (uint32_t)wait : b->cap_ms;
}

uint32_t hf_backoff_fail_jittered(struct hf_backoff *b, uint32_t random)
{
	uint64_t wait = hf_backoff_fail(b);

	wait = wait * 3 / 4 + wait / 2 * (uint64_t)random / UINT32_MAX;
	return wait < b->cap_ms ? (uint32_t)wait : b->cap_ms;
}

void hf_backoff_reset(struct hf_backoff *b)
{
	b->failures = 0;
}
