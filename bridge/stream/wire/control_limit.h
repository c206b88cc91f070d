/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_limit: two small counters against a peer that only wants to keep us busy. Control frames
 * are counted while no data comes between them, answers to pings while they wait to be sent.
 */
#include <stdbool.h>
#include <stdint.h>

struct hf_control_limit {
	unsigned n;
	int64_t since_ms;
};

/* One control frame more. Returns true when it was one too many within `span_ms`. */
static inline bool hf_control_limit_hit(
    struct hf_control_limit *f, int64_t now_ms, unsigned max, unsigned span_ms)
{
	if (!f->n || now_ms - f->since_ms >= (int64_t)span_ms) {
		f->n = 0;
		f->since_ms = now_ms;
	}
	return ++f->n > max;
}

/* Data came. */
static inline void hf_control_limit_reset(struct hf_control_limit *f)
{
	f->n = 0;
}

/* Shared by all layers that answer pings; its owner sets `unsent` to 0 when all has been sent. */
struct hf_pongs {
	unsigned unsent;
	unsigned max;
};

/* Returns true when one answer more is one too many. */
static inline bool hf_control_limit_pongs_hit(struct hf_pongs *p)
{
	return p->unsent == p->max || (p->unsent++, false);
}
