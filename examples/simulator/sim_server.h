/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_server: the simulated Coder: listens, knows its connections, and does to them what scripts
 * say.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/simulator/sim_world.h"

struct event_base;
struct evconnlistener;
struct sim_message;
struct ssl_ctx_st;
struct sim_conn;

/* What is answered instead of an answer. */
struct sim_refusal {
	int status;        /* 0: nothing is refused */
	bool only_stream;  /* REST is answered as ever */
	char path[256];    /* only what asks for it; "": all */
	char headers[600]; /* more lines */
	bool html;
};

struct sim_counts {
	uint64_t connections, requests, upgrades, calls; /* since the start */
};

struct sim_server {
	struct event_base *base; /* borrowed; outlives it */
	struct ssl_ctx_st *tls;  /* owned; NULL: plain */
	struct sim_world world;
	struct evconnlistener *listener; /* owned; NULL: down */
	char host[64];
	uint16_t port;          /* kept once it is known */
	struct sim_conn *conns; /* owned */
	struct sim_refusal refusal;
	struct sim_counts counts;
	bool frozen;
	unsigned slow_ms;                   /* REST is answered so late */
	char slow_path[256];                /* as in sim_refusal */
	bool unimplemented;                 /* calls are answered with dRPC's code 12 */
	unsigned ws_ping_ms, yamux_ping_ms; /* 0: none */
};

int hf_sim_server_init(struct sim_server *s, struct event_base *base);
void hf_sim_server_done(struct sim_server *s);
int hf_sim_server_tls(struct sim_server *s, const char *cert, const char *key);
/* On s->host and s->port; port 0 is any, and then known. */
int hf_sim_server_listen(struct sim_server *s);
/* Connections are refused from now on, and those that are there end. */
void hf_sim_server_down(struct sim_server *s);
void hf_sim_server_freeze(struct sim_server *s, bool frozen);

/* Tells a message to all streams of an owner, as far as the rights of each go. */
void hf_sim_server_update(
    struct sim_server *s, const uint8_t owner[SIM_ID], const struct sim_message *message);

enum sim_cut { CUT_TCP, CUT_RST, CUT_WS, CUT_YAMUX, CUT_GOAWAY, CUT_CALL, CUT_ERROR };

struct sim_cut_how {
	enum sim_cut what;
	const struct sim_user
	    *user;        /* of CUT_YAMUX, CUT_CALL, CUT_ERROR: only his streams; or NULL */
	uint64_t code;    /* of CUT_WS, CUT_GOAWAY, CUT_ERROR */
	const char *text; /* of CUT_WS and CUT_ERROR */
};

void hf_sim_server_cut(struct sim_server *s, const struct sim_cut_how *how);
/* Open websockets, and open streams of `user` (NULL: of all). */
unsigned hf_sim_server_sessions(const struct sim_server *s);
unsigned hf_sim_server_streams(const struct sim_server *s, const struct sim_user *user);
