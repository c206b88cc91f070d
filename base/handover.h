/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * handover: tries something again for at most a second. For what a process before us may hold for
 * a moment after its end: a program that it had just begun has its locks and listening sockets
 * until it is executed. It sleeps, so it is for a start alone, never for the loop.
 */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/timing.h"

enum { HF_HANDOVER_MS = 1000, HF_HANDOVER_NAP_MS = 10 };

/* Begin with all 0. */
struct hf_handover {
	int64_t until_us;
};

/* Sleeps, and true: try again. False: it was tried for long enough. */
static inline bool hf_handover_wait(struct hf_handover *p)
{
	const struct timespec nap = { .tv_nsec = HF_HANDOVER_NAP_MS * 1000000L };
	int64_t now_us = hf_time_now_us();

	if (!p->until_us)
		p->until_us = now_us + HF_HANDOVER_MS * 1000;
	if (now_us >= p->until_us)
		return false;
	nanosleep(&nap, NULL);
	return true;
}
