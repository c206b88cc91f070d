/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/stream/kit_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char server_head[] = "HTTP/1.1 101 Switching Protocols\r\n"
			   "Upgrade: websocket\r\n"
			   "Connection: Upgrade\r\n"
			   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
			   "\r\n";

/* Of RFC 6455 section 1.3. */
const uint8_t server_sample_nonce[HF_UPGRADE_NONCE] = { 't', 'h', 'e', ' ', 's', 'a', 'm', 'p', 'l',
	'e', ' ', 'n', 'o', 'n', 'c', 'e' };
const uint8_t *server_nonce = server_sample_nonce;

int server_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memset(out, 0, len);
	if (len == HF_UPGRADE_NONCE)
		memcpy(out, server_nonce, len);
	return 0;
}

void server_ws(struct bytes *b, const void *payload, size_t len)
{
	bytes_u8(b, 0x82);
	if (len < 126) {
		bytes_u8(b, (uint8_t)len);
	} else {
		bytes_u8(b, 127);
		for (int shift = 56; shift >= 0; shift -= 8)
			bytes_u8(b, (uint8_t)((uint64_t)len >> shift));
		ck_assert_uint_gt(len, 65535);
	}
	bytes_add(b, payload, len);
}

static void put_ws(struct bytes *b, const void *payload, size_t len)
{
	const uint8_t *at = payload;

	/* Boundaries mean nothing: 125 bytes a message, or one large one. */
	for (; len > 0 && len < 65536; at += 125, len -= len < 125 ? len : 125)
		server_ws(b, at, len < 125 ? len : 125);
	if (len)
		server_ws(b, at, len);
}

void server_yamux(
    struct bytes *b, int type, int flags, uint32_t stream, const void *data, size_t len)
{
	struct bytes frame = { 0 };
	uint32_t id = htonl(stream), n = htonl((uint32_t)len);

	bytes_add(&frame, (uint8_t[4]){ 0, (uint8_t)type, 0, (uint8_t)flags }, 4);
	bytes_add(&frame, &id, 4);
	bytes_add(&frame, &n, 4);
	bytes_add(&frame, data, data ? len : 0);
	put_ws(b, frame.at, frame.len);
	bytes_done(&frame);
}

static void put_message(struct bytes *b, uint32_t stream, uint64_t id, const void *body, size_t len)
{
	struct bytes packet = { 0 };

	bytes_add(&packet, "\x05\x01", 2);
	bytes_varint(&packet, id);
	bytes_varint(&packet, len);
	bytes_add(&packet, body, len);
	server_yamux(b, 0, 0, stream, packet.at, packet.len);
	bytes_done(&packet);
}

void server_message(struct bytes *b, uint32_t stream, uint64_t id, const char *wire)
{
	struct bytes body = { 0 };

	bytes_parse(&body, wire);
	put_message(b, stream, id, body.at, body.len);
	bytes_done(&body);
}

void server_wrap(struct bytes *b, enum server_layer layer, const char *wire)
{
	struct bytes inner = { 0 };

	bytes_parse(&inner, wire);
	switch (layer) {
	case LAYER_HTTP:
	case LAYER_WS:
		bytes_add(b, inner.at, inner.len);
		break;
	case LAYER_YAMUX:
		put_ws(b, inner.at, inner.len);
		break;
	case LAYER_DRPC:
		server_yamux(b, 0, 0, 1, inner.at, inner.len);
		break;
	case LAYER_PROTOBUF:
		put_message(b, 1, 1, inner.at, inner.len);
		break;
	}
	bytes_done(&inner);
}

void server_start(struct server_peer *p, const struct hf_stream_limits *limits)
{
	const struct hf_stack_config config = { .limits = limits, .random = server_random };
	const struct hf_upgrade_request request = { .host = "h", .prefix = "", .token = "t" };

	p->told = (struct bytes){ 0 };
	p->n_updates = 0;
	ck_assert_int_eq(hf_stack_new(&config, &request, &p->stack), 0);
}

