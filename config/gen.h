/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* gen: what is written out of the table for people: the sample file and the manual page. */
#include <stdio.h>

#include "config/key.h"

/* A file with every key: commented out with its default, but for those flagged HF_KEY_SAMPLE. */
void hf_gen_sample(const struct hf_key *table, FILE *out);
/* holdfast.yaml(5). */
void hf_gen_manual(const struct hf_key *table, FILE *out);

/*
 * The default or else the example, as it is written; free() it. NULL: neither, or the table is
 * wrong.
 */
char *hf_gen_value(const struct hf_key *key);
