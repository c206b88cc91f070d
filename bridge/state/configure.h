/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * configure: a new configuration in the running state, and sources that it no longer names (guard
 * rule 7). Private to state.
 */
#include "bridge/state/objects.h"

/* Sources that the operator took out go when those that may replace them are confirmed. */
void hf_st_drop_leaving(struct hf_state *s);
