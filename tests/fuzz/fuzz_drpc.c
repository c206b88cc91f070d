/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the server into a call. The first byte says in what pieces they come; whole and in
 * pieces must give the same events.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bridge/stream/wire/drpc.h"
#include "tests/fuzz/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_stream_limits limits = {
	.message = 1000, .drpc_frame = 600, .drpc_frames = 20
};

static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
	uint8_t sent[300];
	struct hf_wr w = hf_wr(sent, sizeof(sent));
	struct hf_drpc d;
	uint64_t digest = 1;

	hf_drpc_init(&d, &limits);
	hf_drpc_invoke(&d, &w, "/x", data, size < 200 ? size : 200);
	for (size_t at = 0; at < size; at += piece) {
		struct hf_rd in = hf_rd(data + at, size - at < piece ? size - at : piece);
		struct hf_drpc_event e;
		int rc;

		while ((rc = hf_drpc_next(&d, &in, &e)) == 1) {
			if (e.what != DRPC_DATA)
				digest = digest_number(digest_number(digest, e.what), e.code);
			digest = digest_bytes(digest, 9, e.bytes, e.len);
		}
		if (!rc && hf_rd_left(&in))
			abort();
	}
	digest = digest_number(digest, d.trouble + 100u * hf_drpc_in_message(&d));
	digest = digest_number(digest, hf_drpc_is_ended(&d) + 2u * hf_drpc_in_packet(&d));
	hf_drpc_close_send(&d, &w);
	hf_drpc_close(&d, &w);
	hf_drpc_cancel(&d, &w);
	return digest_number(digest, hf_wr_len(&w));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && run(data + 1, size - 1, SIZE_MAX / 2) != run(data + 1, size - 1, 1u + data[0]))
		abort();
	return 0;
}
