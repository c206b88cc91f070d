/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/state/dispute_list.h"

#include <string.h>

static uint32_t dispute_key(uint32_t ws)
{
	return ws * 0x9e3779b1U;
}

struct st_dispute *hf_st_dispute_find(const struct hf_state *s, uint32_t ws)
{
	size_t at = HF_MULTIMAP_START;
	uint32_t i;

	while (s->n_disputes && hf_multimap_next(&s->disputes_by_ws, dispute_key(ws), &at, &i))
		if (s->disputes[i].ws == ws)
			return &s->disputes[i];
	return NULL;
}

void hf_st_dispute_drop(struct hf_state *s, struct st_dispute *d)
{
	uint32_t i = (uint32_t)(d - s->disputes), last = (uint32_t)s->n_disputes - 1;

	hf_multimap_del(&s->disputes_by_ws, dispute_key(d->ws), i);
	s->n_disputes--;
	if (i == last)
		return;
	*d = s->disputes[last];
	hf_multimap_del(&s->disputes_by_ws, dispute_key(d->ws), last);
	if (hf_multimap_add(&s->disputes_by_ws, dispute_key(d->ws), i) < 0)
		s->failed = true;
}

struct st_dispute *hf_st_dispute_add(struct hf_state *s, uint32_t ws)
{
	uint32_t i = (uint32_t)s->n_disputes;

	if (hf_st_grow((void **)&s->disputes, i, &s->size_disputes, sizeof(*s->disputes)) < 0 ||
	    hf_multimap_add(&s->disputes_by_ws, dispute_key(ws), i) < 0) {
		s->failed = true;
		return NULL;
	}
	s->n_disputes++;
	s->disputes[i].ws = ws;
	return &s->disputes[i];
}

void hf_st_dispute_name(struct hf_state *s, uint32_t ws, const char *name, const char *bad)
{
	struct st_dispute *d = hf_st_dispute_find(s, ws);

	if (!d)
		return;
	memset(d->name, 0, sizeof(d->name));
	memcpy(d->name, name, strnlen(name, sizeof(d->name) - 1));
	d->bad = bad;
}

bool hf_st_is_disputed_by(const struct hf_state *s, uint32_t ws, uint32_t owner)
{
	const struct st_dispute *d = hf_st_dispute_find(s, ws);

	return d && d->claimant == owner && s->ws[ws].row.owner != owner;
}

void hf_st_dispute_withdrawn(struct hf_state *s, uint32_t ws, uint32_t owner)
{
	struct st_dispute *d = hf_st_dispute_find(s, ws);

	if (d && d->claimant == owner)
		hf_st_dispute_drop(s, d);
}

void hf_st_dispute_end(struct hf_state *s, uint32_t ws)
{
	struct st_dispute *d = hf_st_dispute_find(s, ws);

	if (d)
		hf_st_dispute_drop(s, d);
}

void hf_st_disputes_of_owner_end(struct hf_state *s, uint32_t owner)
{
	for (size_t i = s->n_disputes; i-- > 0;)
		if (s->disputes[i].claimant == owner)
			hf_st_dispute_drop(s, &s->disputes[i]);
}
