/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dial_rate: never more than so many dials a minute, whatever asks for them. Plain values, no
 * clock; zeroed: nothing was dialled yet.
 */
#include <stddef.h>
#include <stdint.h>

enum { HF_DIAL_RATE_MAX = 1000 }; /* what retry.per_minute may be */

struct hf_dial_rate {
	int64_t at_ms[HF_DIAL_RATE_MAX]; /* when the last ones began, in a ring */
	size_t n;                        /* so many began in all */
};

static inline void hf_dial_rate_note(struct hf_dial_rate *r, int64_t now_ms)
{
	r->at_ms[r->n++ % HF_DIAL_RATE_MAX] = now_ms;
}

/* When the next may begin; `per_minute` is at least 1. */
static inline int64_t hf_dial_rate_next(const struct hf_dial_rate *r, size_t per_minute)
{
	if (r->n < per_minute)
		return 0;
	return r->at_ms[(r->n - per_minute) % HF_DIAL_RATE_MAX] + 60 * 1000;
}
