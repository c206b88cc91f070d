/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_coder: the stream's end of a Coder server on a connection of kit_curl: reads what the client
 * sends (upgrade, websocket, yamux, calls), and does what the test says. All moments are those of
 * loop_clock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/client/kit_curl.h"
#include "zone/addr.h"

enum { CODER_STREAMS_MAX = 64, CODER_OWNERS_MAX = 12, CODER_PINGS_MAX = 8 };

/* Owner `i` of the world. */
struct hf_uuid coder_owner(unsigned i);

struct coder_stream {
	uint32_t id;
	int owner;        /* -1: the call did not come yet */
	bool closed;      /* by one side */
	bool begun;       /* some byte was sent */
	bool snapshot;    /* one was sent */
	uint64_t message; /* the number of the last one */
	int64_t since_ms;
	int64_t byte_ms; /* the last byte of it for the client */
};

struct coder {
	struct curl_connection *line;
	struct bytes frames; /* yamux, from the client */
	bool asked;          /* the upgrade came */
	bool open;           /* and was granted */
	bool goodbye;        /* the client closed the websocket */
	bool goaway;
	bool excused;                     /* the client may leave it for another at any time */
	int64_t live_ms;                  /* the client became live on it; 0: it did not */
	uint32_t pings[CODER_PINGS_MAX];  /* not answered, the oldest first */
	int64_t ping_ms[CODER_PINGS_MAX]; /* when they came */
	size_t n_pings;
	int64_t since_ms; /* the upgrade was asked for */
	int64_t byte_ms;  /* the last byte for the client */
	struct coder_stream streams[CODER_STREAMS_MAX];
	size_t n_streams; /* those that the client has */
	size_t cancelled; /* streams that the client ended, in all */
};

struct coder *coder_new(struct curl_connection *line);
void coder_free(struct coder *s);

/* Takes what the client sent. `on_call` hears of each call, by owner. */
void coder_read(struct coder *s, void (*on_call)(int owner, void *arg), void *arg);

void coder_upgrade(struct coder *s, bool granted, unsigned status);
/* The next message; or some bytes of it, and it goes on. The first is the snapshot. */
void coder_message(struct coder *s, struct coder_stream *t, bool whole);
/* A message with a bad id: of a diff it is refused whole. */
void coder_bad_message(struct coder *s, struct coder_stream *t);
/* An error of dRPC with this code, its close, or a reset of yamux. */
void coder_error(struct coder *s, struct coder_stream *t, unsigned code);
void coder_close(struct coder *s, struct coder_stream *t);
void coder_reset(struct coder *s, struct coder_stream *t);
/* Answers the oldest ping. */
void coder_pong(struct coder *s);
void coder_goaway(struct coder *s);
void coder_ws_close(struct coder *s);
void coder_junk(struct coder *s);
