/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_merge: what others wrote into a hosts file while we replaced it, brought into the file that
 * is there now. Pure.
 */
#include <stddef.h>

struct hf_text {
	const char *at; /* borrowed; not NULL */
	size_t len;
};

/*
 * `base` is a file as we read it, `theirs` what others made of it afterwards, `now` the file that
 * is there. The result is `now` with their changes. If nobody but us changed `now` since `base`, it
 * is `theirs`, to the byte; else their new lines are appended and the lines that they removed are
 * removed. Our block, and our lines in it, do not count as changes: the caller writes the block.
 * The caller owns *ret_bytes; end it with free(). Returns 0 or -ENOMEM.
 */
int hf_hosts_merge(const struct hf_text *base, const struct hf_text *theirs,
    const struct hf_text *now, char **ret_bytes, size_t *ret_len);
/* The same of their new lines alone: nothing is removed. */
int hf_hosts_merge_added(const struct hf_text *base, const struct hf_text *theirs,
    const struct hf_text *now, char **ret_bytes, size_t *ret_len);
