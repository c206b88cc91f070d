/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * call_index: which of many owners a call belongs to. A table of hashes; a call that ended leaves
 * its place taken, so all is filled again now and then.
 */
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/client/owner_stream.h"

struct hf_call_index {
	uint32_t *at; /* owned (free()): owner + 1, by a hash of the call's number ... */
	size_t mask;  /* ... of so many places, less one */
	size_t n;
};

/* Room for two calls of each owner, and as much again for what ended. Returns 0 or -ENOMEM. */
int hf_call_index_make(struct hf_call_index *ret_index, size_t n_owners);
/* All calls of these owners, and no other. */
void hf_call_index_fill(
    struct hf_call_index *x, const struct hf_owner_stream *owners, size_t n_owners);
/* The opening call of `f`, one of the owners. */
void hf_call_index_add(struct hf_call_index *x, const struct hf_owner_stream *owners,
    size_t n_owners, const struct hf_owner_stream *f);
/* NULL: it is nobody's. */
struct hf_owner_stream *hf_call_index_find(
    const struct hf_call_index *x, struct hf_owner_stream *owners, uint32_t call);
