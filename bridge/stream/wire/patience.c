/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/patience.h"

#include "base/timing.h"

void hf_patience_begin(
    struct hf_patience *p, int64_t silence_ms, int64_t most_ms, int64_t now_ms, uint64_t bytes)
{
	*p = (struct hf_patience){ .silence_ms = silence_ms,
		.most_ms = most_ms,
		.since_ms = now_ms,
		.last_ms = now_ms,
		.window_ms = now_ms,
		.window_at = bytes,
		.bytes = bytes };
}

void hf_patience_note(struct hf_patience *p, int64_t now_ms, uint64_t bytes)
{
	if (bytes == p->bytes)
		return;
	p->bytes = bytes;
	p->last_ms = now_ms;
}

bool hf_patience_over(struct hf_patience *p, int64_t now_ms)
{
	if (now_ms >= p->since_ms + p->most_ms || now_ms >= p->last_ms + p->silence_ms)
		return true;
	if (now_ms < p->window_ms + p->silence_ms)
		return false;
	if ((p->bytes - p->window_at) * HF_PATIENCE_SLOWEST_MS < (uint64_t)(now_ms - p->window_ms))
		return true;
	p->window_ms = now_ms;
	p->window_at = p->bytes;
	return false;
}

int64_t hf_patience_next(const struct hf_patience *p)
{
	int64_t at = hf_time_sooner(p->window_ms, p->last_ms) + p->silence_ms;

	return hf_time_sooner(at, p->since_ms + p->most_ms);
}
