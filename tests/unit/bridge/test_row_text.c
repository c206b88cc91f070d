/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "bridge/ctl/row_text.h"

Suite *row_text_suite(void);

START_TEST(what_a_row_lacks_is_what_the_caller_says_or_0)
{
	json_t *row = json_loads("{\"n\":-7000000000,\"t\":\"a text\",\"none\":null}", 0, NULL);

	ck_assert_int_eq(hf_ctl_row_number(row, "n"), -7000000000LL);
	ck_assert_int_eq(hf_ctl_row_number(row, "t"), 0);
	ck_assert_int_eq(hf_ctl_row_number(row, "missing"), 0);
	ck_assert_int_eq(hf_ctl_row_number(NULL, "n"), 0);
	ck_assert_str_eq(hf_ctl_row_text(row, "t", "?"), "a text");
	ck_assert_str_eq(hf_ctl_row_text(row, "n", "?"), "?");
	ck_assert_str_eq(hf_ctl_row_text(row, "none", "?"), "?");
	ck_assert_ptr_null(hf_ctl_row_text(NULL, "t", NULL));
	json_decref(row);
}
END_TEST

static const struct {
	int64_t seconds;
	const char *want;
} ages[] = { { -5, "0 s" }, { 0, "0 s" }, { 119, "119 s" }, { 120, "2 min" }, { 7199, "119 min" },
	{ 7200, "2 h" }, { 172799, "47 h" }, { 172800, "2 d" } };

START_TEST(an_age_has_the_unit_that_fits)
{
	char out[HF_AGE_MAX];

	ck_assert_str_eq(hf_ctl_age_text(ages[_i].seconds, out), ages[_i].want);
}
END_TEST

/* now is 2026-11-21T12:00:00Z */
static const struct {
	const char *time;
	const char *want;
} whens[] = { { NULL, "never" }, { "nonsense", "never" },
	{ "2026-11-21T09:30:00Z", "09:30 (2 h ago)" },
	{ "2026-11-21T12:00:30Z", "12:00 (in 30 s)" },
	{ "2026-11-11T12:00:00Z", "2026-11-11 12:00 (10 d ago)" } };

START_TEST(a_time_is_shown_as_clock_and_age)
{
	json_t *time = whens[_i].time ? json_string(whens[_i].time) : json_null();
	char out[HF_WHEN_MAX];

	setenv("TZ", "UTC", 1);
	ck_assert_str_eq(hf_ctl_when_text(time, 1795262400, out), whens[_i].want);
	json_decref(time);
}
END_TEST

Suite *row_text_suite(void)
{
	Suite *s = suite_create("row_text");
	TCase *tc = tcase_create("texts");

	tcase_add_test(tc, what_a_row_lacks_is_what_the_caller_says_or_0);
	tcase_add_loop_test(tc, an_age_has_the_unit_that_fits, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_loop_test(
	    tc, a_time_is_shown_as_clock_and_age, 0, sizeof(whens) / sizeof(whens[0]));
	suite_add_tcase(s, tc);
	return s;
}
