/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "config/config_errors.h"
#include "tests/unit/config/config_kit.h"

Suite *config_errors_suite(void);

static const struct {
	const char *text;
	size_t size;
	const char *want;
} rows[] = {
	{ "abc", 10, "abc" },
	{ "a\x1b[1mb\n", 20, "a?[1mb?" },
	{ "\xc3\xbc\xff", 20, "???" },
	{ "abcdefghij", 11, "abcdefghij" },
	{ "abcdefghijk", 11, "abcdefg..." },
	{ "abcdef", 4, "abc" },
	{ "", 1, "" },
};

START_TEST(text_from_outside_comes_out_printable)
{
	char out[64];

	ck_assert_str_eq(
	    hf_config_errors_printable(rows[_i].text, out, rows[_i].size), rows[_i].want);
}
END_TEST

static const struct {
	unsigned line;
	unsigned column;
	const char *path;
	const char *want;
} lines[] = {
	{ 3, 7, "a.b", "x.yaml:3:7: a.b: no" },
	{ 0, 0, "a.b", "x.yaml: a.b: no" },
	{ 3, 7, "", "x.yaml:3:7: no" },
	{ 0, 0, "", "x.yaml: no" },
};

START_TEST(a_line_says_what_it_knows)
{
	struct hf_config_errors e;
	char text[100];

	hf_config_errors_init(&e, "x.yaml");
	hf_config_errors_add(&e, lines[_i].line, lines[_i].column, lines[_i].path, "%s", "no");
	ck_assert_str_eq(hf_config_error_text(&e, 0, text, sizeof(text)), lines[_i].want);
}
END_TEST

START_TEST(lines_come_in_the_order_of_the_file)
{
	struct hf_config_errors e;

	hf_config_errors_init(&e, "x");
	hf_config_errors_add(&e, 5, 1, "d", "x");
	hf_config_errors_add(&e, 2, 9, "c", "x");
	hf_config_errors_add(&e, 2, 3, "b", "x");
	hf_config_errors_add(&e, 0, 0, "a", "x");
	hf_config_errors_add(&e, 5, 1, "e", "x");
	hf_config_errors_sort(&e);
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(e.at[i].path[0], "abcde"[i]);
}
END_TEST

Suite *config_errors_suite(void)
{
	Suite *s = suite_create("config_errors");
	TCase *tc = tcase_create("lines");

	tcase_add_loop_test(tc, text_from_outside_comes_out_printable, 0, N(rows));
	tcase_add_loop_test(tc, a_line_says_what_it_knows, 0, N(lines));
	tcase_add_test(tc, lines_come_in_the_order_of_the_file);
	suite_add_tcase(s, tc);
	return s;
}
