/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows RFC 6455; the frames are wslay's to read and write. What wslay leaves to others is here:
 * limits on control frames and on answers to pings, which messages are wanted, and why it ended.
 */
#include "bridge/stream/wire/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "bridge/stream/wire/printable.h"

enum { CLOSE_MAX = 125 };
/* Codes that RFC 6455's registry has since its text, and that wslay takes for a fault. */
enum { SERVICE_RESTART = 1012, BAD_GATEWAY = 1014 };

struct hf_ws {
	struct hf_ws_config config;
	wslay_event_context_ptr wslay; /* owned */
	const uint8_t *in;             /* lent to hf_ws_recv() */
	size_t in_len;
	int64_t now_ms;
	uint8_t opcode; /* of the frame that is coming in */
	struct hf_control_limit flood;
	uint8_t close[CLOSE_MAX]; /* the body of the peer's close frame */
	size_t n_close;
	bool close_seen;
	char reason[4 * CLOSE_MAX + 1];
	enum hf_stream_fault trouble; /* stays */
};

static int ws_fail(struct hf_ws *ws, enum hf_stream_fault t)
{
	if (!ws->trouble)
		ws->trouble = t;
	return hf_stream_fault_code(ws->trouble);
}

static ssize_t on_ws_recv(
    wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user_data)
{
	struct hf_ws *ws = user_data;
	size_t n = len < ws->in_len ? len : ws->in_len;

	(void)flags;
	if (!n || ws->trouble) {
		wslay_event_set_error(
		    ctx, ws->trouble ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, ws->in, n);
	ws->in += n;
	ws->in_len -= n;
	return (ssize_t)n;
}

static ssize_t on_ws_send(
    wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user_data)
{
	struct hf_ws *ws = user_data;
	int rc = hf_sendq_add(ws->config.out, data, len);

	(void)flags;
	if (!rc)
		return (ssize_t)len;
	ws_fail(ws, rc == HF_ELIMIT ? HF_STREAM_FAULT_UNSENT : HF_STREAM_FAULT_MEMORY);
	wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static int on_genmask(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, void *user_data)
{
	struct hf_ws *ws = user_data;

	if (!ws->config.random(ws->config.random_arg, buf, len))
		return 0;
	ws_fail(ws, HF_STREAM_FAULT_MEMORY);
	wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void on_frame_start(wslay_event_context_ptr ctx,
    const struct wslay_event_on_frame_recv_start_arg *arg, void *user_data)
{
	struct hf_ws *ws = user_data;
	const struct hf_stream_limits *limits = ws->config.limits;

	(void)ctx;
	ws->opcode = arg->opcode;
	if (!wslay_is_ctrl_frame(arg->opcode)) {
		if (arg->payload_length)
			hf_control_limit_reset(&ws->flood);
		if (arg->opcode == WSLAY_TEXT_FRAME && !ws->config.message_end)
			ws_fail(ws, HF_STREAM_FAULT_WS_TEXT);
		return;
	}
	ws->close_seen |= arg->opcode == WSLAY_CONNECTION_CLOSE;
	if (hf_control_limit_hit(&ws->flood, ws->now_ms, limits->control, limits->control_span_ms))
		ws_fail(ws, HF_STREAM_FAULT_WS_FLOOD);
	if (arg->opcode == WSLAY_PING && hf_control_limit_pongs_hit(ws->config.pongs))
		ws_fail(ws, HF_STREAM_FAULT_UNSENT);
}

static void on_frame_chunk(wslay_event_context_ptr ctx,
    const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user_data)
{
	struct hf_ws *ws = user_data;

	(void)ctx;
	if (ws->trouble || !arg->data_length)
		return;
	if (!wslay_is_ctrl_frame(ws->opcode)) {
		ws->config.data(ws->config.arg, arg->data, arg->data_length);
	} else if (ws->opcode == WSLAY_CONNECTION_CLOSE) {
		/* wslay does not let a control frame be longer. */
		memcpy(ws->close + ws->n_close, arg->data, arg->data_length);
		ws->n_close += arg->data_length;
	}
}

static void on_message(
    wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user_data)
{
	struct hf_ws *ws = user_data;

	(void)ctx;
	if (ws->config.message_end && !ws->trouble && !wslay_is_ctrl_frame(arg->opcode))
		ws->config.message_end(ws->config.arg, arg->opcode == WSLAY_TEXT_FRAME);
}

int hf_ws_new(const struct hf_ws_config *config, struct hf_ws **ret_ws)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_ws_recv,
		.send_callback = on_ws_send,
		.genmask_callback = on_genmask,
		.on_frame_recv_start_callback = on_frame_start,
		.on_frame_recv_chunk_callback = on_frame_chunk,
		.on_msg_recv_callback = on_message,
	};
	struct hf_ws *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return -ENOMEM;
	ws->config = *config;
	if (wslay_event_context_client_init(&ws->wslay, &callbacks, ws)) {
		ws->wslay = NULL;
		hf_ws_free(ws);
		return -ENOMEM;
	}
	wslay_event_config_set_no_buffering(ws->wslay, 1);
	/* Without buffering it is the limit of a frame. */
	wslay_event_config_set_max_recv_msg_length(ws->wslay, config->limits->ws_frame);
	*ret_ws = ws;
	return 0;
}

void hf_ws_free(struct hf_ws *ws)
{
	if (!ws)
		return;
	wslay_event_context_free(ws->wslay);
	free(ws);
}

/* All that wslay has queued goes to the send queue. */
static int ws_flush(struct hf_ws *ws)
{
	int rc = wslay_event_want_write(ws->wslay) ? wslay_event_send(ws->wslay) : 0;

	if (ws->trouble)
		return hf_stream_fault_code(ws->trouble);
	return rc ? ws_fail(ws, HF_STREAM_FAULT_MEMORY) : 0;
}

static bool is_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= BAD_GATEWAY) ||
	       (code >= 3000 && code <= 4999);
}

