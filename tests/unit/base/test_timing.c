/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <time.h>

#include "base/timing.h"

Suite *timing_suite(void);

static const struct {
	int64_t us;
	time_t s;
	long rest_us;
} waits[] = {
	{ 0, 0, 0 }, { 1000, 0, 1000 }, { 999000, 0, 999000 }, { 1000000, 1, 0 },
	{ 61001000, 61, 1000 },
	{ INT64_C(30) * 86400 * 1000000 + 5000, 30 * 86400, 5000 }, /* more than 32 bits of ms */
};

START_TEST(a_wait_is_seconds_and_a_rest)
{
	struct timeval of_us = hf_time_of_us(waits[_i].us),
		       of_ms = hf_time_of_ms(waits[_i].us / 1000);

	ck_assert_int_eq(of_us.tv_sec, waits[_i].s);
	ck_assert_int_eq(of_us.tv_usec, waits[_i].rest_us);
	ck_assert_int_eq(of_ms.tv_sec, waits[_i].s);
	ck_assert_int_eq(of_ms.tv_usec, waits[_i].rest_us);
}
END_TEST

START_TEST(less_than_a_millisecond_is_kept)
{
	ck_assert_int_eq(hf_time_of_us(1000001).tv_usec, 1);
}
END_TEST

START_TEST(now_lies_between_two_looks_at_the_clock)
{
	struct timespec before, after;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &before);
	now = hf_time_now_us();
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_ge(now, (int64_t)before.tv_sec * 1000000 + before.tv_nsec / 1000);
	ck_assert_int_le(now, (int64_t)after.tv_sec * 1000000 + after.tv_nsec / 1000);
}
END_TEST

START_TEST(the_sooner_is_the_smaller)
{
	ck_assert_int_eq(hf_time_sooner(1, 2), 1);
	ck_assert_int_eq(hf_time_sooner(2, 1), 1);
	ck_assert_int_eq(hf_time_sooner(-1, 0), -1);
}
END_TEST

Suite *timing_suite(void)
{
	Suite *s = suite_create("timing");
	TCase *tc = tcase_create("timing");

	tcase_add_loop_test(tc, a_wait_is_seconds_and_a_rest, 0, sizeof(waits) / sizeof(waits[0]));
	tcase_add_test(tc, less_than_a_millisecond_is_kept);
	tcase_add_test(tc, now_lies_between_two_looks_at_the_clock);
	tcase_add_test(tc, the_sooner_is_the_smaller);
	suite_add_tcase(s, tc);
	return s;
}
