/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * apply_update: whole messages of the stream, private to state. A refused one changes nothing.
 *
 * A snapshot is taken up in the steps of s->job.phase, each of which returns false while the budget
 * of the call (hf_st_spend()) did not suffice: the next call goes on where it was. What a step must
 * know of those before it is in the job or in the rows' marks; nothing else changes the state
 * meanwhile. A diff is applied at once.
 */
#include "bridge/state/objects.h"

void hf_st_snapshot_begin(struct hf_state *s);
bool hf_st_snapshot_workspaces(struct hf_state *s);
bool hf_st_snapshot_agents(struct hf_state *s);
/*
 * Of an owner whose first snapshot this is nothing was served, so nothing needs a hold: it has what
 * this one lists, and gets its names.
 */
bool hf_st_snapshot_prune(struct hf_state *s);
bool hf_st_snapshot_name(struct hf_state *s);

/* What is listed again has the agents that are listed, also where what is missing says nothing. */
bool hf_st_snapshot_back(struct hf_state *s);

void hf_st_apply_diff(struct hf_state *s, uint32_t owner, const struct hf_update *u,
    struct hf_when now, struct hf_judgement *j);
