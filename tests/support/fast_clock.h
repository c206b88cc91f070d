/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fast_clock: the system's clocks, but 20 times as fast: what waits 10 ms waits half a one. For
 * programs that watch threads and processes at work.
 */
#include "base/clock.h"

extern const struct hf_clock hf_fast_clock;
