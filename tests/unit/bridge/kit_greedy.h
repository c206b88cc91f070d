/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_greedy: the n-th realloc() of what this program was linked of fails, once. (The state's
 * arrays grow by realloc(); meson.build wraps it.)
 */
#include <stdbool.h>

void greedy_fail_at(unsigned n);
/* From now on none fails. True: the n-th never came. */
bool greedy_end(void);
