/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_block: our marked lines within a hosts file that is somebody else's. All bytes outside of
 * it are theirs and stay; so do lines within it that we did not write, which move behind it. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "adapters/record_table.h"

struct hf_hosts_block {
	size_t start, end; /* of the markers and all between; equal: there is none */
	size_t in, in_end; /* of what is between */
	bool crlf;         /* the file's lines end so, and ours too */
	bool was_empty;    /* its mark says that the file was there before it, and empty */
};

/*
 * Where it is. HF_EREFUSED where markers are doubled, or one is missing: ret_why tells the lines,
 * and nothing may be written then.
 */
int hf_hosts_block_find(const char *bytes, size_t len, struct hf_hosts_block *ret_block,
    char *ret_why, size_t why_size);

/*
 * The whole file with the table's records (its bucket 0) in the block. Without records there is no
 * block, or, if it `stays`, its two marks with nothing between them. The caller owns *ret_bytes;
 * end it with free(). 0 or -ENOMEM.
 */
int hf_hosts_block_build(const char *bytes, size_t len, const struct hf_hosts_block *block,
    const struct hf_record_table *table, bool stays, char **ret_bytes, size_t *ret_len);

/* The records of the block into the table. 0, how many lines in it are not ours, or -ENOMEM. */
int hf_hosts_block_load(
    const char *bytes, const struct hf_hosts_block *block, struct hf_record_table *table);
