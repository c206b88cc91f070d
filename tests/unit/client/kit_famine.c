/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/kit_famine.h"

#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *text);

static struct prng *dice;
static unsigned failing;
static bool is_hungry;

void famine_begin(unsigned rate, struct prng *rng)
{
	failing = rate;
	dice = rng;
}

bool famine_set(bool hungry)
{
	bool before = is_hungry;

	is_hungry = hungry;
	return before;
}

static bool fails(void)
{
	return is_hungry && failing && prng_below(dice, 10000) < failing;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}
