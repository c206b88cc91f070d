/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * update_decoder: reads WorkspaceUpdate messages (tailnet.proto) as their bytes come in. No message
 * is ever in memory as a whole: its top level is four length-delimited fields, and each record in
 * it, at most limits->record bytes, goes alone through protobuf-c, whose arena is emptied after
 * each.
 *
 * Form is checked here: encoding, and ids of 16 bytes that are not all zero. What a record means
 * is for others to judge, also which bytes a name may have.
 */
#include <stddef.h>

#include "bridge/stream/wire/arena.h"
#include "bridge/stream/wire/limits.h"
#include "bridge/stream/wire/update_builder.h"
#include "bridge/stream/wire/stream_fault.h"

struct hf_update_decoder {
	const struct hf_stream_limits *limits; /* borrowed; outlives it */
	struct hf_budget *budget;              /* borrowed; outlives it */
	struct hf_arena *arena; /* borrowed; outlives it; other messages use it too */
	struct hf_uuid owner;
	struct hf_update_builder result;
	enum hf_update_kind kind; /* of the message that is being read */
	enum {
		UPDATE_AT_TAG,
		UPDATE_AT_LENGTH,
		UPDATE_AT_VARINT,
		UPDATE_AT_RECORD,
		UPDATE_AT_SKIP
	} at;
	uint64_t number;  /* the varint that is being read ... */
	unsigned n_bytes; /* ... and how many bytes of it were */
	uint32_t field;
	uint64_t skip;   /* bytes left to pass over */
	uint8_t *gather; /* owned; limits->record bytes: a record that came in pieces */
	size_t n_gather;
	size_t want;                  /* of the record, in `gather` */
	enum hf_stream_fault refused; /* why the message as a whole cannot be used */
	enum hf_stream_fault trouble; /* why nothing more can be read; stays */
	char detail[160];             /* printable; of the refusal */
};

/* How large an arena one record may need, as measured and tested: hf_arena_init() with this. */
size_t hf_update_decoder_arena_size(const struct hf_stream_limits *limits);

/* 0 or -ENOMEM. */
int hf_update_decoder_init(struct hf_update_decoder *m, const struct hf_stream_limits *limits,
    struct hf_budget *budget, struct hf_arena *arena, const struct hf_uuid *owner);
void hf_update_decoder_done(struct hf_update_decoder *m); /* fine on a zeroed struct */

/* A message begins; one that was not ended is forgotten. 0 or the code of m->trouble. */
int hf_update_decoder_begin(struct hf_update_decoder *m, enum hf_update_kind kind);

/*
 * More bytes of the message. 0, or a negative code when the peer broke the encoding or a limit
 * (m->trouble); nothing more can be read then.
 */
int hf_update_decoder_feed(struct hf_update_decoder *m, const uint8_t *bytes, size_t len);

/*
 * The message is whole. 0 and the update, which the caller owns (hf_update_free()); HF_EREFUSED
 * when this message cannot be used but the next can be read (m->refused, m->detail); else as feed.
 */
int hf_update_decoder_end(struct hf_update_decoder *m, struct hf_update **ret_update);
