/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many names are published in which state, without composing a single name.
 */
#include <string.h>

#include "bridge/state/claimant.h"
#include "bridge/state/holds.h"

static void tally_count(
    const struct hf_state *s, struct hf_when now, uint32_t who, struct hf_tally *ret)
{
	struct st_record record;
	struct hf_tally *t;
	bool fresh;

	hf_st_record_of(s, who, &record);
	t = &ret[record.source];
	fresh = record.owner == ST_NONE ? hf_st_source_seen_fresh(&s->sources[record.source], now)
					: hf_st_owner_seen_fresh(s, &s->owners[record.owner], now);
	if (record.flags & HF_REC_WITHDRAWN)
		t->withdrawn++;
	else if (record.flags & HF_REC_HELD)
		t->held++;
	else if (record.flags & HF_REC_RESTORED || !fresh)
		t->stale++;
	else
		t->live++;
}

void hf_state_tally(const struct hf_state *s, struct hf_when now,
    struct hf_tally ret_tallies[static HF_ZONE_SOURCES_MAX])
{
	memset(ret_tallies, 0, sizeof(*ret_tallies) * HF_ZONE_SOURCES_MAX);
	for (uint32_t i = 0; i < s->n_agents; i++)
		for (unsigned place = 0; s->agents[i].used && place < ST_PLACES; place++)
			if (s->agents[i].row.names & 1u << place)
				tally_count(s, now, WHO_AGENT_NAME(i, place), ret_tallies);
	for (uint32_t i = 0; i < s->n_restored; i++)
		if (s->restored[i].used && s->restored[i].published)
			tally_count(s, now, WHO(WHO_RESTORED, i), ret_tallies);
	for (uint32_t i = 0; i < HF_ZONE_SOURCES_MAX; i++)
		if (s->sources[i].used && s->sources[i].row.sentinel)
			tally_count(s, now, WHO(WHO_SENTINEL, i), ret_tallies);
}
