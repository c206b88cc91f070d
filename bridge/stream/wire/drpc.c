/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the dRPC wire format (storj.io/drpc, drpcwire): frames of control byte, stream id,
 * message id, length (varints) and data; packets of one or more frames; ids that only rise.
 */
#include "bridge/stream/wire/drpc.h"

#include <string.h>

enum { INVOKE = 1, MESSAGE, ERROR, CANCEL, CLOSE, CLOSE_SEND, INVOKE_METADATA };
enum { BIT_DONE = 0x01, BIT_CONTROL = 0x80, KIND_SHIFT = 1, KIND_MASK = 0x3f };
enum { VARINT_BYTES = 9 }; /* no number of ours needs 64 bits */

static int drpc_fail(struct hf_drpc *d, enum hf_stream_fault t)
{
	d->trouble = t;
	return hf_stream_fault_code(t);
}

static int drpc_set_event(struct hf_drpc_event *ret_event, enum hf_drpc_what what)
{
	*ret_event = (struct hf_drpc_event){ .what = what };
	return 1;
}

/* What a server may say at this point of the call. */
static int check_kind(struct hf_drpc *d, uint8_t kind, bool control)
{
	if (d->ended)
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_ORDER);
	switch (kind) {
	case MESSAGE:
		return d->no_more_messages ? drpc_fail(d, HF_STREAM_FAULT_DRPC_ORDER) : 0;
	case CANCEL:
	case CLOSE:
	case CLOSE_SEND:
		return hf_drpc_in_message(d) ? drpc_fail(d, HF_STREAM_FAULT_DRPC_CUT) : 0;
	case ERROR:
		return 0;
	case INVOKE:
	case INVOKE_METADATA:
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_KIND);
	default:
		/* Kept for the future by those who made it: unknown control packets pass. */
		return control ? 0 : drpc_fail(d, HF_STREAM_FAULT_DRPC_KIND);
	}
}

/* The first frame of a packet. An older one that was not whole is forgotten, as its maker wants. */
static int begin_packet(struct hf_drpc *d, uint8_t kind)
{
	int rc = check_kind(d, kind, d->control & BIT_CONTROL);

	if (rc)
		return rc;
	d->id = d->frame_id;
	d->kind = kind;
	d->open = true;
	d->size = 0;
	d->frames = 0;
	d->n_code = 0;
	d->n_text = 0;
	d->text_lost = 0;
	return 0;
}

/* The head of a frame is whole. 1 and an event, 0, or a code. */
static int begin_frame(struct hf_drpc *d, uint64_t len, struct hf_drpc_event *ret_event)
{
	uint8_t kind = d->control >> KIND_SHIFT & KIND_MASK;
	bool first = d->frame_id != d->id || !d->open;
	int rc;

	if (!d->frame_id || d->frame_id < d->id || (d->frame_id == d->id && !d->open))
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_ID);
	if (first) {
		rc = begin_packet(d, kind);
		if (rc)
			return rc;
	}
	if (kind != d->kind)
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_KIND);
	if (len > d->limits->drpc_frame)
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_FRAME);
	if (len > d->limits->message - d->size)
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_MESSAGE);
	if (++d->frames > d->limits->drpc_frames)
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_FRAMES);
	d->size += len;
	d->left = len;
	d->at = DRPC_AT_BODY;
	return first && kind == MESSAGE ? drpc_set_event(ret_event, DRPC_BEGIN) : 0;
}

/* One byte of a frame's head. */
static int drpc_take_head(struct hf_drpc *d, uint8_t c, struct hf_drpc_event *ret_event)
{
	uint64_t number;

	if (d->at == DRPC_AT_CONTROL) {
		if (!d->sent_id)
			return drpc_fail(d, HF_STREAM_FAULT_DRPC_ORDER);
		d->control = c;
		d->at = DRPC_AT_STREAM;
		return 0;
	}
	d->number |= (uint64_t)(c & 0x7f) << (7 * d->n_bytes++);
	if ((c >= 0x80 && d->n_bytes == VARINT_BYTES) || (!c && d->n_bytes > 1))
		return drpc_fail(d, HF_STREAM_FAULT_DRPC_VARINT);
	if (c & 0x80)
		return 0;
	number = d->number;
	d->number = 0;
	d->n_bytes = 0;
	switch (d->at++) {
	case DRPC_AT_STREAM:
		return number == HF_DRPC_STREAM ? 0 : drpc_fail(d, HF_STREAM_FAULT_DRPC_STREAM);
	case DRPC_AT_ID:
		d->frame_id = number;
		return 0;
	default:
		return begin_frame(d, number, ret_event);
	}
}

