/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_kit.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

void fixture_init(struct fixture *f)
{
	/* In memory, where there is such a folder: a sync costs nothing there. */
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	memset(f, 0, sizeof(*f));
	signal(SIGXFSZ, SIG_IGN);
	snprintf(f->dir, sizeof(f->dir), "%s/hf-store-XXXXXX", base);
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
	hf_fake_clock_init(&f->clock, 1000, (int64_t)FIXTURE_WALL_S * 1000);
	f->opts.clock = &f->clock.clock;
}

static void sweep(struct fixture *f, const char *but)
{
	DIR *dir = opendir(f->dir);
	struct dirent *e;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir))) {
		if ((but && strstr(e->d_name, but)) || unlinkat(dirfd(dir), e->d_name, 0) == 0)
			continue;
		unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void fixture_sweep(struct fixture *f)
{
	sweep(f, ".good");
}

void fixture_done(struct fixture *f)
{
	fixture_close(f);
	sweep(f, NULL);
	rmdir(f->dir);
}

int fixture_try_open(struct fixture *f)
{
	ck_assert_ptr_null(f->store);
	return hf_store_open(f->path, &f->opts, &f->opened, &f->store);
}

void fixture_open(struct fixture *f)
{
	int rc = fixture_try_open(f);

	ck_assert_msg(rc == 0, "open: %s: %s", hf_strerror(rc), f->opened.reason);
}

void fixture_close(struct fixture *f)
{
	hf_store_free(f->store);
	f->store = NULL;
}

const char *fixture_file(const struct fixture *f, const char *tail)
{
	static char paths[4][200];
	static unsigned at;
	char *path = paths[at++ % 4];

	snprintf(path, sizeof(paths[0]), "%s%s", f->path, tail);
	return path;
}

bool fixture_exists(const struct fixture *f, const char *tail)
{
	struct stat st;

	return lstat(fixture_file(f, tail), &st) == 0;
}

off_t fixture_size(const struct fixture *f, const char *tail)
{
	struct stat st;

	return lstat(fixture_file(f, tail), &st) == 0 ? st.st_size : -1;
}

size_t fixture_count(const struct fixture *f, const char *tail)
{
	DIR *dir = opendir(f->dir);
	char start[100];
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	snprintf(start, sizeof(start), "store.db%s", tail);
	while ((e = readdir(dir)))
		n += !strncmp(e->d_name, start, strlen(start));
	closedir(dir);
	return n;
}

void fixture_write(const struct fixture *f, const char *tail, const void *bytes, size_t len)
{
	int fd = open(fixture_file(f, tail), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(hf_file_write_all(fd, bytes, len), 0);
	close(fd);
}

void fixture_copy(const struct fixture *f, const char *from, const char *to)
{
	uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(hf_file_read(AT_FDCWD, fixture_file(f, from), 1 << 30, &bytes, &len), 0);
	fixture_write(f, to, bytes, len);
	free(bytes);
}

void fixture_crash(struct fixture *f)
{
	bool wal = fixture_exists(f, "-wal");

	fixture_copy(f, "", ".crash");
	if (wal)
		fixture_copy(f, "-wal", ".crash-wal");
	fixture_close(f);
	ck_assert_int_eq(rename(fixture_file(f, ".crash"), f->path), 0);
	if (wal)
		ck_assert_int_eq(rename(fixture_file(f, ".crash-wal"), fixture_file(f, "-wal")), 0);
}

void fixture_remove(const struct fixture *f, const char *tail)
{
	ck_assert_int_eq(unlink(fixture_file(f, tail)), 0);
}

void fixture_truncate(const struct fixture *f, const char *tail, off_t len)
{
	ck_assert_int_eq(truncate(fixture_file(f, tail), len), 0);
}

void fixture_flip(const struct fixture *f, const char *tail, off_t at, uint8_t bits)
{
	int fd = open(fixture_file(f, tail), O_RDWR | O_CLOEXEC);
	uint8_t byte;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= bits;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

off_t fixture_find(const struct fixture *f, const char *tail, const void *bytes, size_t len)
{
	const uint8_t *found;
	uint8_t *all;
	size_t n;
	off_t at;

	ck_assert_int_eq(hf_file_read(AT_FDCWD, fixture_file(f, tail), 1 << 30, &all, &n), 0);
	found = memmem(all, n, bytes, len);
	at = found ? found - all : -1;
	free(all);
	return at;
}

void fixture_sql(const struct fixture *f, const char *tail, const char *sql)
{
	char *error = NULL;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(fixture_file(f, tail), &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK, "%s", error);
	sqlite3_close(db);
}

int64_t fixture_number(const struct fixture *f, const char *tail, const char *sql)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int64_t n;

	ck_assert_int_eq(sqlite3_open(fixture_file(f, tail), &db), SQLITE_OK);
	ck_assert_msg(
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

enum hf_store_state fixture_state(const struct fixture *f)
{
	return hf_store_get_state(f->store, NULL, NULL);
}

const char *fixture_reason(const struct fixture *f)
{
	const char *reason;

	hf_store_get_state(f->store, &reason, NULL);
	return reason;
}

/* The one place that waits: for a thread, and no longer than it takes. */
static void wait_a_little(unsigned *left)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	ck_assert_msg(--*left > 0, "the thread is not done");
	nanosleep(&ms, NULL);
}

void fixture_wait_copy(const struct fixture *f)
{
	struct hf_store_stats stats;
	unsigned left = 20000;

	for (;;) {
		hf_store_get_stats(f->store, &stats);
		if (!stats.copying)
			return;
		wait_a_little(&left);
	}
}

void fixture_wait_checkpoint(const struct fixture *f, uint64_t n)
{
	struct hf_store_stats stats;
	unsigned left = 20000;

	for (;;) {
		hf_store_get_stats(f->store, &stats);
		if (stats.checkpoints >= n)
			return;
		wait_a_little(&left);
	}
}
