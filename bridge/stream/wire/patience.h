/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * patience: how long something is waited for whose bytes come bit by bit. Silence is counted from
 * the last byte; whoever is slower than a least rate over a window is taken for dead, and nobody is
 * waited for longer than a bound. A burst earns nothing for later. Plain values, no clock.
 */
#include <stdbool.h>
#include <stdint.h>

enum { HF_PATIENCE_SLOWEST_MS = 4 }; /* a byte, over a window as long as the silence */

struct hf_patience {
	int64_t silence_ms; /* without a byte */
	int64_t most_ms;    /* in all */
	int64_t since_ms;
	int64_t last_ms; /* the last byte; at first the beginning */
	int64_t window_ms;
	uint64_t window_at; /* bytes that had come when the window began */
	uint64_t bytes;
};

/* `bytes` are all that came so far; so below. */
void hf_patience_begin(
    struct hf_patience *p, int64_t silence_ms, int64_t most_ms, int64_t now_ms, uint64_t bytes);
void hf_patience_note(struct hf_patience *p, int64_t now_ms, uint64_t bytes);
/* Is it late? Begins the next window where it is not. */
bool hf_patience_over(struct hf_patience *p, int64_t now_ms);
/* When it is to be asked next. */
int64_t hf_patience_next(const struct hf_patience *p);
