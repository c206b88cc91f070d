/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_private: the answers that control_answer.c gives out, by the file that writes them. Only
 * files of this room whose name begins with control_ include it.
 */
#include <jansson.h>
#include <stdio.h>

#include "bridge/control/control_answer.h"

/* --- control_lists.c --- */

/* Write a row each. Return 0, or HF_ECLOSED if nobody reads any more. */
int hf_control_records(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
/* `pattern` is as shells have it, "" for all. */
int hf_control_workspaces(const struct hf_control_env *env, const char *pattern, FILE *out);
/* Writes at most one row: the served name that is at most three typing errors from `word`. */
int hf_control_near(const struct hf_control_env *env, const char *word, FILE *out);

/* --- control_status.c --- */

/* One object: all that `holdfastctl status --json` shows. The caller owns it; NULL: no memory. */
json_t *hf_control_status(const struct hf_control_env *env);

/* --- control_adapters.c --- */

/*
 * Fills the resolver of the adapter that the request names again, or checks what it has (of all
 * adapters if the request names none). Writes the adapter's status after that.
 */
void hf_control_refill(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
void hf_control_verify(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
/* The adapters, as status has them; what is wrong with them is added to `warnings`. */
json_t *hf_control_adapters(const struct hf_control_env *env, json_t *warnings);

/* --- control_decide.c --- */

/*
 * accept, reject. Of identity only what the request names is decided: everything else is removals.
 */
void hf_control_decide(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
/* What that would do. A walk over all names. */
void hf_control_preview(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
