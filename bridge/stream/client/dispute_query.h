/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dispute_query: whose is a workspace that two owners' streams list? REST is asked, one workspace
 * at a time, and for the same one once in a while only: a server may list what it likes in as many
 * streams. What was asked is remembered over connections; a question ends with its own.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/stream/client/client.h"
#include "bridge/stream/client/dial.h"

enum { HF_DISPUTES_MAX = 32 }; /* questions that are remembered */

/* Part of its client. */
struct hf_dispute_query {
	struct hf_http *http; /* borrowed, as the next four */
	const struct hf_clock *clock;
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops; /* disputed(), workspace_owner(), busy() */
	void *ops_arg;
	void (*changed)(void *arg); /* hf_dispute_query_next() may be another moment now */
	void *arg;

	struct hf_dial *race;     /* owned; NULL: nothing is asked */
	struct hf_uuid workspace; /* asked for last */
	struct hf_uuid owner;     /* answered; zero: there is no such workspace */
	bool answered;            /* and not told yet */
	char path[96];            /* of the question */
	int64_t next_ms;          /* not before; 0: at once */
	struct {
		struct hf_uuid workspace;
		int64_t at_ms;
	} asked[HF_DISPUTES_MAX];
};

/*
 * Asks for the next workspace, if it is time; of a live connection. Target and addresses outlive
 * the question; `again_ms`: the same workspace is not asked for sooner.
 */
void hf_dispute_query_due(struct hf_dispute_query *d, const struct hf_target *target,
    const struct hf_addresses *addresses, int64_t again_ms, int64_t now_ms);
/* When that is to be called next; INT64_MAX: something else has to happen before. */
int64_t hf_dispute_query_next(const struct hf_dispute_query *d);
/* Hands on what was answered, as soon as it may be. */
void hf_dispute_query_tell(struct hf_dispute_query *d);
/* The connection is over: nothing is asked any more. */
void hf_dispute_query_drop(struct hf_dispute_query *d);