void server_stop(struct server_peer *p)
{
	hf_stack_free(p->stack);
	p->stack = NULL;
	bytes_done(&p->told);
}

static void tell(struct server_peer *p, const char *text)
{
	bytes_add(&p->told, text, strlen(text));
}

static void tell_update(struct server_peer *p, const struct hf_stack_event *e)
{
	const struct hf_update *u = e->update;
	char text[200];

	snprintf(text, sizeof(text), "update %u %s %zuw %zua", e->call,
	    u->kind == HF_UPDATE_SNAPSHOT ? "snapshot" : "diff", u->n_upserted_workspaces,
	    u->n_upserted_agents);
	tell(p, text);
	snprintf(text, sizeof(text), " -%zuw -%zua", u->n_deleted_workspaces, u->n_deleted_agents);
	if (u->n_deleted_workspaces || u->n_deleted_agents)
		tell(p, text);
	snprintf(text, sizeof(text), " %llu refused", (unsigned long long)u->refused_total);
	if (u->refused_total)
		tell(p, text);
	tell(p, "|");
}

static void tell_trouble(struct server_peer *p, const char *what, const struct hf_stack_event *e)
{
	char text[1200];

	snprintf(text, sizeof(text), "%s", what);
	if (e->call)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %u", e->call);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s",
	    hf_stream_fault_name(e->trouble));
	if (e->code)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %llu",
		    (unsigned long long)e->code);
	if (*e->text)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " '%s'", e->text);
	tell(p, text);
	tell(p, "|");
}

static void take_event(struct server_peer *p, const struct hf_stack_event *e)
{
	static const struct hf_uuid any = { .b = { 1, 2, 3 } };
	uint32_t call;

	switch (e->what) {
	case STACK_OPEN:
		tell(p, "open|");
		for (unsigned i = 0; i < p->calls_at_open; i++)
			ck_assert_int_eq(
			    hf_stack_call(p->stack, p->owner ? p->owner : &any, &call), 0);
		return;
	case STACK_UPDATE:
		p->n_updates++;
		tell_update(p, e);
		if (p->cancel_after_diff && e->update->kind == HF_UPDATE_DIFF)
			hf_stack_cancel(p->stack, e->call);
		hf_update_free(e->update);
		return;
	case STACK_REFUSED:
		tell_trouble(p, "refused", e);
		return;
	case STACK_CALL_ENDED:
		tell_trouble(p, "ended", e);
		return;
	case STACK_PONG:
		tell(p, "pong|");
		return;
	case STACK_GOAWAY:
		tell(p, "goaway|");
		return;
	case STACK_ENDED:
		tell_trouble(p, "over", e);
		return;
	}
}

void server_take(struct server_peer *p)
{
	struct hf_stack_event e;

	while (hf_stack_next(p->stack, &e))
		take_event(p, &e);
}

int server_give(struct server_peer *p, int64_t now_ms, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	int rc;

	ck_assert_ptr_nonnull(exact);
	if (len)
		memcpy(exact, bytes, len);
	rc = hf_stack_input(p->stack, now_ms, exact, len);
	free(exact);
	server_take(p);
	return rc;
}

const char *server_told(struct server_peer *p)
{
	bytes_u8(&p->told, 0);
	p->told.len = 0;
	return (const char *)p->told.at;
}

void server_read(struct server_peer *p, struct bytes *b)
{
	const uint8_t *at;
	size_t n = hf_stack_output(p->stack, &at);

	for (size_t i = 0, len; i < n; i += len) {
		if (!memcmp(at + i, "GET ", 4)) {
			len =
			    (size_t)(strstr((const char *)at + i, "\r\n\r\n") - (const char *)at) +
			    4;
			continue;
		}
		ck_assert_uint_eq(at[i + 1] & 0x80, 0x80);
		len = at[i + 1] & 0x7f;
		i += 2;
		if (len == 126) {
			len = (size_t)at[i] << 8 | at[i + 1];
			i += 2;
		}
		i += 4; /* a mask of zeros */
		bytes_add(b, at + i, len);
	}
	if (n)
		hf_stack_sent(p->stack, n);
}
