/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the server, whole and in pieces: the same payload, the same answers and the same end.
 * The first byte says how small the pieces are, whether text is taken too, and whether there are
 * random bytes for masks.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/stream/wire/websocket.h"
#include "tests/fuzz/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_stream_limits limits = {
	.ws_frame = 1000, .control = 100, .control_span_ms = 1000, .unsent = 4096
};

static bool no_random;

static void on_data(void *arg, const uint8_t *bytes, size_t len)
{
	uint64_t *digest = arg;

	*digest = digest_bytes(*digest, 0, bytes, len);
}

static void on_end(void *arg, bool text)
{
	uint64_t *digest = arg;

	*digest = digest_number(*digest, 2u + text);
}

static int on_random(void *arg, uint8_t *buf, size_t len)
{
	(void)arg;
	memset(buf, 0x55, len);
	return no_random ? -1 : 0;
}

struct outcome {
	uint64_t payload;
	uint64_t sent;
	enum hf_stream_fault end;
};

static struct outcome run(bool all, const uint8_t *data, size_t size, size_t piece)
{
	struct hf_pongs pongs = { .max = 5000 };
	struct hf_sendq out;
	struct hf_ws *ws;
	struct outcome o = { .payload = 1, .sent = 1 };
	struct hf_ws_config config = { .limits = &limits,
		.out = &out,
		.pongs = &pongs,
		.random = on_random,
		.data = on_data,
		.message_end = all ? on_end : NULL,
		.arg = &o.payload };
	const uint8_t *sent = NULL;
	size_t n;

	hf_sendq_init(&out, limits.unsent);
	if (hf_ws_new(&config, &ws))
		abort();
	for (size_t at = 0; at < size; at += piece)
		hf_ws_recv(ws, 0, data + at, size - at < piece ? size - at : piece);
	o.end = hf_ws_trouble(ws);
	n = hf_sendq_peek(&out, &sent);
	o.sent = digest_bytes(o.sent, 1, sent, n);
	hf_ws_send(ws, false, data, size);
	hf_ws_close(ws, 1000);
	hf_ws_send(ws, false, data, size);
	hf_ws_free(ws);
	hf_sendq_done(&out);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;
	bool utf8;

	if (!size)
		return 0;
	no_random = data[0] == 0xfe;
	whole = run(data[0] & 1, data + 1, size - 1, SIZE_MAX / 2);
	pieces = run(data[0] & 1, data + 1, size - 1, 1u + data[0] / 2);
	if (no_random)
		return 0; /* it ends where it would first answer, once a piece */
	/* wslay looks at UTF-8 piece by piece, and so may differ in a text and in a close frame. */
	utf8 = whole.end == HF_STREAM_FAULT_WS_UTF8 || pieces.end == HF_STREAM_FAULT_WS_UTF8;
	if (whole.payload != pieces.payload && !(utf8 && data[0] & 1))
		abort();
	if (utf8)
		return 0;
	if (whole.end != pieces.end || (!whole.end && whole.sent != pieces.sent))
		abort();
	return 0;
}