/* A packet is whole. */
static int end_packet(struct hf_drpc *d, struct hf_drpc_event *ret_event)
{
	uint64_t code = 0;

	d->open = false;
	switch (d->kind) {
	case MESSAGE:
		return drpc_set_event(ret_event, DRPC_END);
	case CLOSE_SEND:
		d->no_more_messages = true;
		return drpc_set_event(ret_event, DRPC_CLOSED);
	case CLOSE:
		d->ended = true;
		return drpc_set_event(ret_event, DRPC_CLOSED);
	case CANCEL:
		d->ended = true;
		return drpc_set_event(ret_event, DRPC_CANCELLED);
	case ERROR:
		if (d->n_code < sizeof(d->code))
			return drpc_fail(d, HF_STREAM_FAULT_DRPC_ERROR);
		for (size_t i = 0; i < sizeof(d->code); i++)
			code = code << 8 | d->code[i];
		d->ended = true;
		*ret_event = (struct hf_drpc_event){ .what = DRPC_ERROR,
			.code = code,
			.bytes = (const uint8_t *)d->text,
			.len = d->n_text };
		return 1;
	default:
		return 0;
	}
}

static void keep_error(struct hf_drpc *d, const uint8_t *bytes, size_t len)
{
	size_t n = sizeof(d->code) - d->n_code;

	n = n < len ? n : len;
	memcpy(d->code + d->n_code, bytes, n);
	d->n_code += (unsigned)n;
	bytes += n;
	len -= n;
	n = sizeof(d->text) - d->n_text;
	n = n < len ? n : len;
	memcpy(d->text + d->n_text, bytes, n);
	d->n_text += n;
	d->text_lost += len - n;
}

/* Bytes of a frame's body, or its end. */
static int drpc_take_body(struct hf_drpc *d, struct hf_rd *in, struct hf_drpc_event *ret_event)
{
	size_t n = hf_rd_left(in) < d->left ? hf_rd_left(in) : (size_t)d->left;
	const uint8_t *bytes;

	if (!d->left) {
		d->at = DRPC_AT_CONTROL;
		return d->control & BIT_DONE ? end_packet(d, ret_event) : 0;
	}
	bytes = hf_rd_bytes(in, n);
	d->left -= n;
	if (d->kind == ERROR)
		keep_error(d, bytes, n);
	if (d->kind != MESSAGE)
		return 0;
	*ret_event = (struct hf_drpc_event){ .what = DRPC_DATA, .bytes = bytes, .len = n };
	return 1;
}

void hf_drpc_init(struct hf_drpc *d, const struct hf_stream_limits *limits)
{
	*d = (struct hf_drpc){ .limits = limits };
}

int hf_drpc_next(struct hf_drpc *d, struct hf_rd *in, struct hf_drpc_event *ret_event)
{
	int rc = 0;

	while (!rc && !d->trouble) {
		/* The end of a body needs no byte of its own. */
		if (d->at == DRPC_AT_BODY && (!d->left || hf_rd_left(in)))
			rc = drpc_take_body(d, in, ret_event);
		else if (d->at != DRPC_AT_BODY && hf_rd_left(in))
			rc = drpc_take_head(d, hf_rd_u8(in), ret_event);
		else
			return 0;
	}
	return rc ? rc : hf_stream_fault_code(d->trouble);
}

bool hf_drpc_in_message(const struct hf_drpc *d)
{
	return d->open && d->kind == MESSAGE;
}

bool hf_drpc_is_ended(const struct hf_drpc *d)
{
	return d->ended || d->no_more_messages;
}

bool hf_drpc_in_packet(const struct hf_drpc *d)
{
	return d->open || d->at != DRPC_AT_CONTROL;
}

static void drpc_put_varint(struct hf_wr *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		hf_wr_u8(w, (uint8_t)(v | 0x80));
	hf_wr_u8(w, (uint8_t)v);
}

static void put_packet(
    struct hf_drpc *d, struct hf_wr *w, uint8_t kind, uint8_t bits, const void *body, size_t len)
{
	hf_wr_u8(w, (uint8_t)(kind << KIND_SHIFT | BIT_DONE | bits));
	drpc_put_varint(w, HF_DRPC_STREAM);
	drpc_put_varint(w, ++d->sent_id);
	drpc_put_varint(w, len);
	hf_wr_bytes(w, body, len);
}

void hf_drpc_invoke(
    struct hf_drpc *d, struct hf_wr *w, const char *rpc, const void *message, size_t len)
{
	put_packet(d, w, INVOKE, 0, rpc, strlen(rpc));
	put_packet(d, w, MESSAGE, 0, message, len);
}

void hf_drpc_close_send(struct hf_drpc *d, struct hf_wr *w)
{
	put_packet(d, w, CLOSE_SEND, 0, NULL, 0);
}

void hf_drpc_close(struct hf_drpc *d, struct hf_wr *w)
{
	put_packet(d, w, CLOSE, 0, NULL, 0);
}

void hf_drpc_cancel(struct hf_drpc *d, struct hf_wr *w)
{
	put_packet(d, w, CANCEL, BIT_CONTROL, NULL, 0);
}
