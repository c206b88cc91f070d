/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_ws: the server's end of a websocket (RFC 6455), over wslay. Writes frames into an evbuffer.
 */
#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct sim_ws; /* opaque */

enum { SIM_WS_ACCEPT = 29 };

struct sim_ws_config {
	struct evbuffer *out; /* borrowed; outlives it */
	void (*data)(void *arg, const uint8_t *bytes, size_t len);
	void (*pong)(void *arg);
	void *arg;
};

/* Sec-WebSocket-Accept that answers a key. */
void hf_sim_ws_accept(const char *key, char ret_accept[SIM_WS_ACCEPT]);

int hf_sim_ws_new(const struct sim_ws_config *config, struct sim_ws **ret_ws);
void hf_sim_ws_free(struct sim_ws *ws); /* NULL is fine; not inside its callbacks */
/* Takes all bytes of `in`. Not 0: it is over. */
int hf_sim_ws_feed(struct sim_ws *ws, struct evbuffer *in);
/* One binary message. */
int hf_sim_ws_send(struct sim_ws *ws, const void *bytes, size_t len);
int hf_sim_ws_ping(struct sim_ws *ws);
int hf_sim_ws_close(struct sim_ws *ws, uint16_t code, const char *reason);
