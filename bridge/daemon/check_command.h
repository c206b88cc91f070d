/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* check_command: holdfastd --check. */
#include <stdbool.h>
#include <stdio.h>

/*
 * Tell on `err` what is wrong with the file, one line for each problem, and on `out` what is in
 * force: the whole of it as YAML if `verbose`. Returns the exit status: 0, or 1 if it is refused.
 */
int hf_check_command(const char *path, bool verbose, FILE *out, FILE *err);
