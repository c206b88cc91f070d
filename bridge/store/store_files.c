/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/store/store_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/* Room for the longest tail: ".damaged-20240131-235959-999-journal". */
enum { TAIL_MAX = 40 };

/* What belongs to a database file of SQLite, itself last: when it has gone, all has. */
static const char *const parts[] = { "-wal", "-shm", "-journal", "" };
enum { N_PARTS = sizeof(parts) / sizeof(parts[0]) };

/* a, then b. What is too long was refused in hf_store_files_open(), or is clipped. */
static const char *files_join(char *out, size_t size, const char *a, const char *b)
{
	size_t n = strnlen(a, size - 1), m = strnlen(b, size - 1 - n);

	memcpy(out, a, n);
	memcpy(out + n, b, m);
	out[n + m] = '\0';
	return out;
}

int hf_store_files_open(const char *path, struct hf_store_files *ret_files)
{
	struct hf_store_files f = { .dirfd = -1, .lock_fd = -1 };
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char parent[PATH_MAX], dir[PATH_MAX];

	if (!*base)
		return -EISDIR;
	if (strlen(path) >= sizeof(parent) || strlen(base) > NAME_MAX - TAIL_MAX)
		return -ENAMETOOLONG;
	snprintf(f.base, sizeof(f.base), "%s", base);
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) + 1 : 1,
	    slash ? path : ".");
	if (!realpath(parent, dir))
		return -errno;
	if (strlen(dir) + 1 + strlen(f.base) + TAIL_MAX >= sizeof(f.path))
		return -ENAMETOOLONG;
	files_join(parent, sizeof(parent), strcmp(dir, "/") ? dir : "", "/");
	files_join(f.path, sizeof(f.path), parent, f.base);
	f.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f.dirfd < 0)
		return -errno;
	*ret_files = f;
	return 0;
}

void hf_store_files_close(struct hf_store_files *f)
{
	if (f->dirfd >= 0)
		close(f->dirfd);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	f->dirfd = f->lock_fd = -1;
}

const char *hf_store_files_name(
    const struct hf_store_files *f, const char *tail, char out[static NAME_MAX + 1])
{
	return files_join(out, NAME_MAX + 1, f->base, tail);
}

const char *hf_store_files_path(
    const struct hf_store_files *f, const char *tail, char out[static PATH_MAX])
{
	return files_join(out, PATH_MAX, f->path, tail);
}

/* --- the lock --- */

static int files_open_lock(const struct hf_store_files *f)
{
	char name[NAME_MAX + 1];
	int fd;

	hf_store_files_name(f, ".lock", name);
	fd = openat(f->dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	/* On a read-only file system one that is there will do. */
	if (fd < 0 && (errno == EROFS || errno == EACCES))
		fd = openat(f->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static void tell_holder(int fd, char *why, size_t size)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	snprintf(why, size, "another Holdfast has it%s%s", pid[0] ? ", process " : "", pid);
}

/* That another one has it, or that none can be had: some network file systems have no locks. */
static int lock_code(int error)
{
	if (error == EWOULDBLOCK)
		return HF_ELOCKED;
	return error == ENOSYS || error == EOPNOTSUPP ? -ENOLCK : -error;
}

int hf_store_files_lock(struct hf_store_files *f, char *ret_why, size_t why_size)
{
	char pid[16];
	int fd, len, rc;

	if (f->lock_fd >= 0)
		return 0;
	fd = files_open_lock(f);
	if (fd == -ELOOP) {
		snprintf(ret_why, why_size, "its lock file '%s.lock' is a symlink", f->path);
		return HF_EUNSAFE;
	}
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = lock_code(errno);
		if (rc == HF_ELOCKED)
			tell_holder(fd, ret_why, why_size);
		close(fd);
		return rc;
	}
	/* For people only, so it matters not if it cannot be written. */
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)len, 0) != len)
		(void)!ftruncate(fd, 0);
	f->lock_fd = fd;
	return 0;
}

/* --- looking --- */

static const char *kind_name(mode_t mode)
{
	return S_ISLNK(mode) ? "a symlink" : S_ISDIR(mode) ? "a folder" : "no regular file";
}

