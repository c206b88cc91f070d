/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * heartbeat: when an open connection is pinged, and when it is taken for dead: a pong that is late
 * while nothing else comes, or no byte at all soon after something happened that may have cut it.
 * Plain values, no clock; `received` are all bytes that the connection has brought so far.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/stream/client/client_settings.h"
#include "bridge/stream/wire/patience.h"

/* Part of its session. */
struct hf_heartbeat {
	const struct hf_stream_timeouts *timeouts; /* borrowed */
	int64_t ping_ms;                           /* the next is due */
	bool pinged;                               /* and not answered yet */
	struct hf_patience pong;                   /* then: with the connection's bytes */
	int64_t doubt_ms;  /* some byte must have come by then; 0: as usual ... */
	uint64_t doubt_at; /* ... after so many */
};

void hf_heartbeat_begin(
    struct hf_heartbeat *b, const struct hf_stream_timeouts *timeouts, int64_t now_ms);
/* A ping is on its way; or an earlier one still is, and `sent` is false. */
void hf_heartbeat_ping(struct hf_heartbeat *b, bool sent, int64_t now_ms, uint64_t received);
void hf_heartbeat_pong(struct hf_heartbeat *b);
/* Bytes may have come. */
void hf_heartbeat_note(struct hf_heartbeat *b, int64_t now_ms, uint64_t received);
/* Nothing was read until now: nobody could be late. */
void hf_heartbeat_forgive(struct hf_heartbeat *b, int64_t now_ms, uint64_t received);
/* After a ping: a byte is to come soon. */
void hf_heartbeat_doubt(struct hf_heartbeat *b, int64_t now_ms, uint64_t received);
bool hf_heartbeat_is_late(struct hf_heartbeat *b, int64_t now_ms);
/* When something is due. */
int64_t hf_heartbeat_next(const struct hf_heartbeat *b);
