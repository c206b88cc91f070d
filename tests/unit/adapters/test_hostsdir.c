/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/dnsmasq/mark.h"
#include "adapters/dnsmasq/hostsdir.h"
#include "base/error.h"
#include "base/file.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/tmpdir.h"

#define ADDR "fd60:627a:a42b::1"

static struct tmpdir dir;
static struct hf_record_table *table;
static struct hf_hostsdir *shards;
static unsigned at; /* the file of ADDR */
static char name[HF_HOSTSDIR_FILE_NAME_MAX];

static void setup(void)
{
	struct hf_record r = record("a.coder", ADDR, true);
	char why[200];

	tmpdir_make(&dir);
	ck_assert_int_eq(hf_record_table_new(HF_HOSTSDIR_FILES, &table), 0);
	ck_assert_int_eq(hf_hostsdir_new(dir.path, table, &shards), 0);
	ck_assert_int_eq(hf_hostsdir_open(shards, why, sizeof(why)), 0);
	at = hf_record_table_bucket_of(table, r.addr);
	hf_hostsdir_file_name(at, name);
	ck_assert_int_eq(hf_record_table_put(table, &r), 1);
}

static void teardown(void)
{
	hf_hostsdir_free(shards);
	hf_record_table_free(table);
	tmpdir_remove(&dir);
}

static void write_file(const char *text)
{
	ck_assert_int_eq(hf_file_replace(dir.fd, name, text, strlen(text), 0644), 0);
}

static char *read_file(void)
{
	uint8_t *bytes;
	size_t len;

	if (hf_file_read(dir.fd, name, 100000, &bytes, &len))
		return NULL;
	return (char *)bytes;
}

/* What a load finds, and whether a write takes its place. */
static const struct {
	const char *text; /* NULL: as it was written; %s of none */
	bool cut;         /* a part of what was written */
	int want;
	bool written;
} rows[] = {
	{ NULL, false, 1, true },
	{ NULL, true, HF_EFORMAT, true },
	{ "", false, HF_EFORMAT, true },
	{ "# Holdfast wrote", false, HF_EFORMAT, true },
	{ "127.0.0.1 theirs\n", false, HF_EREFUSED, false },
	{ "# holdfast\n", false, HF_EREFUSED, false },
};

START_TEST(ours_is_known_by_its_mark)
{
	char *before, *after;
	bool same;

	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	before = read_file();
	if (rows[_i].cut)
		before[strlen(before) - 3] = '\0';
	write_file(rows[_i].text ? rows[_i].text : before);
	free(before);
	before = read_file();
	ck_assert_int_eq(hf_hostsdir_load(shards, at), rows[_i].want);
	ck_assert_int_eq(hf_hostsdir_blocked(shards, at), !rows[_i].written);
	ck_assert_int_eq(hf_hostsdir_write(shards, at), rows[_i].written ? 0 : HF_EREFUSED);
	after = read_file();
	same = !strcmp(before, after);
	ck_assert(rows[_i].written || same);
	ck_assert(!rows[_i].written || strstr(after, ADDR " a.coder\n"));
	free(before);
	free(after);
}
END_TEST

START_TEST(zeros_of_a_power_cut_are_ours)
{
	static const char zeros[100];
	char *after;

	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	ck_assert_int_eq(hf_file_replace(dir.fd, name, zeros, sizeof(zeros), 0644), 0);
	ck_assert_int_eq(hf_hostsdir_load(shards, at), HF_EFORMAT);
	ck_assert(!hf_hostsdir_blocked(shards, at));
	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	after = read_file();
	ck_assert_ptr_nonnull(strstr(after, ADDR " a.coder\n"));
	free(after);
}
END_TEST

START_TEST(a_file_without_names_is_removed)
{
	struct hf_record r = record("a.coder", ADDR, true);

	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	ck_assert(!hf_hostsdir_changed(shards, at));
	hf_record_table_del(table, hf_record_table_find(table, &r.name));
	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	ck_assert_ptr_null(read_file());
	ck_assert(!hf_hostsdir_changed(shards, at));
	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
}
END_TEST

START_TEST(a_change_by_others_is_seen)
{
	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	write_file("x");
	ck_assert(hf_hostsdir_changed(shards, at));
	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	ck_assert(!hf_hostsdir_changed(shards, at));
	ck_assert_int_eq(unlinkat(dir.fd, name, 0), 0);
	ck_assert(hf_hostsdir_changed(shards, at));
}
END_TEST

