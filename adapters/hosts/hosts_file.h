/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_file: a hosts file that others use too: locked as other tools lock it, and replaced so that
 * nothing of it changes but its content: mode, owner and extended attributes stay. By rename; in
 * place where that cannot be (a bind mount, a folder that may not be written, another name for the
 * same file).
 *
 * Others edit it meanwhile, with a lock or without. What was replaced is given to a list of files
 * that somebody may still write to (hosts_late.h), so that nothing written there is lost.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct hf_hosts_lates; /* adapters/hosts/hosts_late.h */

/*
 * What is in the file, and what others have written into files that it replaced. Lent for the call.
 */
struct hf_hosts_file_view {
	const char *bytes;
	size_t len;
	struct stat st;
	bool was_empty; /* it was there, and empty */
};

struct hf_hosts_file_edit {
	const char *path;             /* borrowed, as all of these */
	struct hf_hosts_lates *lates; /* what is replaced is added, what came late is brought in */
	int64_t now_ms;               /* boottime */
	/* the caller has waited: that others use the file is no reason to wait longer */
	bool hurry;
	/*
	 * Makes the new content, malloc()ed. Returns 0 or a code. Called again if others changed
	 * the file before it could be replaced.
	 */
	int (*make)(
	    const struct hf_hosts_file_view *view, char **ret_bytes, size_t *ret_len, void *arg);
	void *arg;
};

/*
 * Opens (creates, if it is not there), locks and reads the file, and gives it the content that
 * make() makes, if that is another. Durable when it returns; on failure the old content is there.
 * *ret_st (also on failure, if it was opened) is what the file looks like now: a later look differs
 * if others changed it. ret_why says what is wrong and what to do. No symlink is followed.
 *
 * Never waits. -EAGAIN, to be tried again: somebody has locked it; or is writing it (it is empty or
 * ends within a line, and a process has it open for writing); or it is written in place and
 * somebody else has it open. With `hurry` only the first counts.
 */
int hf_hosts_file_edit(
    const struct hf_hosts_file_edit *e, struct stat *ret_st, char *ret_why, size_t why_size);

/* Only reads it; the caller owns *ret_bytes, end it with free(). A missing file is empty. */
int hf_hosts_file_read(
    const char *path, char **ret_bytes, size_t *ret_len, char *ret_why, size_t why_size);
