/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * guard: which removals wait, and when they are let go (contract, guard 1 to 4).
 * Private to state.
 */
#include "bridge/state/holds.h"

/*
 * A snapshot of `owner` was applied: workspaces and agents whose mark is not s->mark are absent
 * from it. `had` is how many live ones the owner had before it; `refused`: a record of it was, so
 * it releases nothing. Looks at all that the owner has and says what is to become of it; nothing
 * changes but whose a disputed workspace is.
 */
void hf_st_guard_weigh(struct hf_state *s, uint32_t owner, uint32_t had, bool refused,
    struct hf_when now, struct st_judge *ret_judge);
/*
 * Does what hf_st_guard_weigh() has found: removes what is absent or holds it, releases what may
 * go. False while the call's budget did not suffice; then again. judge->held: how many workspaces
 * it held.
 */
bool hf_st_guard_judge(struct hf_state *s, uint32_t owner, bool refused, struct st_judge *judge);
/* One whom the server does not name any more: all that it has is absent, for this reason. */
void hf_st_guard_lost(struct hf_state *s, uint32_t owner, const char *why, struct hf_when now);
/* The agents of the workspace that this message does not list go. */
void hf_st_guard_drop_agents(struct hf_state *s, uint32_t ws);

/*
 * A diff deletes `n` workspaces of the source, which had `had` before it: false if that is too much
 * at once and they are to be held. Counts them in the sliding window if they may go.
 */
bool hf_st_guard_explained(
    struct hf_state *s, uint32_t source, uint64_t had, uint32_t n, struct hf_when now);
/*
 * Out of the row of a source: `passed_ms` is what is known to have passed since the row's
 * counted_ms.
 */
void hf_st_guard_load_window(struct st_source *src, uint64_t passed_ms, struct hf_when now);
/* Holds one workspace (of `owner`), or its agents (HF_WS_LISTED), and notes the hold. */
void hf_st_guard_hold(
    struct hf_state *s, uint32_t ws, uint8_t marks, const char *why, struct hf_when now);
/*
 * What the message does not list and has the name of one that it does was made again under another
 * id, and is certainly gone (rule 4): ->replaced says so. A diff ends what is held of these.
 */
void hf_st_guard_mark_replaced(struct hf_state *s, uint32_t owner);
void hf_st_guard_drop_replaced(struct hf_state *s, uint32_t owner);

/*
 * Restored names of the source go when every followed owner has a whole accepted snapshot without a
 * hold, or are held.
 */
void hf_st_guard_restored(struct hf_state *s, uint32_t source, struct hf_when now);
/* All of them are held, for this reason. */
void hf_st_guard_hold_restored(
    struct hf_state *s, uint32_t source, const char *why, struct hf_when now);
/* Those that this hold is about go. */
void hf_st_guard_drop_restored(struct hf_state *s, const struct st_hold *h);
