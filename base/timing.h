/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * timing: how long something took, a wait as libevent and sockets take it, the sooner of two. For
 * ages and deadlines, which a test moves, there is clock.h.
 */
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* Microseconds of CLOCK_MONOTONIC, which stops during suspend. */
static inline int64_t hf_time_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Of a wait of at least 0. */
static inline struct timeval hf_time_of_us(int64_t us)
{
	return (struct timeval){ .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
}

static inline struct timeval hf_time_of_ms(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/* Of two times, or of two waits, each of which there is. */
static inline int64_t hf_time_sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
