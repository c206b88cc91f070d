/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * disputes: workspaces that two owners' streams list (guard rule 8). One who has a workspace keeps
 * it until the own stream drops it or REST says whose it is. Private to state.
 */
#include "bridge/state/objects.h"

/*
 * `owner`'s stream lists a workspace of another one. True: it is refused, and the dispute is known;
 * false: nobody's stream has it, so it moves.
 */
bool hf_st_dispute_listed(struct hf_state *s, uint32_t ws, uint32_t owner, struct hf_when now);
/*
 * The stream of who has it drops it: true if it went to who claims it, instead of away. Its agents
 * stay with it, and a snapshot of its new owner is wanted.
 */
bool hf_st_dispute_dropped(struct hf_state *s, uint32_t ws);
/* A snapshot of `owner` was applied: claims that it does not repeat end. */
void hf_st_dispute_not_listed(struct hf_state *s, uint32_t owner);
