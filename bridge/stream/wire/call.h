/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * call: one WorkspaceUpdates call for one owner. Takes the bytes of its yamux stream and gives
 * whole updates; what came while it was paused is kept, which the stream's window bounds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "bridge/stream/wire/drpc.h"
#include "bridge/stream/wire/update_decoder.h"

#define HF_CALL_RPC "/coder.tailnet.v2.Tailnet/WorkspaceUpdates"

enum { HF_CALL_START = 3 * HF_DRPC_FRAME_HEAD + sizeof(HF_CALL_RPC) + 18 };

struct hf_call {
	uint32_t id; /* of its stream */
	bool paused;
	bool over;     /* nothing of it is told any more; the server has yet to end its stream */
	bool fin;      /* the server has, behind what is kept */
	bool snapshot; /* has come and was well formed */
	uint64_t received; /* bytes of its stream */
	struct hf_drpc drpc;
	struct hf_update_decoder messages;
	struct {
		uint8_t *bytes; /* owned */
		size_t at;      /* before it all is read */
		size_t len;
		size_t room;
	} kept;
	enum hf_stream_fault trouble; /* ends the connection; stays */
	char text[4 * 256 + 1];       /* of an error or a refusal, printable */
};

enum hf_call_what {
	CALL_UPDATE,  /* `update` belongs to the receiver */
	CALL_REFUSED, /* a message could not be used; the next can (`trouble`, call->text) */
	CALL_ENDED,   /* nothing more comes (`trouble`, `code`, call->text) */
};

struct hf_call_event {
	enum hf_call_what what;
	struct hf_update *update;
	enum hf_stream_fault trouble;
	uint64_t code; /* of the server's error */
};

/*
 * All pointers are borrowed and outlive the call. 0 or -ENOMEM; end *ret_call with hf_call_free().
 */
int hf_call_new(const struct hf_stream_limits *limits, struct hf_budget *budget,
    struct hf_arena *arena, const struct hf_uuid *owner, struct hf_call **ret_call);
void hf_call_free(struct hf_call *c); /* NULL is fine */

/* What begins the call on the wire, at most HF_CALL_START bytes. */
void hf_call_start(struct hf_call *c, struct hf_wr *w);

/*
 * Takes bytes from `in` up to the next event. 1 and the event; 0 when all bytes are taken; or a
 * negative code: the connection is of no use any more (c->trouble). Of a call that is over no event
 * comes, but what breaks the protocol still shows.
 */
int hf_call_next(struct hf_call *c, struct hf_rd *in, struct hf_call_event *ret_event);

/* The server ended the stream, or reset it. As hf_call_next(), without bytes. */
int hf_call_fin(struct hf_call *c, struct hf_call_event *ret_event);
int hf_call_rst(struct hf_call *c, struct hf_call_event *ret_event);

/* Keeps bytes for later. 0 or -ENOMEM. */
int hf_call_keep(struct hf_call *c, const uint8_t *bytes, size_t len);
/* The kept bytes, as a reader; call hf_call_kept_until() with it afterwards. */
struct hf_rd hf_call_kept(const struct hf_call *c);
/* Forgets the kept bytes before in->at. */
void hf_call_kept_until(struct hf_call *c, const struct hf_rd *in);
