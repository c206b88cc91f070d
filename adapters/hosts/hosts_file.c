/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/hosts/hosts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "adapters/hosts/hosts_content.h"
#include "adapters/hosts/hosts_late.h"
#include "adapters/hosts/hosts_merge.h"
#include "adapters/hosts/hosts_file_private.h"
#include "base/error.h"
#include "base/file.h"
#include "base/timing.h"

/* How often, and for how long, an edit begins anew because others changed the file meanwhile. */
enum { TRIES = 50, TRIES_MS = 500 };

static int hosts_file_explain(const char *path, int rc, char *why, size_t size)
{
	if (rc == -EROFS)
		snprintf(why, size, "%s is on a read-only file system", path);
	else if (rc == -EACCES || rc == -EPERM)
		snprintf(why, size,
		    "user %u may not write %s: enable holdfast-hosts.path, which does it for the bridge (or it is immutable: lsattr)",
		    (unsigned)geteuid(), path);
	else if (rc == -ELOOP)
		snprintf(why, size, "%s is a symlink, which is not followed: name the file itself",
		    path);
	else if (rc == HF_EUNSAFE)
		snprintf(why, size, "%s is no regular file", path);
	else if (rc == HF_ELIMIT)
		snprintf(why, size, "%s is larger than 16 MiB", path);
	else if (rc == -EAGAIN)
		snprintf(why, size, "%s is locked or being written by another program", path);
	else
		snprintf(why, size, "%s: %s", path, hf_strerror(rc));
	return rc;
}

static int open_dir(struct hf_hosts_file *p)
{
	char folder[PATH_MAX];
	int n = p->name - p->path > 1 ? (int)(p->name - p->path) - 1 : 1;

	if (snprintf(folder, sizeof(folder), "%.*s", n, p->path) >= (int)sizeof(folder))
		return -ENAMETOOLONG;
	p->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->dir < 0 ? -errno : 0;
}

