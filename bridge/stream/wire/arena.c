/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

int hf_arena_init(struct hf_arena *a, size_t size)
{
	*a = (struct hf_arena){ .bytes = malloc(size), .size = size };
	return a->bytes ? 0 : -ENOMEM;
}

void hf_arena_done(struct hf_arena *a)
{
	free(a->bytes);
	*a = (struct hf_arena){ 0 };
}

void *hf_arena_alloc(struct hf_arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);
	void *p;

	if (n > a->size - a->used)
		return NULL;
	p = a->bytes + a->used;
	n = (n + align - 1) / align * align;
	a->used = n > a->size - a->used ? a->size : a->used + n;
	return p;
}

void hf_arena_reset(struct hf_arena *a)
{
	a->used = 0;
}
