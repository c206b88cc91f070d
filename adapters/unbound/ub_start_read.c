/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_start_read: what an unbound that was started or reloaded has read, perhaps: the files that
 * this life has not written, and those that were there before it wrote them. It is read in slices,
 * twice: for the pointers, and for the addresses.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "adapters/unbound/ub_start_private.h"

enum {
	LINES_A_TURN = 1000,
	RECORDS_A_TURN = 100, /* each is looked for in a ledger */
	LINE_SIZE = 2 * HF_NAME_TEXT_MAX + 64,
	FILES_MAX = 2 * HF_UB_START_OUTS_MAX,
};

struct hf_ub_start_reading {
	FILE *files[FILES_MAX]; /* owned */
	size_t n, at;
	bool pointers;
};

static bool start_file_is_ours(const struct hf_ub_start_file *f, const char *name)
{
	for (size_t i = 0; i < f->n_seen; i++)
		if (strcmp(f->seen[i].name, name) == 0)
			return !hf_ub_start_is_foreign(f->dir, &f->seen[i]);
	return false;
}

void hf_ub_start_former_keep(struct hf_ub_start_file *f, const char *name)
{
	int fd = hf_ub_start_open_plain(f->dir, name);

	if (fd < 0)
		return;
	hf_ub_start_former_note(f, name, fd);
	if (f->n_former < HF_UB_START_OUTS_MAX && !start_file_is_ours(f, name))
		f->former[f->n_former++] = fd;
	else
		close(fd);
}

/* Takes the descriptor, whatever becomes of it. */
static void start_read_add(struct hf_ub_start_reading *r, int fd)
{
	FILE *file = fd >= 0 && r->n < FILES_MAX ? fdopen(fd, "r") : NULL;

	if (file)
		r->files[r->n++] = file;
	else if (fd >= 0)
		close(fd);
}

/* "BASE", "BASE.SUFFIX". */
static bool is_of(const char *name, const char *base)
{
	size_t n = strlen(base);

	return strncmp(name, base, n) == 0 && (!name[n] || name[n] == '.');
}

/* What is in the folder now. */
static void start_read_folder(struct hf_ub_start_file *f, const char *base)
{
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (f->reading->n < FILES_MAX && (e = readdir(d)) != NULL)
		if (is_of(e->d_name, base) && !start_file_is_ours(f, e->d_name))
			start_read_add(f->reading, hf_ub_start_open_plain(f->dir, e->d_name));
	closedir(d);
}

static int start_read_begin(struct hf_ub_start_file *f)
{
	bool writing = f->dir >= 0;
	const char *base;

	f->reading = calloc(1, sizeof(*f->reading));
	if (!f->reading)
		return -ENOMEM;
	f->reading->pointers = true;
	for (size_t i = 0; i < f->n_former; i++)
		start_read_add(f->reading, f->former[i]);
	f->n_former = 0;
	/* What a write under way replaces is kept by it. */
	if (writing || hf_ub_start_folder_open(f, &base)) {
		f->dir = writing ? f->dir : -1;
		return 0;
	}
	start_read_folder(f, base);
	close(f->dir);
	f->dir = -1;
	return 0;
}

void hf_ub_start_read_end(struct hf_ub_start_file *f)
{
	for (size_t i = 0; i < f->n_former; i++)
		close(f->former[i]);
	f->n_former = 0;
	for (size_t i = 0; f->reading && i < f->reading->n; i++)
		fclose(f->reading->files[i]);
	free(f->reading);
	f->reading = NULL;
}

/* Returns whether there is another file to go on with. */
static bool start_read_next(struct hf_ub_start_reading *r)
{
	if (++r->at < r->n)
		return true;
	if (!r->pointers)
		return false;
	r->pointers = false;
	r->at = 0;
	for (size_t i = 0; i < r->n; i++)
		rewind(r->files[i]);
	return true;
}

static int start_read_slice(struct hf_ub_start_file *f, hf_record_cb cb, void *arg)
{
	struct hf_ub_start_reading *r = f->reading;
	char text[LINE_SIZE];
	struct hf_ub_line line;
	struct hf_record record;
	int n = 0, rc = 0;

	for (int i = 0; r->n && i < LINES_A_TURN && n < RECORDS_A_TURN && !rc; i++) {
		if (!fgets(text, sizeof(text), r->files[r->at])) {
			if (!start_read_next(r))
				return 0;
			continue;
		}
		if (!hf_ub_line_read_start(text, &line) ||
		    !hf_ub_line_record(&line, r->pointers, &record) ||
		    !hf_ub_is_below(f->a, &record.name))
			continue;
		rc = cb(&record, arg);
		n++;
	}
	return r->n && !rc ? 1 : rc;
}

int hf_ub_start_file_read(struct hf_ub_start_file *f, hf_record_cb cb, void *arg)
{
	int rc;

	if (!f)
		return 0;
	rc = f->reading ? 0 : start_read_begin(f);
	if (!rc)
		rc = start_read_slice(f, cb, arg);
	if (rc <= 0)
		hf_ub_start_read_end(f);
	return rc;
}
