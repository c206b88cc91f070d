/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_foreign: the names that others have in a hosts file, outside of our block. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "adapters/adapter.h"
#include "adapters/hosts/hosts_block.h"

struct hf_foreign; /* opaque */

int hf_foreign_new(
    const char *bytes, size_t len, const struct hf_block *block, struct hf_foreign **ret_foreign);
void hf_foreign_free(struct hf_foreign *f); /* NULL is fine */

/* Whether they give the name another address than the record's. */
bool hf_foreign_clashes(const struct hf_foreign *f, const struct hf_record *r);
