/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * client: follows one source: finds the server, asks it who it is, opens the stream, takes a
 * snapshot of each owner and then what changes; pings, takes new snapshots at an interval, and
 * begins again whenever anything breaks, for ever. What came and what became of it goes to the
 * owner through a table of functions, so that it knows nothing of what stands behind them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/address.h"
#include "bridge/stream/wire/problem.h"
#include "bridge/stream/client/client_settings.h"
#include "bridge/stream/wire/server_info.h"
#include "bridge/stream/wire/stream_fault.h"
#include "bridge/types/judgement.h"
#include "bridge/types/update.h"

struct hf_clock;
struct hf_http;
struct hf_interfaces; /* system_events.h */
struct hf_client;     /* opaque */

enum { HF_CLIENT_TOKEN_MAX = 1024, HF_CLIENT_WHY_MAX = 768 };

/*
 * All are called from the loop; none may free the client. Pointers are lent for the call. While
 * busy() says so, only away() and contact() are called; hf_client_poke() says that it is over.
 */
struct hf_client_ops {
	/* The session token. 0, or a code and the reason in words. */
	int (*token)(void *arg, char ret_token[static HF_CLIENT_TOKEN_MAX + 1],
	    char ret_why[static HF_CLIENT_WHY_MAX]);
	/*
	 * First of all on each connection, and again at each snapshot interval. told->words says by
	 * which configured words the owners were found, and which words REST does not know (404).
	 * HF_VERDICT_HELD: nothing is to come before the operator has decided.
	 */
	enum hf_verdict (*identify)(void *arg, const struct hf_server_info *told);
	/* An owner that is to be followed, with its present name, and whether it may be read. */
	void (*owner)(void *arg, const struct hf_owner_info *owner, int64_t asked_ms);
	/*
	 * told->complete, and snapshots of all its owners are accepted: these, and no others, are
	 * there. Words may be WORD_UNKNOWN: their owners are not the operator's to have left out.
	 */
	void (*settled)(void *arg, const struct hf_server_info *told);
	/*
	 * Returns 0 and *ret_judgement, or a negative code: then it is refused. Or 1, it goes on:
	 * `update` is the callee's now and ends with hf_update_free() there, busy() is true, and
	 * when it is not any more, updated() is asked, unless the connection has ended by then. The
	 * latter may be NULL where that is never returned.
	 */
	int (*update)(void *arg, struct hf_update *update, struct hf_judgement *ret_judgement);
	int (*updated)(void *arg, struct hf_judgement *ret_judgement);
	bool (*wants_snapshot)(void *arg, const struct hf_uuid *owner);
	/*
	 * REST and then a new connection are wanted: something waits for snapshots with today's
	 * rights.
	 */
	bool (*wants_connection)(void *arg);
	/*
	 * A workspace that two owners' streams list, and whose owner REST is to tell. The same one
	 * is asked for at most once a minute, one at a time. May be NULL, as the next.
	 */
	bool (*disputed)(void *arg, struct hf_uuid *ret_workspace);
	/*
	 * REST's answer; `owner` is zero where there is no such workspace. No answer: not called.
	 */
	void (*workspace_owner)(
	    void *arg, const struct hf_uuid *workspace, const struct hf_uuid *owner);
	bool (*busy)(void *arg);
	/* Proof of life, and its end. */
	void (*contact)(void *arg);
	void (*away)(void *arg);
	/* An address was good. May be NULL. */
	void (*good)(void *arg, const struct hf_addresses *addresses);
};

/*
 * Begins at once, through the loop. `settings` and `good` (the last good addresses, may be NULL)
 * are borrowed and copied, in this order. End it with hf_client_free().
 */
int hf_client_new(struct hf_http *http, const struct hf_clock *clock,
    const struct hf_stream_settings *settings, const struct hf_addresses *good,
    const struct hf_client_ops *ops, void *arg, struct hf_client **ret_client);
void hf_client_free(struct hf_client *c); /* NULL is fine */

/* Why somebody thinks that now is a good time. */
enum hf_client_event {
	CLIENT_EVENT_TOKEN,   /* the token may have changed */
	CLIENT_EVENT_WAKE,    /* the machine slept */
	CLIENT_EVENT_CLOCK,   /* the wall clock was set: certificates may be valid now */
	CLIENT_EVENT_NETWORK, /* addresses or routes changed */
	CLIENT_EVENT_RELOAD,  /* the operator asks */
};
/*
 * Ends a wait at once, at most once in retry.events_ms; doubts a connection that is open. A change
 * of the network at interfaces (`at`; else NULL) that an open connection does not use is passed
 * over.
 */
void hf_client_kick(
    struct hf_client *c, enum hf_client_event event, const struct hf_interfaces *at);
/* busy() may be over, or wants_snapshot() true. Cheap. */
void hf_client_poke(struct hf_client *c);
/* A new connection now, and with it new snapshots, without a failure before it. */
void hf_client_redial(struct hf_client *c);
/* Of a client that waits for the operator: he has decided. */
void hf_client_decided(struct hf_client *c);

enum hf_client_state {
	CLIENT_WAITING,
	CLIENT_CONNECTING,
	CLIENT_LIVE,
	CLIENT_UNAUTHORISED,
	CLIENT_FAILED,
};
/* "waiting", ... */
const char *hf_client_state_name(enum hf_client_state state);

struct hf_client_owner_status {
	bool live;    /* has a stream on this connection */
	bool opening; /* a snapshot is to come */
	/* static: why the last snapshot did not come or the stream ended; NULL: it is well */
	const char *problem;
	int64_t next_try_ms; /* then, from now; -1: with the next connection */
};

struct hf_client_status {
	enum hf_client_state state;
	const struct hf_problem *problem;  /* why it is not live; code NONE: no reason */
	int64_t since_wall_s;              /* in this state */
	int64_t contact_wall_s;            /* last proof of life; 0: none yet */
	unsigned attempts;                 /* that failed since it was last live */
	int64_t next_try_ms;               /* from now; -1: none is due */
	const struct hf_server_info *told; /* what the server told last; NULL: nothing yet */
	size_t n_owners;
	size_t n_live;
	uint64_t refused; /* messages */
	/* [HF_PROBLEM_LAST]: how often each ended an attempt or a connection */
	const uint64_t *problems;
	/* [HF_STREAM_FAULT_LAST]: how often each ended or refused something */
	const uint64_t *troubles;
};
void hf_client_status(const struct hf_client *c, struct hf_client_status *ret_status);
/* False where the client does not follow that owner. */
bool hf_client_owner(const struct hf_client *c, const struct hf_uuid *owner,
    struct hf_client_owner_status *ret_status);
