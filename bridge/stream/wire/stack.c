/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/call_table.h"
#include "bridge/stream/wire/yamux.h"

enum { REQUEST_MAX = 16 << 10 };
/* As many calls that the server has ended may wait for the end of their streams. */
enum { OVER_MAX = 64 };

struct hf_stack {
	struct hf_stack_config config;
	enum { AT_UPGRADE, AT_LIVE, AT_END } state; /* END: STACK_ENDED was told */
	bool tell_open;
	enum hf_stream_fault ended;   /* no more bytes come; those that came are still read */
	enum hf_stream_fault trouble; /* and none is read any more */
	char text[4 * 256 + 1];       /* lent with an event */
	int64_t now_ms;
	struct hf_sendq out;     /* to the server */
	struct hf_sendq mux_out; /* out of yamux, into the websocket */
	struct hf_pongs pongs;
	struct hf_upgrade upgrade;
	struct hf_ws *ws; /* owned; NULL while UPGRADING */
	struct hf_yamux yamux;
	struct {
		uint8_t *bytes; /* owned: what came out of the websocket and is for yamux */
		size_t len;
		size_t room;
		struct hf_rd in; /* what of it is to be read */
	} payload;
	struct hf_rd chunk; /* data of one stream, within the payload ... */
	uint32_t chunk_call;
	struct hf_call_table calls;
	bool resumed; /* some call may have kept bytes to read */
	bool check_over;
	struct hf_budget budget;
	struct hf_arena arena;
};

static int stack_fail(struct hf_stack *s, enum hf_stream_fault t)
{
	if (!s->trouble)
		s->trouble = t;
	return hf_stream_fault_code(s->trouble);
}

static int stack_end(struct hf_stack *s, enum hf_stream_fault t)
{
	if (!s->ended)
		s->ended = t;
	return hf_stream_fault_code(s->ended);
}

static bool is_over(const struct hf_stack *s)
{
	return s->ended || s->trouble;
}

/* What yamux wants to send goes out as one message. */
static void stack_pump(struct hf_stack *s)
{
	const uint8_t *bytes;
	size_t n = hf_sendq_peek(&s->mux_out, &bytes);

	if (s->yamux.trouble)
		stack_fail(s, s->yamux.trouble);
	if (!n)
		return;
	if (!is_over(s) && hf_ws_send(s->ws, false, bytes, n) && hf_ws_trouble(s->ws))
		stack_fail(s, hf_ws_trouble(s->ws));
	hf_sendq_sent(&s->mux_out, n);
}

static void on_payload(void *arg, const uint8_t *bytes, size_t len)
{
	struct hf_stack *s = arg;
	size_t room = s->payload.room ? s->payload.room : 4096;
	uint8_t *grown;

	if (s->ended)
		return; /* a piece before this one was lost */
	while (room - s->payload.len < len)
		room *= 2; /* bounded by what hf_stack_input() was given */
	if (room != s->payload.room) {
		grown = realloc(s->payload.bytes, room);
		if (!grown) {
			stack_end(s, HF_STREAM_FAULT_MEMORY);
			return;
		}
		s->payload.bytes = grown;
		s->payload.room = room;
	}
	memcpy(s->payload.bytes + s->payload.len, bytes, len);
	s->payload.len += len;
}

/* Tells the server that we are done with a call. */
static void stack_send_close(struct hf_stack *s, struct hf_call *c)
{
	uint8_t close[HF_DRPC_FRAME_HEAD];
	struct hf_wr w = hf_wr(close, sizeof(close));

	hf_drpc_close(&c->drpc, &w);
	hf_yamux_write(&s->yamux, c->id, close, hf_wr_len(&w));
}

/* Tells what a call had to tell. 1. */
static int tell_call(struct hf_stack *s, struct hf_call *c, const struct hf_call_event *e,
    struct hf_stack_event *ret_event)
{
	*ret_event = (struct hf_stack_event){ .call = c->id,
		.update = e->update,
		.trouble = e->trouble,
		.code = e->code,
		.text = s->text };
	snprintf(s->text, sizeof(s->text), "%s", e->trouble ? c->text : "");
	ret_event->what = e->what == CALL_UPDATE    ? STACK_UPDATE
			  : e->what == CALL_REFUSED ? STACK_REFUSED
						    : STACK_CALL_ENDED;
	if (e->what == CALL_ENDED) {
		/* We are done too; what still comes on the stream is only looked at. */
		if (!c->fin && !hf_drpc_is_ended(&c->drpc))
			stack_send_close(s, c);
		hf_yamux_fin(&s->yamux, c->id);
		s->check_over = true;
	}
	return 1;
}

