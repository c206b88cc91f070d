/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder: an LD_PRELOAD library that writes down, in order, each change that a program makes to
 * files and folders under $HF_RECORD_ROOT (an absolute path without symlinks), into the file
 * $HF_RECORD_LOG. powercut.py makes out of it what a power cut could have left at any moment.
 *
 * Every call goes straight to the kernel under one lock, so that the log's order is the order in
 * which things happened. What no wrapper here sees (stdio, mmap, a child process) is not in the
 * log: powercut.py compares the replayed end with the real one, and refuses a log that lacks
 * something.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

/* The same numbers are in powercut.py. */
enum op {
	OP_FOUND = 1, /* object `id` was there before, as `name` in `dir` */
	OP_CREATE,    /* a file */
	OP_MKDIR,
	OP_LINK,
	OP_UNLINK, /* of a file or a folder */
	OP_RENAME,
	OP_WRITE,
	OP_TRUNCATE, /* to the size `offset` */
	OP_ALLOCATE, /* zeros up to the size `offset`, where it is shorter */
	OP_SYNC,
};

/* What the log holds for each change; then the names and the bytes written. */
struct record {
	uint32_t op;
	uint32_t acked; /* size of standard output before the change, if it is a file */
	uint64_t id;
	uint64_t dir;
	uint64_t dir2;
	uint64_t offset;
	uint32_t data_len;
	uint16_t name_len;
	uint16_t name2_len;
};

/* Inode numbers are used again by the kernel; ids are not. */
struct object {
	ino_t inode;
	uint64_t id;
};

