/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/feed/feed_kit.h"

Suite *feed_checker_suite(void);

static struct desk d;

static void setup(void)
{
	char name[20];

	desk_init(&d);
	desk_start(&d);
	for (uint8_t i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "n%02u.coder", i);
		desk_set(&d, name, i, i == 0 ? HF_REC_PRIMARY : 0);
	}
	desk_commit(&d);
	desk_settle(&d);
	desk_run(&d, 10000);
	desk_clear_log(&d);
}

static void teardown(void)
{
	desk_done(&d);
}

START_TEST(every_name_is_asked_for_in_each_round)
{
	desk_run(&d, 10000);
	ck_assert_uint_eq(d.r.n_asked, 30);
	desk_run(&d, 30000);
	ck_assert_uint_eq(d.r.n_asked, 120);
	ck_assert_uint_eq(d.r.n_applies, 0);
	ck_assert_int_eq(desk_status(&d).round_ms, 10000);
}
END_TEST

START_TEST(a_name_that_others_removed_is_put_again)
{
	desk_remove(&d, "n00.coder");
	desk_remove(&d, "n07.coder");
	desk_run(&d, 11000);
	ck_assert_str_eq(d.r.log, "put n00.coder 0;put n07.coder 7;");
	desk_check(&d);
	desk_run(&d, 11000);
	ck_assert_int_eq(desk_status(&d).verified, 1);
	ck_assert_uint_eq(d.r.n_puts, 2);
}
END_TEST

START_TEST(where_most_is_missing_all_of_it_is_put_again)
{
	desk_restart(&d);
	desk_run(&d, 11000);
	ck_assert_uint_eq(d.r.n_puts, 30);
	desk_check(&d);
}
END_TEST

START_TEST(a_resolver_that_says_it_lost_all_is_filled_at_once)
{
	desk_restart(&d);
	d.host->lost(d.host->arg, "its canary is gone");
	desk_run(&d, 100);
	ck_assert_uint_eq(d.r.n_puts, 30);
	ck_assert_uint_eq(d.r.n_completes, 1);
	desk_check(&d);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
}
END_TEST

/* As an adapter says at its first batch, which finds an empty resolver. */
START_TEST(lost_before_anything_was_put_is_no_reason_to_put_it_twice)
{
	hf_feed_refill(d.feed, "for a test");
	while (!d.r.batch)
		ck_assert(desk_step(&d));
	d.host->lost(d.host->arg, "nothing of an earlier fill");
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_puts, 30);
	ck_assert_uint_eq(d.r.n_completes, 1);
}
END_TEST