/* 1 and an event, 0, or a code; as all below that are called by hf_stack_next(). */
static int judge_call(struct hf_stack *s, struct hf_call *c, int rc, const struct hf_call_event *e,
    struct hf_stack_event *ret_event)
{
	if (rc < 0)
		return stack_fail(s, c->trouble);
	return rc ? tell_call(s, c, e, ret_event) : 0;
}

static int read_call(
    struct hf_stack *s, struct hf_call *c, struct hf_rd *in, struct hf_stack_event *ret_event)
{
	const uint8_t *from = in->at;
	struct hf_call_event e;
	int rc = hf_call_next(c, in, &e);

	hf_yamux_consumed(&s->yamux, c->id, (size_t)(in->at - from));
	return judge_call(s, c, rc, &e, ret_event);
}

/* The server has ended the stream, and all before that is read. */
static int stack_end_call(struct hf_stack *s, struct hf_call *c, struct hf_stack_event *ret_event)
{
	struct hf_call_event e;
	int rc = judge_call(s, c, hf_call_fin(c, &e), &e, ret_event);

	if (rc < 0)
		return rc;
	hf_yamux_fin(&s->yamux, c->id);
	hf_call_table_forget(&s->calls, c);
	return rc;
}

static int reset_call(struct hf_stack *s, struct hf_call *c, struct hf_stack_event *ret_event)
{
	struct hf_call_event e;
	int rc = judge_call(s, c, hf_call_rst(c, &e), &e, ret_event);

	if (rc >= 0)
		hf_call_table_forget(&s->calls, c);
	return rc;
}

/* The rest of a chunk of data. What was kept before it has been read by now, or still waits. */
static int read_chunk(struct hf_stack *s, struct hf_stack_event *ret_event)
{
	struct hf_call *c = hf_call_table_find(&s->calls, s->chunk_call);
	size_t n = hf_rd_left(&s->chunk);

	if (c && !c->paused)
		return read_call(s, c, &s->chunk, ret_event);
	if (c && hf_call_keep(c, s->chunk.at, n))
		return stack_fail(s, HF_STREAM_FAULT_MEMORY);
	s->chunk.at = s->chunk.end;
	return 0;
}

/* What was kept of a call that is paused no longer. */
static int read_kept(struct hf_stack *s, struct hf_stack_event *ret_event)
{
	struct hf_call *c = hf_call_table_ready(&s->calls);
	struct hf_rd in;
	int rc;

	if (!c) {
		s->resumed = false;
		return 0;
	}
	if (!c->kept.len)
		return stack_end_call(s, c, ret_event);
	in = hf_call_kept(c);
	rc = read_call(s, c, &in, ret_event);
	hf_call_kept_until(c, &in);
	return rc;
}

/* A server that ends calls and never their streams is not waited for: at most `max` may be so. */
static bool forget_oldest_over(struct hf_stack *s, size_t max)
{
	struct hf_call *c = hf_call_table_oldest_over(&s->calls, max);

	if (!c)
		return false;
	hf_yamux_close(&s->yamux, c->id);
	hf_call_table_forget(&s->calls, c);
	return true;
}

static int take_yamux(
    struct hf_stack *s, const struct hf_yamux_event *e, struct hf_stack_event *ret_event)
{
	struct hf_call *c = hf_call_table_find(&s->calls, e->stream);

	switch (e->what) {
	case YAMUX_DATA:
		if (c)
			c->received += e->len;
		s->chunk = hf_rd(e->bytes, e->len);
		s->chunk_call = e->stream;
		return 0;
	case YAMUX_FIN:
		if (!c)
			return 0;
		c->fin = true;
		s->resumed = true;
		return 0;
	case YAMUX_RST:
		return c ? reset_call(s, c, ret_event) : 0;
	case YAMUX_PONG:
		*ret_event = (struct hf_stack_event){ .what = STACK_PONG };
		return 1;
	case YAMUX_GOAWAY:
		*ret_event = (struct hf_stack_event){ .what = STACK_GOAWAY };
		return 1;
	}
	return 0;
}

static int read_payload(struct hf_stack *s, struct hf_stack_event *ret_event)
{
	struct hf_yamux_event e;
	int rc = hf_yamux_next(&s->yamux, &s->payload.in, s->now_ms, &e);

	if (rc < 0)
		return stack_fail(s, s->yamux.trouble);
	return rc ? take_yamux(s, &e, ret_event) : 0;
}

/* Are there bytes of the last input that were not looked at? */
static bool has_unread(const struct hf_stack *s)
{
	return hf_rd_left(&s->chunk) || hf_rd_left(&s->payload.in) || hf_yamux_pending(&s->yamux);
}

