/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * link: an open connection (a handle that was told to only connect) with a stack above it: moves
 * the bytes between both, and tells the owner when there are events to take or when it broke.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/stream/client/http.h"
#include "bridge/stream/wire/stack.h"
#include "bridge/stream/client/system_events.h"

struct hf_clock;
struct hf_link; /* opaque */

/*
 * Bytes came (or it broke: `problem`, lent, says how; what came before is in the stack, which has
 * been told). The owner takes the stack's events, then calls hf_link_send(). It may free the link.
 */
typedef void (*hf_link_cb)(void *arg, const struct hf_problem *problem);

/* Takes the handle, whatever it returns; `stack` is borrowed and outlives the link. */
int hf_link_new(struct hf_http_handle *handle, struct hf_stack *stack, const struct hf_clock *clock,
    hf_link_cb cb, void *arg, struct hf_link **ret_link);
void hf_link_free(struct hf_link *l); /* NULL is fine */

/* It breaks when the server takes nothing of what waits to be sent for so long. */
void hf_link_patience(struct hf_link *l, int64_t ms);
/* Sends what the stack has, now or when the server takes it. */
void hf_link_send(struct hf_link *l);
/* Reads no further until it is told to: then what waits comes through the loop. */
void hf_link_hold(struct hf_link *l, bool held);
/*
 * May a change at these interfaces concern this connection: does it use one of them, or would
 * another way be taken now?
 */
bool hf_link_concerns(const struct hf_link *l, const struct hf_interfaces *changed);
/* All bytes that came so far. */
uint64_t hf_link_received(const struct hf_link *l);
