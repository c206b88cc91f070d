/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * file: the few ways in which Holdfast touches files. A file appears whole or not at all; nothing
 * is written through a symlink; what is read has a limit.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Read all of `name` under dirfd (AT_FDCWD allowed), at most `max` bytes, regular files only.
 * The caller owns *ret_bytes (NUL-terminated beyond the length); end it with free().
 * HF_ELIMIT if it is larger, HF_EUNSAFE if it is no regular file.
 */
int hf_file_read(int dirfd, const char *name, size_t max, uint8_t **ret_bytes, size_t *ret_len);

/*
 * Replace `name` under dirfd (a folder opened for reading): write ".NAME.tmp", fdatasync it, sync
 * the folder, rename. So whoever sees the new file also finds what was renamed into the folder
 * before it. The rename itself is durable after the next hf_file_sync_dir(). No symlink is
 * followed, one called `name` is replaced. On failure the old file is as it was. -EINVAL for a name
 * with a '/' in it.
 */
int hf_file_replace(int dirfd, const char *name, const void *bytes, size_t len, mode_t mode);

/*
 * A folder that lies where the file `name` of ours belongs makes way: an empty one is removed, any
 * other is renamed to "NAME.aside-N", N from 1 to 9, and the log says so; nothing in it is lost.
 * 0, or a code: -EEXIST where no number is free.
 */
int hf_file_make_way(int dirfd, const char *name);

/* A file system that cannot do it for a folder is no error. */
int hf_file_sync_dir(int dirfd);

/* write() until all is written; EINTR is retried. 0 or -errno. */
int hf_file_write_all(int fd, const void *bytes, size_t len);

enum {
	/* Secrets: nobody but the owner may read (and the group, if it is ours or root's). */
	HF_FILE_NO_OTHER_READ = 1,
	/* Configuration, programs: nobody else may write it, nor its folder. */
	HF_FILE_NO_OTHER_WRITE = 2,
	/* It belongs to us or to root; with the one above its folder too. */
	HF_FILE_OWN = 4,
	HF_FILE_NO_SYMLINK = 8,
};

/*
 * Open `path` for reading if it is as `checks` demand, in any case only a regular file. Where
 * symlinks are allowed, the folder of the link and that of the file count. On HF_EUNSAFE, `ret_why`
 * (may be NULL) is filled with a text such as "others may read it (mode 0644); chmod 0600 it".
 * Returns a descriptor (O_CLOEXEC) or a code.
 */
int hf_file_open_checked(const char *path, unsigned checks, char *ret_why, size_t why_size);
