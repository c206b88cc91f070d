/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * writer_folder: the zone's folder as its writer holds it: whose it is, how a file comes into it
 * and how those that are no longer wanted leave. Only files of the zone's own names are ever
 * touched.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct hf_fmt_current;

struct hf_folder {
	int fd;      /* owned; -1 when closed */
	int lock_fd; /* owned, as long as fd */
	gid_t gid;
};

/*
 * Open `path`, made 0750 if it is not there, and lock it: by its file `.lock`, which only its owner
 * may open, so that no reader can keep a writer out. HF_EUNSAFE if it is a symlink, no folder,
 * another user's or others may write it (the log says which); HF_ELOCKED if another writer has it.
 * End with hf_folder_close().
 */
int hf_folder_open(const char *path, struct hf_folder *ret_folder);
void hf_folder_close(struct hf_folder *f);

/*
 * A new file ".NAME.tmp", 0640, of the folder's group where we may say so. Returns a descriptor to
 * read and write, or a code.
 */
int hf_folder_create(const struct hf_folder *f, const char *name);
/* Sync it and close it. If it fails, it is gone. */
int hf_folder_finish(const struct hf_folder *f, const char *name, int fd);
/* Give a finished file its name; a folder of that name makes way. */
int hf_folder_rename(const struct hf_folder *f, const char *name);
/* Close it (if fd is not negative) and remove it. */
void hf_folder_discard(const struct hf_folder *f, const char *name, int fd);

void hf_folder_unlink(const struct hf_folder *f, const char *name);

/* The largest numbers in file names of the folder (format.h), 0 if none. */
int hf_folder_numbers(const struct hf_folder *f, uint64_t *ret_n, uint64_t *ret_m);
/* Remove every base, delta and unfinished file that `keep` does not name. */
int hf_folder_sweep(const struct hf_folder *f, const struct hf_fmt_current *keep);
