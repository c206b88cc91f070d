/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * doctor_report: the findings of an examination: one more, and all of them for people or as JSON.
 */
#include <stdbool.h>
#include <stdio.h>

struct hf_doctor; /* bridge/ctl/doctor/doctor.h: has the findings */

/* In the order of what adapters report (adapters/adapter.h). */
enum hf_grade { GRADE_GOOD, GRADE_NOTE, GRADE_BAD };

/*
 * Adds a finding; `line` is what to add or do, "" where nothing is to be done. All texts are
 * copied.
 */
void hf_doctor_report(struct hf_doctor *d, const char *area, enum hf_grade grade, const char *line,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Prints all findings in their order. */
void hf_doctor_report_print(const struct hf_doctor *d, bool json, FILE *out);
