/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_foreign: the names that others have in a hosts file, outside of our block. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "adapters/adapter.h"
#include "adapters/hosts/hosts_block.h"

struct hf_hosts_foreign; /* opaque */

int hf_hosts_foreign_new(const char *bytes, size_t len, const struct hf_hosts_block *block,
    struct hf_hosts_foreign **ret_foreign);
void hf_hosts_foreign_free(struct hf_hosts_foreign *f); /* NULL is fine */

/*
 * Whether a line of theirs has the name, at whatever address: also one with ours was written by
 * somebody, and stays when ours goes.
 */
bool hf_hosts_foreign_has(const struct hf_hosts_foreign *f, const struct hf_name *name);