START_TEST(lost_in_the_middle_of_a_filling_it_is_filled_once_more)
{
	d.r.next_max = 4;
	d.check_order = false;
	hf_feed_refill(d.feed, "for a test");
	while (d.r.n_puts < 20)
		ck_assert(desk_step(&d));
	desk_restart(&d);
	d.host->lost(d.host->arg, "restarted");
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

START_TEST(others_data_beside_ours_is_not_repaired)
{
	desk_foreign(&d, "n05.coder", 99);
	desk_remove(&d, "n05.coder");
	desk_run(&d, 30000);
	ck_assert_uint_eq(d.r.n_applies, 0);
	ck_assert_ptr_null(desk_find(&d, "n05.coder", false));
}
END_TEST

START_TEST(others_data_beside_ours_is_told_and_counted_until_it_goes)
{
	desk_foreign(&d, "n05.coder", 99);
	desk_foreign(&d, "n06.coder", 98);
	desk_run(&d, 11000);
	ck_assert_uint_eq(desk_status(&d).skipped, 2);
	ck_assert_uint_eq(desk_status(&d).n_warnings, 1);
	ck_assert_str_eq(desk_status(&d).warnings[0].code, HF_FEED_WARN_CLASH);
	ck_assert_ptr_nonnull(strstr(desk_status(&d).warnings[0].text, "'n05.coder'"));
	/* A full verification in between, and rounds, count none twice. */
	hf_feed_verify(d.feed, true);
	desk_run(&d, 45000);
	ck_assert_uint_eq(desk_status(&d).skipped, 2);
	ck_assert_uint_eq(desk_status(&d).owned, 30);
	desk_unforeign(&d, "n05.coder");
	desk_unforeign(&d, "n06.coder");
	desk_run(&d, 31000);
	ck_assert_uint_eq(desk_status(&d).skipped, 0);
	ck_assert_uint_eq(desk_status(&d).n_warnings, 0);
}
END_TEST

START_TEST(a_name_that_was_taken_meanwhile_is_not_repaired)
{
	desk_remove(&d, "n05.coder");
	hf_feed_verify(d.feed, true);
	while (!d.r.expect)
		ck_assert(desk_step(&d));
	desk_del(&d, "n05.coder");
	desk_commit(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_uint_eq(d.r.n_puts, 0);
}
END_TEST

/* The question was about what was there before a change. */
START_TEST(a_name_that_was_changed_meanwhile_is_not_taken_for_wrong)
{
	desk_run(&d, 9000);
	hf_feed_verify(d.feed, true);
	while (!d.r.expect)
		ck_assert(desk_step(&d));
	desk_set(&d, "n05.coder", 55, 0);
	desk_commit(&d);
	d.r.mute = true;
	desk_run(&d, 100);
	d.r.mute = false;
	desk_settle(&d);
	desk_check(&d);
	ck_assert_uint_eq(d.r.n_puts, 1);
	ck_assert_uint_eq(d.r.n_takes, 0);
	ck_assert_uint_eq(desk_status(&d).check.wrong, 0);
	ck_assert_uint_eq(desk_status(&d).check.asked, 30);
	ck_assert_str_eq(d.feed->checker.wrong.text, "");
}
END_TEST

/* A repair that waits for the change knows the old address only. */
START_TEST(a_repair_that_comes_after_a_change_leaves_the_new_address)
{
	desk_remove(&d, "n05.coder");
	while (!d.feed->checker.repairs)
		if (!desk_step(&d))
			hf_fake_clock_add(&d.fx.clock, 100);
	desk_set(&d, "n05.coder", 55, 0);
	desk_commit(&d);
	desk_settle(&d);
	desk_run(&d, 20000);
	desk_check(&d);
	ck_assert_uint_eq(d.r.n_takes, 0);
}
END_TEST

START_TEST(a_resolver_that_does_not_answer_shows)
{
	d.r.silent = true;
	desk_run(&d, 60000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_FAILED);
	ck_assert_uint_eq(d.r.n_applies, 0);
	d.r.silent = false;
	desk_run(&d, 6000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	ck_assert_uint_eq(d.r.n_applies, 0);
}
END_TEST

START_TEST(who_asks_for_a_verification_gets_its_numbers)
{
	struct hf_feed_check check;

	desk_remove(&d, "n05.coder");
	desk_foreign(&d, "n06.coder", 99);
	hf_feed_verify(d.feed, true);
	ck_assert(desk_status(&d).check.running);
	desk_run(&d, 100);
	check = desk_status(&d).check;
	ck_assert(!check.running);
	ck_assert_uint_eq(check.number, 1);
	ck_assert_uint_eq(check.asked, 30);
	ck_assert_uint_eq(check.wrong, 1);
	ck_assert_uint_eq(check.foreign, 1);
	ck_assert_uint_eq(check.right, 28);
	ck_assert_ptr_nonnull(desk_find(&d, "n05.coder", false));
	d.r.silent = true;
	hf_feed_verify(d.feed, false);
	desk_run(&d, 10);
	ck_assert(!desk_status(&d).check.running);
	ck_assert_uint_eq(desk_status(&d).check.silent, 30);
	d.r.silent = false;
}
END_TEST

START_TEST(a_verification_of_nothing_ends_too)
{
	while (d.n_wanted)
		desk_del(&d, d.wanted[0].name);
	desk_commit(&d);
	desk_settle(&d);
	hf_feed_verify(d.feed, _i);
	desk_run(&d, 100);
	ck_assert(!desk_status(&d).check.running);
	ck_assert_uint_eq(desk_status(&d).check.asked, 0);
}
END_TEST

static int count(const struct hf_record *record, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

START_TEST(who_writes_whole_files_gets_all_but_what_others_have)
{
	struct hf_record_walk *walk;
	unsigned n = 0;

	desk_foreign(&d, "clash.coder", 99);
	desk_set(&d, "clash.coder", 70, 0);
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_int_eq(d.host->walk_new(d.host->arg, &walk), 0);
	while (d.host->walk_step(walk, 7, count, &n) == 1)
		;
	d.host->walk_free(walk);
	ck_assert_uint_eq(n, 30);
}
END_TEST

START_TEST(what_an_adapter_warns_of_is_kept_until_it_is_over)
{
	d.host->warn(d.host->arg, "large", "more names than are good for it");
	d.host->warn(d.host->arg, "large", "many more");
	d.host->warn(d.host->arg, "slow", "it is slow");
	ck_assert_uint_eq(desk_status(&d).n_warnings, 2);
	ck_assert_str_eq(desk_status(&d).warnings[0].text, "many more");
	d.host->warn(d.host->arg, "large", NULL);
	d.host->warn(d.host->arg, "never", NULL);
	ck_assert_uint_eq(desk_status(&d).n_warnings, 1);
	ck_assert_str_eq(desk_status(&d).warnings[0].code, "slow");
	for (char i = 'a'; i < 'z'; i++)
		d.host->warn(d.host->arg, (char[]){ i, 0 }, "x");
	ck_assert_uint_eq(desk_status(&d).n_warnings, HF_FEED_WARNINGS_MAX);
}
END_TEST

Suite *feed_checker_suite(void)
{
	Suite *s = suite_create("feed_checker");
	TCase *tc = tcase_create("look");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_name_is_asked_for_in_each_round);
	tcase_add_test(tc, a_name_that_others_removed_is_put_again);
	tcase_add_test(tc, where_most_is_missing_all_of_it_is_put_again);
	tcase_add_test(tc, a_resolver_that_says_it_lost_all_is_filled_at_once);
	tcase_add_test(tc, lost_before_anything_was_put_is_no_reason_to_put_it_twice);
	tcase_add_test(tc, lost_in_the_middle_of_a_filling_it_is_filled_once_more);
	tcase_add_test(tc, others_data_beside_ours_is_not_repaired);
	tcase_add_test(tc, others_data_beside_ours_is_told_and_counted_until_it_goes);
	tcase_add_test(tc, a_name_that_was_taken_meanwhile_is_not_repaired);
	tcase_add_test(tc, a_name_that_was_changed_meanwhile_is_not_taken_for_wrong);
	tcase_add_test(tc, a_repair_that_comes_after_a_change_leaves_the_new_address);
	tcase_add_test(tc, a_resolver_that_does_not_answer_shows);
	tcase_add_test(tc, who_asks_for_a_verification_gets_its_numbers);
	tcase_add_loop_test(tc, a_verification_of_nothing_ends_too, 0, 2);
	tcase_add_test(tc, who_writes_whole_files_gets_all_but_what_others_have);
	tcase_add_test(tc, what_an_adapter_warns_of_is_kept_until_it_is_over);
	suite_add_tcase(s, tc);
	return s;
}
