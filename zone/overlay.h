/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * overlay: a map from key to value for the writer's changes: up to millions of small entries in one
 * block of memory, without a pointer an entry. Keys of 1 to 255 bytes, values of 1 to
 * HF_OVERLAY_VALUE_MAX. Reading by several threads at once is fine while nobody changes it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_OVERLAY_KEY_MAX = 255, HF_OVERLAY_VALUE_MAX = 0x7fff };

struct hf_overlay;

/* End it with hf_overlay_free(). Returns 0 or -ENOMEM. */
int hf_overlay_new(struct hf_overlay **ret_overlay);
void hf_overlay_free(struct hf_overlay *o); /* NULL is fine */
/* Forget all; memory that a few entries do not need goes back. */
void hf_overlay_clear(struct hf_overlay *o);

size_t hf_overlay_count(const struct hf_overlay *o);
/* Bytes of memory that it holds. */
size_t hf_overlay_memory(const struct hf_overlay *o);

/* The value, lent until the next change; NULL if there is none. */
const uint8_t *hf_overlay_get(
    const struct hf_overlay *o, const void *key, size_t key_len, size_t *ret_len);
/* Set or replace. Returns 0, -ENOMEM, or HF_ELIMIT (over 4 GiB in all, or sizes out of bounds). */
int hf_overlay_put(
    struct hf_overlay *o, const void *key, size_t key_len, const void *value, size_t value_len);

/*
 * `under` then has what both had, `over`'s where both had the key; `over` is empty. Returns 0, or a
 * code: then both are as they were.
 */
int hf_overlay_merge(struct hf_overlay *under, struct hf_overlay *over);

/* Lent until the next change. */
struct hf_overlay_entry {
	const uint8_t *key;
	size_t key_len;
	const uint8_t *value;
	size_t value_len;
};

/* All entries, in no order that matters. Begin with *at = 0. Returns false at the end. */
bool hf_overlay_next(const struct hf_overlay *o, size_t *at, struct hf_overlay_entry *ret_entry);
