/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * drpc: one call over one byte stream (a yamux stream carries one). The decoder takes the server's
 * bytes and hands on the body of each message piece by piece, as it comes; nothing is put together
 * but the first bytes of an error's text. The encoder writes the few packets that a client sends.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "bridge/stream/wire/limits.h"
#include "bridge/stream/wire/stream_fault.h"

enum { HF_DRPC_STREAM = 1, HF_DRPC_FRAME_HEAD = 1 + 3 * 9 };

struct hf_drpc {
	const struct hf_stream_limits *limits; /* borrowed; outlives it */
	uint64_t sent_id;                      /* of the last packet that we sent */
	/* the frame that is coming in */
	enum { DRPC_AT_CONTROL, DRPC_AT_STREAM, DRPC_AT_ID, DRPC_AT_LENGTH, DRPC_AT_BODY } at;
	uint64_t number;
	unsigned n_bytes; /* of that number */
	uint8_t control;
	uint64_t frame_id;
	uint64_t left;
	/* the packet that its frames make */
	uint64_t id; /* of the last packet that began */
	uint8_t kind;
	bool open;   /* it is not whole */
	size_t size; /* of its body, so far */
	unsigned frames;
	uint8_t code[8]; /* of an error */
	unsigned n_code;
	char text[256]; /* of an error, its first bytes as they came */
	size_t n_text;
	size_t text_lost;             /* bytes after those */
	bool no_more_messages;        /* CloseSend came */
	bool ended;                   /* nothing may follow */
	enum hf_stream_fault trouble; /* stays */
};

enum hf_drpc_what {
	DRPC_BEGIN,  /* a message begins; one that was not ended is to be forgotten */
	DRPC_DATA,   /* bytes of it, lent until the next call */
	DRPC_END,    /* it is whole */
	DRPC_ERROR,  /* the call failed: code, and text lent until the next call */
	DRPC_CLOSED, /* the server is done with the call */
	DRPC_CANCELLED,
};

struct hf_drpc_event {
	enum hf_drpc_what what;
	const uint8_t *bytes; /* DATA, ERROR */
	size_t len;
	uint64_t code; /* ERROR */
};

void hf_drpc_init(struct hf_drpc *d, const struct hf_stream_limits *limits);

/*
 * Takes bytes from `in` up to the next event. 1 and the event; 0 when all bytes are taken; or a
 * negative code: the peer broke the protocol or a limit (d->trouble).
 */
int hf_drpc_next(struct hf_drpc *d, struct hf_rd *in, struct hf_drpc_event *ret_event);
/* Has the server said that no more messages come? */
bool hf_drpc_is_ended(const struct hf_drpc *d);
/* Is a message half read? Or a packet of any kind, if only the first byte of it? */
bool hf_drpc_in_message(const struct hf_drpc *d);
bool hf_drpc_in_packet(const struct hf_drpc *d);

/*
 * A call begins: Invoke and its one Message. HF_DRPC_FRAME_HEAD bytes at most come on top of each.
 */
void hf_drpc_invoke(
    struct hf_drpc *d, struct hf_wr *w, const char *rpc, const void *message, size_t len);
/* We send no more messages. */
void hf_drpc_close_send(struct hf_drpc *d, struct hf_wr *w);
/* We are done with the call. */
void hf_drpc_close(struct hf_drpc *d, struct hf_wr *w);
void hf_drpc_cancel(struct hf_drpc *d, struct hf_wr *w);
