/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_mux: the server's end of a yamux session (hashicorp/yamux spec.md), under the client's
 * windows.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct sim_mux; /* opaque */

struct sim_mux_stream {
	struct sim_mux *mux; /* borrowed; outlives it */
	uint32_t id;
	uint32_t send_window;
	uint32_t unacked;     /* bytes taken, for which no window was given back */
	struct evbuffer *out; /* owned; waits for the window */
	bool fin_wanted, fin_sent, fin_seen;
	void *call; /* the owner's */
	struct sim_mux_stream *next;
};

struct sim_mux_config {
	int (*send)(void *arg, const void *bytes, size_t len);
	/* The client opened `s`: sets s->call. Not 0: it is reset. */
	int (*opened)(void *arg, struct sim_mux_stream *s);
	void (*data)(void *arg, struct sim_mux_stream *s, const uint8_t *bytes, size_t len);
	/* The client will send no more. */
	void (*finished)(void *arg, struct sim_mux_stream *s);
	/* `s` goes now. */
	void (*gone)(void *arg, struct sim_mux_stream *s);
	void (*pong)(void *arg);
	void *arg;
};

int hf_sim_mux_new(const struct sim_mux_config *config, struct sim_mux **ret_mux);
void hf_sim_mux_free(struct sim_mux *mux); /* NULL is fine; not inside its callbacks */
/* -EPROTO: the client broke the protocol. -EPIPE: it said GoAway with an error. */
int hf_sim_mux_feed(struct sim_mux *mux, const uint8_t *bytes, size_t len);
/* Sends as the window allows; takes all of `bytes`. */
int hf_sim_mux_write(struct sim_mux_stream *s, struct evbuffer *bytes);
/* Ends our side, after what waits. */
void hf_sim_mux_finish(struct sim_mux_stream *s);
void hf_sim_mux_reset(struct sim_mux_stream *s);
void hf_sim_mux_goaway(struct sim_mux *mux, uint32_t code);
void hf_sim_mux_ping(struct sim_mux *mux);
/* Frees streams that both sides have ended. Not inside its callbacks. */
void hf_sim_mux_reap(struct sim_mux *mux);
