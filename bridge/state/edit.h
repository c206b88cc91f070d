/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * edit: changes of agents, workspaces, owners and sources that move claims: each gives up the names
 * of what changes, changes it, and claims the names again. Private to state.
 */
#include "bridge/state/objects.h"

void hf_st_agent_remove(struct hf_state *s, uint32_t ix);
void hf_st_agent_set(
    struct hf_state *s, uint32_t ix, uint32_t ws, const char *name, const char *bad);

/* With all its agents. */
void hf_st_ws_remove(struct hf_state *s, uint32_t ix);
void hf_st_ws_move(struct hf_state *s, uint32_t ix, uint32_t owner);
/* `marks`: HF_WS_..., 0 where it is not held. */
void hf_st_ws_set_held(struct hf_state *s, uint32_t ix, bool held, uint8_t marks);
/* Its name or its goodness changes; all of its agents' names with it. `bad` NULL: good. */
void hf_st_ws_rename(struct hf_state *s, uint32_t ix, const char *name, const char *bad);

/* Before and after something that all names of a source or an owner hang on changes. */
void hf_st_owner_unclaim(struct hf_state *s, uint32_t owner);
void hf_st_owner_claim(struct hf_state *s, uint32_t owner);
void hf_st_source_unclaim(struct hf_state *s, uint32_t source);
void hf_st_source_claim(struct hf_state *s, uint32_t source);

void hf_st_suffix_set(struct hf_state *s, struct st_source *src, const struct hf_name *suffix);
