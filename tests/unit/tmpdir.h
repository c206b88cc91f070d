/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tmpdir: a folder for one test, 0700, and its end with all that is in it. Use the pair as a
 * checked fixture.
 */
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TMPDIR_MAX = 256 };

struct tmpdir {
	char path[TMPDIR_MAX];
	int fd;
};

static inline void tmpdir_make(struct tmpdir *d)
{
	const char *base = getenv("TMPDIR");

	snprintf(d->path, sizeof(d->path), "%s/holdfast-test-XXXXXX", base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(d->path));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(d->fd, 0);
}

static inline int tmpdir_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void tmpdir_remove(struct tmpdir *d)
{
	close(d->fd);
	ck_assert_int_eq(nftw(d->path, tmpdir_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* "PATH/NAME" */
static inline const char *tmpdir_path(
    const struct tmpdir *d, const char *name, char *out, size_t size)
{
	ck_assert_int_lt(snprintf(out, size, "%s/%s", d->path, name), size);
	return out;
}
