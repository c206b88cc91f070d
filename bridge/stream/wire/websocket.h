/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * websocket: the client's side of RFC 6455, after the upgrade, over wslay. Bytes of the peer in;
 * the payload of binary messages goes to a callback piece by piece, as it comes, since message
 * boundaries mean nothing here; bytes for the peer go to a send queue.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/control_limit.h"
#include "bridge/stream/wire/limits.h"
#include "bridge/stream/wire/sendq.h"
#include "bridge/stream/wire/stream_fault.h"

/* Fills `out` with random bytes for masks. 0, or negative when there are none. */
typedef int (*hf_random_cb)(void *arg, uint8_t *out, size_t len);

struct hf_ws_config {
	const struct hf_stream_limits *limits; /* borrowed, as all below; they outlive it */
	struct hf_sendq *out;
	struct hf_pongs *pongs;
	hf_random_cb random;
	void *random_arg;
	/* Payload, lent for the call. It must not end the websocket. */
	void (*data)(void *arg, const uint8_t *bytes, size_t len);
	/*
	 * Only for conformance tests: text messages are taken too, and each end is told. May be
	 * NULL.
	 */
	void (*message_end)(void *arg, bool text);
	void *arg;
};

struct hf_ws; /* opaque */

/* 0 or -ENOMEM. The caller owns *ret_ws; end it with hf_ws_free(). */
int hf_ws_new(const struct hf_ws_config *config, struct hf_ws **ret_ws);
void hf_ws_free(struct hf_ws *ws); /* NULL is fine; not from within a callback */

/*
 * Takes all bytes. 0; or a negative code (hf_ws_trouble()): the peer closed, or broke the protocol
 * or a limit. Then the websocket is over, and a close frame may wait in the send queue.
 */
int hf_ws_recv(struct hf_ws *ws, int64_t now_ms, const uint8_t *bytes, size_t len);

/*
 * Sends one message, or a close frame. 0; HF_ECLOSED after our own close frame; or a negative code
 * when the send queue takes no more, and it is over too.
 */
int hf_ws_send(struct hf_ws *ws, bool text, const uint8_t *bytes, size_t len);
int hf_ws_close(struct hf_ws *ws, uint16_t code);

enum hf_stream_fault hf_ws_trouble(const struct hf_ws *ws);
/* The code of the peer's close frame, 0 where it had none; its reason, printable. */
uint16_t hf_ws_close_code(const struct hf_ws *ws);
const char *hf_ws_close_reason(const struct hf_ws *ws);
