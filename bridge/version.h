/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * version: which program this is, what it was built as, and with which libraries it runs; for a
 * report of a fault, and for who wants to know whether an older program may go on with the store.
 */
#include <stdio.h>

#include <jansson.h>

/* Lines: "holdfastd VERSION", the build, the store's schema, the libraries. */
void hf_version_print(FILE *out);

/*
 * The same but for the version: build, schema, schema_oldest, libraries. The caller owns it; NULL:
 * out of memory.
 */
json_t *hf_version_json(void);
