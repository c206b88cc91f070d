/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "bridge/stream/wire/patience.h"

enum { SILENCE = 20000, MOST = 600000 };

Suite *patience_suite(void);

static struct hf_patience p;

static void begin(void)
{
	hf_patience_begin(&p, SILENCE, MOST, 1000, 50);
}

/* So many bytes at each step, asked as often as it wants to be. Returns when it was late. */
static int64_t run(int64_t from_ms, int64_t step_ms, uint64_t a_step)
{
	int64_t now = from_ms, ask;

	for (;;) {
		now += step_ms;
		while ((ask = hf_patience_next(&p)) <= now)
			if (hf_patience_over(&p, ask))
				return ask;
		ck_assert(!hf_patience_over(&p, now));
		hf_patience_note(&p, now, p.bytes + a_step);
	}
}

START_TEST(silence_from_the_beginning_is_late_in_time)
{
	begin();
	ck_assert_int_eq(hf_patience_next(&p), 21000);
	ck_assert(!hf_patience_over(&p, 20999));
	ck_assert(hf_patience_over(&p, 21000));
}
END_TEST

START_TEST(a_burst_earns_nothing_for_later)
{
	begin();
	hf_patience_note(&p, 2000, 50 + 20000000);
	ck_assert_int_eq(run(2000, 1000, 0), 22000);
}
END_TEST

START_TEST(a_burst_does_not_carry_a_trickle)
{
	begin();
	hf_patience_note(&p, 2000, 50 + 20000000);
	/* The window of the burst, and the one after it. */
	ck_assert_int_eq(run(2000, 1000, 1), 41000);
}
END_TEST

START_TEST(who_is_slow_but_steady_is_waited_for_up_to_the_bound)
{
	begin();
	ck_assert_int_eq(run(1000, 1000, 300), 601000);
	begin();
	ck_assert_int_eq(run(1000, 10000, 6000), 601000);
}
END_TEST

START_TEST(who_is_too_slow_is_late_after_a_window)
{
	begin();
	ck_assert_int_eq(run(1000, 1000, 240), 21000);
}
END_TEST

START_TEST(no_new_byte_is_no_sign_of_life)
{
	begin();
	hf_patience_note(&p, 15000, 50);
	ck_assert(hf_patience_over(&p, 21000));
}
END_TEST

Suite *patience_suite(void)
{
	Suite *s = suite_create("patience");
	TCase *tc = tcase_create("patience");

	tcase_add_test(tc, silence_from_the_beginning_is_late_in_time);
	tcase_add_test(tc, a_burst_earns_nothing_for_later);
	tcase_add_test(tc, a_burst_does_not_carry_a_trickle);
	tcase_add_test(tc, who_is_slow_but_steady_is_waited_for_up_to_the_bound);
	tcase_add_test(tc, who_is_too_slow_is_late_after_a_window);
	tcase_add_test(tc, no_new_byte_is_no_sign_of_life);
	suite_add_tcase(s, tc);
	return s;
}
