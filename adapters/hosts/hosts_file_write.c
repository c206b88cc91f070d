/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts_file_write: another content for a hosts file that others use too, by rename or in place.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "adapters/hosts/hosts_content.h"
#include "adapters/hosts/hosts_late.h"
#include "adapters/hosts/hosts_file.h"
#include "adapters/hosts/hosts_file_private.h"
#include "base/file.h"

enum { NAMES_SIZE = 4096, VALUE_SIZE = 65536 };

static int copy_xattr(int from, int to, const char *name, char *value)
{
	ssize_t n = fgetxattr(from, name, value, VALUE_SIZE);

	if (n < 0)
		return -errno;
	return fsetxattr(to, name, value, (size_t)n, 0) < 0 ? -errno : 0;
}

/* Access lists and labels are among them. */
static int copy_xattrs(int from, int to)
{
	char names[NAMES_SIZE];
	ssize_t n = flistxattr(from, names, sizeof(names));
	char *value;
	int rc = 0;

	if (n <= 0)
		return n < 0 && errno != ENOTSUP ? -errno : 0;
	value = malloc(VALUE_SIZE);
	if (!value)
		return -ENOMEM;
	for (ssize_t at = 0; at < n && !rc; at += (ssize_t)strlen(names + at) + 1)
		rc = copy_xattr(from, to, names + at, value);
	free(value);
	return rc;
}

/* All that others see of it but the content. */
static int draft_dress(const struct hf_hosts_file *p, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_uid != p->st.st_uid || st.st_gid != p->st.st_gid) &&
	    fchown(fd, p->st.st_uid, p->st.st_gid) < 0)
		return -errno;
	if (fchmod(fd, p->st.st_mode & 07777) < 0)
		return -errno;
	return copy_xattrs(p->fd, fd);
}

static bool is_what_we_read(const struct hf_hosts_file *p, const struct stat *st)
{
	return st->st_dev == p->st.st_dev && st->st_ino == p->st.st_ino;
}