int hf_store_files_look(
    const struct hf_store_files *f, const char *tail, char *ret_why, size_t why_size)
{
	char name[NAME_MAX + 1];
	struct stat st;

	hf_store_files_name(f, tail, name);
	if (fstatat(f->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? HF_FILE_ABSENT : -errno;
	if (!S_ISREG(st.st_mode)) {
		snprintf(ret_why, why_size, "'%s' is %s", name, kind_name(st.st_mode));
		return HF_EUNSAFE;
	}
	if (st.st_uid != geteuid()) {
		snprintf(ret_why, why_size, "'%s' belongs to user %u, not to user %u; chown it",
		    name, (unsigned)st.st_uid, (unsigned)geteuid());
		return HF_EUNSAFE;
	}
	if (st.st_mode & 0022) {
		snprintf(ret_why, why_size, "others may write '%s' (mode %04o); chmod 0600 it",
		    name, (unsigned)st.st_mode & 07777);
		return HF_EUNSAFE;
	}
	return st.st_size ? HF_FILE_THERE : HF_FILE_EMPTY;
}

int hf_store_files_look_all(const struct hf_store_files *f, char *ret_why, size_t why_size)
{
	int rc = 0;

	for (size_t i = 0; i < N_PARTS && rc >= 0; i++)
		rc = hf_store_files_look(f, parts[i], ret_why, why_size);
	return rc;
}

/* --- making --- */

void hf_store_files_discard(const struct hf_store_files *f, const char *tail)
{
	char name[NAME_MAX + 1], part[NAME_MAX + 1];

	for (size_t i = 0; i < N_PARTS; i++) {
		files_join(part, sizeof(part), tail, parts[i]);
		unlinkat(f->dirfd, hf_store_files_name(f, part, name), 0);
	}
}

static int files_create(const struct hf_store_files *f, const char *tail)
{
	char name[NAME_MAX + 1];
	int fd;

	hf_store_files_discard(f, tail);
	fd = openat(f->dirfd, hf_store_files_name(f, tail, name),
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int hf_store_files_create(const struct hf_store_files *f, const char *tail)
{
	int fd = files_create(f, tail);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

int hf_store_files_install(const struct hf_store_files *f, const char *tail, const char *to)
{
	char from_name[NAME_MAX + 1], to_name[NAME_MAX + 1];
	int fd, rc;

	hf_store_files_name(f, tail, from_name);
	hf_store_files_name(f, to, to_name);
	fd = openat(f->dirfd, from_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	if (!rc && renameat(f->dirfd, from_name, f->dirfd, to_name) < 0)
		rc = -errno;
	return rc;
}

int hf_store_files_sync(const struct hf_store_files *f)
{
	return hf_file_sync_dir(f->dirfd);
}

static int copy_bytes(int from, int to)
{
	uint8_t *bytes = malloc(1 << 16);
	ssize_t n = 0;
	int rc = bytes ? 0 : -ENOMEM;

	while (!rc) {
		n = read(from, bytes, 1 << 16);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		rc = n < 0 ? -errno : hf_file_write_all(to, bytes, (size_t)n);
	}
	free(bytes);
	return rc;
}

int hf_store_files_duplicate(const struct hf_store_files *f, const char *from, const char *to)
{
	char name[NAME_MAX + 1];
	int in, out, rc;

	in = openat(f->dirfd, hf_store_files_name(f, from, name),
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in < 0)
		return -errno;
	out = files_create(f, to);
	rc = out < 0 ? out : copy_bytes(in, out);
	close(in);
	if (out >= 0)
		close(out);
	return rc;
}

/* --- setting aside --- */

static bool is_free(const struct hf_store_files *f, const char *aside)
{
	char name[NAME_MAX + 1];
	struct stat st;

	for (size_t i = 0; i < N_PARTS; i++) {
		files_join(name, sizeof(name), aside, parts[i]);
		if (fstatat(f->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return false;
	}
	return true;
}

int hf_store_files_aside_name(
    const struct hf_store_files *f, int64_t wall_s, char out[static NAME_MAX + 1])
{
	time_t t = wall_s;
	char date[32] = "00000000-000000";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	for (unsigned n = 1; n < 1000; n++) {
		char tail[TAIL_MAX];

		snprintf(
		    tail, sizeof(tail), n == 1 ? ".damaged-%.15s" : ".damaged-%.15s-%u", date, n);
		if (is_free(f, hf_store_files_name(f, tail, out)))
			return 0;
	}
	return -EEXIST;
}

/* Without ever taking another file's place. */
static int files_move(const struct hf_store_files *f, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(f->dirfd, from, f->dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == ENOENT)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/*
	 * A file system that does not know this form. We hold the lock: looking first is as good.
	 */
	if (fstatat(f->dirfd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(f->dirfd, from, f->dirfd, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* The index of the WAL is made anew out of it; an empty WAL or journal says nothing. */
static bool is_worthless(const struct hf_store_files *f, const char *part, const char *name)
{
	struct stat st;

	return !strcmp(part, "-shm") || (fstatat(f->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
					    S_ISREG(st.st_mode) && !st.st_size);
}

int hf_store_files_set_aside(const struct hf_store_files *f, const char *aside, bool store)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	int rc = 0;

	for (size_t i = 0; !rc && i < N_PARTS; i++) {
		if (!*parts[i] && !store)
			continue;
		files_join(to, sizeof(to), aside, parts[i]);
		hf_store_files_name(f, parts[i], from);
		if (!store && is_worthless(f, parts[i], from))
			rc = unlinkat(f->dirfd, from, 0) < 0 && errno != ENOENT ? -errno : 0;
		else
			rc = files_move(f, from, to);
	}
	return rc ? rc : hf_file_sync_dir(f->dirfd);
}
