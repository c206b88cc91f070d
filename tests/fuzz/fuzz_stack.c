/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole stack below TLS, with two calls. The first byte chooses the layer that the rest of the
 * bytes are of (those below it are good) and in what pieces they come; the second one, unless it is
 * 0, what the owner does between the pieces: it pauses, resumes, cancels, pings, calls. Where it
 * does nothing, whole and in pieces must come to the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/stack.h"
#include "tests/fuzz/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_HTTP, MODE_WS, MODE_YAMUX, MODE_DRPC, MODES };

static const struct hf_stream_limits limits = { .message = 64 << 10,
	.record = 300,
	.results = 128 << 10,
	.drpc_frame = 32 << 10,
	.drpc_frames = 50,
	.streams = 6,
	.ws_frame = 64 << 10,
	.head = 2000,
	.head_fields = 12,
	.pongs = 1000,
	.control = 100,
	.control_span_ms = 1000,
	.unsent = 16 << 10 };

static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			   "Connection: Upgrade\r\n"
			   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct run {
	struct hf_stack *stack;
	uint64_t digest;
	enum hf_stream_fault end;
	unsigned action; /* 0: none */
};

static void must(int ok)
{
	if (!ok)
		abort();
}

static int not_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memcpy(out, "the sample nonce", len < 16 ? len : 16);
	return 0;
}

static void digest_update(struct run *r, const struct hf_update *u)
{
	r->digest = digest_number(r->digest, u->kind * 1000000u + u->refused_total);
	for (size_t i = 0; i < u->n_upserted_workspaces; i++)
		r->digest =
		    digest_bytes(r->digest, 1, (const uint8_t *)u->upserted_workspaces[i].name.at,
			u->upserted_workspaces[i].name.len);
	for (size_t i = 0; i < u->n_upserted_agents; i++)
		r->digest = digest_bytes(
		    r->digest, 2, u->upserted_agents[i].workspace.b, sizeof(struct hf_uuid));
	for (size_t i = 0; i < u->n_deleted_agents; i++)
		r->digest =
		    digest_bytes(r->digest, 3, u->deleted_agents[i].id.b, sizeof(struct hf_uuid));
	r->digest = digest_number(r->digest, u->n_deleted_workspaces);
}

static void act(struct run *r)
{
	static const struct hf_uuid owner = { .b = { 5 } };
	uint32_t call;

	if (!r->action)
		return;
	r->action = r->action * 1103515245u + 12345;
	switch (r->action >> 16 & 7) {
	case 0:
	case 1:
		hf_stack_pause(r->stack, r->action >> 20 & 7, r->action >> 16 & 1);
		break;
	case 2:
		hf_stack_cancel(r->stack, r->action >> 20 & 7);
		break;
	case 3:
		hf_stack_call(r->stack, &owner, &call);
		break;
	case 4:
		hf_stack_ping(r->stack);
		break;
	default:
		break;
	}
}

static void take_events(struct run *r)
{
	static const struct hf_uuid owner = { .b = { 9 } };
	struct hf_stack_event e;
	uint32_t call;

	while (hf_stack_next(r->stack, &e)) {
		must(!r->end);
		r->digest = digest_number(r->digest, (uint64_t)e.what << 32 | e.call);
		if (e.what == STACK_OPEN)
			for (int i = 0; i < 2; i++)
				hf_stack_call(r->stack, &owner, &call);
		if (e.what == STACK_UPDATE) {
			digest_update(r, e.update);
			hf_update_free(e.update);
		}
		if (e.text && e.what != STACK_ENDED)
			r->digest = digest_bytes(
			    r->digest, e.trouble, (const uint8_t *)e.text, strlen(e.text));
		if (e.what == STACK_ENDED)
			r->end = e.trouble;
		act(r);
	}
}

static void give(struct run *r, const uint8_t *bytes, size_t len)
{
	int rc = hf_stack_input(r->stack, 0, bytes, len);

	take_events(r);
	must(!rc || r->end);
	act(r);
	take_events(r);
}

/* A piece of one layer, in the frames of those below. */
static void give_piece(struct run *r, int mode, const uint8_t *bytes, size_t len)
{
	const uint8_t yamux[] = { 0x82, 12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, (uint8_t)(len >> 8),
		(uint8_t)len };
	const uint8_t longer[] = { 0x82, 126, (uint8_t)(len >> 8), (uint8_t)len };
	const uint8_t shorter[] = { 0x82, (uint8_t)len };

	if (mode == MODE_DRPC)
		give(r, yamux, sizeof(yamux));
	if (mode >= MODE_YAMUX && len < 126)
		give(r, shorter, sizeof(shorter));
	else if (mode >= MODE_YAMUX)
		give(r, longer, sizeof(longer));
	give(r, bytes, len);
}

static struct run run(int mode, unsigned action, const uint8_t *data, size_t size, size_t piece)
{
	const struct hf_stack_config config = { .limits = &limits, .random = not_random };
	const struct hf_upgrade_request request = { .host = "h", .prefix = "", .token = "t" };
	struct run r = { .digest = 1, .action = action };
	const uint8_t *sent;

	must(!hf_stack_new(&config, &request, &r.stack));
	hf_stack_sent(r.stack, hf_stack_output(r.stack, &sent));
	if (mode != MODE_HTTP)
		give(&r, (const uint8_t *)head, strlen(head));
	for (size_t at = 0; at < size; at += piece)
		give_piece(&r, mode, data + at, size - at < piece ? size - at : piece);
	hf_stack_eof(r.stack);
	take_events(&r);
	must(r.end);
	must(hf_stack_answer(r.stack)->status <= 999);
	hf_stack_close(r.stack, 1000);
	r.digest = digest_number(r.digest, r.end);
	hf_stack_free(r.stack);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, pieces;
	int mode;

	if (size < 2 || size > 60000)
		return 0;
	mode = data[0] % MODES;
	pieces = run(mode, data[1], data + 2, size - 2, 1u + data[0] / MODES);
	/* With the head and a close in one piece no call can be made. */
	if (data[1] || mode == MODE_HTTP)
		return 0;
	whole = run(mode, 0, data + 2, size - 2, SIZE_MAX / 2);
	/* wslay judges the UTF-8 of a close frame piece by piece. */
	must(whole.digest == pieces.digest || whole.end == HF_STREAM_FAULT_WS_UTF8 ||
	     pieces.end == HF_STREAM_FAULT_WS_UTF8);
	return 0;
}