static int write_at(int fd, const char *bytes, size_t from, size_t to)
{
	while (from < to) {
		ssize_t n = pwrite(fd, bytes + from, to - from, (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from += (size_t)n;
	}
	return 0;
}

/* What is there now is what we have read: nobody has replaced it, nobody has written to it. */
static int is_unchanged(const struct hf_hosts_file *p)
{
	struct stat st;
	char *bytes;
	size_t len;
	bool same;
	int rc;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (!is_what_we_read(p, &st))
		return -ESTALE;
	rc = hf_hosts_content_read(p->fd, &bytes, &len);
	if (rc)
		return rc;
	same = len == p->len && !memcmp(bytes, p->bytes, len);
	free(bytes);
	return same ? 0 : -ESTALE;
}

/* --- by rename --- */

void hf_hosts_file_draft_drop(struct hf_hosts_file_draft *d)
{
	if (d->fd >= 0) {
		unlinkat(d->dir, d->name, 0);
		close(d->fd);
	}
	if (d->dir >= 0)
		close(d->dir);
	d->fd = d->dir = -1;
}

static int open_draft(struct hf_hosts_file_draft *d, const struct hf_hosts_file *p)
{
	if (snprintf(d->name, sizeof(d->name), ".%s.holdfast", p->name) >= (int)sizeof(d->name))
		return -ENAMETOOLONG;
	if (d->dir < 0)
		d->dir = fcntl(p->dir, F_DUPFD_CLOEXEC, 0);
	if (d->dir < 0)
		return -errno;
	if (unlinkat(d->dir, d->name, 0) < 0 && errno != ENOENT)
		return -errno;
	d->fd = openat(d->dir, d->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return d->fd < 0 ? -errno : 0;
}

/*
 * The first one is on the disk before it gets the name. If others change the file all the time,
 * the next ones are synced after it: a sync before each takes so long that the file is another one
 * each time.
 */
static int write_draft(
    struct hf_hosts_file_draft *d, const struct hf_hosts_file *p, const char *bytes, size_t len)
{
	bool first = d->fd < 0 && !d->again;
	int rc = d->fd < 0 ? open_draft(d, p) : 0;

	if (!rc)
		rc = write_at(d->fd, bytes, 0, len);
	if (!rc && ftruncate(d->fd, (off_t)len) < 0)
		rc = -errno;
	if (!rc)
		rc = draft_dress(p, d->fd);
	if (!rc && first && fdatasync(d->fd) < 0)
		rc = -errno;
	d->unsynced = !first;
	return rc;
}

/*
 * What the draft's name has now is a file that somebody has put there since we read it. Ours may
 * have been read already by whoever writes the next one, so it stays; what theirs has and ours has
 * not is brought in as what came late.
 */
static int keep_theirs(struct hf_hosts_file *p, struct hf_hosts_file_draft *d,
    struct hf_hosts_lates *lates, int64_t now_ms)
{
	int fd = openat(p->dir, d->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *base = malloc(p->len + 1);
	struct stat st;

	if (fd < 0 || !base || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		free(base);
		return -EINVAL;
	}
	memcpy(base, p->bytes, p->len);
	hf_hosts_late_add_held(lates, fd, base, p->len, now_ms);
	unlinkat(p->dir, d->name, 0);
	close(d->fd);
	d->fd = -1;
	d->again = true;
	return 0;
}

/*
 * By exchange: so it is seen which file was replaced. One that is no file that we could read goes
 * back.
 */
static int draft_exchange(struct hf_hosts_file *p, struct hf_hosts_file_draft *d,
    struct hf_hosts_lates *lates, int64_t now_ms)
{
	struct stat st;

	if (renameat2(p->dir, d->name, p->dir, p->name, RENAME_EXCHANGE) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (fstatat(p->dir, d->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_what_we_read(p, &st)) {
		unlinkat(p->dir, d->name, 0);
		return 0;
	}
	if (keep_theirs(p, d, lates, now_ms) &&
	    renameat2(p->dir, d->name, p->dir, p->name, RENAME_EXCHANGE) < 0)
		return -errno;
	return -ESTALE;
}

static int put_there(struct hf_hosts_file *p, struct hf_hosts_file_draft *d,
    struct hf_hosts_lates *lates, int64_t now_ms)
{
	int rc = is_unchanged(p);

	if (!rc)
		rc = draft_exchange(p, d, lates, now_ms);
	/* A file system that cannot do it: what we read was there a moment ago. */
	if (rc == -EINVAL || rc == -ENOSYS || rc == -ENOTSUP)
		rc = renameat(p->dir, d->name, p->dir, p->name) < 0 ? -errno : 0;
	return rc;
}

/* A process that opened the file before may still write to it. */
static void keep_replaced(struct hf_hosts_file *p, struct hf_hosts_lates *lates, int64_t now_ms)
{
	hf_hosts_late_add(lates, p->reader, p->bytes, p->len, now_ms);
	p->reader = -1;
	p->bytes = NULL;
	p->len = 0;
}

static int hosts_file_replace(struct hf_hosts_file *p, struct hf_hosts_file_draft *d,
    const char *bytes, size_t len, struct hf_hosts_lates *lates, int64_t now_ms)
{
	int rc = write_draft(d, p, bytes, len);

	if (!rc)
		rc = put_there(p, d, lates, now_ms);
	if (rc)
		return rc;
	if ((d->unsynced && fdatasync(d->fd) < 0) || fstat(d->fd, &p->st) < 0)
		rc = -errno;
	close(d->fd);
	d->fd = -1;
	keep_replaced(p, lates, now_ms);
	return rc ? rc : hf_file_sync_dir(p->dir);
}

/* --- in place --- */

/*
 * Nobody else has the file open, and who opens it waits for us. -EAGAIN: somebody has; another
 * code: leases cannot be had here (the file is another user's, or the file system has none).
 */
static int hosts_file_lease(struct hf_hosts_file *p)
{
	close(p->reader); /* it would be one of the others */
	p->reader = -1;
	/* That somebody waits is told by a signal: by one that does nothing. */
	if (fcntl(p->fd, F_SETSIG, SIGURG) < 0 || fcntl(p->fd, F_SETLEASE, F_WRLCK) < 0)
		return errno == EAGAIN ? -EAGAIN : -errno;
	return 0;
}

/*
 * What needs room on the disk comes first, so that a full one changes nothing; then only what
 * differs.
 */
static int write_bytes(struct hf_hosts_file *p, const char *bytes, size_t len)
{
	size_t least = len < p->len ? len : p->len, same = 0;
	int rc = 0;

	while (same < least && bytes[same] == p->bytes[same])
		same++;
	if (len > p->len)
		rc = write_at(p->fd, bytes, p->len, len);
	if (rc && ftruncate(p->fd, (off_t)p->len) < 0)
		rc = -errno;
	if (!rc)
		rc = write_at(p->fd, bytes, same, least);
	if (!rc && len < p->len && ftruncate(p->fd, (off_t)len) < 0)
		rc = -errno;
	return rc;
}

static int write_in_place(struct hf_hosts_file *p, const char *bytes, size_t len)
{
	int rc, alone;

	if (!p->writable)
		return -EACCES;
	alone = hosts_file_lease(p);
	rc = alone == -EAGAIN && !p->hurry ? -EAGAIN : is_unchanged(p);
	if (!rc)
		rc = write_bytes(p, bytes, len);
	if (!alone)
		fcntl(p->fd, F_SETLEASE, F_UNLCK);
	if (!rc && (fdatasync(p->fd) < 0 || fstat(p->fd, &p->st) < 0))
		rc = -errno;
	return rc;
}

/* A rename that cannot be, or would not leave all as it was. */
static bool asks_for_in_place(int rc)
{
	return rc == -EBUSY || rc == -EXDEV || rc == -EACCES || rc == -EPERM || rc == -EROFS ||
	       rc == -ENOTSUP;
}

int hf_hosts_file_write(struct hf_hosts_file *p, struct hf_hosts_file_draft *d, const char *bytes,
    size_t len, struct hf_hosts_lates *lates, int64_t now_ms)
{
	int rc = p->st.st_nlink > 1 ? -EBUSY : hosts_file_replace(p, d, bytes, len, lates, now_ms);

	return asks_for_in_place(rc) ? write_in_place(p, bytes, len) : rc;
}
