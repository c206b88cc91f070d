/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/files.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file {
	struct file *next;
	char *path, *bytes; /* owned */
	size_t len;
	mode_t mode;
};

struct files {
	struct file *first;
	bool failed;
};

static struct files *taking; /* nftw() passes no argument */

static bool read_whole(const char *path, char **ret_bytes, size_t *ret_len)
{
	FILE *f = fopen(path, "r");
	size_t size = 0, n;

	*ret_bytes = NULL;
	*ret_len = 0;
	if (!f)
		return false;
	do {
		char *more = realloc(*ret_bytes, size + 65536);

		if (!more)
			break;
		*ret_bytes = more;
		size += 65536;
		n = fread(more + *ret_len, 1, size - *ret_len, f);
		*ret_len += n;
	} while (n);
	fclose(f);
	return *ret_bytes && *ret_len < size;
}

static int take_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct file *f;

	if (type != FTW_F)
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f) {
		taking->failed = true;
		return 1;
	}
	f->next = taking->first;
	taking->first = f;
	f->path = strdup(path);
	f->mode = st->st_mode & 07777;
	/* One that is renamed meanwhile by a thread of the bridge is not there: as at a kill. */
	if (!f->path || !read_whole(path, &f->bytes, &f->len))
		f->mode = 0;
	return 0;
}

static bool is_wal(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && !strcmp(path + len - 4, "-wal");
}

/* The log of the store before the store: what a checkpoint moves meanwhile is then in both. */
static int take_wal(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return is_wal(path) ? take_entry(path, st, type, ftw) : 0;
}

static int take_rest(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return is_wal(path) ? 0 : take_entry(path, st, type, ftw);
}

struct files *files_take(const char *dir)
{
	struct files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	taking = files;
	nftw(dir, take_wal, 8, FTW_PHYS);
	nftw(dir, take_rest, 8, FTW_PHYS);
	return files;
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return type == FTW_F ? unlink(path) : 0;
}

static bool write_whole(const struct file *f)
{
	FILE *out = fopen(f->path, "w");
	bool ok = out && fwrite(f->bytes, 1, f->len, out) == f->len;

	if (out)
		ok = fclose(out) == 0 && ok;
	return ok && chmod(f->path, f->mode) == 0;
}

bool files_put(struct files *files, const char *dir)
{
	bool ok = files && !files->failed;

	if (!files)
		return false;
	nftw(dir, remove_file, 8, FTW_PHYS);
	while (files->first) {
		struct file *f = files->first;

		files->first = f->next;
		if (f->mode)
			ok = write_whole(f) && ok;
		free(f->path);
		free(f->bytes);
		free(f);
	}
	free(files);
	return ok;
}
