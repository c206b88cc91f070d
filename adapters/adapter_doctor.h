/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * adapter_doctor: one finding of a doctor, for the host.
 */
struct hf_adapter;

/* `grade` is HF_FINDING_...; `line` is what to add or do where something is wrong, "" otherwise. */
void hf_adapter_found(struct hf_adapter *a, int grade, const char *line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
