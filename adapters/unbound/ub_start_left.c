/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_start_left: start files in the folder that say by themselves whose zone they are: the bare
 * one, and those of suffixes that are no longer ours. unbound goes on to read the latter as long as
 * its configuration names them, so they stay, without names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/unbound/ub_start_private.h"

enum { HEAD_MAX = 2048 };

static bool ub_zone_is_ours(const struct hf_ub *a, const struct hf_name *zone)
{
	for (size_t i = 0; i < a->n_zones; i++)
		if (hf_name_equal(&a->zones[i].name, zone))
			return true;
	return false;
}

/* Whose zone the file is: its first line is a SOA of ours. *ret_more: it has names. */
static bool read_zone(int dir, const char *name, struct hf_name *ret_zone, bool *ret_more)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char head[HEAD_MAX], owner[HF_NAME_TEXT_MAX];
	const char *end;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, head, sizeof(head) - 1);
	close(fd);
	if (n <= 0)
		return false;
	head[n] = '\0';
	end = strchr(head, '\n');
	if (!end || !memmem(head, (size_t)(end - head), " IN SOA holdfast.invalid. ", 26) ||
	    sscanf(head, "%1023s", owner) != 1)
		return false;
	*ret_more = end[1] != '\0';
	return hf_name_parse(owner, ret_zone) == 0;
}

bool hf_ub_start_file_zone(const char *path, struct hf_name *ret_zone)
{
	bool more;

	return read_zone(AT_FDCWD, path, ret_zone, &more);
}

static bool has_own_file(int dir, const char *base, const struct hf_name *zone)
{
	char name[PATH_MAX + HF_NAME_TEXT_MAX], text[HF_NAME_TEXT_MAX];
	struct hf_name of;
	bool more;

	snprintf(name, sizeof(name), "%s.%s", base, hf_name_text(zone, text));
	return read_zone(dir, name, &of, &more) && hf_name_equal(&of, zone);
}

bool hf_ub_start_file_is_own(const char *path, const struct hf_name *zone)
{
	return has_own_file(AT_FDCWD, path, zone);
}

void hf_ub_start_bare_read(struct hf_ub_start_file *f, const char *base)
{
	struct hf_name zone;
	bool more;

	if (f->has_bare || !read_zone(f->dir, base, &zone, &more))
		return;
	f->bare = zone;
	f->has_bare = true;
}

void hf_ub_start_bare_choose(struct hf_ub_start_file *f, const char *base)
{
	const struct hf_ub *a = f->a;

	hf_ub_start_bare_read(f, base);
	for (size_t i = 0; i < a->n_zones && !f->has_bare; i++) {
		if (has_own_file(f->dir, base, &a->zones[i].name))
			continue;
		f->bare = a->zones[i].name;
		f->has_bare = true;
	}
}

/* The bare file of a suffix that left, and that somebody has removed or spoilt. */
static bool is_bare_missing(const struct hf_ub_start_file *f, const char *base)
{
	struct hf_name zone;
	bool more;

	return f->has_bare && !ub_zone_is_ours(f->a, &f->bare) &&
	       !read_zone(f->dir, base, &zone, &more);
}

/* "BASE.SUFFIX" of a suffix that is not ours, or BASE itself. */
static bool is_left(
    const struct hf_ub_start_file *f, const char *base, const char *name, struct hf_name *ret_zone)
{
	size_t n = strlen(base);
	bool more;

	if (strncmp(name, base, n) != 0 || (name[n] && name[n] != '.') ||
	    strcmp(name + n, ".ptr") == 0)
		return false;
	return read_zone(f->dir, name, ret_zone, &more) && more && !ub_zone_is_ours(f->a, ret_zone);
}

int hf_ub_start_left_open(struct hf_ub_start_file *f, const char *base)
{
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct hf_name zone;

	if (d && f->n_outs < HF_UB_START_OUTS_MAX && is_bare_missing(f, base))
		rc = hf_ub_start_out_add(f, base, &f->bare);
	if (!d) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!rc && f->n_outs < HF_UB_START_OUTS_MAX && (e = readdir(d)) != NULL)
		if (is_left(f, base, e->d_name, &zone))
			rc = hf_ub_start_out_add(f, e->d_name, &zone);
	closedir(d);
	return rc;
}