enum { OPEN_FLAGS = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* For reading only: as long as nothing of ours can write, it shows whether others can. */
static int hosts_file_open_reader(struct hf_hosts_file *p)
{
	p->reader = openat(p->dir, p->name, O_RDONLY | OPEN_FLAGS);
	if (p->reader < 0 && errno == ENOENT) {
		p->fd = openat(p->dir, p->name, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS, 0644);
		p->made = p->fd >= 0;
		if (p->made)
			p->reader = openat(p->dir, p->name, O_RDONLY | OPEN_FLAGS);
	}
	if (p->reader < 0)
		return -errno;
	if (fstat(p->reader, &p->st) < 0)
		return -errno;
	if (!S_ISREG(p->st.st_mode))
		return S_ISDIR(p->st.st_mode) ? -EISDIR : HF_EUNSAFE;
	p->others_write = !p->made && hf_hosts_late_is_written(p->reader) == 1;
	return 0;
}

/* To write if we may; a file that may only be read can still be replaced. */
static int hosts_file_open_writer(struct hf_hosts_file *p)
{
	struct stat st;

	if (p->fd < 0)
		p->fd = openat(p->dir, p->name, O_RDWR | OPEN_FLAGS);
	p->writable = p->fd >= 0;
	if (p->fd < 0 && (errno == EACCES || errno == EPERM))
		p->fd = openat(p->dir, p->name, O_RDONLY | OPEN_FLAGS);
	if (p->fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (fstat(p->fd, &st) < 0)
		return -errno;
	return st.st_dev == p->st.st_dev && st.st_ino == p->st.st_ino ? 0 : -EAGAIN;
}

/* Both kinds of locks that tools take; an fcntl lock needs a file that may be written. */
static int hosts_file_lock(struct hf_hosts_file *p)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (flock(p->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (p->writable && fcntl(p->fd, F_OFD_SETLK, &all) < 0)
		return errno == EACCES || errno == EAGAIN ? -EAGAIN : -errno;
	return 0;
}

/* What we locked may have been replaced before. */
static int hosts_file_still_there(struct hf_hosts_file *p)
{
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	return st.st_dev == p->st.st_dev && st.st_ino == p->st.st_ino ? 0 : -EAGAIN;
}

/* Empty, or without an end of its last line: a file that is being rewritten looks so. */
static bool hosts_file_is_unfinished(const struct hf_hosts_file *p)
{
	return p->others_write && (!p->len || p->bytes[p->len - 1] != '\n');
}

static int hosts_file_read_all(struct hf_hosts_file *p)
{
	int rc = hf_hosts_content_read(p->reader, &p->bytes, &p->len);

	if (rc)
		return rc;
	p->was_empty = !p->made && !p->len;
	return hosts_file_is_unfinished(p) && !p->hurry ? -EAGAIN : 0;
}

int hf_hosts_file_open(const char *path, bool hurry, struct hf_hosts_file **ret_place)
{
	struct hf_hosts_file *p = calloc(1, sizeof(*p));
	const char *slash = strrchr(path, '/');
	int rc;

	if (!p)
		return -ENOMEM;
	p->path = path;
	p->name = slash ? slash + 1 : path;
	p->dir = p->fd = p->reader = -1;
	p->hurry = hurry;
	rc = slash ? open_dir(p) : -EINVAL;
	if (!rc)
		rc = hosts_file_open_reader(p);
	if (!rc)
		rc = hosts_file_open_writer(p);
	if (!rc)
		rc = hosts_file_lock(p);
	if (!rc)
		rc = hosts_file_still_there(p);
	if (!rc)
		rc = hosts_file_read_all(p);
	if (rc)
		hf_hosts_file_close(p);
	else
		*ret_place = p;
	return rc;
}

void hf_hosts_file_close(struct hf_hosts_file *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	if (p->reader >= 0)
		close(p->reader);
	if (p->dir >= 0)
		close(p->dir);
	free(p->bytes);
	free(p);
}

/* --- edits --- */

/* The new content, with what others wrote late. NULL: it stays as it is. */
static int hosts_file_make_content(const struct hf_hosts_file_edit *e,
    const struct hf_hosts_file *p, char **ret_bytes, size_t *ret_len)
{
	struct hf_hosts_file_view view = { .st = p->st, .was_empty = p->was_empty };
	const struct hf_text file = { p->bytes, p->len };
	char *bytes, *whole = NULL;
	int rc = hf_hosts_late_content(e->lates, &file, e->now_ms, &bytes, &view.len);

	if (rc)
		return rc;
	view.bytes = bytes;
	rc = e->make(&view, &whole, ret_len, e->arg);
	free(bytes);
	if (!rc && *ret_len == p->len && !memcmp(whole, p->bytes, p->len)) {
		free(whole);
		whole = NULL;
	}
	*ret_bytes = whole;
	return rc;
}

static int edit_once(
    const struct hf_hosts_file_edit *e, struct hf_hosts_file_draft *d, struct stat *ret_st)
{
	char *whole = NULL;
	struct hf_hosts_file *p;
	size_t len;
	int rc = hf_hosts_file_open(e->path, e->hurry, &p);

	if (rc)
		return rc;
	rc = hosts_file_make_content(e, p, &whole, &len);
	if (!rc && whole)
		rc = hf_hosts_file_write(p, d, whole, len, e->lates, e->now_ms);
	hf_hosts_late_done(e->lates, !rc);
	*ret_st = p->st;
	free(whole);
	hf_hosts_file_close(p);
	return rc;
}

int hf_hosts_file_edit(
    const struct hf_hosts_file_edit *e, struct stat *ret_st, char *ret_why, size_t why_size)
{
	struct hf_hosts_file_draft d = { .fd = -1, .dir = -1 };
	struct hf_hosts_file_edit once = *e;
	int64_t begun_us = hf_time_now_us();
	int rc = -ESTALE;

	/* Each may take as long as the disk does. */
	for (int i = 0; i < TRIES && rc == -ESTALE && once.now_ms - e->now_ms < TRIES_MS; i++) {
		rc = edit_once(&once, &d, ret_st);
		once.now_ms = e->now_ms + (hf_time_now_us() - begun_us) / 1000;
	}
	hf_hosts_file_draft_drop(&d);
	if (rc == -ESTALE)
		rc = -EAGAIN;
	return rc ? hosts_file_explain(e->path, rc, ret_why, why_size) : 0;
}

int hf_hosts_file_read(
    const char *path, char **ret_bytes, size_t *ret_len, char *ret_why, size_t why_size)
{
	uint8_t *bytes = NULL;
	struct stat st;
	int rc = lstat(path, &st) < 0 ? -errno : 0;

	if (rc == -ENOENT) {
		*ret_bytes = calloc(1, 1);
		*ret_len = 0;
		return *ret_bytes ? 0 : -ENOMEM;
	}
	if (!rc && S_ISLNK(st.st_mode))
		rc = -ELOOP;
	if (!rc)
		rc = hf_file_read(AT_FDCWD, path, HF_HOSTS_CONTENT_MAX, &bytes, ret_len);
	if (rc)
		return hosts_file_explain(path, rc, ret_why, why_size);
	*ret_bytes = (char *)bytes;
	return 0;
}
