/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bridge/kit_greedy.h"

#include <stddef.h>

static unsigned left; /* 0: none is to fail */

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_realloc(void *p, size_t size)
{
	if (left && --left == 0)
		return NULL;
	return __real_realloc(p, size);
}

void greedy_fail_at(unsigned n)
{
	left = n;
}

bool greedy_end(void)
{
	bool never = left > 0;

	left = 0;
	return never;
}
