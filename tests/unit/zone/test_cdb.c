/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/support/zone_look.h"
#include "zone/cdb_in.h"
#include "zone/cdb_out.h"
#include "zone/writer_folder.h"

Suite *cdb_suite(void);

enum { RECORDS = 700, LONG_RECORD = 300, LONG_LEN = 2000 };

static char path[64];
static struct hf_folder folder;
static struct hf_fmt_file file;

static size_t key_of(unsigned i, uint8_t *ret_key)
{
	return (size_t)snprintf((char *)ret_key, 32, "key-%u", i);
}

/* Lengths of all kinds; one is longer than what is read at once. */
static size_t value_of(unsigned i, uint8_t *ret_value)
{
	size_t len = i == LONG_RECORD ? LONG_LEN : 1 + i % 300;

	memset(ret_value, (int)i, len);
	return len;
}

static void setup(void)
{
	struct hf_cdb_out *out;
	uint8_t key[32], value[LONG_LEN];

	hf_zone_look_make_folder(path, sizeof(path));
	ck_assert_int_eq(hf_folder_open(path, &folder), 0);
	ck_assert_int_eq(hf_cdb_out_begin(&folder, "base-1.cdb", HF_CDB_SIZE_MAX, &out), 0);
	for (unsigned i = 0; i < RECORDS; i++) {
		size_t key_len = key_of(i, key), value_len = value_of(i, value);

		ck_assert_int_eq(hf_cdb_out_add(out, key, key_len, value, value_len), 0);
	}
	ck_assert_int_eq(hf_cdb_out_commit(out, &file), 0);
}

static void teardown(void)
{
	hf_folder_close(&folder);
	hf_zone_look_remove_folder(path);
}

static struct hf_cdb_in *open_it(bool check)
{
	struct hf_cdb_in *c = NULL;

	ck_assert_int_eq(hf_cdb_in_open(folder.fd, &file, check, &c), 0);
	return c;
}

START_TEST(every_record_is_found_with_its_value)
{
	struct hf_cdb_in *c = open_it(true);
	uint8_t key[32], want[LONG_LEN], got[LONG_LEN];

	for (unsigned i = 0; i < RECORDS; i++) {
		size_t key_len = key_of(i, key), len = value_of(i, want);

		ck_assert_int_eq(hf_cdb_in_find(c, key, key_len, got, sizeof(got)), (int)len);
		ck_assert(!memcmp(got, want, len));
		ck_assert_int_eq(hf_cdb_in_find(c, key, key_len, got, len - 1), HF_EDAMAGED);
	}
	for (unsigned i = RECORDS; i < 3 * RECORDS; i++)
		ck_assert_int_eq(hf_cdb_in_find(c, key, key_of(i, key), got, sizeof(got)), 0);
	hf_cdb_in_free(c);
}
END_TEST

static int count_record(
    const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *arg)
{
	unsigned *n = arg;
	uint8_t want[LONG_LEN], want_key[32];

	/* In the order in which they were added. */
	ck_assert(key_len == key_of(*n, want_key) && !memcmp(key, want_key, key_len));
	ck_assert(value_len == value_of(*n, want) && !memcmp(value, want, value_len));
	return ++*n == 2 * RECORDS;
}

START_TEST(walk_sees_every_record_once)
{
	struct hf_cdb_in *c = open_it(false);
	unsigned n = 0;

	ck_assert_int_eq(hf_cdb_in_walk(c, count_record, &n), 0);
	ck_assert_uint_eq(n, RECORDS);
	hf_cdb_in_free(c);
}
END_TEST

static int stop_at_once(
    const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *arg)
{
	return 5;
}

START_TEST(walk_ends_when_it_is_told_to)
{
	struct hf_cdb_in *c = open_it(false);

	ck_assert_int_eq(hf_cdb_in_walk(c, stop_at_once, NULL), 5);
	hf_cdb_in_free(c);
}
END_TEST

static int ignore(
    const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *arg)
{
	return 0;
}

/* Everywhere in the file: the table of contents, records, tables. */
START_TEST(no_change_on_disk_goes_unnoticed_by_a_walk_or_crashes_a_lookup)
{
	struct hf_cdb_in *c = open_it(true), *again;
	int fd = openat(folder.fd, file.name, O_RDWR);
	uint8_t key[32], got[LONG_LEN];
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	for (off_t at = _i; at < st.st_size; at += 97) {
		uint8_t was, now;

		ck_assert_int_eq(pread(fd, &was, 1, at), 1);
		now = was ^ (uint8_t)(1 << at % 8);
		ck_assert_int_eq(pwrite(fd, &now, 1, at), 1);
		ck_assert_int_lt(hf_cdb_in_walk(c, ignore, NULL), 0);
		ck_assert_int_eq(hf_cdb_in_open(folder.fd, &file, true, &again), HF_ECHECKSUM);
		hf_cdb_in_find(c, key, key_of((unsigned)at % RECORDS, key), got, sizeof(got));
		ck_assert_int_eq(pwrite(fd, &was, 1, at), 1);
	}
	ck_assert_int_eq(hf_cdb_in_walk(c, ignore, NULL), 0);
	close(fd);
	hf_cdb_in_free(c);
}
END_TEST

