/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call of the C library that changes a file, with our own in front. They go to the kernel by
 * syscall(), so that no sanitizer's interceptor and no other name of the same call is missed.
 */
#include "tests/unit/store/kit_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const unsigned disk_growing = 1u << DISK_CREATE | 1u << DISK_WRITE;
const unsigned disk_changing = 1u << DISK_CREATE | 1u << DISK_WRITE | 1u << DISK_TRUNCATE |
			       1u << DISK_SYNC | 1u << DISK_RENAME | 1u << DISK_UNLINK;
const unsigned disk_readonly =
    1u << DISK_CREATE | 1u << DISK_OPEN | 1u << DISK_RENAME | 1u << DISK_UNLINK;

static _Atomic(unsigned) armed_calls; /* 0: not armed */
static enum disk_fault armed_fault;
static size_t armed_n;
static int armed_error;
static atomic_size_t counted;
static atomic_bool hit;
static void (*looker)(size_t n, bool half);
static _Thread_local bool looking;

void disk_look(void (*look)(size_t n, bool half))
{
	looker = look;
}

void disk_arm(enum disk_fault fault, unsigned calls, size_t n, int error)
{
	armed_fault = fault;
	armed_n = n;
	armed_error = error;
	counted = 0;
	hit = false;
	armed_calls = calls;
}

size_t disk_disarm(void)
{
	armed_calls = 0;
	return counted;
}

bool disk_hit(void)
{
	return hit;
}

static void look(size_t n, bool half)
{
	looking = true;
	looker(n, half);
	looking = false;
}

/* 0: go on; an error; or -1: half of it, then the end or a look. */
static int judge(enum disk_call call, size_t *ret_n)
{
	size_t n;

	if (looking || !(armed_calls & 1u << call))
		return 0;
	*ret_n = n = ++counted;
	if (armed_fault == DISK_LOOK) {
		look(n, false);
		return call == DISK_WRITE ? -1 : 0;
	}
	if (armed_fault == DISK_FINE || n < armed_n || (armed_fault == DISK_ONCE && n > armed_n))
		return 0;
	hit = true;
	if (armed_fault == DISK_DIE_HALF && call == DISK_WRITE)
		return -1;
	if (armed_fault == DISK_DIE || armed_fault == DISK_DIE_HALF)
		_exit(DISK_DIED);
	return armed_error;
}

/* Whether the fault stops it; errno is set. */
static bool refused(enum disk_call call)
{
	size_t n;
	int error = judge(call, &n);

	if (error <= 0)
		return false;
	errno = error;
	return true;
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

#define OURS __attribute__((visibility("default")))

/* --- writing --- */

/* The first half; then it has died, or somebody looks and it is as if it were one write. */
static ssize_t write_halves(size_t n, int fd, const uint8_t *bytes, size_t len, long call, off_t at)
{
	size_t half = len / 2;
	ssize_t done = syscall(call, fd, bytes, half, at), rest;

	if (armed_fault != DISK_LOOK)
		_exit(DISK_DIED);
	if (done != (ssize_t)half)
		return done;
	if (half)
		look(n, true);
	rest = syscall(call, fd, bytes + half, len - half, at + done);
	return rest < 0 ? rest : done + rest;
}

static ssize_t do_write(int fd, const void *bytes, size_t len, long call, off_t at)
{
	size_t n = 0;
	int error = is_file(fd) ? judge(DISK_WRITE, &n) : 0;

	if (error > 0) {
		errno = error;
		return -1;
	}
	if (error < 0)
		return write_halves(n, fd, bytes, len, call, at);
	return syscall(call, fd, bytes, len, at);
}

OURS ssize_t write(int fd, const void *bytes, size_t len);
OURS ssize_t write(int fd, const void *bytes, size_t len)
{
	return do_write(fd, bytes, len, SYS_write, 0);
}

OURS ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at);
OURS ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return do_write(fd, bytes, len, SYS_pwrite64, at);
}

OURS ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at);
OURS ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
	return do_write(fd, bytes, len, SYS_pwrite64, at);
}

