/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/stream/client/next_try.h"

Suite *next_try_suite(void);

static const struct hf_stream_retry retry = { .floor_ms = 50,
	.cap_ms = 10000,
	.steady_ms = 10000,
	.permanent_ms = 300000,
	.unauthorised_ms = 60000,
	.events_ms = 5000,
	.per_minute = 20 };
static const int64_t begin = 1000000;
static struct hf_next_try t;

static void setup(void)
{
	hf_next_try_init(&t, &retry, begin);
}

static struct hf_problem problem(enum hf_problem_code code, int64_t wait_s)
{
	struct hf_problem p;

	hf_problem_set(&p, code, NULL);
	p.wait_s = wait_s;
	return p;
}

/* Fails at once after `after_ms`; how long the next try is away then. */
static int64_t wait_after(enum hf_problem_code code, int64_t wait_s, int64_t now_ms)
{
	struct hf_problem p = problem(code, wait_s);

	hf_next_try_failed(&t, &p, now_ms, UINT32_MAX / 2);
	return t.at_ms - now_ms;
}

static void event(enum hf_problem_code waits_for, int64_t wait_s, bool token, int64_t now_ms)
{
	struct hf_problem p = problem(waits_for, wait_s);

	hf_next_try_event(&t, &p, token, now_ms);
}

START_TEST(the_first_is_at_once_and_failures_double_the_wait)
{
	int64_t last = 0;

	ck_assert_int_eq(t.at_ms, begin);
	for (int i = 0; i < 12; i++) {
		int64_t wait = wait_after(HF_PROBLEM_CUT, -1, begin + i * 60000);

		ck_assert_int_ge(wait, last);
		ck_assert_int_le(wait, retry.cap_ms);
		last = wait;
	}
	ck_assert_int_ge(last, retry.cap_ms * 3 / 4);
	ck_assert_uint_eq(t.attempts, 12);
	hf_next_try_live(&t);
	ck_assert_uint_eq(t.attempts, 0);
	ck_assert_int_ge(wait_after(HF_PROBLEM_CUT, -1, begin), retry.cap_ms * 3 / 4);
	hf_next_try_steady(&t);
	ck_assert_int_le(wait_after(HF_PROBLEM_CUT, -1, begin), retry.floor_ms * 5 / 4);
}
END_TEST

START_TEST(a_minute_has_so_many_dials_whatever_asks)
{
	for (unsigned i = 0; i < retry.per_minute; i++) {
		ck_assert_int_eq(hf_next_try_may(&t), 0);
		hf_next_try_dial(&t, begin + 100 * i);
	}
	ck_assert_int_eq(hf_next_try_may(&t), begin + 60000);
	hf_next_try_at(&t, begin + 3000);
	ck_assert_int_eq(t.at_ms, begin + 60000);
	event(HF_PROBLEM_CUT, -1, true, begin + 4000);
	ck_assert_int_eq(t.at_ms, begin + 60000);
	hf_next_try_dial(&t, begin + 60000);
	ck_assert_int_eq(hf_next_try_may(&t), begin + 60100);
}
END_TEST

START_TEST(an_event_ends_a_wait_once_in_a_while)
{
	ck_assert_int_eq(wait_after(HF_PROBLEM_CERT, -1, begin), retry.permanent_ms);
	event(HF_PROBLEM_CERT, -1, false, begin + 10);
	ck_assert_int_eq(t.at_ms, begin + 10);
	wait_after(HF_PROBLEM_CERT, -1, begin + 20);
	event(HF_PROBLEM_CERT, -1, false, begin + 30);
	ck_assert_int_eq(t.at_ms, begin + 10 + retry.events_ms);
	/* What is sooner already stays so. */
	wait_after(HF_PROBLEM_CUT, -1, begin + 40);
	event(HF_PROBLEM_CUT, -1, false, begin + 50);
	ck_assert_int_lt(t.at_ms, begin + 40 + retry.floor_ms * 2);
}
END_TEST

START_TEST(no_event_comes_before_what_the_server_asked_for)
{
	ck_assert_int_eq(wait_after(HF_PROBLEM_BUSY, 30, begin), 30000);
	event(HF_PROBLEM_BUSY, 30, false, begin + 10);
	event(HF_PROBLEM_BUSY, 30, true, begin + 20);
	ck_assert_int_eq(t.at_ms, begin + 30000);
	event(HF_PROBLEM_BUSY, 30, false, begin + 30000);
	ck_assert_int_eq(t.at_ms, begin + 30000);
}
END_TEST

START_TEST(a_refused_token_is_read_again_once_and_then_each_minute)
{
	ck_assert_int_eq(wait_after(HF_PROBLEM_SIGNED_OUT, -1, begin), retry.floor_ms);
	ck_assert_int_eq(wait_after(HF_PROBLEM_SIGNED_OUT, -1, begin), retry.unauthorised_ms);
	event(HF_PROBLEM_SIGNED_OUT, -1, false, begin + 10);
	ck_assert_int_eq(t.at_ms, begin + retry.unauthorised_ms);
	/* Another token may be there. */
	event(HF_PROBLEM_SIGNED_OUT, -1, true, begin + 20);
	ck_assert_int_eq(t.at_ms, begin + 20);
	ck_assert_int_eq(wait_after(HF_PROBLEM_SIGNED_OUT, -1, begin + 30), retry.floor_ms);
	ck_assert_int_eq(wait_after(HF_PROBLEM_SIGNED_OUT, -1, begin + 40), retry.unauthorised_ms);
	/* One that was taken is no refused one. */
	hf_next_try_token_taken(&t);
	ck_assert_int_eq(wait_after(HF_PROBLEM_SIGNED_OUT, -1, begin + 50), retry.floor_ms);
}
END_TEST

START_TEST(another_deployment_is_asked_more_and_more_seldom)
{
	int64_t last = 0, wait = 0;

	for (int i = 0; i < 8; i++) {
		wait = wait_after(HF_PROBLEM_HELD, -1, begin);
		ck_assert(wait > last || wait == retry.permanent_ms);
		last = wait;
	}
	ck_assert_int_eq(wait, retry.permanent_ms);
	wait_after(HF_PROBLEM_CUT, -1, begin);
	ck_assert_int_lt(wait_after(HF_PROBLEM_HELD, -1, begin), retry.permanent_ms);
}
END_TEST

Suite *next_try_suite(void)
{
	Suite *s = suite_create("next_try");
	TCase *c = tcase_create("when");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, the_first_is_at_once_and_failures_double_the_wait);
	tcase_add_test(c, a_minute_has_so_many_dials_whatever_asks);
	tcase_add_test(c, an_event_ends_a_wait_once_in_a_while);
	tcase_add_test(c, no_event_comes_before_what_the_server_asked_for);
	tcase_add_test(c, a_refused_token_is_read_again_once_and_then_each_minute);
	tcase_add_test(c, another_deployment_is_asked_more_and_more_seldom);
	suite_add_tcase(s, c);
	return s;
}
