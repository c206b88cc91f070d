/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the peer into a session with three open streams and one that was closed. The first byte
 * says in what pieces they come; whole and in pieces must give the same events and answers.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bridge/stream/wire/yamux.h"
#include "tests/fuzz/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_stream_limits limits = {
	.streams = 4, .control = 100, .control_span_ms = 1000, .unsent = 4096, .pongs = 50
};

static uint64_t take_events(struct hf_yamux *y, struct hf_rd in, uint64_t digest)
{
	struct hf_yamux_event e;
	int rc;

	while ((rc = hf_yamux_next(y, &in, 0, &e)) == 1) {
		uint64_t mark = (uint64_t)e.what << 32 | e.stream;

		digest = e.what == YAMUX_DATA ? digest_bytes(digest, mark, e.bytes, e.len)
					      : digest_number(digest, mark);
		if (e.what == YAMUX_DATA && e.stream == 1)
			hf_yamux_consumed(y, 1, e.len);
	}
	if (!rc && hf_rd_left(&in))
		abort();
	return digest;
}

/* Whatever came, what we do next must not go wrong; more streams are closed than are remembered. */
static void act(struct hf_yamux *y, struct hf_sendq *out)
{
	const uint8_t *sent;
	uint32_t id;

	hf_yamux_write(y, 1, "hello", 5);
	hf_yamux_fin(y, 3);
	hf_yamux_consumed(y, 3, 0);
	for (int i = 0; i < 70; i++) {
		if (hf_yamux_open(y, &id))
			hf_yamux_close(y, 1u + 2 * (unsigned)i);
		else
			hf_yamux_close(y, id);
		hf_sendq_sent(out, hf_sendq_peek(out, &sent));
	}
	for (int i = 0; i < HF_YAMUX_PINGS; i++)
		hf_yamux_ping(y);
}

static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
	struct hf_pongs pongs = { .max = limits.pongs };
	struct hf_sendq out;
	struct hf_yamux y;
	uint64_t digest = 1;
	const uint8_t *sent = NULL;
	uint32_t id;
	size_t n;

	hf_sendq_init(&out, limits.unsent);
	if (hf_yamux_init(&y, &limits, &out, &pongs))
		abort();
	for (int i = 0; i < 4; i++)
		hf_yamux_open(&y, &id);
	hf_yamux_close(&y, 7);
	hf_yamux_ping(&y);
	for (size_t at = 0; at < size; at += piece)
		digest = take_events(
		    &y, hf_rd(data + at, size - at < piece ? size - at : piece), digest);
	digest = digest_number(digest, y.trouble);
	n = hf_sendq_peek(&out, &sent);
	digest = digest_bytes(digest, 0, sent, n);
	hf_sendq_sent(&out, n);
	act(&y, &out);
	hf_yamux_done(&y);
	hf_sendq_done(&out);
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* With more data, when the window is told again would depend on the pieces. */
	if (size && size < HF_YAMUX_WINDOW / 2 &&
	    run(data + 1, size - 1, SIZE_MAX / 2) != run(data + 1, size - 1, 1u + data[0]))
		abort();
	return 0;
}
