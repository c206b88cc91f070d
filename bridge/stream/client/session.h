/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * session: an open connection to a server: begins the upgrade, makes the owners' calls, hands on
 * what comes, pings, and notices when the server is late. It has no state of the client: what it
 * learns it reports. It never begins anew: it is over once and is freed then.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/stream/client/client.h"
#include "bridge/stream/client/http.h"
#include "bridge/stream/client/owner_list.h"

struct hf_session; /* opaque */

/*
 * All are set. failed() and outdated() are the last act of a call or of a callback: the session may
 * be freed in them, and in no other one.
 */
struct hf_session_reports {
	/* The connection is over. */
	void (*failed)(void *arg, const struct hf_problem *problem);
	/* Once: the server takes no more calls, and one is wanted; what runs goes on. */
	void (*outdated)(void *arg);
	/* The first snapshot of the connection was accepted. */
	void (*live)(void *arg);
	/* Live for retry.steady_ms. */
	void (*steady)(void *arg);
	/* A proof of life. */
	void (*alive)(void *arg);
	/* All owners have a snapshot of this connection; again after one has lost its stream. */
	void (*settled)(void *arg);
	/* hf_session_next() may be another moment now. */
	void (*due_changed)(void *arg);
};

/* What a client counts over all its sessions. */
struct hf_session_counts {
	uint64_t refused; /* messages */
	uint64_t troubles[HF_STREAM_FAULT_LAST];
};

struct hf_session_config {
	const struct hf_clock *clock; /* borrowed, as all below but `handle` */
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops; /* busy(), update(), updated() */
	void *ops_arg;
	const struct hf_target *target; /* read in hf_session_new() alone */
	const char *version;            /* of the server; likewise */
	struct hf_owner_list *owners;   /* the session's until it is freed */
	struct hf_session_counts *counts;
	const struct hf_session_reports *reports;
	void *arg;
};

/*
 * Takes the handle, whatever comes of it, and begins the upgrade. Returns 0, or -1 and
 * *ret_problem; then there is no session. End it with hf_session_free(), which says goodbye.
 */
int hf_session_new(const struct hf_session_config *config, struct hf_http_handle *handle,
    struct hf_session **ret_session, struct hf_problem *ret_problem);
void hf_session_free(struct hf_session *s); /* NULL is fine */

/* busy() may be over: goes on with what waits. */
void hf_session_go_on(struct hf_session *s);
/* Does what is due. */
void hf_session_due(struct hf_session *s, int64_t now_ms);
/* When that is to be called next; INT64_MAX: something else has to happen before. */
int64_t hf_session_next(struct hf_session *s);
/*
 * Something happened after which the connection may be dead: any byte says that it is not. Before
 * the upgrade is answered it is passed over.
 */
void hf_session_doubt(struct hf_session *s, int64_t now_ms);
/* May a change at these interfaces (NULL: somewhere) concern this connection? */
bool hf_session_concerns(const struct hf_session *s, const struct hf_interfaces *changed);
/* When the upgrade was asked for: the connection's rights are of then. */
int64_t hf_session_connected_ms(const struct hf_session *s);
