/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* client_private: the client itself. client.c alone changes it; client_status.c tells of it. */
#include "base/log.h"
#include "bridge/stream/client/client.h"
#include "bridge/stream/client/dispute_query.h"
#include "bridge/stream/client/next_try.h"
#include "bridge/stream/client/owner_list.h"
#include "bridge/stream/client/session.h"
#include "bridge/stream/client/told.h"
#include "bridge/stream/client/way.h"

struct hf_client {
	struct hf_http *http; /* borrowed, as the four below */
	const struct hf_clock *clock;
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops;
	void *arg;
	struct event *timer; /* owned: whatever is due next */

	enum hf_client_state state;
	struct hf_problem problem;
	struct hf_fault fault;
	int64_t since_ms, since_wall_s;
	int64_t contact_wall_s;
	uint64_t problems[HF_PROBLEM_LAST];

	struct hf_next_try next;  /* in all states that wait */
	struct hf_addresses good; /* worked last */
	struct hf_told told;

	/* the way to the server and the connection, both owned; NULL in the states that wait */
	struct hf_way *way;
	struct hf_session *session; /* NULL, too, until the way has led there */
	struct hf_owner_list owners;
	struct hf_dispute_query dispute;
	struct hf_session_counts counts;
	int64_t refresh_ms;   /* live: when REST is asked next */
	int64_t reconnect_ms; /* a new connection is wanted, then; 0: not */
	int64_t redial_ms;    /* it is decided, and begins then; 0: not */
};

/* There is neither a way nor a session. */
static inline bool hf_client_waits(const struct hf_client *c)
{
	return c->state != CLIENT_CONNECTING && c->state != CLIENT_LIVE;
}