/* wslay reads no more: what was wrong is in the close frame that it has sent. */
static enum hf_stream_fault why_it_ended(const struct hf_ws *ws)
{
	uint16_t sent = wslay_event_get_status_code_sent(ws->wslay);

	if (sent == WSLAY_CODE_MESSAGE_TOO_BIG && !ws->close_seen)
		return HF_STREAM_FAULT_WS_SIZE;
	if (!wslay_event_get_close_received(ws->wslay) &&
	    sent == WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA)
		return HF_STREAM_FAULT_WS_UTF8;
	if (!ws->close_seen)
		return HF_STREAM_FAULT_WS_PROTOCOL;
	return !ws->n_close || is_close_code(hf_ws_close_code(ws)) ? HF_STREAM_FAULT_WS_CLOSED
								   : HF_STREAM_FAULT_WS_PROTOCOL;
}

int hf_ws_recv(struct hf_ws *ws, int64_t now_ms, const uint8_t *bytes, size_t len)
{
	int rc;

	if (ws->trouble)
		return hf_stream_fault_code(ws->trouble);
	ws->in = bytes;
	ws->in_len = len;
	ws->now_ms = now_ms;
	rc = wslay_event_recv(ws->wslay);
	ws->in = NULL;
	ws->in_len = 0;
	if (ws->trouble)
		return hf_stream_fault_code(ws->trouble);
	if (rc) {
		(void)ws_flush(ws); /* the close frame that tells the peer so */
		return ws_fail(ws,
		    rc == WSLAY_ERR_NOMEM ? HF_STREAM_FAULT_MEMORY : HF_STREAM_FAULT_WS_PROTOCOL);
	}
	rc = ws_flush(ws);
	if (rc || wslay_event_get_read_enabled(ws->wslay))
		return rc;
	if (ws->n_close > 2)
		hf_printable_copy(ws->reason, sizeof(ws->reason), ws->close + 2, ws->n_close - 2);
	return ws_fail(ws, why_it_ended(ws));
}

/* wslay took what we want to send, or did not. */
static int ws_queued(struct hf_ws *ws, int rc)
{
	if (rc == WSLAY_ERR_NO_MORE_MSG)
		return HF_ECLOSED; /* our close frame was the last */
	return rc ? ws_fail(ws, HF_STREAM_FAULT_MEMORY) : ws_flush(ws);
}

int hf_ws_send(struct hf_ws *ws, bool text, const uint8_t *bytes, size_t len)
{
	struct wslay_event_msg msg = { .opcode = text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
		.msg = bytes,
		.msg_length = len };

	if (ws->trouble)
		return hf_stream_fault_code(ws->trouble);
	return ws_queued(ws, wslay_event_queue_msg(ws->wslay, &msg));
}

int hf_ws_close(struct hf_ws *ws, uint16_t code)
{
	if (ws->trouble)
		return hf_stream_fault_code(ws->trouble);
	return ws_queued(ws, wslay_event_queue_close(ws->wslay, code, NULL, 0));
}

enum hf_stream_fault hf_ws_trouble(const struct hf_ws *ws)
{
	return ws->trouble;
}

uint16_t hf_ws_close_code(const struct hf_ws *ws)
{
	return ws->n_close < 2 ? 0 : (uint16_t)(ws->close[0] << 8 | ws->close[1]);
}

const char *hf_ws_close_reason(const struct hf_ws *ws)
{
	return ws->reason;
}
