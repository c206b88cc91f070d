/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/heartbeat.h"

#include "base/timing.h"

enum { PONG_MOST_MS = 600 * 1000 }; /* a pong, however steadily something else comes before it */

static void await_pong(struct hf_heartbeat *b, int64_t now_ms, uint64_t received)
{
	hf_patience_begin(&b->pong, b->timeouts->ping_timeout_ms, PONG_MOST_MS, now_ms, received);
}

void hf_heartbeat_begin(
    struct hf_heartbeat *b, const struct hf_stream_timeouts *timeouts, int64_t now_ms)
{
	*b = (struct hf_heartbeat){ .timeouts = timeouts,
		.ping_ms = now_ms + timeouts->ping_interval_ms };
}

void hf_heartbeat_ping(struct hf_heartbeat *b, bool sent, int64_t now_ms, uint64_t received)
{
	if (sent && !b->pinged) {
		b->pinged = true;
		await_pong(b, now_ms, received);
	}
	b->ping_ms = now_ms + b->timeouts->ping_interval_ms;
}

void hf_heartbeat_pong(struct hf_heartbeat *b)
{
	b->pinged = false;
	b->doubt_ms = 0;
}

void hf_heartbeat_note(struct hf_heartbeat *b, int64_t now_ms, uint64_t received)
{
	hf_patience_note(&b->pong, now_ms, received);
	if (received != b->doubt_at)
		b->doubt_ms = 0;
}

void hf_heartbeat_forgive(struct hf_heartbeat *b, int64_t now_ms, uint64_t received)
{
	b->doubt_ms = 0;
	await_pong(b, now_ms, received);
}

void hf_heartbeat_doubt(struct hf_heartbeat *b, int64_t now_ms, uint64_t received)
{
	b->doubt_ms = now_ms + b->timeouts->doubt_ms;
	b->doubt_at = received;
}

bool hf_heartbeat_is_late(struct hf_heartbeat *b, int64_t now_ms)
{
	return (b->pinged && hf_patience_over(&b->pong, now_ms)) ||
	       (b->doubt_ms && now_ms >= b->doubt_ms);
}

int64_t hf_heartbeat_next(const struct hf_heartbeat *b)
{
	int64_t due = b->ping_ms;

	if (b->pinged)
		due = hf_time_sooner(due, hf_patience_next(&b->pong));
	return b->doubt_ms ? hf_time_sooner(due, b->doubt_ms) : due;
}
