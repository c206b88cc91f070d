/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nearest: which key was probably meant.
 */
#include <stddef.h>

#include "config/key.h"

/* The key (of either set, `more` may be NULL) that is a slip or two away from `name`, or NULL. */
const struct hf_key *hf_key_nearest(
    const struct hf_keys *keys, const struct hf_keys *more, const char *name);

/* Where a key of exactly this name is: "sources[].url" in `out`. False if nowhere below `map`. */
bool hf_key_elsewhere(const struct hf_key *map, const char *name, char *out, size_t size);

/*
 * Edits between two words: a letter more, less or other, two swapped. '_' is '-', case does not
 * count.
 */
unsigned hf_nearest_distance(const char *a, const char *b);