OURS int ftruncate64(int fd, off_t len);
OURS int ftruncate64(int fd, off_t len)
{
	return refused(DISK_TRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

OURS int ftruncate(int fd, off_t len);
OURS int ftruncate(int fd, off_t len)
{
	return ftruncate64(fd, len);
}

/* --- reading --- */

OURS ssize_t pread64(int fd, void *bytes, size_t len, off_t at);
OURS ssize_t pread64(int fd, void *bytes, size_t len, off_t at)
{
	return refused(DISK_READ) ? -1 : syscall(SYS_pread64, fd, bytes, len, at);
}

OURS ssize_t pread(int fd, void *bytes, size_t len, off_t at);
OURS ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
	return pread64(fd, bytes, len, at);
}

/* --- locks --- */

static int do_lock(int fd, int command, void *arg)
{
	bool takes = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK;

	if (takes && ((const struct flock *)arg)->l_type != F_UNLCK && refused(DISK_LOCK))
		return -1;
	return (int)syscall(SYS_fcntl, fd, command, arg);
}

OURS int fcntl64(int fd, int command, ...);
OURS int fcntl64(int fd, int command, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	return do_lock(fd, command, arg);
}

OURS int fcntl(int fd, int command, ...);
OURS int fcntl(int fd, int command, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	return do_lock(fd, command, arg);
}

OURS int flock(int fd, int operation);
OURS int flock(int fd, int operation)
{
	if (!(operation & LOCK_UN) && refused(DISK_LOCK))
		return -1;
	return (int)syscall(SYS_flock, fd, operation);
}

/* --- syncing --- */

OURS int fsync(int fd);
OURS int fsync(int fd)
{
	return refused(DISK_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

OURS int fdatasync(int fd);
OURS int fdatasync(int fd)
{
	return refused(DISK_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* --- names --- */

static int do_open(int dirfd, const char *path, int flags, mode_t mode)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		st.st_mode = (flags & O_CREAT) ? 0 : S_IFSOCK;
	if (!st.st_mode && refused(DISK_CREATE))
		return -1;
	if (S_ISREG(st.st_mode) && writes && refused(DISK_OPEN))
		return -1;
	return (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

#define MODE_OF(flags, last)                                                                       \
	mode_t mode = 0;                                                                           \
	if ((flags)&O_CREAT) {                                                                     \
		va_list ap;                                                                        \
		va_start(ap, last);                                                                \
		mode = va_arg(ap, mode_t);                                                         \
		va_end(ap);                                                                        \
	}

OURS int open64(const char *path, int flags, ...);
OURS int open64(const char *path, int flags, ...)
{
	MODE_OF(flags, flags)
	return do_open(AT_FDCWD, path, flags, mode);
}

OURS int openat64(int dirfd, const char *path, int flags, ...);
OURS int openat64(int dirfd, const char *path, int flags, ...)
{
	MODE_OF(flags, flags)
	return do_open(dirfd, path, flags, mode);
}

OURS int openat(int dirfd, const char *path, int flags, ...);
OURS int openat(int dirfd, const char *path, int flags, ...)
{
	MODE_OF(flags, flags)
	return do_open(dirfd, path, flags, mode);
}

OURS int renameat2(int from, const char *a, int to, const char *b, unsigned flags);
OURS int renameat2(int from, const char *a, int to, const char *b, unsigned flags)
{
	return refused(DISK_RENAME) ? -1 : (int)syscall(SYS_renameat2, from, a, to, b, flags);
}

OURS int renameat(int from, const char *a, int to, const char *b);
OURS int renameat(int from, const char *a, int to, const char *b)
{
	return renameat2(from, a, to, b, 0);
}

OURS int unlinkat(int dirfd, const char *path, int flags);
OURS int unlinkat(int dirfd, const char *path, int flags)
{
	struct stat st;

	/* Of what is not there nothing is changed. */
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && refused(DISK_UNLINK))
		return -1;
	return (int)syscall(SYS_unlinkat, dirfd, path, flags);
}

OURS int unlink(const char *path);
OURS int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}
