/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_guard: what the guard holds, as status shows it; and what the token may not read any
 * more, which is often the reason.
 */
#include <jansson.h>

#include "bridge/control/control_answer.h"
#include "bridge/engine/engine.h"

/*
 * Fills `guard`, a row for each hold, and adds what a person has to know to `warnings`. `tallies`
 * are those of hf_state_tally(). Returns how many holds there are.
 */
size_t hf_control_guard(const struct hf_control_env *env, const struct hf_tally *tallies,
    json_t *guard, json_t *warnings);
/* Rights that are gone, owners that may not be read, workspaces that two owners' streams list. */
void hf_control_token_rights(const struct hf_control_env *env, json_t *warnings);
