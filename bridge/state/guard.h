#pragma once
/*
 * guard: which removals wait, and when they are let go (design.md, the guard, rules 1 to 9).
 * Private to state.
 */
#include "bridge/state/model.h"

/* Kinds of a hold. */
#define ST_HOLD_REMOVAL "removal"
#define ST_HOLD_RESTORED "restored"
#define ST_HOLD_DEPLOYMENT "deployment"
#define ST_HOLD_SUFFIX "suffix"

/* The hold of that kind (owner ST_NONE: of the source as a whole), or ST_NONE. */
uint32_t st_hold_find(const struct hf_state *s, uint32_t source, uint32_t owner, const char *kind);
/* Makes it if there is none; `detail` is what was seen. */
uint32_t st_hold_open(struct hf_state *s, uint32_t source, uint32_t owner, const char *kind,
    const char *detail, struct hf_when now);
void st_hold_close(struct hf_state *s, uint32_t hold);
/* Whether a decision about `source`, `owner` (where `of_owner`) and this kind (NULL: each) is about it. */
bool st_hold_is_meant(const struct st_hold *h, uint32_t source, uint32_t owner, bool of_owner,
    const char *what);
/* What it waits for before the guard releases it by itself: bits of enum hf_waits. */
unsigned st_hold_waits(const struct hf_state *s, const struct st_hold *h, struct hf_when now);
/*
 * Adds what passed since the last call to the fresh time of the source's holds, as far as the source
 * was fresh: also before anything that begins or ends freshness.
 */
void st_hold_count(struct hf_state *s, uint32_t source, struct hf_when now);

/*
 * A snapshot of `owner` was applied: workspaces whose mark is not s->mark are absent from it. `had`
 * is how many live ones the owner had before it. Removes them or holds them, and releases a hold
 * whose time has come. Returns how many were held by this call.
 */
uint32_t st_guard_snapshot(
    struct hf_state *s, uint32_t owner, uint32_t had, bool empty, struct hf_when now);

/* The same for one whom the server does not name any more: none of its workspaces is listed. */
void st_guard_lost(struct hf_state *s, uint32_t owner, const char *why, struct hf_when now);

/*
 * A diff deletes `n` workspaces of the source, which had `had` before it: false if that is too much
 * at once and they are to be held. Counts them in the sliding window if they may go.
 */
bool st_guard_explained(
    struct hf_state *s, uint32_t source, uint64_t had, uint32_t n, struct hf_when now);
/* Holds one workspace (of `owner`) and notes the hold. */
void st_guard_hold(struct hf_state *s, uint32_t ws, struct hf_when now);
/* After a workspace was listed again or went: the owner's hold ends with its last held workspace.
 */
void st_guard_settle(struct hf_state *s, uint32_t owner);

/* Restored names of the source go when every followed owner has an accepted snapshot without a
 * hold. */
void st_guard_restored(struct hf_state *s, uint32_t source, struct hf_when now);

bool st_source_fresh(const struct st_source *src, struct hf_when now);
bool st_owner_fresh(const struct hf_state *s, const struct st_owner *o, struct hf_when now);
