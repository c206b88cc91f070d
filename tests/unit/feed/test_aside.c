/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bridge/feed/aside.h"

Suite *aside_suite(void);

static struct hf_fake_clock clock_;
static struct hf_aside s;

static void setup(void)
{
	hf_fake_clock_init(&clock_, 1000000, 1700000000000);
	hf_aside_init(&s, &clock_.clock, 50, 60000);
}

static void teardown(void)
{
	hf_aside_done(&s);
}

static struct hf_record record(const char *name, uint8_t addr)
{
	struct hf_record r = { .addr = { 0xfd, [15] = addr } };

	ck_assert_int_eq(hf_name_parse(name, &r.name), 0);
	return r;
}

static bool failed(const char *name, uint8_t addr)
{
	struct hf_record r = record(name, addr);

	return hf_aside_failed(&s, &r, false, 1, 0, "full");
}

static void drop(const char *name, uint8_t addr)
{
	struct hf_record r = record(name, addr);

	hf_aside_drop(&s, &r.name, r.addr);
}

START_TEST(each_wait_is_twice_the_last_one_up_to_the_longest)
{
	static const int64_t waits[] = { 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600,
		51200, 60000, 60000 };

	for (unsigned i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		ck_assert(failed("a.coder", 1));
		ck_assert_int_eq(hf_aside_wait(&s), waits[i]);
		ck_assert_ptr_null(hf_aside_next(&s, false));
		hf_fake_clock_add(&clock_, waits[i]);
		ck_assert_int_eq(hf_aside_wait(&s), 0);
		ck_assert_str_eq(hf_aside_next(&s, false)->why, "full");
	}
	ck_assert_uint_eq(s.n, 1);
}
END_TEST

START_TEST(a_name_does_not_wait_for_another)
{
	for (unsigned i = 0; i < 10; i++)
		ck_assert(failed("a.coder", 1));
	ck_assert(failed("b.coder", 2));
	ck_assert_int_eq(hf_aside_wait(&s), 50);
	hf_fake_clock_add(&clock_, 50);
	ck_assert_uint_eq(hf_aside_next(&s, false)->record.addr[15], 2);
	ck_assert_ptr_null(hf_aside_next(&s, false));
	drop("b.coder", 2);
	ck_assert_int_eq(hf_aside_wait(&s), 25550);
}
END_TEST

START_TEST(what_cost_much_waits_at_least_so_long)
{
	struct hf_record r = record("a.coder", 1);

	ck_assert(hf_aside_failed(&s, &r, false, 1, 20000, ""));
	ck_assert_int_eq(hf_aside_wait(&s), 20000);
	ck_assert(hf_aside_failed(&s, &r, false, 1, 1000000, ""));
	ck_assert_int_eq(hf_aside_wait(&s), 60000);
}
END_TEST

START_TEST(one_that_was_handed_out_comes_again_without_an_outcome_too)
{
	ck_assert(failed("a.coder", 1));
	hf_fake_clock_add(&clock_, 50);
	ck_assert_ptr_nonnull(hf_aside_next(&s, false));
	ck_assert_int_eq(hf_aside_wait(&s), 60000);
}
END_TEST

START_TEST(puts_and_takes_and_kinds_are_told_apart)
{
	struct hf_record r = record("a.coder", 2);

	ck_assert(failed("a.coder", 1));
	ck_assert(hf_aside_failed(&s, &r, true, 2, 0, ""));
	ck_assert_ptr_null(hf_aside_first(&s, 3));
	ck_assert_uint_eq(hf_aside_first(&s, 1)->record.addr[15], 1);
	ck_assert_uint_eq(hf_aside_first(&s, 2)->record.addr[15], 2);
	hf_fake_clock_add(&clock_, 50);
	ck_assert_uint_eq(hf_aside_next(&s, true)->record.addr[15], 2);
	ck_assert_ptr_null(hf_aside_next(&s, true));
	ck_assert_uint_eq(hf_aside_next(&s, false)->record.addr[15], 1);
	drop("a.coder", 1);
	drop("a.coder", 9);
	drop("z.coder", 2);
	ck_assert_uint_eq(s.n, 1);
	drop("a.coder", 2);
	ck_assert_int_eq(hf_aside_wait(&s), -1);
}
END_TEST

/* An agent was replaced twice meanwhile: only the last address is to come, the others are to go. */
START_TEST(of_two_addresses_of_a_name_the_later_one_counts)
{
	ck_assert(failed("a.coder", 1));
	ck_assert(failed("b.coder", 1));
	ck_assert(failed("a.coder", 2));
	hf_fake_clock_add(&clock_, 100);
	ck_assert_uint_eq(hf_aside_next(&s, true)->record.addr[15], 1);
	ck_assert_ptr_null(hf_aside_next(&s, true));
	ck_assert(failed("a.coder", 1));
	hf_fake_clock_add(&clock_, 200);
	ck_assert_uint_eq(hf_aside_next(&s, true)->record.addr[15], 2);
}
END_TEST

START_TEST(there_are_only_so_many)
{
	char name[32];

	for (unsigned i = 0; i < HF_ASIDE_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.coder", i);
		ck_assert(failed(name, 1));
	}
	ck_assert(!failed("one.too.many.coder", 1));
	ck_assert(failed("n7.coder", 1));
	drop("n0.coder", 1);
	ck_assert(failed("one.too.many.coder", 1));
	ck_assert_uint_eq(s.n, HF_ASIDE_MAX);
}
END_TEST

Suite *aside_suite(void)
{
	Suite *suite = suite_create("aside");
	TCase *tc = tcase_create("waits");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_wait_is_twice_the_last_one_up_to_the_longest);
	tcase_add_test(tc, a_name_does_not_wait_for_another);
	tcase_add_test(tc, what_cost_much_waits_at_least_so_long);
	tcase_add_test(tc, one_that_was_handed_out_comes_again_without_an_outcome_too);
	tcase_add_test(tc, puts_and_takes_and_kinds_are_told_apart);
	tcase_add_test(tc, of_two_addresses_of_a_name_the_later_one_counts);
	tcase_add_test(tc, there_are_only_so_many);
	suite_add_tcase(suite, tc);
	return suite;
}
