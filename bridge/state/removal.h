/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * removal: the end of an owner or of a source, with all that it has. Private to state.
 */
#include "bridge/state/objects.h"

/* What another owner's stream lists, too, goes over to that one (guard rule 8). */
void hf_st_owner_remove(struct hf_state *s, uint32_t ix);
void hf_st_source_remove(struct hf_state *s, struct st_source *src);
