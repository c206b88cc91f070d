/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_limit.h"

Suite *log_limit_suite(void);

static const char a[] = "kind a", b[] = "kind b";

START_TEST(one_kind_has_a_burst_and_then_a_rate)
{
	struct hf_log_limit l = { .told_ms = 0 };
	unsigned passed = 0;

	for (int i = 0; i < 1000; i++)
		passed += hf_log_limit_pass(&l, a, 5000);
	ck_assert_uint_eq(passed, HF_LOG_LIMIT_BURST);
	/* Others are not hidden by it. */
	ck_assert(hf_log_limit_pass(&l, b, 5000));
	for (int ms = 0; ms < 10000; ms++)
		passed += hf_log_limit_pass(&l, a, 5000 + ms);
	ck_assert_uint_ge(passed, HF_LOG_LIMIT_BURST + 10 * HF_LOG_LIMIT_RATE - 1);
	ck_assert_uint_le(passed, HF_LOG_LIMIT_BURST + 10 * HF_LOG_LIMIT_RATE + 1);
}
END_TEST

START_TEST(all_kinds_together_are_no_more_than_a_hundred_in_four_seconds)
{
	static const char kinds[20][4];
	struct hf_log_limit l = { .told_ms = 0 };
	unsigned passed = 0;

	for (int ms = 0; ms < 4000; ms++)
		for (int i = 0; i < 20; i++)
			passed += hf_log_limit_pass(&l, kinds[i], 1000 + ms);
	ck_assert_uint_gt(passed, 60);
	ck_assert_uint_le(passed, 96);
}
END_TEST

START_TEST(what_was_left_out_is_told_by_kind_once_a_second)
{
	struct hf_log_limit l = { .told_ms = 0 };
	const char *kind = NULL;
	uint64_t n = 0;

	ck_assert(!hf_log_limit_left_out(&l, 1000, &kind, &n));
	for (int i = 0; i < HF_LOG_LIMIT_BURST + 7; i++)
		hf_log_limit_pass(&l, a, 1000);
	ck_assert(hf_log_limit_left_out(&l, 1000, &kind, &n));
	ck_assert_ptr_eq(kind, a);
	ck_assert_uint_eq(n, 7);
	hf_log_limit_pass(&l, a, 1000);
	ck_assert(!hf_log_limit_left_out(&l, 1999, &kind, &n));
	ck_assert(hf_log_limit_left_out(&l, 2000, &kind, &n));
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(a_flood_is_a_few_lines_and_a_number)
{
	struct hf_fake_clock clock;
	FILE *f = tmpfile();
	static char text[100000];
	unsigned lines = 0;
	ssize_t len;

	hf_fake_clock_init(&clock, 1000000, 1700000000000);
	hf_log_init(fileno(f), HF_LOG_INFO, HF_LOG_TEXT, &clock.clock);
	for (int i = 0; i < 90000; i++)
		hf_log_error("zone: 'name %d' cannot be published", i);
	hf_fake_clock_add(&clock, 5000);
	hf_log_info("something else");
	hf_log_init(STDERR_FILENO, HF_LOG_INFO, HF_LOG_TEXT, NULL);
	len = pread(fileno(f), text, sizeof(text) - 1, 0);
	fclose(f);
	ck_assert_int_gt(len, 0);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_uint_eq(lines, HF_LOG_LIMIT_BURST + 2);
	ck_assert_ptr_nonnull(strstr(text,
	    "log: 89970 lines were too many at once and left out: \"zone: 'name %d' cannot be published\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "something else\n"));
}
END_TEST

Suite *log_limit_suite(void)
{
	Suite *s = suite_create("log_limit");
	TCase *tc = tcase_create("limit");

	tcase_add_test(tc, one_kind_has_a_burst_and_then_a_rate);
	tcase_add_test(tc, all_kinds_together_are_no_more_than_a_hundred_in_four_seconds);
	tcase_add_test(tc, what_was_left_out_is_told_by_kind_once_a_second);
	tcase_add_test(tc, a_flood_is_a_few_lines_and_a_number);
	suite_add_tcase(s, tc);
	return s;
}
