/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * holds: removals and changes of identity that wait, what each still waits for, and how long it has
 * waited (guard rules 5, 6 and 9). Private to state.
 */
#include "bridge/state/objects.h"

/* Kinds of a hold. */
#define ST_HOLD_REMOVAL "removal"
#define ST_HOLD_RESTORED "restored"
#define ST_HOLD_USER                                                                               \
	"user" /* the names of the token's own user, of a former one: owner is that one */
#define ST_HOLD_DEPLOYMENT "deployment"
#define ST_HOLD_SUFFIX "suffix"

bool hf_st_hold_is(const struct st_hold *h, const char *kind);
/*
 * The hold of that kind (owner ST_NONE: of the source as a whole), or ST_NONE. Of a removal there
 * may be two, what waits and what the operator rejected: this is the one that waits.
 */
uint32_t hf_st_hold_find(
    const struct hf_state *s, uint32_t source, uint32_t owner, const char *kind);
/* Makes it if there is none; `detail` is what was seen. From now on REST has to be asked. */
uint32_t hf_st_hold_open(struct hf_state *s, uint32_t source, uint32_t owner, const char *kind,
    const char *detail, struct hf_when now);
/* What was seen, for people. */
void hf_st_hold_explain(struct hf_state *s, uint32_t hold, const char *detail);
/* It holds something more, so its grace begins again, on the safe side also for the rest. */
void hf_st_hold_more(struct hf_state *s, uint32_t hold, struct hf_when now);
void hf_st_hold_close(struct hf_state *s, uint32_t hold);
/* The operator keeps all that it holds now; what is held later has a hold of its own. */
void hf_st_hold_reject(struct hf_state *s, uint32_t hold);
/*
 * An owner's holds end with the last workspace that they hold, also that of a former user's `me`
 * names.
 */
void hf_st_hold_settle(struct hf_state *s, uint32_t owner);
/* The owner has an agent, whose names in the forms of the own user are kept of a former one. */
bool hf_st_former_has_names(const struct hf_state *s, uint32_t owner);
/* What is kept of a former user of the token in the forms of its own user goes. */
void hf_st_former_end(struct hf_state *s, uint32_t owner);
/* Another deployment answers, or none says which it is: nothing of it is applied. */
bool hf_st_deployment_held(const struct hf_state *s, uint32_t source);
/* The owner is no more. */
void hf_st_holds_of_owner_end(struct hf_state *s, uint32_t owner);
/* The source's holds of restored names end with the last name that they hold. */
void hf_st_hold_settle_restored(struct hf_state *s, uint32_t source);
bool hf_st_hold_has_restored(const struct st_hold *h, const struct st_restored *r);
/* One that came out of the store is found. */
void hf_st_hold_loaded(struct hf_state *s, uint32_t hold);
/*
 * Whether a decision about `source`, `owner` (where `of_owner`) and this kind (NULL: each) is about
 * it.
 */
bool hf_st_hold_is_meant(
    const struct st_hold *h, uint32_t source, uint32_t owner, bool of_owner, const char *what);
/* Whether a workspace is held by it. */
bool hf_st_hold_has(const struct hf_state *s, const struct st_hold *h, const struct st_ws *w);

/*
 * Adds what passed since the last call to the fresh time of the source's holds, as far as what they
 * are of was fresh: also before anything that begins or ends freshness.
 */
void hf_st_hold_count(struct hf_state *s, uint32_t source, struct hf_when now);
/*
 * The same for those that a snapshot of this owner may make fresh: without a look at all others'.
 */
void hf_st_hold_count_owner(struct hf_state *s, uint32_t owner, struct hf_when now);
/*
 * What it waits for before the guard releases it by itself: bits of enum hf_waits. Of a rejected
 * one: 0.
 */
unsigned hf_st_hold_waits(const struct hf_state *s, const struct st_hold *h, struct hf_when now);
/*
 * A word of REST and then a new connection could release it, and nothing else that is to be done
 * now.
 */
bool hf_st_hold_wants_connection(
    const struct hf_state *s, const struct st_hold *h, struct hf_when now);

/* Of the source as a whole: a snapshot of this owner is one that it waits for. */
bool hf_st_hold_wants_snapshot(const struct hf_state *s, const struct st_hold *h, uint32_t owner);

bool hf_st_source_fresh(const struct st_source *src, struct hf_when now);
bool hf_st_owner_fresh(const struct hf_state *s, const struct st_owner *o, struct hf_when now);
/* The same as readers see it: for those who ask, and for no decision. */
bool hf_st_source_seen_fresh(const struct st_source *src, struct hf_when now);
bool hf_st_owner_seen_fresh(const struct hf_state *s, const struct st_owner *o, struct hf_when now);
