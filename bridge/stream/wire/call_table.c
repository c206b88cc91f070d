/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/call_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t place_of(const struct hf_calls *t, uint32_t id)
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

int hf_calls_init(struct hf_calls *t, size_t max)
{
	*t = (struct hf_calls){ .at = calloc(max ? max : 1, sizeof(struct hf_call *)) };
	return t->at ? 0 : -ENOMEM;
}

void hf_calls_done(struct hf_calls *t)
{
	for (size_t i = 0; i < t->n; i++)
		hf_call_free(t->at[i]);
	free(t->at);
	*t = (struct hf_calls){ 0 };
}

void hf_calls_add(struct hf_calls *t, struct hf_call *c)
{
	assert(!t->n || t->at[t->n - 1]->id < c->id);
	t->at[t->n++] = c;
}

void hf_calls_forget(struct hf_calls *t, struct hf_call *c)
{
	size_t i = place_of(t, c->id);

	t->n--;
	memmove(&t->at[i], &t->at[i + 1], (t->n - i) * sizeof(struct hf_call *));
	hf_call_free(c);
}

struct hf_call *hf_calls_find(const struct hf_calls *t, uint32_t id)
{
	size_t i = place_of(t, id);

	return i < t->n && t->at[i]->id == id ? t->at[i] : NULL;
}

struct hf_call *hf_calls_ready(const struct hf_calls *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->at[i]->paused && (t->at[i]->kept.len || t->at[i]->fin))
			return t->at[i];
	return NULL;
}

struct hf_call *hf_calls_oldest_over(const struct hf_calls *t, size_t max)
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
