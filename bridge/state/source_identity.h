/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * source_identity: who is behind the URL: deployment, suffix, the token's user and its rights
 * (guard rules 2 and 6). Private to state.
 */
#include "bridge/state/objects.h"

/* Another deployment answers, or none says which it is: nothing of it is applied. */
bool hf_st_deployment_held(const struct hf_state *s, uint32_t source);
void hf_st_suffix_set(struct hf_state *s, struct st_source *src, const struct hf_name *suffix);
/*
 * The token is another user's: what the former one had in the forms of the own user waits. `name`:
 * "" where not known.
 */
void hf_st_other_user(struct hf_state *s, struct st_source *src, const struct hf_uuid *user,
    const char *name, struct hf_when now);
/* It has an agent, whose names in the forms of the own user are what is kept of a former one. */
bool hf_st_former_has_names(const struct hf_state *s, uint32_t owner);
/* What is kept of a former user of the token in the forms of its own user goes. */
void hf_st_former_end(struct hf_state *s, uint32_t owner);
