/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"

Suite *error_suite(void);

START_TEST(every_own_code_has_a_name_and_a_text_of_its_own)
{
	for (int code = HF_EBASE - 1; code > HF_ELAST; code--) {
		const char *name = hf_errname(code), *text = hf_strerror(code);

		ck_assert_ptr_nonnull(name);
		ck_assert_ptr_nonnull(text);
		ck_assert_msg(!strncmp(name, "HF_E", 4), "%d is called %s", code, name);
		ck_assert_str_ne(text, hf_strerror(HF_EBASE));
		ck_assert_str_ne(text, "");
		for (int other = HF_EBASE - 1; other > code; other--) {
			ck_assert_str_ne(name, hf_errname(other));
			ck_assert_str_ne(text, hf_strerror(other));
		}
	}
}
END_TEST

static const struct {
	int code;
	const char *name;
	const char *text;
} rows[] = {
	{ 0, "OK", "success" },
	{ 7, "OK", "success" },
	{ INT_MAX, "OK", "success" },
	{ -ENOENT, "ENOENT", "No such file or directory" },
	{ -EINVAL, "EINVAL", "Invalid argument" },
	{ HF_EFORMAT, "HF_EFORMAT", "not in the expected form" },
	{ HF_ECONFIG, "HF_ECONFIG", "the configuration is not usable" },
	/* No codes: between errno and ours, ours' both ends, and far away. */
	{ -999, "EUNKNOWN", "unknown error" },
	{ HF_EBASE, "EUNKNOWN", "unknown error" },
	{ HF_ELAST, "EUNKNOWN", "unknown error" },
	{ HF_ELAST - 1, "EUNKNOWN", "unknown error" },
	{ INT_MIN, "EUNKNOWN", "unknown error" },
};

START_TEST(code_is_told_by_name_and_text)
{
	ck_assert_str_eq(hf_errname(rows[_i].code), rows[_i].name);
	ck_assert_str_eq(hf_strerror(rows[_i].code), rows[_i].text);
}
END_TEST

Suite *error_suite(void)
{
	Suite *s = suite_create("error");
	TCase *tc = tcase_create("codes");

	tcase_add_test(tc, every_own_code_has_a_name_and_a_text_of_its_own);
	tcase_add_loop_test(tc, code_is_told_by_name_and_text, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
