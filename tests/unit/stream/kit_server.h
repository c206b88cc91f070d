/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_server: the other end of a connection, for tests of the whole stack. Wraps bytes of one layer
 * in all layers below it, drives a stack with them, and tells its events as text:
 *
 *   open|update 1 snapshot 2w 1a|ended 1 call-error 12 'text'|over ws-closed 1000 'reason'|
 */
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/stack.h"
#include "tests/unit/stream/kit_bytes.h"

enum server_layer { LAYER_HTTP, LAYER_WS, LAYER_YAMUX, LAYER_DRPC, LAYER_PROTOBUF };

/* The head that answers the upgrade of a stack with server_random. */
extern const char server_head[];

/* Gives server_nonce, at first the sample one, whose answer is in server_head; every mask is 0. */
extern const uint8_t server_sample_nonce[HF_UPGRADE_NONCE];
extern const uint8_t *server_nonce;
int server_random(void *arg, uint8_t *out, size_t len);

void server_ws(struct bytes *b, const void *payload, size_t len);
void server_yamux(
    struct bytes *b, int type, int flags, uint32_t stream, const void *data, size_t len);
/* One dRPC message of stream `stream`, in one frame of each layer. */
void server_message(struct bytes *b, uint32_t stream, uint64_t id, const char *wire);
/* `wire` as one piece of `layer`, on stream 1, in message 1; whole. */
void server_wrap(struct bytes *b, enum server_layer layer, const char *wire);

/* A stack and what came out of it. */
struct server_peer {
	struct hf_stack *stack;
	struct bytes told;
	unsigned calls_at_open;      /* how many calls are made when it opens */
	const struct hf_uuid *owner; /* for them; NULL: any */
	uint64_t n_updates;
	bool cancel_after_diff;
};

void server_start(struct server_peer *p, const struct hf_stream_limits *limits);
void server_stop(struct server_peer *p);
/* Gives bytes, in memory of their own, takes all events; hf_stack_input()'s result. */
int server_give(struct server_peer *p, int64_t now_ms, const uint8_t *bytes, size_t len);
void server_take(struct server_peer *p);
/* What was told since the last time; lent until the next call on `p`. */
const char *server_told(struct server_peer *p);
/* Takes what the stack sends: the payload of its websocket messages is added to `b`. */
void server_read(struct server_peer *p, struct bytes *b);
