/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_json: values and lines of JSON that several answers of the control socket write. It
 * knows nothing of what is answered.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* RFC 3339 in UTC; null for 0, which is "never" or "unknown". The caller owns the value. */
json_t *hf_control_json_time(int64_t wall_s);
/*
 * The text, or null if it is NULL or "". Bytes that are not UTF-8 make it null too. The caller owns
 * the value.
 */
json_t *hf_control_json_text(const char *text);
/* Writes {"row": row} and frees the row. Returns 0, or HF_ECLOSED if nobody reads any more. */
int hf_control_json_row(FILE *out, json_t *row);
/* Writes the last line of an answer that succeeded. */
void hf_control_json_end(FILE *out);
/* Writes the last line of an answer that failed: `text` is the reason, for people. */
void hf_control_error(FILE *out, const char *text);
/* The same for a user who has no right to what was asked. */
void hf_control_denied(FILE *out, const char *text);