/* It was written, removed, and somebody put it back: that is seen, and changes nothing. */
START_TEST(a_peek_shows_what_came_back)
{
	struct hf_record r = record("a.coder", ADDR, true);
	struct hf_record_table *there;
	char *old;

	ck_assert_int_eq(hf_record_table_new(1, &there), 0);
	ck_assert_int_eq(hf_hostsdir_peek(shards, at, there), 0);
	ck_assert_uint_eq(hf_record_table_count(there), 0);
	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	old = read_file();
	hf_record_table_del(table, hf_record_table_find(table, &r.name));
	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	write_file(old);
	ck_assert_int_eq(hf_hostsdir_peek(shards, at, there), 0);
	ck_assert_ptr_nonnull(hf_record_table_find_addr(there, &r.name, r.addr));
	ck_assert(hf_hostsdir_changed(shards, at));
	write_file(ADDR " b.coder\n"); /* not ours */
	ck_assert_int_eq(hf_hostsdir_peek(shards, at, there), 0);
	ck_assert_uint_eq(hf_record_table_count(there), 1);
	free(old);
	hf_record_table_free(there);
}
END_TEST

START_TEST(a_symlink_is_neither_followed_nor_replaced)
{
	char there[TMPDIR_MAX + 8];
	struct stat st;

	snprintf(there, sizeof(there), "%s/there", dir.path);
	ck_assert_int_eq(symlinkat(there, dir.fd, name), 0);
	ck_assert_int_eq(hf_hostsdir_load(shards, at), HF_EREFUSED);
	ck_assert_int_eq(hf_hostsdir_write(shards, at), HF_EREFUSED);
	ck_assert_int_eq(fstatat(dir.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_ne(access(there, F_OK), 0);
}
END_TEST

START_TEST(what_a_killed_run_left_goes_and_nothing_else)
{
	static const char *const ours[] = { ".holdfast-000.hosts.tmp", ".holdfast-3ff.hosts.tmp" };
	static const char *const theirs[] = { ".holdfast-400.hosts.tmp", ".holdfast-0.hosts.tmp",
		".other.tmp", "holdfast-001.hosts.tmp", ".holdfast-001.hosts" };

	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(hf_file_replace(dir.fd, ours[i], "", 0, 0644), 0);
	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		ck_assert_int_eq(hf_file_replace(dir.fd, theirs[i], "", 0, 0644), 0);
	hf_hostsdir_sweep(shards);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_lt(faccessat(dir.fd, ours[i], F_OK, 0), 0);
	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		ck_assert_int_eq(faccessat(dir.fd, theirs[i], F_OK, 0), 0);
}
END_TEST

START_TEST(files_of_others_are_counted)
{
	static const char *const theirs[] = { "printer", "holdfast-400.hosts", "holdfast-0.hosts",
		"Holdfast-001.hosts", "holdfast-001.hosts.bak" };
	static const char *const unread[] = { ".dot", "backup~", "#editor#" };
	char first[HF_HOSTSDIR_FILE_NAME_MAX];

	ck_assert_int_eq(hf_hostsdir_write(shards, at), 0);
	ck_assert_int_eq(hf_hostsdir_foreign(shards, first), 0);
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++)
		ck_assert_int_eq(hf_file_replace(dir.fd, unread[i], "", 0, 0644), 0);
	ck_assert_int_eq(hf_hostsdir_foreign(shards, first), 0);
	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		ck_assert_int_eq(hf_file_replace(dir.fd, theirs[i], "", 0, 0644), 0);
	ck_assert_int_eq(
	    hf_hostsdir_foreign(shards, first), (int)(sizeof(theirs) / sizeof(theirs[0])));
}
END_TEST

START_TEST(a_replaced_folder_is_noticed)
{
	char old[TMPDIR_MAX + 8], why[200];

	snprintf(old, sizeof(old), "%s.old", dir.path);
	ck_assert(!hf_hostsdir_replaced(shards));
	ck_assert_int_eq(rename(dir.path, old), 0);
	ck_assert(hf_hostsdir_replaced(shards));
	ck_assert_int_eq(hf_hostsdir_open(shards, why, sizeof(why)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "install -d"));
	ck_assert_int_eq(mkdir(dir.path, 0755), 0);
	ck_assert(hf_hostsdir_replaced(shards));
	ck_assert_int_eq(hf_hostsdir_open(shards, why, sizeof(why)), 0);
	ck_assert(!hf_hostsdir_replaced(shards));
	ck_assert_int_eq(rmdir(old), 0);
}
END_TEST

Suite *hostsdir_suite(void);

Suite *hostsdir_suite(void)
{
	Suite *s = suite_create("hostsdir");
	TCase *tc = tcase_create("shards");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, ours_is_known_by_its_mark, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, zeros_of_a_power_cut_are_ours);
	tcase_add_test(tc, a_file_without_names_is_removed);
	tcase_add_test(tc, a_change_by_others_is_seen);
	tcase_add_test(tc, a_peek_shows_what_came_back);
	tcase_add_test(tc, a_symlink_is_neither_followed_nor_replaced);
	tcase_add_test(tc, what_a_killed_run_left_goes_and_nothing_else);
	tcase_add_test(tc, files_of_others_are_counted);
	tcase_add_test(tc, a_replaced_folder_is_noticed);
	suite_add_tcase(s, tc);
	return s;
}
