/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/mark.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/record_table.h"
#include "base/error.h"
#include "base/file.h"
#include "tests/unit/tmpdir.h"

Suite *mark_suite(void);

static const char lines[] = "fd60:627a:a42b::1 a.coder\n";

/* Where a byte of a marked file is another one, or all from there on is missing. */
START_TEST(each_byte_counts)
{
	char whole[HF_MARK_MAX + sizeof(lines)], other[sizeof(whole)];
	size_t n = hf_mark_line(lines, sizeof(lines) - 1, whole), len, mark;

	memcpy(whole + n, lines, sizeof(lines));
	len = n + sizeof(lines) - 1;
	ck_assert_int_eq(hf_mark_check(whole, len, &mark), 0);
	ck_assert_uint_eq(mark, n);
	for (size_t i = 0; i < len; i++) {
		memcpy(other, whole, len);
		other[i] ^= 1;
		ck_assert_int_lt(hf_mark_check(other, len, &mark), 0);
		ck_assert_int_eq(hf_mark_check(whole, i, &mark), HF_EFORMAT);
		ck_assert_uint_le(mark, i);
	}
}
END_TEST

static const struct {
	const char *text;
	int want;
} rows[] = { { "", HF_EFORMAT }, { "x", HF_EREFUSED }, { "# Holdfast", HF_EFORMAT },
	{ "# holdfast", HF_EREFUSED }, { "127.0.0.1 localhost\n", HF_EREFUSED } };

START_TEST(what_does_not_begin_with_it_is_not_ours)
{
	size_t mark;

	ck_assert_int_eq(hf_mark_check(rows[_i].text, strlen(rows[_i].text), &mark), rows[_i].want);
}
END_TEST

START_TEST(records_of_a_file_of_ours_alone_are_loaded)
{
	char whole[HF_MARK_MAX + sizeof(lines)];
	size_t n = hf_mark_line("", 0, whole); /* another sum: others have edited it */
	struct hf_record_table *table;
	struct tmpdir dir;

	tmpdir_make(&dir);
	ck_assert_int_eq(hf_record_table_new(1, &table), 0);
	ck_assert_int_eq(hf_mark_load(dir.fd, "x", 1000, table), 0);
	ck_assert_int_eq(hf_file_replace(dir.fd, "x", lines, sizeof(lines) - 1, 0644), 0);
	ck_assert_int_eq(hf_mark_load(dir.fd, "x", 1000, table), 0);
	ck_assert_uint_eq(hf_record_table_count(table), 0);
	memcpy(whole + n, lines, sizeof(lines));
	ck_assert_int_eq(hf_file_replace(dir.fd, "x", whole, n + sizeof(lines) - 1, 0644), 0);
	ck_assert_int_eq(hf_mark_load(dir.fd, "x", 10, table), 0); /* too large to be ours */
	ck_assert_uint_eq(hf_record_table_count(table), 0);
	ck_assert_int_eq(hf_mark_load(dir.fd, "x", 1000, table), 0);
	ck_assert_uint_eq(hf_record_table_count(table), 1);
	hf_record_table_free(table);
	tmpdir_remove(&dir);
}
END_TEST

Suite *mark_suite(void)
{
	Suite *s = suite_create("mark");
	TCase *tc = tcase_create("mark");

	tcase_add_test(tc, each_byte_counts);
	tcase_add_loop_test(
	    tc, what_does_not_begin_with_it_is_not_ours, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, records_of_a_file_of_ours_alone_are_loaded);
	suite_add_tcase(s, tc);
	return s;
}
