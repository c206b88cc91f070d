/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * source_identity: who is behind the URL: deployment, suffix, the token's user and its rights
 * (guard rules 2 and 6). Private to state.
 */
#include "bridge/state/objects.h"

/*
 * The token is another user's: what the former one had in the forms of the own user waits. `name`:
 * "" where not known.
 */
void hf_st_other_user(struct hf_state *s, struct st_source *src, const struct hf_uuid *user,
    const char *name, struct hf_when now);
