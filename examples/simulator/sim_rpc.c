/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_rpc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

enum kind { INVOKE = 1, MESSAGE, ERROR, CANCEL, CLOSE, CLOSE_SEND, INVOKE_METADATA };
enum { DONE = 1, CONTROL = 0x80, HEAD_MAX = 31, FRAME = 65536, PACKET_MAX = 1 << 20 };

struct head {
	uint8_t control;
	uint64_t call, message, len;
};

/* 1 where it is whole, 0 where more is needed, -EPROTO. */
static int read_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (*at == end)
			return 0;
		value |= (uint64_t)(**at & 0x7f) << shift;
		if (!(*(*at)++ & 0x80)) {
			*ret_value = value;
			return 1;
		}
	}
	return -EPROTO;
}

/* The same; a whole head is taken off. */
static int read_head(struct evbuffer *in, struct head *ret_head)
{
	uint8_t bytes[HEAD_MAX];
	ev_ssize_t n = evbuffer_copyout(in, bytes, sizeof(bytes));
	const uint8_t *at = bytes + 1, *end = bytes + n;
	uint64_t *fields[] = { &ret_head->call, &ret_head->message, &ret_head->len };
	int rc = n > 0;

	ret_head->control = bytes[0];
	for (size_t i = 0; rc > 0 && i < 3; i++)
		rc = read_varint(&at, end, fields[i]);
	if (rc > 0 && ret_head->len > PACKET_MAX)
		return -EPROTO;
	if (rc > 0 && evbuffer_get_length(in) < (size_t)(at - bytes) + ret_head->len)
		return 0;
	if (rc > 0)
		evbuffer_drain(in, (size_t)(at - bytes));
	return rc;
}

static void rpc_end_call(struct sim_rpc *rpc)
{
	rpc->call = 0;
	rpc->config.ended(rpc->config.arg);
}

static int take_invoke(struct sim_rpc *rpc, const struct head *h, const char *name, size_t len)
{
	if (h->call <= rpc->last_call || len >= sizeof(rpc->name))
		return -EPROTO;
	if (rpc->call)
		rpc_end_call(rpc);
	rpc->call = rpc->last_call = h->call;
	rpc->next_message = 1;
	snprintf(rpc->name, sizeof(rpc->name), "%.*s", (int)len, name ? name : "");
	return 0;
}

static int rpc_take_packet(
    struct sim_rpc *rpc, const struct head *h, const uint8_t *body, size_t len)
{
	enum kind kind = h->control >> 1 & 0x3f;

	if (kind == INVOKE)
		return take_invoke(rpc, h, (const char *)body, len);
	if (kind == INVOKE_METADATA || h->control & CONTROL || h->call != rpc->call)
		return 0;
	switch (kind) {
	case MESSAGE:
		rpc->config.called(rpc->config.arg, rpc->name, body, len);
		break;
	case ERROR:
	case CANCEL:
	case CLOSE:
		rpc_end_call(rpc);
		break;
	default:
		break;
	}
	return 0;
}

static int make_buffers(struct sim_rpc *rpc)
{
	if (!rpc->in)
		rpc->in = evbuffer_new();
	if (!rpc->packet)
		rpc->packet = evbuffer_new();
	return rpc->in && rpc->packet ? 0 : -ENOMEM;
}

int hf_sim_rpc_feed(struct sim_rpc *rpc, const uint8_t *bytes, size_t len)
{
	struct head h;
	int rc = make_buffers(rpc);

	if (rc || evbuffer_add(rpc->in, bytes, len))
		return -ENOMEM;
	while ((rc = read_head(rpc->in, &h)) > 0) {
		size_t n;

		evbuffer_remove_buffer(rpc->in, rpc->packet, (size_t)h.len);
		n = evbuffer_get_length(rpc->packet);
		if (n > PACKET_MAX)
			return -EPROTO;
		if (!(h.control & DONE))
			continue;
		rc = rpc_take_packet(rpc, &h, evbuffer_pullup(rpc->packet, -1), n);
		evbuffer_drain(rpc->packet, n);
		if (rc)
			return rc;
	}
	return rc;
}

void hf_sim_rpc_done(struct sim_rpc *rpc)
{
	if (rpc->in)
		evbuffer_free(rpc->in);
	if (rpc->packet)
		evbuffer_free(rpc->packet);
	rpc->in = rpc->packet = NULL;
}

bool hf_sim_rpc_is_open(const struct sim_rpc *rpc)
{
	return rpc->call != 0;
}

static size_t rpc_put_varint(uint8_t *at, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		at[n++] = (uint8_t)(value | 0x80);
	at[n++] = (uint8_t)value;
	return n;
}

/* A packet in frames of at most 64 KiB, as storj.io/drpc splits it. */
static void add_packet(
    struct sim_rpc *rpc, enum kind kind, struct evbuffer *body, struct evbuffer *out)
{
	uint64_t message = rpc->next_message++;
	size_t left = body ? evbuffer_get_length(body) : 0, n;

	do {
		uint8_t head[HEAD_MAX];
		size_t at = 1;

		n = left < FRAME ? left : FRAME;
		left -= n;
		head[0] = (uint8_t)((unsigned)kind << 1 | (left ? 0 : DONE));
		at += rpc_put_varint(head + at, rpc->call);
		at += rpc_put_varint(head + at, message);
		at += rpc_put_varint(head + at, n);
		evbuffer_add(out, head, at);
		if (n)
			evbuffer_remove_buffer(body, out, n);
	} while (left);
}

void hf_sim_rpc_message(struct sim_rpc *rpc, struct evbuffer *message, struct evbuffer *out)
{
	if (rpc->call)
		add_packet(rpc, MESSAGE, message, out);
}

void hf_sim_rpc_close(struct sim_rpc *rpc, struct evbuffer *out)
{
	if (!rpc->call)
		return;
	add_packet(rpc, CLOSE, NULL, out);
	rpc->call = 0;
}

void hf_sim_rpc_error(struct sim_rpc *rpc, uint64_t code, const char *text, struct evbuffer *out)
{
	struct evbuffer *body = rpc->call ? evbuffer_new() : NULL;

	if (!body)
		return;
	for (int shift = 56; shift >= 0; shift -= 8)
		evbuffer_add(body, &(uint8_t){ (uint8_t)(code >> shift) }, 1);
	evbuffer_add(body, text, strlen(text));
	add_packet(rpc, ERROR, body, out);
	evbuffer_free(body);
	rpc->call = 0;
}
