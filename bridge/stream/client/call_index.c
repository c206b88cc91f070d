/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/call_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t *index_place(
    const struct hf_call_index *x, const struct hf_owner_stream *owners, uint32_t call)
{
	size_t at = (call * 2654435761u) & x->mask;

	while (x->at[at] && !hf_owner_stream_is(&owners[x->at[at] - 1], call))
		at = (at + 1) & x->mask;
	return &x->at[at];
}

static void index_call(struct hf_call_index *x, const struct hf_owner_stream *owners,
    const struct hf_owner_stream *f, uint32_t call)
{
	uint32_t *place = call ? index_place(x, owners, call) : NULL;

	if (!place || *place)
		return;
	*place = (uint32_t)(f - owners) + 1;
	x->n++;
}

int hf_call_index_make(struct hf_call_index *ret_index, size_t n_owners)
{
	size_t room = 64;

	while (room < 8 * n_owners)
		room *= 2;
	*ret_index =
	    (struct hf_call_index){ .at = calloc(room, sizeof(uint32_t)), .mask = room - 1 };
	return ret_index->at ? 0 : -ENOMEM;
}

void hf_call_index_fill(
    struct hf_call_index *x, const struct hf_owner_stream *owners, size_t n_owners)
{
	memset(x->at, 0, (x->mask + 1) * sizeof(*x->at));
	x->n = 0;
	for (size_t i = 0; i < n_owners; i++) {
		index_call(x, owners, &owners[i], owners[i].live);
		index_call(x, owners, &owners[i], owners[i].opening);
	}
}

void hf_call_index_add(struct hf_call_index *x, const struct hf_owner_stream *owners,
    size_t n_owners, const struct hf_owner_stream *f)
{
	if (x->n > x->mask / 2)
		hf_call_index_fill(x, owners, n_owners);
	else
		index_call(x, owners, f, f->opening);
}

struct hf_owner_stream *hf_call_index_find(
    const struct hf_call_index *x, struct hf_owner_stream *owners, uint32_t call)
{
	uint32_t *place = x->at && call ? index_place(x, owners, call) : NULL;

	return place && *place ? &owners[*place - 1] : NULL;
}
