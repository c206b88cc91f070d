/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stack: all layers of one connection below TLS as one object: upgrade, websocket, yamux, dRPC,
 * messages. Bytes of the server in, events out, bytes for the server out. It has no socket, no
 * timer and no clock: its owner moves the bytes, says what time it is, and decides when to wait no
 * longer.
 *
 * The owner gives bytes with hf_stack_input(), then takes events with hf_stack_next() until there
 * are none, then sends what hf_stack_output() has. Between two events it may do as it likes: open,
 * pause and cancel calls, or free the stack.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/limits.h"
#include "bridge/stream/wire/update_builder.h"
#include "bridge/stream/wire/stream_fault.h"
#include "bridge/stream/wire/upgrade.h"
#include "bridge/stream/wire/websocket.h"

struct hf_stack; /* opaque */

struct hf_stack_config {
	const struct hf_stream_limits *limits; /* borrowed; outlives the stack */
	hf_random_cb random;                   /* for the nonce and for masks */
	void *random_arg;
};

enum hf_stack_what {
	STACK_OPEN,       /* the websocket is open: calls can be made */
	STACK_UPDATE,     /* one whole message of a call */
	STACK_REFUSED,    /* a diff that cannot be used; the call goes on without it */
	STACK_CALL_ENDED, /* nothing more comes of a call; it is gone */
	STACK_PONG,       /* the answer to hf_stack_ping() */
	STACK_GOAWAY,     /* calls go on, but no new one can be made on this connection */
	STACK_ENDED,      /* the connection is over, and all calls with it; the last event */
};

struct hf_stack_event {
	enum hf_stack_what what;
	uint32_t call;            /* UPDATE, REFUSED, CALL_ENDED */
	struct hf_update *update; /* UPDATE: the receiver owns it; end it with hf_update_free() */
	enum hf_stream_fault trouble; /* REFUSED, CALL_ENDED, ENDED */
	uint64_t code;                /* CALL_ENDED: the server's; ENDED: close code, HTTP status */
	const char *text; /* with `trouble`: details, printable, or ""; lent until the next call */
};

/*
 * Begins with the upgrade's request in the output. 0, -EINVAL (a part of the request cannot be
 * sent), -EIO (no random bytes) or -ENOMEM. The caller owns *ret_stack; end it with
 * hf_stack_free().
 */
int hf_stack_new(const struct hf_stack_config *config, const struct hf_upgrade_request *request,
    struct hf_stack **ret_stack);
void hf_stack_free(struct hf_stack *s); /* NULL is fine */

/*
 * Bytes of the server, all of which are taken; `now_ms` only has to rise. 0; -EBUSY while events of
 * the last bytes wait to be taken; or a negative code when the connection is over: STACK_ENDED
 * comes.
 */
int hf_stack_input(struct hf_stack *s, int64_t now_ms, const uint8_t *bytes, size_t len);
/* The connection ended, or its owner waits no longer for an answer to the upgrade. */
void hf_stack_eof(struct hf_stack *s);
/* 1 and the next event, or 0. */
int hf_stack_next(struct hf_stack *s, struct hf_stack_event *ret_event);

/* Bytes to send: they stay where they are until hf_stack_sent() has told that all of them went. */
size_t hf_stack_output(struct hf_stack *s, const uint8_t **ret_bytes);
void hf_stack_sent(struct hf_stack *s, size_t n);

/*
 * Asks for the workspaces of `owner`. 0 and the call's number, HF_ENOTREADY before STACK_OPEN,
 * HF_ECLOSED after STACK_GOAWAY or the end, -EMFILE when there are as many as allowed, -ENOMEM.
 */
int hf_stack_call(struct hf_stack *s, const struct hf_uuid *owner, uint32_t *ret_call);
/*
 * Nothing more of a paused call is told; the server soon stops to send. Unknown calls are ignored.
 */
void hf_stack_pause(struct hf_stack *s, uint32_t call, bool paused);
/* The call is gone, without an event, and with it what was not read. */
void hf_stack_cancel(struct hf_stack *s, uint32_t call);

/* All bytes of a call's stream that came so far; 0 of an unknown one. */
uint64_t hf_stack_received(const struct hf_stack *s, uint32_t call);
/* 0; -EBUSY when earlier pings are unanswered; HF_ENOTREADY or HF_ECLOSED as above. */
int hf_stack_ping(struct hf_stack *s);
/* Sends a websocket close frame. */
void hf_stack_close(struct hf_stack *s, uint16_t code);

/* The answer to the upgrade, as far as it came. Lent until the stack is freed. */
const struct hf_upgrade *hf_stack_answer(const struct hf_stack *s);
