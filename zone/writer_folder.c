/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/writer_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "zone/format.h"

/* --- the folder --- */

/* A made folder keeps the setgid bit that its parent gave it. */
static int finish_new(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return fchmod(fd, 0750 | (st.st_mode & S_ISGID)) < 0 ? -errno : 0;
}

static int folder_check(const char *path, int fd, gid_t *ret_gid)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		hf_log_error(
		    "zone '%s' belongs to user %u, not to user %u", path, st.st_uid, geteuid());
		return HF_EUNSAFE;
	}
	if (st.st_mode & 0022) {
		hf_log_error("zone '%s': others may write it (mode %04o); chmod go-w it", path,
		    st.st_mode & 07777);
		return HF_EUNSAFE;
	}
	*ret_gid = st.st_gid;
	return 0;
}

static const char lock_name[] = ".lock";

/* Empty, and only its owner's: whoever can open a file, also just to read, can lock it. */
static int folder_open_lock(int dirfd)
{
	int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dirfd, lock_name, flags, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fchmod(fd, 0600) == 0)
		return fd;
	close(fd);
	return HF_EUNSAFE;
}

static int folder_lock(const char *path, int dirfd, int *ret_fd)
{
	int fd = folder_open_lock(dirfd), rc;

	/*
	 * What lies in its place was put there by one who may write the folder: it goes, if it is
	 * no folder with files.
	 */
	if ((fd == -EISDIR || fd == -ELOOP || fd == -ENXIO || fd == -EACCES || fd == HF_EUNSAFE) &&
	    (unlinkat(dirfd, lock_name, 0) == 0 || unlinkat(dirfd, lock_name, AT_REMOVEDIR) == 0))
		fd = folder_open_lock(dirfd);
	if (fd < 0) {
		hf_log_error("zone '%s': its file '%s' cannot be used as a lock (%s)", path,
		    lock_name, hf_strerror(fd));
		return fd;
	}
	rc = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? HF_ELOCKED : -errno;
	if (rc)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

/*
 * Its name in the folder above survives a power cut. Where we may not look into that one, it is not
 * ours to do.
 */
static int sync_above(const char *path)
{
	char copy[PATH_MAX];
	int fd, rc;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	rc = hf_file_sync_dir(fd);
	close(fd);
	return rc;
}

int hf_folder_open(const char *path, struct hf_folder *ret_folder)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, fd, rc = 0;
	char bare[PATH_MAX];
	size_t len = strlen(path);
	gid_t gid = 0;
	bool made;

	/* A slash at the end would follow a symlink. */
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= sizeof(bare))
		return -ENAMETOOLONG;
	memcpy(bare, path, len);
	bare[len] = '\0';
	made = mkdir(bare, 0750) == 0;
	if (!made && errno != EEXIST)
		return -errno;
	fd = open(bare, flags);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		hf_log_error("zone '%s' is a symlink or no folder", bare);
		return HF_EUNSAFE;
	}
	if (fd < 0)
		return -errno;
	if (made)
		rc = finish_new(fd);
	/* Also where an earlier writer made it, who may not have come as far. */
	if (!rc)
		rc = sync_above(bare);
	if (!rc)
		rc = folder_check(bare, fd, &gid);
	if (!rc)
		rc = folder_lock(bare, fd, &ret_folder->lock_fd);
	if (rc) {
		close(fd);
		return rc;
	}
	ret_folder->fd = fd;
	ret_folder->gid = gid;
	return 0;
}

void hf_folder_close(struct hf_folder *f)
{
	if (f->fd >= 0) {
		close(f->lock_fd);
		close(f->fd);
	}
	f->fd = -1;
}

/* --- files that come --- */

enum { TMP_NAME_MAX = HF_FMT_FILE_NAME_MAX + 8 };

static const char *tmp_name(const char *name, char out[static TMP_NAME_MAX])
{
	snprintf(out, TMP_NAME_MAX, ".%.*s.tmp", HF_FMT_FILE_NAME_MAX - 1, name);
	return out;
}

