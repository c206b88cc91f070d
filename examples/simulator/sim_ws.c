/* SPDX-License-Identifier: Apache-2.0 */
#include "examples/simulator/sim_ws.h"

#include <errno.h>
#include <event2/buffer.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

enum { SHA1_BYTES = 20, CLOSE_REASON_MAX = 123 };

struct sim_ws {
	struct sim_ws_config config;
	wslay_event_context_ptr wslay; /* owned */
	struct evbuffer *in;           /* lent to hf_sim_ws_feed() */
	uint8_t opcode;                /* of the frame that comes in */
};

void hf_sim_ws_accept(const char *key, char ret_accept[SIM_WS_ACCEPT])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	char text[128];
	unsigned n = 0;

	snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	EVP_Digest(text, strlen(text), sum, &n, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)ret_accept, sum, SHA1_BYTES);
}

static ssize_t on_sim_ws_recv(
    wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user_data)
{
	struct sim_ws *ws = user_data;
	int n = evbuffer_remove(ws->in, buf, len);

	(void)flags;
	if (n > 0)
		return n;
	wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	return -1;
}

static ssize_t on_sim_ws_send(
    wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user_data)
{
	struct sim_ws *ws = user_data;

	(void)flags;
	if (!evbuffer_add(ws->config.out, data, len))
		return (ssize_t)len;
	wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void on_frame(wslay_event_context_ptr ctx,
    const struct wslay_event_on_frame_recv_start_arg *arg, void *user_data)
{
	struct sim_ws *ws = user_data;

	(void)ctx;
	ws->opcode = arg->opcode;
	if (arg->opcode == WSLAY_PONG)
		ws->config.pong(ws->config.arg);
}

static void on_chunk(wslay_event_context_ptr ctx,
    const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user_data)
{
	struct sim_ws *ws = user_data;

	(void)ctx;
	if (!wslay_is_ctrl_frame(ws->opcode) && arg->data_length)
		ws->config.data(ws->config.arg, arg->data, arg->data_length);
}

int hf_sim_ws_new(const struct sim_ws_config *config, struct sim_ws **ret_ws)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_sim_ws_recv,
		.send_callback = on_sim_ws_send,
		.on_frame_recv_start_callback = on_frame,
		.on_frame_recv_chunk_callback = on_chunk,
	};
	struct sim_ws *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return -ENOMEM;
	ws->config = *config;
	if (wslay_event_context_server_init(&ws->wslay, &callbacks, ws)) {
		free(ws);
		return -ENOMEM;
	}
	wslay_event_config_set_no_buffering(ws->wslay, 1);
	*ret_ws = ws;
	return 0;
}

void hf_sim_ws_free(struct sim_ws *ws)
{
	if (!ws)
		return;
	wslay_event_context_free(ws->wslay);
	free(ws);
}

int hf_sim_ws_feed(struct sim_ws *ws, struct evbuffer *in)
{
	int rc;

	ws->in = in;
	rc = wslay_event_recv(ws->wslay);
	if (wslay_event_want_write(ws->wslay))
		rc = wslay_event_send(ws->wslay) || rc;
	return rc || !wslay_event_get_read_enabled(ws->wslay) ? -EPROTO : 0;
}

static int sim_ws_send_message(struct sim_ws *ws, uint8_t opcode, const void *bytes, size_t len)
{
	const struct wslay_event_msg msg = { .opcode = opcode, .msg = bytes, .msg_length = len };

	if (wslay_event_queue_msg(ws->wslay, &msg) || wslay_event_send(ws->wslay))
		return -EPIPE;
	return 0;
}

int hf_sim_ws_send(struct sim_ws *ws, const void *bytes, size_t len)
{
	return sim_ws_send_message(ws, WSLAY_BINARY_FRAME, bytes, len);
}

int hf_sim_ws_ping(struct sim_ws *ws)
{
	return sim_ws_send_message(ws, WSLAY_PING, NULL, 0);
}

int hf_sim_ws_close(struct sim_ws *ws, uint16_t code, const char *reason)
{
	size_t len = strlen(reason);

	if (len > CLOSE_REASON_MAX)
		len = CLOSE_REASON_MAX;
	if (wslay_event_queue_close(ws->wslay, code, (const uint8_t *)reason, len) ||
	    wslay_event_send(ws->wslay))
		return -EPIPE;
	return 0;
}
