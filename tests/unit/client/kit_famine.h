/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_famine: malloc() and its like, which fail now and then while the client is at work; never
 * while the test is. A program that is linked with it wraps them (meson.build).
 */
#include <stdbool.h>

#include "tests/unit/prng.h"

/* Of ten thousand allocations so many fail, as `rng` has it; 0: none. */
void famine_begin(unsigned rate, struct prng *rng);
/* From now on, or no longer; returns what it was. */
bool famine_set(bool hungry);
