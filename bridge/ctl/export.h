/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * export: what a zone file needs beside the lines of its records.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "zone/name.h"

/* SOA and NS. `serial` is the generation. */
void hf_export_zone_head(const struct hf_name *suffix, uint32_t serial, FILE *out);

/*
 * The suffix that a zone is of: `wanted`, or the only one that the status has. 0, or -EINVAL after
 * reporting on `err`.
 */
int hf_export_suffix(
    const json_t *status, const char *wanted, struct hf_name *ret_suffix, FILE *err);
