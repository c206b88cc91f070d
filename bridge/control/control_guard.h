/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_guard: what the guard holds, as status shows it and as `accept` and `reject` decide it;
 * and what the token may not read any more, which is often the reason.
 */
#include <jansson.h>
#include <stdio.h>

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

/*
 * accept, reject. Of identity only what the request names is decided: everything else is removals.
 */
void hf_control_decide(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
/* What that would do. A walk over all names. */
void hf_control_preview(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
