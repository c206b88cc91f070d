/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that state believes, as rows: what a store is made of that is lost while the bridge
 * runs.
 */
#include <errno.h>
#include <stdlib.h>

#include "bridge/state/objects.h"

static int by_rid(const void *a, const void *b)
{
	/* Every row begins with its rid. */
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Room for at most `n` rows; never NULL but for want of memory. */
static int to_image_reserve(void *ret_rows, size_t n, size_t size)
{
	void *rows = calloc(n + 1, size);

	*(void **)ret_rows = rows;
	return rows ? 0 : -ENOMEM;
}

static int reserve_all(const struct hf_state *s, struct hf_image *m)
{
	if (to_image_reserve(&m->sources, HF_ZONE_SOURCES_MAX, sizeof(*m->sources)) ||
	    to_image_reserve(&m->owners, s->n_owners, sizeof(*m->owners)) ||
	    to_image_reserve(&m->workspaces, s->n_ws, sizeof(*m->workspaces)) ||
	    to_image_reserve(&m->agents, s->n_agents, sizeof(*m->agents)) ||
	    to_image_reserve(&m->holds, s->n_holds, sizeof(*m->holds)) ||
	    to_image_reserve(&m->restored, s->n_restored, sizeof(*m->restored)) ||
	    to_image_reserve(&m->texts, s->n_texts, sizeof(*m->texts)))
		return -ENOMEM;
	return 0;
}

static void fill_model(const struct hf_state *s, struct hf_image *m)
{
	for (size_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used)
			m->sources[m->n_sources++] = s->sources[i].row;
	for (size_t i = 0; i < s->n_owners; i++)
		if (s->owners[i].used)
			m->owners[m->n_owners++] = s->owners[i].row;
	for (size_t i = 0; i < s->n_ws; i++)
		if (s->ws[i].used && !s->ws[i].bad)
			m->workspaces[m->n_workspaces++] = s->ws[i].row;
	for (size_t i = 0; i < s->n_agents; i++)
		if (s->agents[i].used && !s->agents[i].bad && !s->ws[s->agents[i].ws].bad)
			m->agents[m->n_agents++] = s->agents[i].row;
	qsort(m->workspaces, m->n_workspaces, sizeof(*m->workspaces), by_rid);
	qsort(m->agents, m->n_agents, sizeof(*m->agents), by_rid);
}

int hf_state_image(struct hf_state *s, struct hf_when now, struct hf_image *image)
{
	if (s->failed || reserve_all(s, image))
		return -ENOMEM;
	hf_st_stamp_sources(s, now);
	fill_model(s, image);
	for (size_t i = 0; i < s->n_holds; i++)
		if (s->holds[i].used)
			image->holds[image->n_holds++] = s->holds[i].row;
	for (size_t i = 0; i < s->n_restored; i++)
		if (s->restored[i].used)
			image->restored[image->n_restored++] = s->restored[i].row;
	for (size_t i = 0; i < s->n_texts; i++)
		if (s->texts[i].row)
			image->texts[image->n_texts++] = *s->texts[i].row;
	image->next_workspace = s->next_ws_rid;
	image->next_agent = s->next_agent_rid;
	return 0;
}
