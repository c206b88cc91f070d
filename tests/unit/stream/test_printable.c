/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "bridge/stream/wire/printable.h"

Suite *printable_suite(void);

static const struct {
	const char *in;
	size_t len;
	size_t size;
	const char *want;
} rows[] = {
	{ "", 0, 16, "" },
	{ "plain text", 10, 16, "plain text" },
	{ "a\0b\n\x7f\xff", 6, 32, "a\\x00b\\x0a\\x7f\\xff" },
	{ "back\\slash", 10, 32, "back\\\\slash" },
	{ "exactly fits", 12, 13, "exactly fits" },
	{ "does not quite", 14, 14, "does not q..." },
	{ "ab\xff\xff\xff", 5, 12, "ab\\xff..." }, /* no escape is cut in two */
	{ "\xff\xff", 2, 5, "..." },
	{ "abcdef", 6, 4, "..." },
	{ "abc", 3, 4, "abc" },
};

START_TEST(bytes_become_fit_to_be_shown)
{
	char out[32];

	memset(out, '#', sizeof(out));
	ck_assert_str_eq(
	    hf_printable_copy(out, rows[_i].size, rows[_i].in, rows[_i].len), rows[_i].want);
	for (size_t i = rows[_i].size; i < sizeof(out); i++)
		ck_assert_int_eq(out[i], '#');
}
END_TEST

Suite *printable_suite(void)
{
	Suite *s = suite_create("printable");
	TCase *tc = tcase_create("clip");

	tcase_add_loop_test(tc, bytes_become_fit_to_be_shown, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
