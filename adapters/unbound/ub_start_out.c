/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_start_out: one start file of a write under way: opened under another name, with its head; and
 * what it looked like when it was written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "adapters/unbound/ub_start_private.h"

enum { PATH_MAX_LEN = 4096 };

int hf_ub_start_folder_open(struct hf_ub_start_file *f, const char **ret_base)
{
	const char *path = f->a->base.config->unbound.start_file, *slash = strrchr(path, '/');
	char folder[PATH_MAX_LEN];

	*ret_base = slash ? slash + 1 : path;
	if (!slash || (size_t)(slash - path) >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, (size_t)(slash - path) + 1);
	folder[slash - path + 1] = '\0';
	f->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 ? -errno : 0;
}

void hf_ub_start_out_head(
    struct hf_ub_start_file *f, struct evbuffer *lines, const struct hf_name *zone)
{
	char text[HF_NAME_TEXT_MAX];
	uint32_t ttl_s = f->a->ttl_s;

	hf_name_text(zone, text);
	if (hf_ub_start_is_include(f))
		evbuffer_add_printf(lines,
		    "local-zone: \"%s.\" static\n"
		    "local-data: \"%s. %u SOA " HF_UB_SOA " %u\"\n",
		    text, text, ttl_s, ttl_s);
	else
		evbuffer_add_printf(lines,
		    "%s. %u IN SOA holdfast.invalid. nobody.invalid. %u 60 60 2419200 %u\n", text,
		    ttl_s, (unsigned)f->writing, ttl_s);
}

int hf_ub_start_out_add(struct hf_ub_start_file *f, const char *name, const struct hf_name *zone)
{
	struct hf_ub_start_out *out = &f->outs[f->n_outs++];

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->temp, sizeof(out->temp), ".%s.tmp", name);
	out->lines = evbuffer_new();
	if (!out->lines)
		return -ENOMEM;
	unlinkat(f->dir, out->temp, 0);
	out->fd =
	    openat(f->dir, out->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (out->fd < 0)
		return -errno;
	if (zone)
		hf_ub_start_out_head(f, out->lines, zone);
	return 0;
}

void hf_ub_start_note_seen(struct hf_ub_start_file *f, const struct hf_ub_start_out *out)
{
	struct hf_ub_start_seen *s = f->seen;
	size_t i = 0;

	while (i < f->n_seen && strcmp(s[i].name, out->name))
		i++;
	if (i == HF_UB_START_OUTS_MAX)
		return;
	if (i == f->n_seen)
		f->n_seen++;
	snprintf(s[i].name, sizeof(s[i].name), "%s", out->name);
	s[i].dev = out->st.st_dev;
	s[i].ino = out->st.st_ino;
	s[i].size = out->st.st_size;
	s[i].mtime = out->st.st_mtim;
}

bool hf_ub_start_is_foreign(int dir, const struct hf_ub_start_seen *s)
{
	struct stat st;

	return fstatat(dir, s->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != s->dev ||
	       st.st_ino != s->ino || st.st_size != s->size ||
	       st.st_mtim.tv_sec != s->mtime.tv_sec || st.st_mtim.tv_nsec != s->mtime.tv_nsec;
}

int hf_ub_start_open_plain(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}
