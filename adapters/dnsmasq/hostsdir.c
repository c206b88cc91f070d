/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/hostsdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/dnsmasq/mark.h"
#include "base/error.h"
#include "base/file.h"

/* What a file looked like when we last had to do with it. */
struct hostsdir_look {
	bool there;
	bool blocked;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct hf_hostsdir {
	const char *path;              /* borrowed */
	struct hf_record_table *table; /* borrowed */
	int dir;                       /* -1: not open */
	bool swept;
	dev_t dev;
	ino_t ino;
	struct hostsdir_look looks[HF_HOSTSDIR_FILES];
};

const char *hf_hostsdir_file_name(unsigned i, char out[static HF_HOSTSDIR_FILE_NAME_MAX])
{
	snprintf(out, HF_HOSTSDIR_FILE_NAME_MAX, "holdfast-%03x.hosts", i);
	return out;
}

int hf_hostsdir_new(
    const char *path, struct hf_record_table *table, struct hf_hostsdir **ret_shards)
{
	struct hf_hostsdir *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->path = path;
	s->table = table;
	s->dir = -1;
	*ret_shards = s;
	return 0;
}

void hf_hostsdir_free(struct hf_hostsdir *s)
{
	if (!s)
		return;
	if (s->dir >= 0)
		close(s->dir);
	free(s);
}

static int open_fault(const struct hf_hostsdir *s, int error, char *why, size_t size)
{
	const char *p = s->path;

	if (error == ENOENT)
		snprintf(why, size,
		    "the folder %s does not exist: install -d -m 0755 -o %u %s, then restart dnsmasq",
		    p, (unsigned)geteuid(), p);
	else if (error == ENOTDIR)
		snprintf(why, size, "%s is no folder", p);
	else if (error == EACCES || error == EPERM)
		snprintf(why, size, "user %u may not write into the folder %s: chown %u %s",
		    (unsigned)geteuid(), p, (unsigned)geteuid(), p);
	else
		snprintf(why, size, "the folder %s: %s", p, strerror(error));
	return -error;
}

int hf_hostsdir_open(struct hf_hostsdir *s, char *ret_why, size_t why_size)
{
	int dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0 || faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		int error = errno;

		if (dir >= 0)
			close(dir);
		return open_fault(s, error, ret_why, why_size);
	}
	if (s->dir >= 0)
		close(s->dir);
	s->dir = dir;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	memset(s->looks, 0, sizeof(s->looks));
	return 0;
}

static void hostsdir_remember(struct hostsdir_look *l, const struct stat *st)
{
	*l = (struct hostsdir_look){
		.there = true, .ino = st->st_ino, .size = st->st_size, .mtime = st->st_mtim
	};
}

/* The bytes of file i and what it looks like. 0, -ENOENT, or a code. */
static int read_shard(struct hf_hostsdir *s, unsigned i, char **ret_bytes, size_t *ret_len)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX];
	struct stat st;
	uint8_t *bytes;
	int rc;

	hf_hostsdir_file_name(i, name);
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	hostsdir_remember(&s->looks[i], &st);
	/* A symlink, a folder, a fifo, or what is larger than all that we write is not ours. */
	if (!S_ISREG(st.st_mode))
		return HF_EREFUSED;
	rc = hf_file_read(s->dir, name, HF_HOSTSDIR_FILE_BYTES_MAX, &bytes, ret_len);
	if (rc == HF_EUNSAFE || rc == HF_ELIMIT)
		return HF_EREFUSED;
	if (!rc)
		*ret_bytes = (char *)bytes;
	return rc;
}

int hf_hostsdir_load(struct hf_hostsdir *s, unsigned i)
{
	char *bytes = NULL;
	size_t len = 0, mark;
	int odd, rc = read_shard(s, i, &bytes, &len);

	if (rc == -ENOENT)
		s->looks[i] = (struct hostsdir_look){ 0 };
	if (rc == -ENOENT)
		return 0;
	if (!rc)
		rc = hf_mark_check(bytes, len, &mark);
	s->looks[i].blocked = rc == HF_EREFUSED;
	if (!rc || rc == HF_EFORMAT) {
		odd = hf_record_table_load(s->table, bytes + mark, len - mark, NULL, NULL);
		if (odd)
			rc = odd < 0 ? odd : HF_EFORMAT;
	}
	free(bytes);
	return rc ? rc : 1;
}

int hf_hostsdir_peek(const struct hf_hostsdir *s, unsigned i, struct hf_record_table *table)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX];

	return hf_mark_load(
	    s->dir, hf_hostsdir_file_name(i, name), HF_HOSTSDIR_FILE_BYTES_MAX, table);
}

/*
 * Whether something that is not ours has the name. What we wrote stays ours whatever others made
 * of it; what we have not written must begin with our mark.
 */
static int check_block(struct hf_hostsdir *s, unsigned i)
{
	struct hostsdir_look *l = &s->looks[i];
	char *bytes = NULL;
	size_t len = 0, mark;
	int rc;

	if (l->there && !l->blocked)
		return 0;
	rc = read_shard(s, i, &bytes, &len);
	if (!rc)
		rc = hf_mark_check(bytes, len, &mark);
	free(bytes);
	l->blocked = rc == HF_EREFUSED;
	return rc == HF_EFORMAT || rc == -ENOENT ? 0 : rc;
}

