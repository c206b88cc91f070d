/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fast_clock.h"

#include <time.h>

enum { SPEED = 20 };

static int64_t fast_boot_ms(const struct hf_clock *c)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000) * SPEED / 1000;
}

static int64_t fast_wall_ms(const struct hf_clock *c)
{
	return hf_wall_ms(&hf_clock_system);
}

const struct hf_clock hf_fast_clock = { fast_boot_ms, fast_wall_ms };