/* Where a path leads: a name in a folder; dir is 0 outside the root. */
struct entry {
	uint64_t dir;
	char name[NAME_MAX + 1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[PATH_MAX];
static dev_t root_dev;
static struct object *objects;
static size_t n_objects;
static uint64_t last_id;

static void die(const char *what)
{
	fprintf(stderr, "recorder: %s: %s\n", what, strerror(errno));
	abort();
}

__attribute__((constructor)) static void recorder_init(void)
{
	const char *want = getenv("HF_RECORD_ROOT"), *log = getenv("HF_RECORD_LOG");
	struct stat st;

	if (!want || !log || log_fd >= 0)
		return;
	if (strlen(want) >= sizeof(root) || stat(want, &st) < 0)
		die("HF_RECORD_ROOT");
	memcpy(root, want, strlen(want) + 1);
	root_dev = st.st_dev;
	log_fd = (int)syscall(
	    SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		die("HF_RECORD_LOG");
}

static void log_record(struct record *r, const char *name, const char *name2, const void *data)
{
	struct stat out;
	struct iovec parts[4];
	ssize_t len = 0;

	if (fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode))
		r->acked = (uint32_t)out.st_size;
	r->name_len = (uint16_t)strlen(name);
	r->name2_len = (uint16_t)strlen(name2);
	parts[0] = (struct iovec){ r, sizeof(*r) };
	parts[1] = (struct iovec){ (void *)(uintptr_t)name, r->name_len };
	parts[2] = (struct iovec){ (void *)(uintptr_t)name2, r->name2_len };
	parts[3] = (struct iovec){ (void *)(uintptr_t)data, r->data_len };
	for (int i = 0; i < 4; i++)
		len += (ssize_t)parts[i].iov_len;
	if (syscall(SYS_writev, log_fd, parts, 4) != len)
		die("log");
}

/* --- objects and entries --- */

static struct object *object_find(const struct stat *st)
{
	for (size_t i = n_objects; st->st_dev == root_dev && i-- > 0;)
		if (objects[i].inode == st->st_ino)
			return &objects[i];
	return NULL;
}

static uint64_t object_add(const struct stat *st)
{
	struct object *o = object_find(st);

	if (!o) {
		objects = realloc(objects, (n_objects + 1) * sizeof(*objects));
		if (!objects)
			die("memory");
		o = &objects[n_objects++];
	}
	*o = (struct object){ .inode = st->st_ino, .id = ++last_id };
	return o->id;
}

/* The inode number of a folder that went may soon be one of a folder outside the root. */
static void object_forget(uint64_t id)
{
	for (size_t i = 0; i < n_objects; i++)
		if (objects[i].id == id)
			objects[i].inode = 0;
}

/* The id of an open file or folder; 0 if it is not ours. */
static uint64_t object_of_fd(int fd)
{
	struct object *o;
	struct stat st;

	if (log_fd < 0 || fstat(fd, &st) < 0)
		return 0;
	o = object_find(&st);
	return o ? o->id : 0;
}

/* A folder that was there before us becomes known with the path below the root as its name. */
static uint64_t folder_of_fd(int fd)
{
	struct record r = { .op = OP_FOUND };
	char link[64], path[PATH_MAX];
	size_t root_len = strlen(root);
	struct stat st;
	ssize_t n;

	r.id = object_of_fd(fd);
	if (r.id)
		return r.id;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0 || fstat(fd, &st) < 0)
		return 0;
	path[n] = '\0';
	if (strncmp(path, root, root_len) != 0 || (path[root_len] && path[root_len] != '/'))
		return 0;
	r.id = object_add(&st);
	log_record(&r, path + root_len, "", NULL);
	return r.id;
}

static struct entry entry_of(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct entry e = { 0 };
	char parent[PATH_MAX];
	int saved = errno, fd;

	if (log_fd < 0 || !*name || strlen(name) > NAME_MAX || strlen(path) >= sizeof(parent))
		return e;
	memcpy(parent, path, (size_t)(name - path));
	parent[name - path] = '\0';
	fd = (int)syscall(
	    SYS_openat, dirfd, *parent ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		e.dir = folder_of_fd(fd);
		syscall(SYS_close, fd);
		memcpy(e.name, name, strlen(name) + 1);
	}
	errno = saved;
	return e;
}

/* What is there under a name now; 0 if nothing of ours. */
static uint64_t object_at(const struct entry *e, int dirfd, const char *path)
{
	struct record r = { .op = OP_FOUND, .dir = e->dir };
	struct object *o;
	struct stat st;
	int saved = errno;

	if (!e->dir || fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		errno = saved;
		return 0;
	}
	o = object_find(&st);
	if (o)
		return o->id;
	r.id = object_add(&st);
	log_record(&r, e->name, "", NULL);
	return r.id;
}

/* Something new under a name: a file, a folder, or a second name for a file (which has its id). */
static void log_new(enum op op, uint64_t id, const struct entry *e, int dirfd, const char *path)
{
	struct record r = { .op = op, .id = id, .dir = e->dir };
	struct stat st;

	if (!e->dir || fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!id)
		r.id = object_add(&st);
	log_record(&r, e->name, "", NULL);
}

/* --- opening --- */

static int record_open(int dirfd, const char *path, int flags, mode_t mode)
{
	struct record r = { .op = OP_TRUNCATE };
	struct entry e;
	int fd, saved;

	pthread_mutex_lock(&lock);
	e = entry_of(dirfd, path);
	r.id = object_at(&e, dirfd, path);
	fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
	saved = errno;
	if (fd >= 0 && !r.id && (flags & O_CREAT))
		log_new(OP_CREATE, 0, &e, dirfd, path);
	else if (fd >= 0 && r.id && (flags & O_TRUNC))
		log_record(&r, "", "", NULL);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return fd;
}

static mode_t mode_arg(int flags, va_list ap)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

#define OPEN(name)                                                                                 \
	PUBLIC int name(const char *path, int flags, ...)                                          \
	{                                                                                          \
		va_list ap;                                                                        \
		mode_t mode;                                                                       \
                                                                                                   \
		va_start(ap, flags);                                                               \
		mode = mode_arg(flags, ap);                                                        \
		va_end(ap);                                                                        \
		return record_open(AT_FDCWD, path, flags, mode);                                   \
	}
#define OPENAT(name)                                                                               \
	PUBLIC int name(int dirfd, const char *path, int flags, ...)                               \
	{                                                                                          \
		va_list ap;                                                                        \
		mode_t mode;                                                                       \
                                                                                                   \
		va_start(ap, flags);                                                               \
		mode = mode_arg(flags, ap);                                                        \
		va_end(ap);                                                                        \
		return record_open(dirfd, path, flags, mode);                                      \
	}
OPEN(open)
OPEN(open64)
OPEN(__open_2)
OPEN(__open64_2)
OPENAT(openat)
OPENAT(openat64)
OPENAT(__openat_2)
OPENAT(__openat64_2)

PUBLIC int creat(const char *path, mode_t mode)
{
	return record_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* --- contents --- */

/* `at` is -1 for the file's own position. */
static ssize_t record_write(int fd, const void *bytes, size_t len, off_t at)
{
	struct record r = { .op = OP_WRITE };
	ssize_t n;
	int saved;

	pthread_mutex_lock(&lock);
	r.id = object_of_fd(fd);
	n = at < 0 ? syscall(SYS_write, fd, bytes, len) : syscall(SYS_pwrite64, fd, bytes, len, at);
	saved = errno;
	if (n > 0 && r.id) {
		r.offset = (uint64_t)(at < 0 ? lseek(fd, 0, SEEK_CUR) - n : at);
		r.data_len = (uint32_t)n;
		log_record(&r, "", "", bytes);
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return n;
}

PUBLIC ssize_t write(int fd, const void *bytes, size_t len)
{
	return record_write(fd, bytes, len, -1);
}

PUBLIC ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return record_write(fd, bytes, len, at);
}

PUBLIC ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	return record_write(fd, bytes, len, at);
}

PUBLIC ssize_t writev(int fd, const struct iovec *parts, int n)
{
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		ssize_t done = record_write(fd, parts[i].iov_base, parts[i].iov_len, -1);

		if (done < 0)
			return sum ? sum : done;
		sum += done;
		if ((size_t)done < parts[i].iov_len)
			break;
	}
	return sum;
}

