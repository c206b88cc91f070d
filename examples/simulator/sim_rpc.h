/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_rpc: the server's end of one dRPC stream (storj.io/drpc): frames in, frames out. One call at
 * a time, and another after it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

struct sim_rpc_config {
	/* A call has its request. */
	void (*called)(void *arg, const char *name, const uint8_t *request, size_t len);
	/* The client ended the call. */
	void (*ended)(void *arg);
	void *arg;
};

/* Zero it, set `config`; end it with hf_sim_rpc_done(). */
struct sim_rpc {
	struct sim_rpc_config config;
	struct evbuffer *in;     /* owned; NULL before the first bytes */
	struct evbuffer *packet; /* owned; frames of a packet that is not whole */
	uint64_t call;           /* the client's number of the call; 0: none is open */
	uint64_t last_call;
	uint64_t next_message;
	char name[128];
};

/* Not 0: the client broke the protocol. */
int hf_sim_rpc_feed(struct sim_rpc *rpc, const uint8_t *bytes, size_t len);
void hf_sim_rpc_done(struct sim_rpc *rpc);
bool hf_sim_rpc_is_open(const struct sim_rpc *rpc);

/* Each adds frames to `out`; nothing where no call is open. Takes all of `message`. */
void hf_sim_rpc_message(struct sim_rpc *rpc, struct evbuffer *message, struct evbuffer *out);
void hf_sim_rpc_close(struct sim_rpc *rpc, struct evbuffer *out);
void hf_sim_rpc_error(struct sim_rpc *rpc, uint64_t code, const char *text, struct evbuffer *out);
