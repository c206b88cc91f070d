/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_conn: one connection: requests, and a session of streams once it is upgraded.
 */
#include "examples/simulator/sim_http.h"
#include "examples/simulator/sim_records.h"
#include "examples/simulator/sim_rights.h"
#include "examples/simulator/sim_rpc.h"
#include "examples/simulator/sim_server.h"

struct bufferevent;
struct event;
struct sim_mux;
struct sim_mux_stream;
struct sim_ws;

/* A call on a stream. */
struct sim_call {
	struct sim_conn *conn;         /* borrowed; outlives it */
	struct sim_mux_stream *stream; /* borrowed; outlives it */
	struct sim_rpc rpc;
	uint8_t owner[SIM_ID];
	bool following;     /* gets the owner's updates */
	struct event *late; /* owned; pending: its first message is yet to come */
	struct sim_call *next;
};

struct sim_conn {
	struct sim_server *server; /* borrowed; outlives it */
	struct bufferevent *bev;   /* owned */
	struct sim_request request;
	struct sim_ws *ws;                  /* owned; NULL before the upgrade */
	struct sim_mux *mux;                /* owned; with ws */
	struct sim_rights rights;           /* with ws: those of the upgrade, for ever */
	struct sim_call *calls;             /* owned */
	struct event *ws_timer, *mux_timer; /* owned */
	struct event *slow_timer;           /* owned; pending: the answer is yet to come */
	bool ws_waits, mux_waits;           /* for a pong */
	bool closing;                       /* nothing new is sent */
	bool last;                          /* ends when all is sent */
	int broken;                         /* it ends when the callback returns */
	struct sim_conn *next;
};

/* Takes the socket. The connection frees itself at its end. */
int hf_sim_conn_new(struct sim_server *s, int fd);
void hf_sim_conn_free(struct sim_conn *c); /* not inside its callbacks */
void hf_sim_conn_freeze(struct sim_conn *c, bool frozen);
void hf_sim_conn_update(
    struct sim_conn *c, const uint8_t owner[SIM_ID], const struct sim_message *message);
/* What of it ends and how; c may be gone afterwards. */
void hf_sim_conn_cut(struct sim_conn *c, const struct sim_cut_how *how);
