/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Runs of some thousand names, each sorted by itself when it is full; reading merges them by a heap
 * of the runs. So there is no sort of everything, which would hold the loop.
 */
enum { RUN_NAMES = 4096, ADDR_LEN = 16, HEAD_LEN = 1 + ADDR_LEN };

struct wanted_run {
	uint8_t *bytes; /* owned: flags, address, text with its NUL, again and again */
	size_t len, size;
	uint32_t *at; /* owned: where each begins; in order of the text once it is sorted */
	size_t n;
	size_t pos; /* of the reading */
};

struct hf_wanted {
	struct wanted_run *runs; /* owned */
	size_t n_runs, size_runs;
	size_t n;
	size_t *heap; /* owned: runs that are not read to their end, the least text first */
	size_t n_heap;
};

static const char *wanted_text_at(const struct wanted_run *r, size_t i)
{
	return (const char *)r->bytes + r->at[i] + HEAD_LEN;
}

static int compare_at(const void *a, const void *b, void *arg)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct wanted_run *r = arg;
	int rc =
	    strcmp((const char *)r->bytes + x + HEAD_LEN, (const char *)r->bytes + y + HEAD_LEN);

	/* The earlier of two equal ones first. */
	return rc ? rc : (x > y) - (x < y);
}

int hf_wanted_new(struct hf_wanted **ret_picture)
{
	*ret_picture = calloc(1, sizeof(**ret_picture));
	return *ret_picture ? 0 : -ENOMEM;
}

void hf_wanted_free(struct hf_wanted *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_runs; i++) {
		free(p->runs[i].bytes);
		free(p->runs[i].at);
	}
	free(p->runs);
	free(p->heap);
	free(p);
}

/* --- filling --- */

/* Sorted, and no larger than need be. */
static void close_run(struct wanted_run *r)
{
	uint8_t *bytes = realloc(r->bytes, r->len);

	if (bytes)
		r->bytes = bytes;
	r->size = r->len;
	qsort_r(r->at, r->n, sizeof(r->at[0]), compare_at, r);
}

static int open_run(struct hf_wanted *p)
{
	struct wanted_run *r;

	if (p->n_runs)
		close_run(&p->runs[p->n_runs - 1]);
	if (p->n_runs == p->size_runs) {
		size_t size = p->size_runs ? p->size_runs * 2 : 4;
		struct wanted_run *runs = reallocarray(p->runs, size, sizeof(*runs));

		if (!runs)
			return -ENOMEM;
		p->runs = runs;
		p->size_runs = size;
	}
	r = &p->runs[p->n_runs];
	memset(r, 0, sizeof(*r));
	r->at = calloc(RUN_NAMES, sizeof(r->at[0]));
	if (!r->at)
		return -ENOMEM;
	p->n_runs++;
	return 0;
}

static int grow_run(struct wanted_run *r, size_t more)
{
	size_t size = r->size ? r->size * 2 : 4096;
	uint8_t *bytes;

	if (r->size - r->len >= more)
		return 0;
	bytes = realloc(r->bytes, size);
	if (!bytes)
		return -ENOMEM;
	r->bytes = bytes;
	r->size = size;
	return 0;
}

int hf_wanted_add(
    struct hf_wanted *p, const struct hf_name *name, const uint8_t addr[16], uint8_t flags)
{
	char text[HF_NAME_TEXT_MAX];
	size_t len = strlen(hf_name_text(name, text)) + 1;
	struct wanted_run *r = p->n_runs ? &p->runs[p->n_runs - 1] : NULL;

	if ((!r || r->n == RUN_NAMES) && open_run(p))
		return -ENOMEM;
	r = &p->runs[p->n_runs - 1];
	if (grow_run(r, HEAD_LEN + len))
		return -ENOMEM;
	r->at[r->n++] = (uint32_t)r->len;
	r->bytes[r->len] = flags;
	memcpy(r->bytes + r->len + 1, addr, ADDR_LEN);
	memcpy(r->bytes + r->len + HEAD_LEN, text, len);
	r->len += HEAD_LEN + len;
	p->n++;
	return 0;
}

int hf_wanted_seal(struct hf_wanted *p)
{
	if (p->n_runs)
		close_run(&p->runs[p->n_runs - 1]);
	p->heap = calloc(p->n_runs + 1, sizeof(p->heap[0]));
	if (!p->heap)
		return -ENOMEM;
	hf_wanted_rewind(p);
	return 0;
}

size_t hf_wanted_n(const struct hf_wanted *p)
{
	return p->n;
}

/* --- reading --- */

/* Of two equal names the later run's comes last. */
static bool wanted_before(const struct hf_wanted *p, size_t a, size_t b)
{
	const struct wanted_run *x = &p->runs[a], *y = &p->runs[b];
	int rc = strcmp(wanted_text_at(x, x->pos), wanted_text_at(y, y->pos));

	return rc < 0 || (rc == 0 && a < b);
}

static void wanted_sink(struct hf_wanted *p, size_t i)
{
	for (;;) {
		size_t least = i, child = 2 * i + 1;

		for (size_t c = child; c < child + 2 && c < p->n_heap; c++)
			if (wanted_before(p, p->heap[c], p->heap[least]))
				least = c;
		if (least == i)
			return;
		child = p->heap[i];
		p->heap[i] = p->heap[least];
		p->heap[least] = child;
		i = least;
	}
}

/* The first of the heap goes on by one. */
static void wanted_step(struct hf_wanted *p)
{
	struct wanted_run *r = &p->runs[p->heap[0]];

	r->pos++;
	if (r->pos == r->n)
		p->heap[0] = p->heap[--p->n_heap];
	wanted_sink(p, 0);
}

/* Over those that a later one of the same name replaces. */
static void skip_replaced(struct hf_wanted *p)
{
	while (p->n_heap) {
		const struct wanted_run *r = &p->runs[p->heap[0]];
		const char *text = wanted_text_at(r, r->pos);
		bool replaced = r->pos + 1 < r->n && !strcmp(text, wanted_text_at(r, r->pos + 1));

		for (size_t c = 1; c < 3 && c < p->n_heap; c++) {
			const struct wanted_run *other = &p->runs[p->heap[c]];

			replaced = replaced || !strcmp(text, wanted_text_at(other, other->pos));
		}
		if (!replaced)
			return;
		wanted_step(p);
	}
}

void hf_wanted_rewind(struct hf_wanted *p)
{
	p->n_heap = 0;
	for (size_t i = 0; i < p->n_runs; i++) {
		p->runs[i].pos = 0;
		if (p->runs[i].n)
			p->heap[p->n_heap++] = i;
	}
	for (size_t i = p->n_heap; i-- > 0;)
		wanted_sink(p, i);
	skip_replaced(p);
}

bool hf_wanted_at(struct hf_wanted *p, struct hf_item *ret_item)
{
	const struct wanted_run *r;
	const uint8_t *at;

	if (!p->n_heap)
		return false;
	r = &p->runs[p->heap[0]];
	at = r->bytes + r->at[r->pos];
	*ret_item = (struct hf_item){
		.text = (const char *)at + HEAD_LEN,
		.addr = at + 1,
		.flags = at[0],
	};
	return true;
}

void hf_wanted_next(struct hf_wanted *p)
{
	if (!p->n_heap)
		return;
	wanted_step(p);
	skip_replaced(p);
}
