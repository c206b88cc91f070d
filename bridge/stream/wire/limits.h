/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limits: everything that the other end of the control stream could make grow, and how far it may.
 * The configuration fills one of these for each source; all decoders of a connection borrow it.
 */
#include <stddef.h>
#include <stdint.h>

struct hf_stream_limits {
	/* messages */
	size_t message; /* one WorkspaceUpdate on the wire */
	size_t record;  /* one workspace or agent in it; a larger one is refused alone */
	size_t results; /* what the decoded messages of one connection may hold together */
	/* dRPC */
	size_t drpc_frame;
	unsigned drpc_frames; /* of one packet */
	/* yamux */
	unsigned streams; /* at once on one connection */
	/* websocket */
	size_t ws_frame;
	/* HTTP */
	size_t head;          /* of the answer to the upgrade, in bytes */
	unsigned head_fields; /* lines of it */
	/* both kinds of ping, and what we send */
	unsigned pongs;           /* unsent answers to pings */
	unsigned control;         /* control frames without data between them ... */
	unsigned control_span_ms; /* ... within this time */
	size_t unsent;            /* bytes that the peer has not taken yet */
};

#define HF_STREAM_LIMITS_DEFAULT                                                                   \
	{                                                                                          \
		.message = 64u << 20, .record = 4096, .results = 128u << 20,                       \
		.drpc_frame = 16u << 20, .drpc_frames = 8192, .streams = 1024,                     \
		.ws_frame = 16u << 20, .head = 64u << 10, .head_fields = 128, .pongs = 256,        \
		.control = 1000, .control_span_ms = 10000, .unsent = 256u << 10,                   \
	}