/* One step, the inner layers first, so that nothing overtakes. */
static int stack_work(struct hf_stack *s, struct hf_stack_event *ret_event)
{
	if (s->resumed)
		return read_kept(s, ret_event);
	if (hf_rd_left(&s->chunk))
		return read_chunk(s, ret_event);
	return read_payload(s, ret_event);
}

/* Why the connection is over, with what is known of it. */
static int stack_tell_end(struct hf_stack *s, struct hf_stack_event *ret_event)
{
	enum hf_stream_fault t = s->trouble ? s->trouble : s->ended;
	struct hf_stack_event e = { .what = STACK_ENDED, .trouble = t, .text = s->text };

	s->text[0] = '\0';
	if (t == HF_STREAM_FAULT_HTTP_STATUS) {
		e.code = (uint64_t)s->upgrade.status;
		snprintf(s->text, sizeof(s->text), "%s", s->upgrade.location);
	} else if (s->ws && t == hf_ws_trouble(s->ws)) {
		e.code = hf_ws_close_code(s->ws);
		snprintf(s->text, sizeof(s->text), "%s", hf_ws_close_reason(s->ws));
	} else if (t == HF_STREAM_FAULT_YAMUX_GOAWAY) {
		e.code = s->yamux.goaway_code;
	}
	s->state = AT_END;
	*ret_event = e;
	return 1;
}

static int start_upgrade(struct hf_stack *s, const struct hf_upgrade_request *request)
{
	uint8_t nonce[HF_UPGRADE_NONCE];
	uint8_t *head = malloc(REQUEST_MAX);
	struct hf_wr w = hf_wr(head, REQUEST_MAX);
	int rc;

	if (!head)
		return -ENOMEM;
	rc = s->config.random(s->config.random_arg, nonce, sizeof(nonce)) ? -EIO : 0;
	if (!rc)
		rc = hf_upgrade_write(request, nonce, &w);
	if (!rc)
		rc = hf_sendq_add(&s->out, head, hf_wr_len(&w));
	explicit_bzero(head, REQUEST_MAX); /* it had the token */
	free(head);
	if (!rc)
		hf_upgrade_init(&s->upgrade, s->config.limits, nonce);
	return rc == HF_ELIMIT ? -EINVAL : rc;
}

int hf_stack_new(const struct hf_stack_config *config, const struct hf_upgrade_request *request,
    struct hf_stack **ret_stack)
{
	const struct hf_stream_limits *limits = config->limits;
	struct hf_stack *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->config = *config;
	s->pongs.max = limits->pongs;
	s->budget.max = limits->results;
	hf_sendq_init(&s->out, limits->unsent);
	hf_sendq_init(&s->mux_out, limits->unsent);
	if (hf_call_table_init(&s->calls, limits->streams) ||
	    hf_arena_init(&s->arena, hf_update_decoder_arena_size(limits)) ||
	    hf_yamux_init(&s->yamux, limits, &s->mux_out, &s->pongs))
		goto fail;
	rc = start_upgrade(s, request);
	if (rc)
		goto fail;
	*ret_stack = s;
	return 0;
fail:
	hf_stack_free(s);
	return rc;
}

void hf_stack_free(struct hf_stack *s)
{
	if (!s)
		return;
	hf_call_table_done(&s->calls);
	free(s->payload.bytes);
	hf_ws_free(s->ws);
	hf_yamux_done(&s->yamux);
	hf_upgrade_done(&s->upgrade);
	hf_arena_done(&s->arena);
	hf_sendq_done(&s->mux_out);
	hf_sendq_done(&s->out);
	free(s);
}

/* Bytes of the answer to the upgrade; `in` has what is left of them. */
static int input_upgrade(struct hf_stack *s, struct hf_rd *in)
{
	const struct hf_ws_config config = { .limits = s->config.limits,
		.out = &s->out,
		.pongs = &s->pongs,
		.random = s->config.random,
		.random_arg = s->config.random_arg,
		.data = on_payload,
		.arg = s };
	int rc = hf_upgrade_feed(&s->upgrade, in);

	if (rc < 0)
		return stack_end(s, s->upgrade.trouble);
	if (!rc)
		return 0;
	if (hf_ws_new(&config, &s->ws))
		return stack_end(s, HF_STREAM_FAULT_MEMORY);
	s->state = AT_LIVE;
	s->tell_open = true;
	return 0;
}

