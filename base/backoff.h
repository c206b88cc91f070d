/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * backoff: how long to wait before the next attempt. Doubles from floor_ms to cap_ms; with jitter
 * the wait is spread evenly over [3/4, 5/4] of that (never over cap_ms), by a random number that
 * the caller passes in. At least 1 ms.
 */
#include <stdint.h>

struct hf_backoff {
	uint32_t floor_ms;
	uint32_t cap_ms;
	unsigned failures;
};

/* The wait after one more failure, without jitter. */
uint32_t hf_backoff_fail(struct hf_backoff *b);
/* The same with jitter; `random` is any 32 random bits. */
uint32_t hf_backoff_fail_jittered(struct hf_backoff *b, uint32_t random);
void hf_backoff_reset(struct hf_backoff *b);
