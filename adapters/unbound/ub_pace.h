/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_pace: how many lines a command may have, so that unbound answers on in time: 4 ms a command as
 * measured, then a third of its time for whoever waits. Pure.
 */
#include <stddef.h>
#include <stdint.h>

enum { HF_PACE_AIM_US = 4000, HF_PACE_LONG_US = 10000 };

struct hf_ub_pace {
	size_t now; /* lines in the next command */
	size_t cap;
};

static inline void hf_ub_pace_init(struct hf_ub_pace *p, size_t start, size_t cap)
{
	p->now = start;
	p->cap = cap;
}

/* A command of n lines took so long. Returns the pause after it, in microseconds. */
uint32_t hf_ub_pace_took(struct hf_ub_pace *p, size_t n, int64_t took_us);
