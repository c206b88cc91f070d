/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print: the rows of answers as people read them.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

enum { HF_AGE_MAX = 32, HF_WHEN_MAX = 64 };

/* "40 s", "3 min", "5 h", "12 d"; a time to come counts as none. Returns out. */
char *hf_ctl_age_text(int64_t seconds, char out[static HF_AGE_MAX]);
/*
 * A time of an answer as clock and age: "14:02 (3 h ago)", with the date where it is not today;
 * "never" for null. Returns out.
 */
char *hf_ctl_when_text(const json_t *time, int64_t now_s, char out[static HF_WHEN_MAX]);

/* The text at `key`, or `otherwise`. */
const char *hf_ctl_row_text(const json_t *row, const char *key, const char *otherwise);

void hf_print_status(const json_t *status, int64_t now_s, FILE *out);
void hf_print_sources(const json_t *status, int64_t now_s, FILE *out);
void hf_print_record(const json_t *record, FILE *out);
void hf_print_history(const json_t *line, int64_t now_s, FILE *out);

/* Whether a status is one of good health. */
int hf_print_status_is_well(const json_t *status);