/* A call on an open file that is logged with a size when it has succeeded. */
static int record_fd(long call, enum op op, int fd, long a, long b, long c, uint64_t size)
{
	struct record r = { .op = op, .offset = size };
	int rc, saved;

	pthread_mutex_lock(&lock);
	r.id = op == OP_SYNC ? folder_of_fd(fd) : object_of_fd(fd);
	rc = (int)syscall(call, fd, a, b, c);
	saved = errno;
	if (rc == 0 && r.id)
		log_record(&r, "", "", NULL);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

PUBLIC int ftruncate(int fd, off_t size)
{
	return record_fd(SYS_ftruncate, OP_TRUNCATE, fd, size, 0, 0, (uint64_t)size);
}

PUBLIC int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

PUBLIC int fallocate(int fd, int mode, off_t offset, off_t len)
{
	uint64_t size = mode & FALLOC_FL_KEEP_SIZE ? 0 : (uint64_t)(offset + len);

	return record_fd(SYS_fallocate, OP_ALLOCATE, fd, mode, offset, len, size);
}

PUBLIC int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
	return fallocate(fd, mode, offset, len);
}

PUBLIC int posix_fallocate(int fd, off_t offset, off_t len)
{
	return fallocate(fd, 0, offset, len) < 0 ? errno : 0;
}

PUBLIC int posix_fallocate64(int fd, off64_t offset, off64_t len)
{
	return posix_fallocate(fd, offset, len);
}

PUBLIC int fsync(int fd)
{
	return record_fd(SYS_fsync, OP_SYNC, fd, 0, 0, 0, 0);
}

PUBLIC int fdatasync(int fd)
{
	return record_fd(SYS_fdatasync, OP_SYNC, fd, 0, 0, 0, 0);
}

/* --- names --- */

static int record_rename(int dirfd, const char *from, int dirfd2, const char *to, unsigned flags)
{
	struct record r = { .op = OP_RENAME };
	struct entry a, b;
	int rc, saved;

	pthread_mutex_lock(&lock);
	a = entry_of(dirfd, from);
	b = entry_of(dirfd2, to);
	r.id = object_at(&a, dirfd, from);
	rc = (int)syscall(SYS_renameat2, dirfd, from, dirfd2, to, flags);
	saved = errno;
	if (rc == 0 && r.id) {
		r.dir = a.dir;
		r.dir2 = b.dir;
		log_record(&r, a.name, b.name, NULL);
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

PUBLIC int rename(const char *from, const char *to)
{
	return record_rename(AT_FDCWD, from, AT_FDCWD, to, 0);
}

PUBLIC int renameat(int dirfd, const char *from, int dirfd2, const char *to)
{
	return record_rename(dirfd, from, dirfd2, to, 0);
}

PUBLIC int renameat2(int dirfd, const char *from, int dirfd2, const char *to, unsigned flags)
{
	return record_rename(dirfd, from, dirfd2, to, flags);
}

static int record_unlink(int dirfd, const char *path, int flags)
{
	struct record r = { .op = OP_UNLINK };
	struct entry e;
	int rc, saved;

	pthread_mutex_lock(&lock);
	e = entry_of(dirfd, path);
	r.id = object_at(&e, dirfd, path);
	rc = (int)syscall(SYS_unlinkat, dirfd, path, flags);
	saved = errno;
	if (rc == 0 && r.id) {
		r.dir = e.dir;
		log_record(&r, e.name, "", NULL);
		if (flags & AT_REMOVEDIR)
			object_forget(r.id);
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

PUBLIC int unlinkat(int dirfd, const char *path, int flags)
{
	return record_unlink(dirfd, path, flags);
}

PUBLIC int unlink(const char *path)
{
	return record_unlink(AT_FDCWD, path, 0);
}

PUBLIC int rmdir(const char *path)
{
	return record_unlink(AT_FDCWD, path, AT_REMOVEDIR);
}

PUBLIC int remove(const char *path)
{
	int rc = record_unlink(AT_FDCWD, path, 0);

	return rc < 0 && errno == EISDIR ? rmdir(path) : rc;
}

PUBLIC int mkdirat(int dirfd, const char *path, mode_t mode)
{
	struct entry e;
	int rc, saved;

	pthread_mutex_lock(&lock);
	e = entry_of(dirfd, path);
	rc = (int)syscall(SYS_mkdirat, dirfd, path, mode);
	saved = errno;
	if (rc == 0)
		log_new(OP_MKDIR, 0, &e, dirfd, path);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

PUBLIC int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

PUBLIC int linkat(int dirfd, const char *from, int dirfd2, const char *to, int flags)
{
	struct entry a, b;
	uint64_t id;
	int rc, saved;

	pthread_mutex_lock(&lock);
	a = entry_of(dirfd, from);
	b = entry_of(dirfd2, to);
	id = object_at(&a, dirfd, from);
	rc = (int)syscall(SYS_linkat, dirfd, from, dirfd2, to, flags);
	saved = errno;
	if (rc == 0)
		log_new(OP_LINK, id, &b, dirfd2, to);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

PUBLIC int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}
