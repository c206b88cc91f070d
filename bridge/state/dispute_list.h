/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dispute_list: the list of workspaces that two owners' streams list (guard rule 8), at most one
 * entry for each. What becomes of them is decided in disputes.h. Private to state.
 */
#include "bridge/state/objects.h"

/* Valid until one is added or dropped; NULL: none. */
struct st_dispute *hf_st_dispute_find(const struct hf_state *s, uint32_t ws);
/* For a workspace that has none. NULL: memory ran out, and the state is spent. */
struct st_dispute *hf_st_dispute_add(struct hf_state *s, uint32_t ws);
/* The last one of the list takes its place. */
void hf_st_dispute_drop(struct hf_state *s, struct st_dispute *d);

/*
 * The claimant's stream lists the workspace by this name, which it has when it goes over. `bad`:
 * why the name is refused, or NULL; static.
 */
void hf_st_dispute_name(struct hf_state *s, uint32_t ws, const char *name, const char *bad);
bool hf_st_is_disputed_by(const struct hf_state *s, uint32_t ws, uint32_t owner);
/* `owner`, who claims it, drops it. */
void hf_st_dispute_withdrawn(struct hf_state *s, uint32_t ws, uint32_t owner);
/* The workspace, or the owner, is no more. */
void hf_st_dispute_end(struct hf_state *s, uint32_t ws);
void hf_st_disputes_of_owner_end(struct hf_state *s, uint32_t owner);
