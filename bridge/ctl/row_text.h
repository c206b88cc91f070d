/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * row_text: what stands in one row of an answer, as text and as numbers; ages and times for people.
 */
#include <jansson.h>
#include <stdint.h>

enum { HF_AGE_MAX = 32, HF_WHEN_MAX = 64 };

/* The text at `key`, or `otherwise`. Borrowed from the row. */
const char *hf_ctl_row_text(const json_t *row, const char *key, const char *otherwise);
/* The number at `key`; 0 if there is no number. */
long long hf_ctl_row_number(const json_t *row, const char *key);

/* "40 s", "3 min", "5 h", "12 d"; a time to come counts as none. Returns out. */
char *hf_ctl_age_text(int64_t seconds, char out[static HF_AGE_MAX]);
/*
 * A time of an answer as clock and age: "14:02 (3 h ago)", with the date where it is not today;
 * "never" for null. Returns out.
 */
char *hf_ctl_when_text(const json_t *time, int64_t now_s, char out[static HF_WHEN_MAX]);
