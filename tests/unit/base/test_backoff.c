#include <check.h>

#include "base/backoff.h"

Suite *backoff_suite(void);

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

START_TEST(jitter_stays_within_a_quarter_and_under_the_cap)
{
	struct hf_backoff low = { .floor_ms = 1000, .cap_ms = 10000 };
	struct hf_backoff high = low;
	struct hf_backoff capped = { .floor_ms = 50, .cap_ms = 10000, .failures = 60 };

	ck_assert_uint_eq(hf_backoff_fail_jittered(&low, 0), 750);
	ck_assert_uint_eq(hf_backoff_fail_jittered(&high, UINT32_MAX), 1250);
	ck_assert_uint_eq(hf_backoff_fail_jittered(&capped, UINT32_MAX), 10000);
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

	tcase_add_loop_test(tc, wait_doubles_up_to_the_cap, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, jitter_stays_within_a_quarter_and_under_the_cap);
	tcase_add_test(tc, reset_begins_at_the_floor);
	suite_add_tcase(s, tc);
	return s;
}