int hf_stack_input(struct hf_stack *s, int64_t now_ms, const uint8_t *bytes, size_t len)
{
	struct hf_rd in = hf_rd(bytes, len);
	int rc = 0;

	if (is_over(s))
		return hf_stream_fault_code(s->trouble ? s->trouble : s->ended);
	if (has_unread(s))
		return -EBUSY;
	s->now_ms = now_ms;
	s->payload.len = 0;
	if (s->state == AT_UPGRADE)
		rc = input_upgrade(s, &in);
	if (!rc && s->state == AT_LIVE && hf_ws_recv(s->ws, now_ms, in.at, hf_rd_left(&in)))
		rc = stack_end(s, hf_ws_trouble(s->ws));
	if (s->payload.len)
		s->payload.in = hf_rd(s->payload.bytes, s->payload.len);
	return rc;
}

void hf_stack_eof(struct hf_stack *s)
{
	if (s->state == AT_UPGRADE) {
		hf_upgrade_eof(&s->upgrade);
		stack_end(s, s->upgrade.trouble);
	}
	stack_end(s, HF_STREAM_FAULT_WS_EOF);
}

int hf_stack_next(struct hf_stack *s, struct hf_stack_event *ret_event)
{
	int rc = 0;

	if (s->state == AT_END)
		return 0;
	if (s->tell_open) {
		s->tell_open = false;
		*ret_event = (struct hf_stack_event){ .what = STACK_OPEN };
		return 1;
	}
	while (!rc && !s->trouble && (s->resumed || has_unread(s)))
		rc = stack_work(s, ret_event);
	if (s->check_over)
		s->check_over = forget_oldest_over(s, OVER_MAX);
	if (s->state == AT_LIVE)
		stack_pump(s);
	if (rc == 1)
		return 1;
	return is_over(s) ? stack_tell_end(s, ret_event) : 0;
}

size_t hf_stack_output(struct hf_stack *s, const uint8_t **ret_bytes)
{
	return hf_sendq_peek(&s->out, ret_bytes);
}

void hf_stack_sent(struct hf_stack *s, size_t n)
{
	hf_sendq_sent(&s->out, n);
	if (!hf_sendq_len(&s->out))
		s->pongs.unsent = 0;
}

/* 0, or why nothing can be sent in calls now. */
static int check_live(const struct hf_stack *s)
{
	if (is_over(s))
		return HF_ECLOSED;
	return s->state == AT_LIVE ? 0 : HF_ENOTREADY;
}

int hf_stack_call(struct hf_stack *s, const struct hf_uuid *owner, uint32_t *ret_call)
{
	uint8_t start[HF_CALL_START];
	struct hf_wr w = hf_wr(start, sizeof(start));
	struct hf_call *c;
	int rc = check_live(s);

	if (!rc)
		rc = hf_call_new(s->config.limits, &s->budget, &s->arena, owner, &c);
	if (rc)
		return rc;
	rc = hf_yamux_open(&s->yamux, &c->id);
	if (rc == -EMFILE && forget_oldest_over(s, 0))
		rc = hf_yamux_open(&s->yamux, &c->id);
	if (rc) {
		hf_call_free(c);
		return rc == -EMFILE ? rc : HF_ECLOSED;
	}
	hf_call_table_add(&s->calls, c);
	hf_call_start(c, &w);
	hf_yamux_write(&s->yamux, c->id, start, hf_wr_len(&w)); /* a new window has room for it */
	stack_pump(s);
	*ret_call = c->id;
	return 0;
}

void hf_stack_pause(struct hf_stack *s, uint32_t call, bool paused)
{
	struct hf_call *c = hf_call_table_find(&s->calls, call);

	if (!c || c->over)
		return;
	c->paused = paused;
	s->resumed |= !paused;
}

void hf_stack_cancel(struct hf_stack *s, uint32_t call)
{
	struct hf_call *c = hf_call_table_find(&s->calls, call);

	if (!c || c->over)
		return;
	stack_send_close(s, c);
	hf_yamux_close(&s->yamux, call);
	hf_call_table_forget(&s->calls, c);
	stack_pump(s);
}

uint64_t hf_stack_received(const struct hf_stack *s, uint32_t call)
{
	const struct hf_call *c = hf_call_table_find(&s->calls, call);

	return c ? c->received : 0;
}

int hf_stack_ping(struct hf_stack *s)
{
	int rc = check_live(s);

	if (!rc)
		rc = hf_yamux_ping(&s->yamux);
	if (rc && rc != -EBUSY && rc != HF_ENOTREADY)
		return HF_ECLOSED;
	if (!rc)
		stack_pump(s);
	return rc;
}

void hf_stack_close(struct hf_stack *s, uint16_t code)
{
	if (!check_live(s))
		hf_ws_close(s->ws, code);
}

const struct hf_upgrade *hf_stack_answer(const struct hf_stack *s)
{
	return &s->upgrade;
}
