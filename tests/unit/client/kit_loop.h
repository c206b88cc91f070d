/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_loop: libevent's functions as far as the client needs them, on a clock that only the test
 * moves. A program that is linked with it has no other libevent: the product's code is whole, its
 * timers ring at the very millisecond, and nothing waits. Descriptors are numbers that another kit
 * gives out: it says which of them are ready.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

extern struct hf_fake_clock loop_clock;

/* EV_READ or EV_WRITE: is that descriptor ready? Set by the kit that gives out the numbers. */
extern bool (*loop_is_ready)(int fd, short what);

/*
 * Runs all that is due or ready at this moment, and what comes of it, until nothing is. Returns how
 * many callbacks that were; at most `most`.
 */
size_t loop_run(size_t most);
/* When the next timer rings; INT64_MAX: none is armed. */
int64_t loop_next(void);
/* Events that were made and not freed. */
size_t loop_events(void);
