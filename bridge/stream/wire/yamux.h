/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * yamux: the client's side of one session that carries many streams over one connection. A pure
 * state machine: bytes of the peer in, events out; bytes for the peer go to a send queue.
 *
 * Only we open streams. The window of a stream is told to the peer again when its data has been
 * consumed, not when it came.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "bridge/stream/wire/control_limit.h"
#include "bridge/stream/wire/limits.h"
#include "bridge/stream/wire/sendq.h"
#include "bridge/stream/wire/stream_fault.h"

enum { HF_YAMUX_WINDOW = 256 << 10, HF_YAMUX_PINGS = 4, HF_YAMUX_RESETS = 256 };

struct hf_yamux_stream; /* yamux.c */

struct hf_yamux {
	const struct hf_stream_limits *limits; /* borrowed, as all below; they outlive it */
	struct hf_sendq *out;
	struct hf_pongs *pongs;
	struct hf_yamux_stream *streams; /* owned; by rising id */
	size_t n_streams;
	size_t n_closing; /* of them: those that we have closed and the peer has not */
	uint32_t resets[HF_YAMUX_RESETS]; /* the last streams that we reset: what they sent may
					     still come */
	size_t n_resets;                  /* of all times */
	uint32_t next_id;
	uint32_t pings[HF_YAMUX_PINGS]; /* sent and not answered */
	unsigned n_pings;
	uint32_t last_ping;
	bool going_away; /* the peer opens no more streams for us */
	struct hf_control_limit flood;
	uint8_t head[12]; /* of the frame that is coming in */
	size_t n_head;
	uint32_t left;    /* of its data */
	uint32_t data_id; /* whose data that is */
	bool data_fin;    /* and whether it is the last */
	uint32_t goaway_code;
	enum hf_stream_fault trouble; /* stays */
};

enum hf_yamux_what {
	YAMUX_DATA,   /* bytes of a stream, lent until the next call */
	YAMUX_FIN,    /* the peer sends no more on a stream */
	YAMUX_RST,    /* a stream is gone */
	YAMUX_PONG,   /* the answer to a ping of ours */
	YAMUX_GOAWAY, /* streams that are open go on, no more can be opened */
};

struct hf_yamux_event {
	enum hf_yamux_what what;
	uint32_t stream; /* DATA, FIN, RST */
	const uint8_t *bytes;
	size_t len;
};

/* 0 or -ENOMEM. */
int hf_yamux_init(struct hf_yamux *y, const struct hf_stream_limits *limits, struct hf_sendq *out,
    struct hf_pongs *pongs);
void hf_yamux_done(struct hf_yamux *y); /* fine on a zeroed struct */

/*
 * Takes bytes from `in` up to the next event. 1 and the event; 0 when all bytes are taken; or a
 * negative code: the peer broke the protocol or a limit (y->trouble), and the session is over.
 */
int hf_yamux_next(
    struct hf_yamux *y, struct hf_rd *in, int64_t now_ms, struct hf_yamux_event *ret_event);

/* Does an event wait that needs no further bytes? */
bool hf_yamux_pending(const struct hf_yamux *y);

/*
 * The calls below that send return 0, or HF_ELIMIT or -ENOMEM when the send queue takes no more;
 * the session is over then too.
 *
 * hf_yamux_open() also returns HF_ECLOSED after the peer's GoAway, and -EMFILE when as many streams
 * as allowed are open; hf_yamux_write() -EAGAIN when the peer's window is too small for all of it;
 * hf_yamux_ping() -EBUSY when HF_YAMUX_PINGS are unanswered. Then nothing was sent, and all goes
 * on.
 */
int hf_yamux_open(struct hf_yamux *y, uint32_t *ret_stream);
int hf_yamux_write(struct hf_yamux *y, uint32_t stream, const void *bytes, size_t len);
/* n bytes of the stream's data are done with. Of a stream that is gone it does nothing. */
int hf_yamux_consumed(struct hf_yamux *y, uint32_t stream, size_t n);
/* We send no more on a stream; what the peer sends still comes, until it ends it too. */
int hf_yamux_fin(struct hf_yamux *y, uint32_t stream);
/* We are done with a stream: the same, and no event of it comes any more. */
int hf_yamux_close(struct hf_yamux *y, uint32_t stream);
int hf_yamux_ping(struct hf_yamux *y);
