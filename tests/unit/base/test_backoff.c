/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "base/backoff.h"
#include "tests/unit/prng.h"

Suite *backoff_suite(void);

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	unsigned failures;
	uint32_t want_ms;
} rows[] = { { 0, 50 }, { 1, 100 }, { 7, 6400 }, { 8, 10000 }, { 500, 10000 } };

START_TEST(wait_doubles_up_to_the_cap)
{
	struct hf_backoff b = { .floor_ms = 50, .cap_ms = 10000, .failures = rows[_i].failures };

	ck_assert_uint_eq(hf_backoff_fail(&b), rows[_i].want_ms);
}
END_TEST

START_TEST(failures_are_counted_and_the_count_has_an_end)
{
	static const uint32_t waits[] = { 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000 };
	struct hf_backoff b = { .floor_ms = 50, .cap_ms = 5000 };

	for (size_t i = 0; i < N(waits); i++)
		ck_assert_uint_eq(hf_backoff_fail(&b), waits[i]);
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(hf_backoff_fail(&b), 5000);
	b.failures = UINT32_MAX;
	ck_assert_uint_eq(hf_backoff_fail(&b), 5000);
	ck_assert_uint_eq(hf_backoff_fail(&b), 5000);
}
END_TEST

static const struct {
	uint32_t floor_ms, cap_ms, want_ms;
} odd[] = {
	{ 0, 0, 1 },
	{ 0, 100, 100 },
	{ 1, 1, 1 },
	{ 500, 100, 100 },
	{ 3, UINT32_MAX, UINT32_MAX },
	{ UINT32_MAX, UINT32_MAX, UINT32_MAX },
};

START_TEST(odd_limits_give_no_busy_loop_and_no_overflow)
{
	struct hf_backoff b = { .floor_ms = odd[_i].floor_ms, .cap_ms = odd[_i].cap_ms };

	for (int i = 0; i < 100; i++) {
		ck_assert_uint_ge(hf_backoff_fail(&b), 1);
		ck_assert_uint_ge(hf_backoff_fail_jittered(&b, 0), 1);
		ck_assert_uint_le(hf_backoff_fail_jittered(&b, UINT32_MAX), odd[_i].want_ms);
	}
	ck_assert_uint_eq(hf_backoff_fail(&b), odd[_i].want_ms);
}
END_TEST

START_TEST(jitter_stays_within_a_quarter_and_under_the_cap)
{
	struct hf_backoff low = { .floor_ms = 1000, .cap_ms = 10000 };
	struct hf_backoff middle = low, high = low;
	struct hf_backoff capped = { .floor_ms = 50, .cap_ms = 10000, .failures = 60 };

	ck_assert_uint_eq(hf_backoff_fail_jittered(&low, 0), 750);
	ck_assert_uint_eq(hf_backoff_fail_jittered(&middle, UINT32_MAX / 2), 999);
	ck_assert_uint_eq(hf_backoff_fail_jittered(&high, UINT32_MAX), 1250);
	ck_assert_uint_eq(hf_backoff_fail_jittered(&capped, UINT32_MAX), 10000);
}
END_TEST

START_TEST(jitter_spreads_also_at_the_cap)
{
	struct hf_backoff b = { .floor_ms = 50, .cap_ms = 10000, .failures = 60 };
	struct prng p = { 1 };
	unsigned at_cap = 0, low_half = 0;

	for (int i = 0; i < 1000; i++) {
		uint32_t wait = hf_backoff_fail_jittered(&b, (uint32_t)prng_next(&p));

		ck_assert_uint_ge(wait, 7500);
		ck_assert_uint_le(wait, 10000);
		at_cap += wait == 10000;
		low_half += wait < 8750;
	}
	ck_assert_uint_lt(at_cap, 20);
	ck_assert_uint_gt(low_half, 400);
	ck_assert_uint_lt(low_half, 600);
}
END_TEST

START_TEST(reset_begins_at_the_floor)
{
	struct hf_backoff b = { .floor_ms = 50, .cap_ms = 10000, .failures = 9 };

	hf_backoff_reset(&b);
	ck_assert_uint_eq(hf_backoff_fail(&b), 50);
}
END_TEST

Suite *backoff_suite(void)
{
	Suite *s = suite_create("backoff");
	TCase *tc = tcase_create("wait");

	tcase_add_loop_test(tc, wait_doubles_up_to_the_cap, 0, N(rows));
	tcase_add_test(tc, failures_are_counted_and_the_count_has_an_end);
	tcase_add_loop_test(tc, odd_limits_give_no_busy_loop_and_no_overflow, 0, N(odd));
	tcase_add_test(tc, jitter_stays_within_a_quarter_and_under_the_cap);
	tcase_add_test(tc, jitter_spreads_also_at_the_cap);
	tcase_add_test(tc, reset_begins_at_the_floor);
	suite_add_tcase(s, tc);
	return s;
}
