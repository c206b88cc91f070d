/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store_files: the store's file and those beside it. What each is for is in docs/store.md.
 *
 *   PATH  PATH-wal  PATH-shm  PATH.lock  PATH.copy  PATH.recovery  PATH.damaged-DATE[-N]  PATH.v1
 *   and, while they are being made, PATH.new and PATH.copy.tmp
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct hf_store_files {
	char path[PATH_MAX];     /* without symlinks in it */
	char base[NAME_MAX + 1]; /* its last part */
	int dirfd;               /* owned */
	int lock_fd;             /* owned; -1: no lock */
};

/* Finds the folder. -ENOENT if there is none, -ENAMETOOLONG. End with hf_store_files_close(). */
int hf_store_files_open(const char *path, struct hf_store_files *ret_files);
void hf_store_files_close(struct hf_store_files *f);

/*
 * The lock of the one bridge. 0; HF_ELOCKED (ret_why tells who has it), HF_EUNSAFE, -ENOLCK where
 * the file system has no locks, or the code for which the lock file could not be made. Taking it
 * again is fine.
 */
int hf_store_files_lock(struct hf_store_files *f, char *ret_why, size_t why_size);

/* BASE + tail as a name within the folder, and as a path. `out` has NAME_MAX + 1 or PATH_MAX. */
const char *hf_store_files_name(
    const struct hf_store_files *f, const char *tail, char out[static NAME_MAX + 1]);
const char *hf_store_files_path(
    const struct hf_store_files *f, const char *tail, char out[static PATH_MAX]);

enum hf_file_kind { HF_FILE_ABSENT, HF_FILE_EMPTY, HF_FILE_THERE };
/*
 * The kind of BASE + tail (>= 0), -errno, or HF_EUNSAFE for a symlink, something that is no regular
 * file, another's, or one that others may write: ret_why tells.
 */
int hf_store_files_look(
    const struct hf_store_files *f, const char *tail, char *ret_why, size_t why_size);
/*
 * The same over the store's file and what belongs to it (WAL and journals); the kind is that of the
 * former.
 */
int hf_store_files_look_all(const struct hf_store_files *f, char *ret_why, size_t why_size);

/*
 * A new file 0600; what lay there (a crash's leftover) goes first, and so do its journals. 0 or
 * -errno.
 */
int hf_store_files_create(const struct hf_store_files *f, const char *tail);
void hf_store_files_discard(const struct hf_store_files *f, const char *tail);
/*
 * Sync what was written as `tail` and give it the name `to`; "" is the store itself.
 * hf_store_files_sync() makes that last.
 */
int hf_store_files_install(const struct hf_store_files *f, const char *tail, const char *to);
int hf_store_files_sync(const struct hf_store_files *f);
/* The bytes of `from` into the new file `to`; it is not synced. */
int hf_store_files_duplicate(const struct hf_store_files *f, const char *from, const char *to);

/* A free name of the form BASE.damaged-YYYYMMDD-HHMMSS[-N]. */
int hf_store_files_aside_name(
    const struct hf_store_files *f, int64_t wall_s, char out[static NAME_MAX + 1]);
/*
 * WAL, journals and (`store`) the store itself, as far as they are there, under that name; the
 * folder is synced. Of a store that is not there what has no content goes. -EEXIST: a name is
 * taken.
 */
int hf_store_files_set_aside(const struct hf_store_files *f, const char *aside, bool store);
