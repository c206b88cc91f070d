/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* client_random: random bytes for the stream, and moments at random. */
#include <stddef.h>
#include <stdint.h>

/* Fills `out`. Returns 0 or -1; `arg` is not used: the stack calls it. */
int hf_client_random(void *arg, uint8_t *out, size_t len);
/* Some moment of [from, to], at random. */
int64_t hf_client_between(int64_t from_ms, int64_t to_ms);
/* Any 32 bits, at once; 0 if there are none yet. */
uint32_t hf_client_random32(void);
