/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_start_former: suffixes that are not ours and that a start file names: one out of a backup,
 * perhaps, of before a suffix left; or ours, until it is written without it. An unbound that has
 * read it answers for that suffix again, and nothing else tells that it was ours.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/unbound/ub_start_private.h"

enum {
	LINE_SIZE = 2 * HF_NAME_TEXT_MAX + 64,
	LINES_MAX = 8 * HF_UB_ZONES_MAX, /* of the head: two a zone */
};

static bool former_has(const struct hf_name *names, size_t n, const struct hf_name *name)
{
	for (size_t i = 0; i < n; i++)
		if (hf_name_equal(&names[i], name))
			return true;
	return false;
}

/* Ours now, or by what zones() has told since; or it leaves as it is. */
static bool former_is_ours(const struct hf_ub *a, const struct hf_name *zone)
{
	for (size_t i = 0; i < a->n_zones; i++)
		if (hf_name_equal(&a->zones[i].name, zone))
			return true;
	return former_has(a->base.suffixes, a->base.n_suffixes, zone) ||
	       former_has(a->leaving, a->n_leaving, zone);
}

static void former_add(struct hf_ub_start_file *f, const struct hf_name *zone)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name suffix;

	if (f->n_former_zones == HF_UB_ZONES_MAX || former_is_ours(f->a, zone) ||
	    former_has(f->former_zones, f->n_former_zones, zone) ||
	    hf_suffix_check(hf_name_text(zone, text), HF_SUFFIX_TYPED, &suffix, NULL))
		return;
	f->former_zones[f->n_former_zones++] = suffix;
}

/* The next zone of the head. False: there is none; *ret_names: because names begin. */
static bool former_next(FILE *file, struct hf_name *ret_zone, bool *ret_names)
{
	char text[LINE_SIZE];
	struct hf_ub_line line;

	for (int i = 0; i < LINES_MAX && fgets(text, sizeof(text), file); i++) {
		if (!hf_ub_line_read_start(text, &line))
			continue;
		*ret_names = strcmp(line.type, "SOA") != 0;
		if (*ret_names)
			return false;
		if (strcmp(line.data, HF_UB_SOA_SERVER) == 0 &&
		    hf_name_parse(line.owner, ret_zone) == 0)
			return true;
	}
	return false;
}

/* All of an include is configuration. A zone file without names is what a suffix leaves. */
static void note_head(struct hf_ub_start_file *f, const char *suffix, FILE *file)
{
	char text[HF_NAME_TEXT_MAX];
	struct hf_name zone, next;
	bool names = false;

	if (hf_ub_start_is_include(f)) {
		for (int i = 0; i < HF_UB_ZONES_MAX && former_next(file, &zone, &names); i++)
			former_add(f, &zone);
		return;
	}
	if (!former_next(file, &zone, &names) ||
	    (*suffix && strcmp(suffix, hf_name_text(&zone, text))))
		return;
	former_next(file, &next, &names);
	if (names)
		former_add(f, &zone);
}

/* "BASE", and of zone files "BASE.SUFFIX": the suffix, "" without one. NULL: it is another file. */
static const char *suffix_in_name(const struct hf_ub_start_file *f, const char *name)
{
	const char *path = f->a->base.config->unbound.start_file, *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t n = strlen(base);

	if (strncmp(name, base, n) != 0 || (name[n] && name[n] != '.'))
		return NULL;
	if (!name[n])
		return "";
	return hf_ub_start_is_include(f) ? NULL : name + n + 1;
}

void hf_ub_start_former_note(struct hf_ub_start_file *f, const char *name, int fd)
{
	const char *suffix = suffix_in_name(f, name);
	int copy = suffix ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;

	if (file) {
		note_head(f, suffix, file);
		fclose(file);
	} else if (copy >= 0) {
		close(copy);
	}
	lseek(fd, 0, SEEK_SET);
}

static void note_file(struct hf_ub_start_file *f, const char *name)
{
	int fd = suffix_in_name(f, name) ? hf_ub_start_open_plain(f->dir, name) : -1;

	if (fd < 0)
		return;
	hf_ub_start_former_note(f, name, fd);
	close(fd);
}

void hf_ub_start_former_find(struct hf_ub_start_file *f)
{
	bool writing = f && f->dir >= 0;
	struct dirent *e;
	const char *base;
	DIR *d;
	int fd;

	if (!f || (!writing && hf_ub_start_folder_open(f, &base)))
		return;
	fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d)) != NULL)
		note_file(f, e->d_name);
	if (d)
		closedir(d);
	if (!writing) {
		close(f->dir);
		f->dir = -1;
	}
}

bool hf_ub_start_former_get(const struct hf_ub_start_file *f, struct hf_name *ret_zone)
{
	if (!f || !f->n_former_zones)
		return false;
	*ret_zone = f->former_zones[f->n_former_zones - 1];
	return true;
}

void hf_ub_start_former_drop(struct hf_ub_start_file *f)
{
	f->n_former_zones--;
}
