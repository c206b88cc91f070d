#include "adapters/hosts/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

enum { NAMES_SIZE = 4096, VALUE_SIZE = 65536 };

struct hf_place {
	const char *path; /* borrowed */
	const char *name; /* its last part */
	int dir;
	int fd;
	bool writable; /* fd is */
	bool in_place;
	struct stat st;
	char *bytes; /* owned */
	size_t len;
};

static int explain(const char *path, int rc, char *why, size_t size)
{
	if (rc == -EROFS)
		snprintf(why, size, "%s is on a read-only file system", path);
	else if (rc == -EACCES || rc == -EPERM)
		snprintf(why, size,
		    "user %u may not write %s: enable holdfast-hosts.path, which does it for the "
		    "bridge (or it is immutable: lsattr)",
		    (unsigned)geteuid(), path);
	else if (rc == -ELOOP)
		snprintf(why, size, "%s is a symlink, which is not followed: name the file itself",
		    path);
	else if (rc == HF_EUNSAFE)
		snprintf(why, size, "%s is no regular file", path);
	else if (rc == HF_ELIMIT)
		snprintf(why, size, "%s is larger than 16 MiB", path);
	else if (rc == -EAGAIN)
		snprintf(why, size, "%s is locked by another program", path);
	else
		snprintf(why, size, "%s: %s", path, hf_strerror(rc));
	return rc;
}

static int open_dir(struct hf_place *p)
{
	char folder[PATH_MAX];
	int n = p->name - p->path > 1 ? (int)(p->name - p->path) - 1 : 1;

	if (snprintf(folder, sizeof(folder), "%.*s", n, p->path) >= (int)sizeof(folder))
		return -ENAMETOOLONG;
	p->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->dir < 0 ? -errno : 0;
}

/* To write if we may; a file that may only be read can still be replaced. */
static int open_file(struct hf_place *p)
{
	int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	p->fd = openat(p->dir, p->name, O_RDWR | flags);
	if (p->fd < 0 && errno == ENOENT)
		p->fd = openat(p->dir, p->name, O_RDWR | O_CREAT | O_EXCL | flags, 0644);
	p->writable = p->fd >= 0;
	if (p->fd < 0 && (errno == EACCES || errno == EPERM))
		p->fd = openat(p->dir, p->name, O_RDONLY | flags);
	if (p->fd < 0)
		return -errno;
	if (fstat(p->fd, &p->st) < 0)
		return -errno;
	return S_ISREG(p->st.st_mode) ? 0 : HF_EUNSAFE;
}

/* Both kinds of locks that tools take; an fcntl lock needs a file that may be written. */
static int lock(struct hf_place *p)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (flock(p->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (p->writable && fcntl(p->fd, F_OFD_SETLK, &all) < 0)
		return errno == EACCES || errno == EAGAIN ? -EAGAIN : -errno;
	return 0;
}

/* What we locked may have been replaced before. */
static int still_there(struct hf_place *p)
{
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	return st.st_dev == p->st.st_dev && st.st_ino == p->st.st_ino ? 0 : -EAGAIN;
}

int hf_place_open(const char *path, struct hf_place **ret_place, char *ret_why, size_t why_size)
{
	struct hf_place *p = calloc(1, sizeof(*p));
	const char *slash = strrchr(path, '/');
	uint8_t *bytes = NULL;
	int rc;

	if (!p)
		return explain(path, -ENOMEM, ret_why, why_size);
	p->path = path;
	p->name = slash ? slash + 1 : path;
	p->dir = p->fd = -1;
	rc = slash ? open_dir(p) : -EINVAL;
	if (!rc)
		rc = open_file(p);
	if (!rc)
		rc = lock(p);
	if (!rc)
		rc = still_there(p);
	if (!rc)
		rc = hf_file_read(p->dir, p->name, HF_PLACE_MAX, &bytes, &p->len);
	p->bytes = (char *)bytes;
	if (rc)
		hf_place_close(p);
	else
		*ret_place = p;
	return rc ? explain(path, rc, ret_why, why_size) : 0;
}

void hf_place_close(struct hf_place *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	if (p->dir >= 0)
		close(p->dir);
	free(p->bytes);
	free(p);
}

const char *hf_place_bytes(const struct hf_place *p, size_t *ret_len)
{
	*ret_len = p->len;
	return p->bytes;
}

void hf_place_now(const struct hf_place *p, struct stat *ret_st)
{
	*ret_st = p->st;
}

bool hf_place_in_place(const struct hf_place *p)
{
	return p->in_place;
}

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
static int dress(const struct hf_place *p, int fd)
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

static int replace(struct hf_place *p, const char *bytes, size_t len)
{
	char tmp[NAME_MAX + 1];
	struct stat st;
	int fd, rc;

	if (snprintf(tmp, sizeof(tmp), ".%s.holdfast", p->name) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	if (unlinkat(p->dir, tmp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(p->dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = hf_file_write_all(fd, bytes, len);
	if (!rc)
		rc = dress(p, fd);
	if (!rc && (fdatasync(fd) < 0 || fstat(fd, &st) < 0))
		rc = -errno;
	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc && renameat(p->dir, tmp, p->dir, p->name) < 0)
		rc = -errno;
	if (rc) {
		unlinkat(p->dir, tmp, 0);
		return rc;
	}
	p->st = st;
	return hf_file_sync_dir(p->dir);
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

/*
 * What needs room on the disk comes first, so that a full one changes nothing; then only what
 * differs.
 */
static int write_in_place(struct hf_place *p, const char *bytes, size_t len)
{
	size_t least = len < p->len ? len : p->len, same = 0;
	int rc = 0;

	if (!p->writable)
		return -EACCES;
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
	if (!rc && (fdatasync(p->fd) < 0 || fstat(p->fd, &p->st) < 0))
		rc = -errno;
	p->in_place = true;
	return rc;
}

/* A rename that cannot be, or would not leave all as it was. */
static bool asks_for_in_place(int rc)
{
	return rc == -EBUSY || rc == -EXDEV || rc == -EACCES || rc == -EPERM || rc == -EROFS ||
	       rc == -ENOTSUP;
}

int hf_place_write(
    struct hf_place *p, const char *bytes, size_t len, char *ret_why, size_t why_size)
{
	int rc = p->st.st_nlink > 1 ? -EBUSY : replace(p, bytes, len);

	p->in_place = false;
	if (asks_for_in_place(rc))
		rc = write_in_place(p, bytes, len);
	return rc ? explain(p->path, rc, ret_why, why_size) : 0;
}

int hf_place_read(
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
		rc = hf_file_read(AT_FDCWD, path, HF_PLACE_MAX, &bytes, ret_len);
	if (rc)
		return explain(path, rc, ret_why, why_size);
	*ret_bytes = (char *)bytes;
	return 0;
}

void hf_place_look(const char *path, struct stat *ret_st)
{
	if (lstat(path, ret_st) < 0)
		memset(ret_st, 0, sizeof(*ret_st));
}

bool hf_place_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}
