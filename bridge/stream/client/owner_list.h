/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * owner_list: the owners that a client follows: which there are, when each gets a new snapshot, and
 * what becomes of one whose call the server ends. One owner's trouble is not the others'. The list
 * outlives connections; the calls in it are those of the one that is open.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/client/call_index.h"
#include "bridge/stream/client/client.h"
#include "bridge/stream/client/owner_stream.h"
#include "bridge/stream/wire/stack.h"

enum { HF_OPENING_MAX = 8 }; /* calls at once whose snapshot is to come */

/* Part of its client. */
struct hf_owner_list {
	const struct hf_clock *clock; /* borrowed, as the next two */
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops; /* wants_snapshot() */
	void *ops_arg;

	struct hf_stack *stack;     /* borrowed: the open connection's; NULL: none is open */
	bool live;                  /* a snapshot of this connection was accepted */
	struct hf_owner_stream *at; /* owned */
	size_t n;
	struct hf_owner_stream **by_id; /* owned: the same, in the order of their ids */
	struct hf_owner_stream *opening[HF_OPENING_MAX]; /* whose snapshot is to come */
	size_t n_opening;
	size_t turn;      /* whose call is made next, if one is wanted */
	bool any_wanted;  /* some may be wanted */
	size_t asked;     /* the owner whom the state is asked about next */
	size_t n_to_ask;  /* so many more, since something changed */
	int64_t next_ms;  /* nothing is due of an owner before */
	size_t n_settled; /* of those before it all are live */
	bool settled;     /* that all are was reported */
	struct hf_call_index by_call;
};

/* Frees what the list owns. */
void hf_owner_list_done(struct hf_owner_list *l);

/*
 * Owners as told: new ones are added; missing ones are stopped if the list is complete. At most
 * `max` are followed, which `told` does not exceed. Returns 0 or -ENOMEM.
 */
int hf_owner_list_set(struct hf_owner_list *l, const struct hf_server_info *told, size_t max);
/* A connection is open; its calls are made with `stack`. */
void hf_owner_list_attach(struct hf_owner_list *l, struct hf_stack *stack);
/* The connection is gone, and all calls with it. */
void hf_owner_list_detach(struct hf_owner_list *l);

/* NULL: the client does not follow that owner. */
const struct hf_owner_stream *hf_owner_list_find(
    const struct hf_owner_list *l, const struct hf_uuid *owner);
/* Whose call it is; NULL: nobody's. */
struct hf_owner_stream *hf_owner_list_of_call(struct hf_owner_list *l, uint32_t call);
/* True once, as soon as all owners have a snapshot of this connection. */
bool hf_owner_list_settles(struct hf_owner_list *l);
/* Does REST say something else about an owner than it said before this connection? */
bool hf_owner_list_readable_changed(const struct hf_owner_list *l);

/* Sends as many calls as may be under way. */
void hf_owner_list_open_calls(struct hf_owner_list *l, int64_t now_ms);
/* The snapshot of the opening call was accepted. */
void hf_owner_list_accepted(struct hf_owner_list *l, struct hf_owner_stream *f);
/* A snapshot out of turn, unless there was one not long ago. */
void hf_owner_list_want_again(struct hf_owner_list *l, struct hf_owner_stream *f);
/*
 * The opening call is given up, or the server ended one: the owner is asked again. Returns false if
 * nobody has a stream or may get one: then the caller lets the connection fail with `problem`.
 */
bool hf_owner_list_give_up(
    struct hf_owner_list *l, struct hf_owner_stream *f, const struct hf_problem *problem);
bool hf_owner_list_call_ended(struct hf_owner_list *l, struct hf_owner_stream *f, uint32_t call,
    const struct hf_problem *problem);

/* Notes whose snapshots are due, and when to look again at the latest. */
void hf_owner_list_due(struct hf_owner_list *l, int64_t now_ms);
int64_t hf_owner_list_next(const struct hf_owner_list *l);
/* The state is to be asked again who wants a snapshot. */
void hf_owner_list_ask_state(struct hf_owner_list *l);
bool hf_owner_list_any_wanted(struct hf_owner_list *l);
bool hf_owner_list_any_opening(const struct hf_owner_list *l);
/* Bytes of opening calls may have come. */
void hf_owner_list_note_bytes(struct hf_owner_list *l, int64_t now_ms);
/* The opening ones are waited for from now on. */
void hf_owner_list_await_again(struct hf_owner_list *l, int64_t now_ms);
/* One whose snapshot is too late; NULL: none. */
struct hf_owner_stream *hf_owner_list_late(struct hf_owner_list *l, int64_t now_ms);
/* When one is late next, if nothing comes. */
int64_t hf_owner_list_late_next(const struct hf_owner_list *l);

/* Between two events out of turn; until the next snapshot or inquiry in turn (jittered). */
int64_t hf_owner_list_again_ms(const struct hf_stream_settings *settings);
int64_t hf_owner_list_interval_ms(const struct hf_stream_settings *settings);
