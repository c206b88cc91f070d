/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/multimap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hf_multimap_done(struct hf_multimap *m)
{
	free(m->slots);
	memset(m, 0, sizeof(*m));
}

static void multimap_put(struct hf_multimap *m, uint32_t hash, uint32_t value)
{
	size_t i = hash & (m->size - 1);

	while (m->slots[i].value)
		i = (i + 1) & (m->size - 1);
	m->slots[i] = (struct hf_multimap_slot){ hash, value };
}

static int multimap_resize(struct hf_multimap *m, size_t size)
{
	struct hf_multimap next = { .size = size, .used = m->used };

	next.slots = calloc(next.size, sizeof(*next.slots));
	if (!next.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->size; i++)
		if (m->slots[i].value)
			multimap_put(&next, m->slots[i].hash, m->slots[i].value);
	free(m->slots);
	*m = next;
	return 0;
}

/* The smallest size of at least `from` that has room for n. */
static size_t size_for(size_t from, size_t n)
{
	size_t size = from ? from : 64;

	while (n > size / 4 * 3)
		size *= 2;
	return size;
}

int hf_multimap_reserve(struct hf_multimap *m, size_t n)
{
	size_t size = size_for(m->size, n);

	return n && size != m->size ? multimap_resize(m, size) : 0;
}

int hf_multimap_add(struct hf_multimap *m, uint32_t hash, uint32_t value)
{
	if (m->used + 1 > m->size / 4 * 3 && multimap_resize(m, size_for(m->size, m->used + 1)) < 0)
		return -ENOMEM;
	multimap_put(m, hash, value + 1);
	m->used++;
	return 0;
}

/* Closes the gap at i: what was pushed over it moves back, so that no search ends too early. */
static void close_gap(struct hf_multimap *m, size_t gap)
{
	size_t mask = m->size - 1;

	for (size_t i = (gap + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
		size_t home = m->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		m->slots[gap] = m->slots[i];
		gap = i;
	}
	m->slots[gap].value = 0;
}

void hf_multimap_del(struct hf_multimap *m, uint32_t hash, uint32_t value)
{
	size_t mask = m->size - 1;

	if (!m->size)
		return;
	for (size_t i = hash & mask; m->slots[i].value; i = (i + 1) & mask) {
		if (m->slots[i].hash != hash || m->slots[i].value != value + 1)
			continue;
		close_gap(m, i);
		m->used--;
		return;
	}
}

int hf_multimap_next(const struct hf_multimap *m, uint32_t hash, size_t *at, uint32_t *ret_value)
{
	size_t mask = m->size - 1;
	size_t i = *at == HF_MULTIMAP_START ? hash & mask : (*at + 1) & mask;

	if (!m->size)
		return 0;
	for (; m->slots[i].value; i = (i + 1) & mask) {
		if (m->slots[i].hash != hash)
			continue;
		*at = i;
		*ret_value = m->slots[i].value - 1;
		return 1;
	}
	return 0;
}
