/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_file_private: an open hosts file, for hosts_file.c (opening, reading) and
 * hosts_file_write.c (writing).
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "adapters/hosts/hosts_file.h"

struct hf_hosts_file {
	const char *path; /* borrowed */
	const char *name; /* its last part */
	int dir;
	int fd;            /* has the locks */
	int reader;        /* the same file, opened for reading only; -1 once it is given away */
	bool writable;     /* fd is */
	bool made;         /* it was not there before */
	bool others_write; /* when it was opened, somebody else could write to it */
	bool was_empty;
	bool hurry;
	struct stat st;
	char *bytes; /* owned; what was read */
	size_t len;
};

/* The new file under another name; kept over several tries. */
struct hf_hosts_file_draft {
	int fd;  /* -1: there is none */
	int dir; /* owned */
	char name[NAME_MAX + 1];
	bool unsynced;
	bool again; /* one has been put there already: the next is synced behind its rename */
};

int hf_hosts_file_open(const char *path, bool hurry, struct hf_hosts_file **ret_place);
void hf_hosts_file_close(struct hf_hosts_file *p); /* unlocks; NULL is fine */

/* -ESTALE: others changed it since it was read; nothing was done. -EAGAIN: others use it. */
int hf_hosts_file_write(struct hf_hosts_file *p, struct hf_hosts_file_draft *d, const char *bytes,
    size_t len, struct hf_hosts_lates *lates, int64_t now_ms);
void hf_hosts_file_draft_drop(struct hf_hosts_file_draft *d);
