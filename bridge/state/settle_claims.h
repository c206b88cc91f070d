/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * settle_claims: who gets which name, after claims have changed. Private to state.
 */
#include "bridge/state/objects.h"

/* Once after each change: who has what is settled for all names that were touched. */
void hf_st_resolve(struct hf_state *s);
/* The same within the call's budget: false while it did not suffice. */
bool hf_st_resolve_some(struct hf_state *s);