static int remove_shard(struct hf_hostsdir *s, unsigned i, const char *name)
{
	if (unlinkat(s->dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	s->looks[i] = (struct hostsdir_look){ 0 };
	return 0;
}

static int hostsdir_file_fill(
    int fd, const char *mark, size_t n_mark, const char *text, size_t len, struct stat *ret_st)
{
	/* dnsmasq reads as a user of its own; the umask has no say in that. */
	int rc = fchmod(fd, 0644) < 0 ? -errno : 0;

	if (!rc)
		rc = hf_file_write_all(fd, mark, n_mark);
	if (!rc)
		rc = hf_file_write_all(fd, text, len);
	if (!rc && fstat(fd, ret_st) < 0)
		rc = -errno;
	if (close(fd) < 0 && !rc)
		rc = -errno;
	return rc;
}

/* As hf_file_replace(), but durable only with hf_hostsdir_sync(): a change does not wait for it. */
static int replace_shard(
    struct hf_hostsdir *s, unsigned i, const char *name, const char *text, size_t len)
{
	char tmp[HF_HOSTSDIR_FILE_NAME_MAX + 8], mark[HF_MARK_MAX];
	size_t n_mark = hf_mark_line(text, len, mark);
	struct stat st;
	int fd, rc;

	snprintf(tmp, sizeof(tmp), ".%s.tmp", name);
	if (unlinkat(s->dir, tmp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(s->dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	rc = hostsdir_file_fill(fd, mark, n_mark, text, len, &st);
	if (!rc && renameat(s->dir, tmp, s->dir, name) < 0)
		rc = -errno;
	if (rc)
		unlinkat(s->dir, tmp, 0);
	else
		hostsdir_remember(&s->looks[i], &st);
	return rc;
}

void hf_hostsdir_sweep(struct hf_hostsdir *s)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX], tmp[HF_HOSTSDIR_FILE_NAME_MAX + 8];

	for (unsigned i = 0; i < HF_HOSTSDIR_FILES && !s->swept; i++) {
		hf_hostsdir_file_name(i, name);
		snprintf(tmp, sizeof(tmp), ".%s.tmp", name);
		unlinkat(s->dir, tmp, 0);
	}
	s->swept = true;
}

int hf_hostsdir_write(struct hf_hostsdir *s, unsigned i)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX], *text;
	size_t len;
	int rc = check_block(s, i);

	if (rc)
		return rc;
	hf_hostsdir_sweep(s);
	hf_hostsdir_file_name(i, name);
	if (!hf_record_table_bucket(s->table, i))
		return remove_shard(s, i, name);
	rc = hf_record_table_text(s->table, i, false, &text, &len);
	if (!rc) {
		rc = replace_shard(s, i, name, text, len);
		free(text);
	}
	return rc;
}

int hf_hostsdir_sync(struct hf_hostsdir *s, unsigned i)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX];
	int rc, fd;

	fd = openat(
	    s->dir, hf_hostsdir_file_name(i, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	rc = fdatasync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int hf_hostsdir_sync_folder(struct hf_hostsdir *s)
{
	return hf_file_sync_dir(s->dir);
}

bool hf_hostsdir_changed(const struct hf_hostsdir *s, unsigned i)
{
	const struct hostsdir_look *l = &s->looks[i];
	char name[HF_HOSTSDIR_FILE_NAME_MAX];
	struct stat st;

	if (fstatat(s->dir, hf_hostsdir_file_name(i, name), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return l->there;
	return !l->there || st.st_ino != l->ino || st.st_size != l->size ||
	       st.st_mtim.tv_sec != l->mtime.tv_sec || st.st_mtim.tv_nsec != l->mtime.tv_nsec;
}

bool hf_hostsdir_blocked(const struct hf_hostsdir *s, unsigned i)
{
	return s->looks[i].blocked;
}

bool hf_hostsdir_replaced(const struct hf_hostsdir *s)
{
	struct stat st;

	return stat(s->path, &st) < 0 || st.st_dev != s->dev || st.st_ino != s->ino;
}

/* As dnsmasq chooses what to read: no dot files, no backups of editors. */
static bool is_data(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && name[n - 1] != '~' && !(name[0] == '#' && name[n - 1] == '#');
}

static bool has_our_name(const struct hf_hostsdir *s, const char *name)
{
	char expected[HF_HOSTSDIR_FILE_NAME_MAX];
	unsigned i;

	if (sscanf(name, "holdfast-%3x.hosts", &i) != 1 || i >= HF_HOSTSDIR_FILES)
		return false;
	return !strcmp(name, hf_hostsdir_file_name(i, expected)) && !s->looks[i].blocked;
}

int hf_hostsdir_foreign(
    const struct hf_hostsdir *s, char ret_name[static HF_HOSTSDIR_FILE_NAME_MAX])
{
	int n = 0, fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return -error;
	}
	while ((e = readdir(d))) {
		if (!is_data(e->d_name) || has_our_name(s, e->d_name))
			continue;
		if (!n++)
			snprintf(ret_name, HF_HOSTSDIR_FILE_NAME_MAX, "%s", e->d_name);
	}
	closedir(d);
	return n;
}
