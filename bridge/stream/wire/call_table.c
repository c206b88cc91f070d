/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/call_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t call_place(const struct hf_call_table *t, uint32_t id)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (t->at[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int hf_call_table_init(struct hf_call_table *t, size_t max)
{
	*t = (struct hf_call_table){ .at = calloc(max ? max : 1, sizeof(struct hf_call *)) };
	return t->at ? 0 : -ENOMEM;
}

void hf_call_table_done(struct hf_call_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		hf_call_free(t->at[i]);
	free(t->at);
	*t = (struct hf_call_table){ 0 };
}

void hf_call_table_add(struct hf_call_table *t, struct hf_call *c)
{
	assert(!t->n || t->at[t->n - 1]->id < c->id);
	t->at[t->n++] = c;
}

void hf_call_table_forget(struct hf_call_table *t, struct hf_call *c)
{
	size_t i = call_place(t, c->id);

	t->n--;
	memmove(&t->at[i], &t->at[i + 1], (t->n - i) * sizeof(struct hf_call *));
	hf_call_free(c);
}

struct hf_call *hf_call_table_find(const struct hf_call_table *t, uint32_t id)
{
	size_t i = call_place(t, id);

	return i < t->n && t->at[i]->id == id ? t->at[i] : NULL;
}

struct hf_call *hf_call_table_ready(const struct hf_call_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->at[i]->paused && (t->at[i]->kept.len || t->at[i]->fin))
			return t->at[i];
	return NULL;
}

struct hf_call *hf_call_table_oldest_over(const struct hf_call_table *t, size_t max)
{
	struct hf_call *oldest = NULL;
	size_t n = 0;

	for (size_t i = t->n; i--;) {
		if (!t->at[i]->over)
			continue;
		oldest = t->at[i];
		n++;
	}
	return n > max ? oldest : NULL;
}