START_TEST(file_that_is_cut_while_it_is_open_is_damaged)
{
	struct hf_cdb_in *c = open_it(true), *again;
	uint8_t key[32], got[LONG_LEN];
	int fd = openat(folder.fd, file.name, O_RDWR), rc = 0;

	for (off_t size = (off_t)file.size - 1; size > 0; size -= 1 + size / 3) {
		ck_assert_int_eq(ftruncate(fd, size), 0);
		ck_assert_int_eq(hf_cdb_in_walk(c, ignore, NULL), HF_EDAMAGED);
		for (unsigned i = 0; i < RECORDS; i++)
			rc = hf_cdb_in_find(c, key, key_of(i, key), got, sizeof(got));
		ck_assert_int_eq(hf_cdb_in_open(folder.fd, &file, false, &again), HF_EDAMAGED);
		ck_assert(!hf_cdb_in_intact(c, folder.fd));
	}
	ck_assert_int_eq(rc, HF_EDAMAGED);
	close(fd);
	hf_cdb_in_free(c);
}
END_TEST

START_TEST(file_under_another_name_or_none_is_not_intact)
{
	struct hf_cdb_in *c = open_it(false), *none;
	uint8_t key[32], got[LONG_LEN];

	ck_assert(hf_cdb_in_intact(c, folder.fd));
	ck_assert_int_eq(renameat(folder.fd, file.name, folder.fd, "other"), 0);
	ck_assert(!hf_cdb_in_intact(c, folder.fd));
	ck_assert_int_eq(hf_cdb_in_open(folder.fd, &file, false, &none), -ENOENT);
	ck_assert_int_eq(symlinkat("other", folder.fd, file.name), 0);
	ck_assert(!hf_cdb_in_intact(c, folder.fd));
	ck_assert_int_eq(hf_cdb_in_open(folder.fd, &file, false, &none), HF_EUNSAFE);
	/* What is open goes on. */
	ck_assert_int_gt(hf_cdb_in_find(c, key, key_of(3, key), got, sizeof(got)), 0);
	hf_cdb_in_free(c);
}
END_TEST

START_TEST(file_over_its_limit_is_refused_at_the_record_that_is_too_much)
{
	struct hf_cdb_out *out;
	uint8_t value[100] = { 1 };
	struct hf_fmt_file made;
	struct stat st;

	/* The table of contents and three records. */
	ck_assert_int_eq(hf_cdb_out_begin(&folder, "base-2.cdb",
			     2048 + 3 * (1 + 100 + HF_CDB_RECORD_COST), &out),
	    0);
	for (uint8_t i = 0; i < 3; i++)
		ck_assert_int_eq(hf_cdb_out_add(out, &i, 1, value, sizeof(value)), 0);
	ck_assert_int_eq(hf_cdb_out_add(out, (const uint8_t *)"x", 1, value, 1), HF_ELIMIT);
	ck_assert_int_eq(hf_cdb_out_commit(out, &made), 0);
	ck_assert_int_eq(fstatat(folder.fd, made.name, &st, 0), 0);
	ck_assert_int_eq(st.st_size, 2048 + 3 * (1 + 100 + HF_CDB_RECORD_COST));
	ck_assert_uint_eq(made.size, (uint64_t)st.st_size);
}
END_TEST

START_TEST(file_that_is_given_up_leaves_nothing)
{
	struct hf_cdb_out *out;

	ck_assert_int_eq(hf_cdb_out_begin(&folder, "base-2.cdb", HF_CDB_SIZE_MAX, &out), 0);
	ck_assert_uint_eq(hf_zone_look_n_files(folder.fd), 2);
	hf_cdb_out_abort(out);
	hf_cdb_out_abort(NULL);
	ck_assert_uint_eq(hf_zone_look_n_files(folder.fd), 1);
}
END_TEST

/*
 * Wherever the disk is full. The answers come after the limit: Check writes to a file of its own.
 */
START_TEST(file_that_cannot_grow_is_an_error_and_leaves_nothing)
{
	struct rlimit limit = { .rlim_cur = 100 + 2000 * (rlim_t)_i, .rlim_max = RLIM_INFINITY };
	struct hf_cdb_out *out;
	struct hf_fmt_file made;
	uint8_t key[32], value[LONG_LEN];
	int rc = 0;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(hf_cdb_out_begin(&folder, "base-2.cdb", HF_CDB_SIZE_MAX, &out), 0);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (unsigned i = 0; !rc && i < 100; i++)
		rc = hf_cdb_out_add(out, key, key_of(i, key), value, value_of(i, value));
	if (rc)
		hf_cdb_out_abort(out);
	else
		rc = hf_cdb_out_commit(out, &made);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(rc, -EFBIG);
	ck_assert_uint_eq(hf_zone_look_n_files(folder.fd), 1);
}
END_TEST

Suite *cdb_suite(void)
{
	Suite *s = suite_create("cdb");
	TCase *tc = tcase_create("in");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_record_is_found_with_its_value);
	tcase_add_test(tc, walk_sees_every_record_once);
	tcase_add_test(tc, walk_ends_when_it_is_told_to);
	tcase_add_loop_test(
	    tc, no_change_on_disk_goes_unnoticed_by_a_walk_or_crashes_a_lookup, 0, 2);
	tcase_add_test(tc, file_that_is_cut_while_it_is_open_is_damaged);
	tcase_add_test(tc, file_under_another_name_or_none_is_not_intact);
	suite_add_tcase(s, tc);
	tc = tcase_create("out");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, file_over_its_limit_is_refused_at_the_record_that_is_too_much);
	tcase_add_test(tc, file_that_is_given_up_leaves_nothing);
	tcase_add_loop_test(tc, file_that_cannot_grow_is_an_error_and_leaves_nothing, 0, 5);
	suite_add_tcase(s, tc);
	return s;
}
