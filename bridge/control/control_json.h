/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_json: what the answers of the control socket share.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "bridge/control/control_answer.h"

/* RFC 3339 in UTC; null for 0, which is "never" or "unknown". */
json_t *hf_control_json_time(int64_t wall_s);
/* The text, or null where it is NULL or "". Bytes that are no UTF-8 make it null too. */
json_t *hf_control_json_text(const char *text);
/* Writes {"row": row} and ends the row. 0, or HF_ECLOSED where nobody reads any more. */
int hf_control_json_row(FILE *out, json_t *row);
/* The last line. */
void hf_control_json_end(FILE *out);

/* A row each. 0, or HF_ECLOSED where nobody reads any more. */
int hf_control_records(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
/* `pattern` is as shells have it, "" for all. */
int hf_control_workspaces(const struct hf_control_env *env, const char *pattern, FILE *out);
/* At most one row: the served name that is a slip or two away. */
int hf_control_near(const struct hf_control_env *env, const char *word, FILE *out);

/* One object: all that `holdfastctl status --json` shows. The caller owns it; NULL: no memory. */
json_t *hf_control_status(const struct hf_control_env *env);
/* Of one adapter, or of each: it is filled anew, or asked what it has. What it is then is told. */
void hf_control_refill(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
void hf_control_verify(
    const struct hf_control_env *env, const struct hf_control_request *r, FILE *out);
/* The adapters, as status has them; what is wrong with them is added to `warnings`. */
json_t *hf_control_adapters(const struct hf_control_env *env, json_t *warnings);
