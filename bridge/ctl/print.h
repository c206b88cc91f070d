/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * print: the rows of answers as people read them.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

void hf_print_status(const json_t *status, int64_t now_s, FILE *out);
void hf_print_sources(const json_t *status, int64_t now_s, FILE *out);
void hf_print_record(const json_t *record, FILE *out);
void hf_print_history(const json_t *line, int64_t now_s, FILE *out);

/* Whether a status is one of good health. */
int hf_print_status_is_well(const json_t *status);
