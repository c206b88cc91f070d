#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

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
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int hf_file_sync_dir(int dirfd)
{
	return fsync(dirfd) < 0 ? -errno : 0;
}

int hf_file_replace(int dirfd, const char *name, const void *bytes, size_t len, mode_t mode)
{
	char tmp[NAME_MAX + 1];
	int fd, rc;

	if (snprintf(tmp, sizeof(tmp), ".%s.tmp", name) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	/* What a crash left behind goes; O_EXCL then makes sure that nothing is followed. */
	if (unlinkat(dirfd, tmp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	/* The umask has no say in who may read what we publish. */
	rc = fchmod(fd, mode) < 0 ? -errno : 0;
	if (!rc)
		rc = hf_file_write_all(fd, bytes, len);
	if (!rc && fdatasync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc)
		rc = hf_file_sync_dir(dirfd);
	if (!rc && renameat(dirfd, tmp, dirfd, name) < 0)
		rc = -errno;
	if (rc)
		unlinkat(dirfd, tmp, 0);
	return rc;
}

static int check_mode(const struct stat *st, unsigned checks, char *why, size_t size)
{
	unsigned mode = st->st_mode & 07777;
	unsigned readers = 0004 | (st->st_gid == getegid() ? 0 : 0040);

	if (!S_ISREG(st->st_mode)) {
		snprintf(why, size, "it is no regular file");
		return HF_EUNSAFE;
	}
	if ((checks & HF_FILE_OWN) && st->st_uid != geteuid() && st->st_uid != 0) {
		snprintf(why, size, "it belongs to user %u, not to user %u or root", st->st_uid,
		    geteuid());
		return HF_EUNSAFE;
	}
	if ((checks & HF_FILE_NO_OTHER_READ) && (mode & readers)) {
		snprintf(why, size, "others may read it (mode %04o); chmod 0600 it", mode);
		return HF_EUNSAFE;
	}
	if ((checks & HF_FILE_NO_OTHER_WRITE) && (mode & 0022)) {
		snprintf(why, size, "others may write it (mode %04o); chmod go-w it", mode);
		return HF_EUNSAFE;
	}
	return 0;
}

/* Whoever may write a folder may replace what is in it; a sticky one protects what others own. */
static int check_folder(const char *path, char *why, size_t size)
{
	char copy[PATH_MAX];
	struct stat st;
	const char *dir;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	dir = dirname(copy);
	if (stat(dir, &st) < 0)
		return -errno;
	if (!(st.st_mode & S_ISVTX) && (st.st_mode & 0022)) {
		snprintf(why, size, "others may write its folder %s (mode %04o); chmod go-w it", dir,
		    st.st_mode & 07777);
		return HF_EUNSAFE;
	}
	return 0;
}

int hf_file_open_checked(const char *path, unsigned checks, char *ret_why, size_t why_size)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	char why[PATH_MAX + 100] = "";
	struct stat st;
	int fd, rc;

	if (checks & HF_FILE_NO_SYMLINK)
		flags |= O_NOFOLLOW;
	fd = open(path, flags);
	if (fd < 0 && errno == ELOOP) {
		rc = HF_EUNSAFE;
		snprintf(why, sizeof(why), "it is a symlink");
		goto out;
	}
	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) < 0 ? -errno : check_mode(&st, checks, why, sizeof(why));
	if (!rc && (checks & HF_FILE_NO_OTHER_WRITE))
		rc = check_folder(path, why, sizeof(why));
	if (!rc)
		return fd;
	close(fd);
out:
	if (ret_why)
		snprintf(ret_why, why_size, "%s", why);
	return rc;
}
