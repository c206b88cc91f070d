/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * generation: which number the next changeset gets. Numbers only rise, also from one store to the
 * one that replaces it; the wall clock helps where the last number is not known.
 */
#include <stdint.h>

/*
 * The wall clock in seconds if it is ahead of `last` and can be believed
 * (hf_store_generation_may_be()), else `last` + 1.
 */
uint64_t hf_generation_next(uint64_t last, int64_t wall_s);
