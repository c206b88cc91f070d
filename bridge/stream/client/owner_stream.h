/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * owner_stream: one owner on one connection, and the rule by which a new snapshot replaces a stream
 * that runs: from the moment the second call is sent the first is read no further; when the
 * second's snapshot is accepted the first is cancelled, its backlog unread; if the second fails
 * first, the first is read on.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/stream/wire/patience.h"
#include "bridge/stream/wire/server_info.h"

/* How calls are made; the stack's own functions, or a test's. */
struct hf_call_ops {
	int (*call)(void *arg, const struct hf_uuid *owner, uint32_t *ret_call);
	void (*pause)(void *arg, uint32_t call, bool paused);
	void (*cancel)(void *arg, uint32_t call);
};

struct hf_owner_stream {
	struct hf_owner_info owner;
	uint32_t live;            /* the call whose snapshot was accepted; 0: none */
	uint32_t opening;         /* the call whose snapshot is to come; 0: none */
	bool wanted;              /* a new snapshot is to be taken */
	struct hf_patience first; /* of an opening one: with its own bytes */
	int64_t last_refused_ms;  /* when a snapshot out of turn was last asked for */
	int64_t again_ms;         /* it failed: when it is tried again; 0: it did not */
	/* static: why it failed last; NULL since a snapshot was accepted */
	const char *problem;
	int64_t due_ms;           /* of a live one: the next snapshot in turn; 0: under way */
	unsigned taken;           /* snapshots of this connection; counted to 2 */
	bool refused;             /* the last snapshot was, and that was told */
	bool named;               /* scratch: in the list that came just now */
	enum hf_readable granted; /* what REST said before this connection was made */
};

enum hf_call_is { CALL_IS_NONE, CALL_IS_LIVE, CALL_IS_OPENING };

/* Makes a call for a snapshot. 0 or what hf_stack_call() returns. */
int hf_owner_stream_open(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg);
enum hf_call_is hf_owner_stream_is(const struct hf_owner_stream *f, uint32_t call);
/* The snapshot of the opening call was accepted. */
void hf_owner_stream_accepted(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg);
/* A call ended by itself. */
void hf_owner_stream_ended(
    struct hf_owner_stream *f, uint32_t call, const struct hf_call_ops *ops, void *arg);
/* The opening call is given up: it took too long, or its snapshot was refused. */
void hf_owner_stream_give_up(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg);
/* Ends both calls. */
void hf_owner_stream_stop(struct hf_owner_stream *f, const struct hf_call_ops *ops, void *arg);
