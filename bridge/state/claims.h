/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * claims: who may have which name, private to state.
 *
 * Every agent claims the names that it would have; of the claimants of a name the best one gets it:
 * by the order of sources, then live before held before a former user's before restored, then the
 * lowest workspace id, then the agent that came last. The same order decides which agent of a
 * source has an address that two of them would have, and whose name an address's PTR tells.
 */
#include "bridge/state/objects.h"

/*
 * Before anything changes that the agent's names or what they tell depend on: its claims go.
 * After it, hf_st_claim() makes those that it then has.
 */
void hf_st_unclaim(struct hf_state *s, uint32_t agent);
void hf_st_claim(struct hf_state *s, uint32_t agent);
/* Before the source is withdrawn or comes back: what all of its names tell will change. */
void hf_st_source_touch(struct hf_state *s, uint32_t source);
/* The same within the call's budget; false: go on with this *at, which was 0 at first. */
bool hf_st_source_touch_some(struct hf_state *s, uint32_t source, size_t *at);
/* The workspace's number of agents changed: the short name comes or goes. */
void hf_st_reclaim_short(struct hf_state *s, uint32_t ws);

/* The agent's address enters or leaves. */
void hf_st_address_add(struct hf_state *s, uint32_t agent);
void hf_st_address_del(struct hf_state *s, uint32_t agent);

/* One of the restored names enters, or goes for good. */
void hf_st_restored_claim(struct hf_state *s, uint32_t restored);
void hf_st_restored_remove(struct hf_state *s, uint32_t restored);
void hf_st_sentinel_claim(struct hf_state *s, uint32_t source);
void hf_st_sentinel_unclaim(struct hf_state *s, uint32_t source);

/*
 * What comes out of the store as it was: nothing is touched. All addresses first, then the claims
 * of agents, of sentinels, of restored names.
 */
/* True if another one may have the same address. */
bool hf_st_load_address(struct hf_state *s, uint32_t agent);
/* `shared`: of any agent that was so. */
void hf_st_load_claims(struct hf_state *s, uint32_t agent, bool shared);
void hf_st_load_restored(struct hf_state *s, uint32_t restored);
void hf_st_load_sentinel(struct hf_state *s, uint32_t source);

/* Frees all claims and names, of a state that ends. */
void hf_st_names_done(struct hf_state *s);

/* Every published name with what it tells. Ends with cb's first non-zero value. */
typedef int (*st_name_cb)(const struct hf_name_change *record, void *arg);
int hf_st_each_name(const struct hf_state *s, st_name_cb cb, void *arg);
/* The one of this name, if it is published. */
int hf_st_one_name(const struct hf_state *s, const struct hf_name *name, st_name_cb cb, void *arg);
