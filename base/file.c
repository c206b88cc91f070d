/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

enum { ASIDE_MAX = 9 };

static int read_all(int fd, uint8_t *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int)done;
}

int hf_file_read(int dirfd, const char *name, size_t max, uint8_t **ret_bytes, size_t *ret_len)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *bytes = NULL;
	struct stat st;
	int rc;

	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (!rc && !S_ISREG(st.st_mode))
		rc = HF_EUNSAFE;
	/* The int of read_all() bounds it too: what we read whole is small. */
	if (!rc && ((uint64_t)st.st_size > max || st.st_size >= INT_MAX))
		rc = HF_ELIMIT;
	if (!rc) {
		bytes = malloc((size_t)st.st_size + 1);
		rc = bytes ? read_all(fd, bytes, (size_t)st.st_size) : -ENOMEM;
	}
	close(fd);
	if (rc < 0) {
		free(bytes);
		return rc;
	}
	bytes[rc] = '\0';
	*ret_bytes = bytes;
	*ret_len = (size_t)rc;
	return 0;
}

int hf_file_write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* nothing taken, no reason given: not for ever */
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int hf_file_sync_dir(int dirfd)
{
	/* EINVAL: there is no such thing for a folder of this file system. */
	return fsync(dirfd) < 0 && errno != EINVAL ? -errno : 0;
}

/* Sets mode and content and makes both durable. Closes fd. */
static int fill_and_close(int fd, const void *bytes, size_t len, mode_t mode)
{
	/* The umask has no say in who may read what we publish. */
	int rc = fchmod(fd, mode) < 0 ? -errno : 0;

	if (!rc)
		rc = hf_file_write_all(fd, bytes, len);
	if (!rc && fdatasync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && !rc)
		rc = -errno;
	return rc;
}

int hf_file_replace(int dirfd, const char *name, const void *bytes, size_t len, mode_t mode)
{
	char tmp[NAME_MAX + 1];
	int fd, rc;

	if (!*name || strchr(name, '/'))
		return -EINVAL;
	if (snprintf(tmp, sizeof(tmp), ".%s.tmp", name) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	/* What a crash left behind goes; O_EXCL then makes sure that nothing is followed. */
	if (unlinkat(dirfd, tmp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	rc = fill_and_close(fd, bytes, len, mode);
	if (!rc)
		rc = hf_file_sync_dir(dirfd);
	if (!rc && renameat(dirfd, tmp, dirfd, name) < 0)
		rc = -errno;
	if (rc)
		unlinkat(dirfd, tmp, 0);
	return rc;
}

int hf_file_make_way(int dirfd, const char *name)
{
	char aside[NAME_MAX + 1];

	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	for (unsigned n = 1; n <= ASIDE_MAX; n++) {
		if (snprintf(aside, sizeof(aside), "%s.aside-%u", name, n) >= (int)sizeof(aside))
			return -ENAMETOOLONG;
		/* It may take the place of an empty folder; any other name that is taken fails. */
		if (renameat(dirfd, name, dirfd, aside) == 0) {
			hf_log_warn("a folder lay in the place of the file '%s'; it is '%s' now",
			    name, aside);
			return 0;
		}
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return -errno;
	}
	return -EEXIST;
}

static bool is_other(uid_t owner)
{
	return owner != geteuid() && owner != 0;
}

/* The text for people, in bounds; HF_EUNSAFE for the caller to return. */
__attribute__((format(printf, 3, 4))) static int file_refuse(
    char *why, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, size, format, ap);
	va_end(ap);
	return HF_EUNSAFE;
}

static int check_mode(const struct stat *st, unsigned checks, char *why, size_t size)
{
	unsigned mode = st->st_mode & 07777;
	/* Group root is trusted as root is: systemd hands out its credentials like that. */
	bool group_ok = st->st_gid == getegid() || st->st_gid == 0;
	unsigned readers = group_ok ? 0004 : 0044;

	if (!S_ISREG(st->st_mode))
		return file_refuse(why, size, "it is no regular file");
	if ((checks & HF_FILE_OWN) && is_other(st->st_uid))
		return file_refuse(why, size, "it belongs to user %u, not to user %u or root",
		    st->st_uid, geteuid());
	if ((checks & HF_FILE_NO_OTHER_READ) && (mode & readers))
		return file_refuse(
		    why, size, "others may read it (mode %04o); chmod 0600 it", mode);
	if ((checks & HF_FILE_NO_OTHER_WRITE) && (mode & 0022))
		return file_refuse(
		    why, size, "others may write it (mode %04o); chmod go-w it", mode);
	return 0;
}

/* Whoever may write a folder may replace what is in it; a sticky one protects what others own. */
static int check_folder_of(const char *path, unsigned checks, char *why, size_t size)
{
	char copy[PATH_MAX];
	struct stat st;
	const char *dir;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	dir = dirname(copy);
	if (stat(dir, &st) < 0)
		return -errno;
	if ((checks & HF_FILE_OWN) && is_other(st.st_uid))
		return file_refuse(why, size,
		    "its folder %s belongs to user %u, not to user %u or root", dir, st.st_uid,
		    geteuid());
	if (!(st.st_mode & S_ISVTX) && (st.st_mode & 0022))
		return file_refuse(why, size,
		    "others may write its folder %s (mode %04o); chmod go-w it", dir,
		    st.st_mode & 07777);
	return 0;
}

/* The folder in which `path` is, and the one in which the file is that a symlink leads to. */
static int check_folders(const char *path, unsigned checks, char *why, size_t size)
{
	char *real = realpath(path, NULL);
	int rc = real ? check_folder_of(path, checks, why, size) : -errno;

	if (!rc)
		rc = check_folder_of(real, checks, why, size);
	free(real);
	return rc;
}

static int check_open_file(int fd, const char *path, unsigned checks, char *why, size_t size)
{
	struct stat st;
	int rc = fstat(fd, &st) < 0 ? -errno : check_mode(&st, checks, why, size);

	if (!rc && (checks & HF_FILE_NO_OTHER_WRITE))
		rc = check_folders(path, checks, why, size);
	return rc;
}

int hf_file_open_checked(const char *path, unsigned checks, char *ret_why, size_t why_size)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	bool no_symlink = checks & HF_FILE_NO_SYMLINK;
	char why[PATH_MAX + 100] = "";
	int rc, fd = open(path, no_symlink ? flags | O_NOFOLLOW : flags);

	if (fd >= 0)
		rc = check_open_file(fd, path, checks, why, sizeof(why));
	else if (errno == ELOOP && no_symlink)
		rc = file_refuse(why, sizeof(why), "it is a symlink");
	else
		rc = -errno;
	if (!rc)
		return fd;
	if (fd >= 0)
		close(fd);
	if (ret_why && why_size)
		snprintf(ret_why, why_size, "%s", why);
	return rc;
}
