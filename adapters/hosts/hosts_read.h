/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_read: what a hosts file holds now: the records of our block, and the names that others have
 * outside of it. Nothing is locked or changed.
 */
#include <stddef.h>

#include "adapters/hosts/hosts_foreign.h"
#include "adapters/record_table.h"

/*
 * A missing file is an empty one. The caller owns both, which are there only with 0: end them with
 * hf_record_table_free() and hf_hosts_foreign_free(). Returns 0, or a code, and in ret_why what is
 * wrong: the file cannot be read, or the markers of its block are doubled or missing (HF_EREFUSED).
 */
int hf_hosts_read(const char *path, struct hf_record_table **ret_table,
    struct hf_hosts_foreign **ret_foreign, char *ret_why, size_t why_size);
