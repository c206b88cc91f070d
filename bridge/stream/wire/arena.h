/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * arena: a fixed piece of memory that is filled from the front and emptied all at once. It cannot
 * grow: what a hostile record asks beyond it fails.
 */
#include <stddef.h>
#include <stdint.h>

struct hf_arena {
	uint8_t *bytes; /* owned */
	size_t size;
	size_t used;
};

/* 0 or -ENOMEM. */
int hf_arena_init(struct hf_arena *a, size_t size);
void hf_arena_done(struct hf_arena *a);

/* Aligned for any type; NULL when there is no room. Valid until hf_arena_reset(). */
void *hf_arena_alloc(struct hf_arena *a, size_t n);
void hf_arena_reset(struct hf_arena *a);
