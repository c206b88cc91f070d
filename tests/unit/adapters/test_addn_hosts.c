/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/addn_hosts.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/tmpdir.h"

Suite *addn_hosts_suite(void);

#define ADDR(n) "fd60:627a:a42b::" #n

static struct tmpdir dir;
static char path[TMPDIR_MAX + 8], why[200];
static struct hf_record_table *table;
static struct hf_addn_hosts *file;

static void setup(void)
{
	struct hf_record r = record("a.coder", ADDR(1), true);

	tmpdir_make(&dir);
	tmpdir_path(&dir, "names", path, sizeof(path));
	ck_assert_int_eq(hf_record_table_new(1, &table), 0);
	ck_assert_int_eq(hf_record_table_put(table, &r), 1);
	ck_assert_int_eq(hf_addn_hosts_new(path, table, &file), 0);
	ck_assert_int_eq(hf_addn_hosts_open(file, why, sizeof(why)), 0);
}

static void teardown(void)
{
	hf_addn_hosts_free(file);
	hf_record_table_free(table);
	tmpdir_remove(&dir);
}

static void replace(const char *text)
{
	ck_assert_int_eq(hf_file_replace(dir.fd, "names", text, strlen(text), 0644), 0);
}

static bool is_there(const char *part)
{
	uint8_t *bytes;
	size_t len;
	bool found;

	if (hf_file_read(dir.fd, "names", 10000, &bytes, &len))
		return false;
	found = memmem(bytes, len, part, strlen(part)) != NULL;
	free(bytes);
	return found;
}

START_TEST(it_is_written_read_and_known_again)
{
	struct stat st;

	ck_assert_int_eq(hf_addn_hosts_load(file), 0); /* there is none */
	ck_assert_int_eq(hf_addn_hosts_write(file), 0);
	ck_assert(is_there(ADDR(1) " a.coder\n") && !hf_addn_hosts_changed(file));
	ck_assert(!stat(path, &st) && (st.st_mode & 0777) == 0644);
	hf_record_table_clear(table);
	ck_assert_int_eq(hf_addn_hosts_load(file), 1);
	ck_assert_uint_eq(hf_record_table_count(table), 1);
	/* Without names it stays: dnsmasq expects it. */
	hf_record_table_clear(table);
	ck_assert_int_eq(hf_addn_hosts_write(file), 0);
	ck_assert(is_there("# Holdfast wrote") && !is_there("a.coder"));
}
END_TEST

/* What a load finds, and whether a write takes its place. */
static const struct {
	const char *text;
	int want;
	bool written;
} rows[] = {
	{ "", HF_EFORMAT, true },
	{ "# Holdfast wrote", HF_EFORMAT, true },
	{ "10.0.0.1 theirs\n", HF_EREFUSED, false },
	{ "# mine\n", HF_EREFUSED, false },
};

START_TEST(a_file_of_others_is_not_written_over)
{
	replace(rows[_i].text);
	ck_assert_int_eq(hf_addn_hosts_load(file), rows[_i].want);
	ck_assert_int_eq(hf_addn_hosts_write(file), rows[_i].written ? 0 : HF_EREFUSED);
	ck_assert_int_eq(is_there(" a.coder\n"), rows[_i].written);
}
END_TEST

START_TEST(what_others_change_is_seen_and_peeked_at)
{
	struct hf_record_table *there;
	struct hf_record b = record("b.coder", ADDR(2), true);
	uint8_t *old;
	char *text;
	size_t len;

	ck_assert_int_eq(hf_record_table_new(1, &there), 0);
	ck_assert_int_eq(hf_addn_hosts_peek(file, there), 0);
	ck_assert_int_eq(hf_record_table_put(table, &b), 1);
	ck_assert_int_eq(hf_addn_hosts_write(file), 0);
	ck_assert_int_eq(hf_file_read(dir.fd, "names", 10000, &old, &len), 0);
	text = strndup((char *)old, len);
	hf_record_table_del(table, hf_record_table_find(table, &b.name));
	ck_assert_int_eq(hf_addn_hosts_write(file), 0);
	ck_assert(!hf_addn_hosts_changed(file));
	replace(text); /* out of a backup */
	ck_assert(hf_addn_hosts_changed(file));
	ck_assert_int_eq(hf_addn_hosts_peek(file, there), 0);
	ck_assert_uint_eq(hf_record_table_count(there), 2);
	ck_assert_uint_eq(hf_record_table_count(table), 1);
	ck_assert_int_eq(unlinkat(dir.fd, "names", 0), 0);
	ck_assert(hf_addn_hosts_changed(file));
	ck_assert_int_eq(hf_addn_hosts_write(file), 0);
	ck_assert(!is_there("b.coder"));
	free(text);
	free(old);
	hf_record_table_free(there);
}
END_TEST

START_TEST(a_symlink_is_neither_followed_nor_replaced)
{
	struct stat st;

	ck_assert_int_eq(symlinkat("elsewhere", dir.fd, "names"), 0);
	ck_assert_int_eq(hf_addn_hosts_write(file), HF_EREFUSED);
	ck_assert(!fstatat(dir.fd, "names", &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode));
	ck_assert_int_lt(faccessat(dir.fd, "elsewhere", F_OK, 0), 0);
}
END_TEST

START_TEST(what_a_killed_run_left_goes)
{
	ck_assert_int_eq(hf_file_replace(dir.fd, ".names.tmp", "x", 1, 0644), 0);
	hf_addn_hosts_sweep(file);
	ck_assert_int_lt(faccessat(dir.fd, ".names.tmp", F_OK, 0), 0);
}
END_TEST

START_TEST(a_missing_folder_says_what_makes_it)
{
	struct hf_addn_hosts *other;

	ck_assert_int_eq(hf_addn_hosts_new("/no/such/names", table, &other), 0);
	ck_assert_int_eq(hf_addn_hosts_open(other, why, sizeof(why)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "install -d"));
	hf_addn_hosts_free(other);
}
END_TEST

Suite *addn_hosts_suite(void)
{
	Suite *s = suite_create("addn_hosts");
	TCase *tc = tcase_create("file");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_is_written_read_and_known_again);
	tcase_add_loop_test(
	    tc, a_file_of_others_is_not_written_over, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, what_others_change_is_seen_and_peeked_at);
	tcase_add_test(tc, a_symlink_is_neither_followed_nor_replaced);
	tcase_add_test(tc, what_a_killed_run_left_goes);
	tcase_add_test(tc, a_missing_folder_says_what_makes_it);
	suite_add_tcase(s, tc);
	return s;
}