int hf_folder_create(const struct hf_folder *f, const char *name)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, fd, rc = 0;
	char tmp[TMP_NAME_MAX];

	tmp_name(name, tmp);
	/* What a crash left behind goes; O_EXCL makes sure that nothing is followed. */
	fd = openat(f->fd, tmp, flags, 0640);
	if (fd < 0 && errno == EEXIST && unlinkat(f->fd, tmp, 0) == 0)
		fd = openat(f->fd, tmp, flags, 0640);
	if (fd < 0)
		return -errno;
	if (fchown(fd, (uid_t)-1, f->gid) < 0 && errno != EPERM)
		rc = -errno;
	/* The umask has no say in who may read what we publish. */
	if (!rc && fchmod(fd, 0640) < 0)
		rc = -errno;
	if (rc) {
		hf_folder_discard(f, name, fd);
		return rc;
	}
	return fd;
}

int hf_folder_finish(const struct hf_folder *f, const char *name, int fd)
{
	char tmp[TMP_NAME_MAX];
	int rc = fdatasync(fd) < 0 ? -errno : 0;

	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (rc)
		unlinkat(f->fd, tmp_name(name, tmp), 0);
	return rc;
}

int hf_folder_rename(const struct hf_folder *f, const char *name)
{
	char tmp[TMP_NAME_MAX];

	tmp_name(name, tmp);
	if (renameat(f->fd, tmp, f->fd, name) == 0)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (hf_file_make_way(f->fd, name) < 0)
		return -EISDIR;
	return renameat(f->fd, tmp, f->fd, name) < 0 ? -errno : 0;
}

void hf_folder_discard(const struct hf_folder *f, const char *name, int fd)
{
	char tmp[TMP_NAME_MAX];

	if (fd >= 0)
		close(fd);
	unlinkat(f->fd, tmp_name(name, tmp), 0);
}

void hf_folder_unlink(const struct hf_folder *f, const char *name)
{
	unlinkat(f->fd, name, 0);
}

/* --- files that are there --- */

/* 0 goes on; anything else ends the walk and is returned. */
typedef int (*file_cb)(const struct hf_folder *f, const char *name, void *arg);

static int each_file(const struct hf_folder *f, file_cb cb, void *arg)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!rc && (errno = 0, e = readdir(dir)))
		rc = cb(f, e->d_name, arg);
	if (!rc && errno)
		rc = -errno;
	closedir(dir);
	return rc;
}

struct numbers {
	uint64_t n;
	uint64_t m;
};

static int folder_count_file(const struct hf_folder *f, const char *name, void *arg)
{
	struct numbers *max = arg;
	uint64_t n, m;

	if (hf_fmt_file_kind(name, &n, &m) == HF_FMT_FILE_OTHER)
		return 0;
	/* Nobody counts as far; a foreign file may not end the numbers. */
	if (n > max->n && n < UINT64_MAX / 2)
		max->n = n;
	if (m > max->m && m < UINT64_MAX / 2)
		max->m = m;
	return 0;
}

int hf_folder_numbers(const struct hf_folder *f, uint64_t *ret_n, uint64_t *ret_m)
{
	struct numbers max = { 0, 0 };
	int rc = each_file(f, folder_count_file, &max);

	if (rc)
		return rc;
	*ret_n = max.n;
	*ret_m = max.m;
	return 0;
}

/* ".NAME.tmp" of a file that is ours. */
static bool is_unfinished_file(const char *name)
{
	size_t len = strlen(name);
	char inner[TMP_NAME_MAX];

	if (len < 6 || len >= sizeof(inner) || name[0] != '.' || strcmp(name + len - 4, ".tmp"))
		return false;
	memcpy(inner, name + 1, len - 5);
	inner[len - 5] = '\0';
	return !strcmp(inner, "current") ||
	       hf_fmt_file_kind(inner, NULL, NULL) != HF_FMT_FILE_OTHER;
}

static int folder_sweep_file(const struct hf_folder *f, const char *name, void *arg)
{
	const struct hf_fmt_current *keep = arg;

	if (hf_fmt_file_kind(name, NULL, NULL) == HF_FMT_FILE_OTHER && !is_unfinished_file(name))
		return 0;
	if (strcmp(name, keep->base.name) && strcmp(name, keep->delta.name))
		hf_folder_unlink(f, name);
	return 0;
}

int hf_folder_sweep(const struct hf_folder *f, const struct hf_fmt_current *keep)
{
	struct hf_fmt_current copy = *keep;

	return each_file(f, folder_sweep_file, &copy);
}
