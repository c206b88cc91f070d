/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of the peer into the reader of messages: the first byte says which kind of message and in
 * what pieces it comes. Read whole and read in pieces, the result must be the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bridge/stream/wire/update_decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_stream_limits limits = {
	.message = 1 << 20, .record = 256, .results = 2 << 20
};

struct outcome {
	int rc;
	enum hf_stream_fault trouble;
	size_t n[4];
	uint64_t refused;
};

static struct outcome read_in_pieces(
    enum hf_update_kind kind, const uint8_t *data, size_t size, size_t piece)
{
	static const struct hf_uuid owner = { .b = { 1 } };
	struct hf_budget budget = { .max = limits.results };
	struct hf_arena arena;
	struct hf_update_decoder m;
	struct hf_update *u = NULL;
	struct outcome o = { 0 };

	if (hf_arena_init(&arena, hf_update_decoder_arena_size(&limits)) ||
	    hf_update_decoder_init(&m, &limits, &budget, &arena, &owner))
		abort();
	o.rc = hf_update_decoder_begin(&m, kind);
	for (size_t at = 0; at < size && !o.rc; at += piece)
		o.rc = hf_update_decoder_feed(&m, data + at, size - at < piece ? size - at : piece);
	if (!o.rc)
		o.rc = hf_update_decoder_end(&m, &u);
	o.trouble = m.trouble ? m.trouble : m.refused;
	if (u)
		o = (struct outcome){ 0, 0,
			{ u->n_upserted_workspaces, u->n_upserted_agents, u->n_deleted_workspaces,
			    u->n_deleted_agents },
			u->refused_total };
	hf_update_free(u);
	/* Another message, which is given up. */
	if (hf_update_decoder_begin(&m, HF_UPDATE_DIFF) != hf_stream_fault_code(m.trouble) ||
	    hf_update_decoder_feed(&m, (const uint8_t *)"\x0a", 1) !=
		hf_stream_fault_code(m.trouble))
		abort();
	hf_update_decoder_done(&m);
	hf_arena_done(&arena);
	if (budget.used)
		abort();
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (!size)
		return 0;
	whole = read_in_pieces(data[0] & 1, data + 1, size - 1, SIZE_MAX / 2);
	pieces = read_in_pieces(data[0] & 1, data + 1, size - 1, 1 + (data[0] >> 1));
	if (whole.rc != pieces.rc || whole.trouble != pieces.trouble ||
	    whole.refused != pieces.refused)
		abort();
	for (int i = 0; i < 4; i++)
		if (whole.n[i] != pieces.n[i])
			abort();
	return 0;
}
