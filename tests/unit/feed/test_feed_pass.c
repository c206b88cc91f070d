/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feed/feed_kit.h"

Suite *feed_pass_suite(void);

static struct desk d;

static void setup(void)
{
	desk_init(&d);
	desk_start(&d);
	desk_run(&d, 100);
}

static void teardown(void)
{
	desk_done(&d);
}

static void three(void)
{
	desk_set(&d, "a.coder", 1, HF_REC_PRIMARY);
	desk_set(&d, "b.coder", 2, 0);
	desk_set(&d, "c.coder", 3, 0);
	desk_commit(&d);
	desk_settle(&d);
	desk_check(&d);
	desk_clear_log(&d);
}

START_TEST(names_that_come_change_and_go_are_followed)
{
	three();
	ck_assert_uint_eq(desk_status(&d).owned, 3);
	desk_set(&d, "d.coder", 4, 0);
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_str_eq(d.r.log, "put d.coder 4;");
	desk_set(&d, "d.coder", 5, 0);
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_str_eq(d.r.log, "put d.coder 4;put d.coder 5;");
	desk_del(&d, "d.coder");
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_str_eq(d.r.log, "put d.coder 4;put d.coder 5;take d.coder 5;");
	ck_assert_uint_eq(d.r.n_completes, 4); /* also before the first take */
	desk_check(&d);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
	ck_assert_int_eq(desk_status(&d).verified, 1);
	ck_assert_uint_eq(desk_status(&d).generation, hf_store_generation(d.fx.store));
}
END_TEST

START_TEST(the_new_name_is_put_and_confirmed_before_the_old_one_goes)
{
	three();
	desk_del(&d, "a.coder");
	desk_set(&d, "renamed.coder", 1, HF_REC_PRIMARY);
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "put renamed.coder 1;take a.coder 1;");
	ck_assert_uint_ge(d.r.n_verifies, 2);
	desk_check(&d);
}
END_TEST

START_TEST(nothing_is_taken_while_what_was_put_is_not_confirmed)
{
	three();
	d.r.silent = true;
	desk_del(&d, "a.coder");
	desk_set(&d, "renamed.coder", 1, HF_REC_PRIMARY);
	desk_commit(&d);
	desk_run(&d, 60000);
	ck_assert_ptr_nonnull(desk_find(&d, "renamed.coder", false));
	ck_assert_ptr_nonnull(desk_find(&d, "a.coder", false));
	ck_assert_uint_eq(d.r.n_takes, 0);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_FAILED);
	ck_assert(desk_status(&d).last_error[0]);
	d.r.silent = false;
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_takes, 1);
	desk_check(&d);
}
END_TEST

START_TEST(news_goes_on_while_something_cannot_be_confirmed)
{
	three();
	d.r.silent = true;
	desk_set(&d, "d.coder", 4, 0);
	desk_commit(&d);
	desk_run(&d, 2000);
	desk_set(&d, "e.coder", 5, 0);
	desk_set(&d, "d.coder", 6, 0);
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 10000);
	ck_assert_ptr_nonnull(desk_find(&d, "e.coder", false));
	ck_assert_uint_eq(desk_find(&d, "d.coder", false)->addr, 6);
	ck_assert_ptr_nonnull(desk_find(&d, "b.coder", false));
	d.r.silent = false;
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

/* Whether receipts are written by the time that news comes, or still wait. */
START_TEST(news_counts_no_name_twice)
{
	three();
	d.r.silent = true;
	desk_set(&d, "d.coder", 4, 0);
	desk_commit(&d);
	desk_run(&d, _i ? 2000 : 20);
	desk_set(&d, "e.coder", 5, 0);
	desk_commit(&d);
	desk_run(&d, 2000);
	d.r.silent = false;
	desk_settle(&d);
	ck_assert_uint_eq(desk_status(&d).owned, 5);
	desk_check(&d);
}
END_TEST

/* Each time that something is put there is news before it is asked for. */
START_TEST(endless_news_confirms_all_the_same)
{
	char name[20];

	three();
	d.r.silent = true;
	desk_del(&d, "a.coder");
	desk_set(&d, "renamed.coder", 1, HF_REC_PRIMARY);
	desk_commit(&d);
	desk_run(&d, 1000);
	desk_set(&d, "first.coder", 9, 0);
	desk_commit(&d);
	d.r.silent = false;
	d.check_order = false;
	for (unsigned i = 0; i < 200; i++) {
		while (!d.r.batch)
			if (!desk_step(&d))
				hf_fake_clock_add(&d.fx.clock, 10);
		snprintf(name, sizeof(name), "n%02u.coder", i % 40);
		desk_set(&d, name, (uint8_t)i, 0);
		desk_commit(&d);
		while (d.r.batch)
			desk_step(&d);
	}
	ck_assert_uint_gt(d.r.n_takes, 0);
}
END_TEST

/* News of other names, or of none: the old name stays until the new one was seen. */
START_TEST(news_confirms_nothing)
{
	three();
	d.r.silent = true;
	desk_del(&d, "a.coder");
	desk_set(&d, "renamed.coder", 1, HF_REC_PRIMARY);
	desk_commit(&d);
	desk_run(&d, 2000);
	if (_i)
		desk_del(&d, "c.coder");
	desk_commit(&d);
	desk_run(&d, 30000);
	ck_assert_uint_eq(d.r.n_takes, 0);
	d.r.silent = false;
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_takes, _i ? 2 : 1);
	desk_check(&d);
}
END_TEST

START_TEST(what_the_resolver_said_it_has_and_has_not_is_put_again)
{
	three();
	d.r.forgetful = true;
	d.check_order = false;
	desk_set(&d, "d.coder", 4, 0);
	desk_commit(&d);
	desk_run(&d, 1000);
	ck_assert_uint_ge(d.r.n_puts, 3);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	ck_assert_int_eq(desk_status(&d).verified, 0);
	d.r.forgetful = false;
	desk_settle(&d);
	ck_assert_int_eq(desk_status(&d).verified, 1);
	desk_check(&d);
}
END_TEST

START_TEST(a_commit_that_changes_no_name_writes_nothing_anywhere)
{
	struct hf_store_stats before, after;

	three();
	desk_run(&d, 1000);
	hf_store_get_stats(d.fx.store, &before);
	desk_clear_log(&d);
	for (int i = 0; i < 1000; i++) {
		desk_commit(&d);
		desk_run(&d, 5);
	}
	hf_store_get_stats(d.fx.store, &after);
	ck_assert_uint_eq(after.commits - before.commits, 1000); /* ours, and no other */
	ck_assert_uint_eq(d.r.n_applies, 0);
	ck_assert_uint_eq(d.r.n_completes, 0);
	ck_assert_uint_eq(desk_status(&d).generation, hf_store_generation(d.fx.store));
}
END_TEST

START_TEST(held_names_stay_and_withdrawn_ones_go_and_return)
{
	three();
	desk_set(&d, "a.coder", 1, HF_REC_PRIMARY | HF_REC_HELD);
	desk_set(&d, "b.coder", 2, HF_REC_WITHDRAWN);
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_str_eq(d.r.log, "take b.coder 2;");
	desk_set(&d, "b.coder", 2, 0);
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_str_eq(d.r.log, "take b.coder 2;put b.coder 2;");
	desk_check(&d);
}
END_TEST

START_TEST(another_ptr_of_the_same_address_is_a_change)
{
	three();
	desk_set(&d, "b.coder", 2, HF_REC_PRIMARY);
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_str_eq(d.r.log, "put b.coder 2;");
	desk_check(&d);
}
END_TEST

START_TEST(others_records_are_left_alone_and_ours_comes_when_they_are_gone)
{
	desk_foreign(&d, "b.coder", 99);
	three();
	ck_assert_uint_eq(desk_status(&d).skipped, 1);
	ck_assert_uint_eq(desk_status(&d).owned, 2);
	ck_assert_uint_eq(desk_find(&d, "b.coder", true)->addr, 99);
	desk_run(&d, 30000);
	ck_assert_uint_eq(d.r.n_applies, 0);
	desk_unforeign(&d, "b.coder");
	desk_run(&d, 40000);
	ck_assert_str_eq(d.r.log, "put b.coder 2;");
	ck_assert_uint_eq(desk_status(&d).skipped, 0);
	desk_check(&d);
}
END_TEST

START_TEST(a_name_that_clashes_goes_without_touching_the_others_record)
{
	desk_foreign(&d, "b.coder", 99);
	three();
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "");
	ck_assert_uint_eq(desk_status(&d).skipped, 0);
	ck_assert_uint_eq(desk_find(&d, "b.coder", true)->addr, 99);
}
END_TEST

START_TEST(a_clash_is_known_after_a_restart_too)
{
	desk_foreign(&d, "b.coder", 99);
	three();
	desk_stop(&d);
	desk_start(&d);
	desk_run(&d, 1000);
	ck_assert_uint_eq(desk_status(&d).skipped, 1);
	ck_assert_uint_eq(d.r.n_applies, 0);
	desk_unforeign(&d, "b.coder");
	desk_run(&d, 61000);
	desk_check(&d);
}
END_TEST

START_TEST(what_does_not_fit_is_told_and_comes_when_there_is_room)
{
	d.r.room = 2;
	desk_set(&d, "a.coder", 1, 0);
	desk_set(&d, "b.coder", 2, 0);
	desk_set(&d, "c.coder", 3, 0);
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_uint_eq(desk_status(&d).owned, 2);
	ck_assert_uint_eq(desk_status(&d).skipped, 1);
	d.r.room = 0;
	desk_run(&d, 61000);
	ck_assert_uint_eq(desk_status(&d).skipped, 0);
	desk_check(&d);
}
END_TEST

START_TEST(the_receipt_sets_the_pace)
{
	char name[20];

	for (uint8_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "n%02u.coder", i);
		desk_set(&d, name, i, 0);
	}
	d.r.next_max = 5;
	d.r.pause_us = 10000;
	desk_commit(&d);
	desk_run(&d, 1);
	ck_assert_uint_eq(d.r.n_applies, 1); /* the first is as large as it comes */
	desk_set(&d, "x.coder", 77, 0);
	for (uint8_t i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "m%02u.coder", i);
		desk_set(&d, name, (uint8_t)(100 + i), 0);
	}
	desk_commit(&d);
	desk_run(&d, 100);
	desk_clear_log(&d);
	for (uint8_t i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "m%02u.coder", i);
		desk_set(&d, name, (uint8_t)(130 + i), 0);
	}
	desk_commit(&d);
	desk_run(&d, 35);
	ck_assert_uint_eq(d.r.largest_batch, 5);
	ck_assert_uint_eq(d.r.n_applies, 4);
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

START_TEST(a_batch_that_is_taken_in_part_goes_on_where_it_stopped)
{
	d.r.take_max = 1;
	three();
	desk_set(&d, "a.coder", 11, 0);
	desk_set(&d, "b.coder", 12, 0);
	desk_set(&d, "c.coder", 13, 0);
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "put a.coder 11;put b.coder 12;put c.coder 13;");
	desk_check(&d);
}
END_TEST

START_TEST(whose_name_it_is_is_told_with_each_change)
{
	d.with_subject = true;
	three();
	desk_set(&d, "a.coder", 7, 0);
	desk_set(&d, "b.coder", 8, 0);
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.subjects, "a.coder/7;b.coder/8;");
}
END_TEST

START_TEST(a_name_that_is_no_more_when_it_is_tried_again_is_nobodys)
{
	d.with_subject = true;
	three();
	desk_settle(&d);
	d.r.subjects[0] = '\0';
	d.r.fail = -ECONNREFUSED;
	desk_set(&d, "a.coder", 7, 0);
	desk_commit(&d);
	desk_run(&d, 200);
	/* The text that the failed batch had is gone with that. */
	d.with_subject = false;
	d.r.fail = 0;
	desk_settle(&d);
	ck_assert_str_eq(d.r.subjects, "-/-;");
}
END_TEST

START_TEST(a_log_that_is_too_short_is_made_up_for_by_comparing_all)
{
	char name[20];

	desk_stop(&d);
	fixture_close(&d.fx);
	d.fx.opts.log_max = 4;
	fixture_open(&d.fx);
	desk_start(&d);
	three();
	desk_stop(&d);
	for (uint8_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "n%02u.coder", i);
		desk_set(&d, name, i, 0);
		desk_commit(&d);
	}
	desk_del(&d, "a.coder");
	desk_commit(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_puts, 40);
	ck_assert_uint_eq(d.r.n_takes, 1);
	desk_check(&d);
}
END_TEST

START_TEST(before_the_store_is_ready_nothing_is_done)
{
	desk_stop(&d);
	fixture_close(&d.fx);
	fixture_sweep(&d.fx);
	fixture_open(&d.fx);
	desk_clear_log(&d);
	desk_start(&d);
	desk_run(&d, 60000);
	ck_assert_uint_eq(d.r.n_applies + d.r.n_lists + d.r.n_verifies, 0);
	ck_assert_int_eq(hf_store_set_ready(d.fx.store), 0);
	three();
}
END_TEST

START_TEST(an_adapter_that_cannot_be_asked_is_fed_all_the_same)
{
	desk_stop(&d);
	d.type.verify = NULL;
	d.type.list = NULL;
	d.type.complete = NULL;
	d.check_order = false;
	desk_start(&d);
	three();
	desk_del(&d, "a.coder");
	desk_commit(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_int_eq(desk_status(&d).verified, -1);
}
END_TEST

Suite *feed_pass_suite(void)
{
	Suite *s = suite_create("feed_pass");
	TCase *tc = tcase_create("run");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, names_that_come_change_and_go_are_followed);
	tcase_add_test(tc, the_new_name_is_put_and_confirmed_before_the_old_one_goes);
	tcase_add_test(tc, nothing_is_taken_while_what_was_put_is_not_confirmed);
	tcase_add_test(tc, news_goes_on_while_something_cannot_be_confirmed);
	tcase_add_loop_test(tc, news_confirms_nothing, 0, 2);
	tcase_add_test(tc, endless_news_confirms_all_the_same);
	tcase_add_loop_test(tc, news_counts_no_name_twice, 0, 2);
	tcase_add_test(tc, what_the_resolver_said_it_has_and_has_not_is_put_again);
	tcase_add_test(tc, a_commit_that_changes_no_name_writes_nothing_anywhere);
	tcase_add_test(tc, held_names_stay_and_withdrawn_ones_go_and_return);
	tcase_add_test(tc, another_ptr_of_the_same_address_is_a_change);
	tcase_add_test(tc, others_records_are_left_alone_and_ours_comes_when_they_are_gone);
	tcase_add_test(tc, a_name_that_clashes_goes_without_touching_the_others_record);
	tcase_add_test(tc, a_clash_is_known_after_a_restart_too);
	tcase_add_test(tc, what_does_not_fit_is_told_and_comes_when_there_is_room);
	tcase_add_test(tc, the_receipt_sets_the_pace);
	tcase_add_test(tc, a_batch_that_is_taken_in_part_goes_on_where_it_stopped);
	tcase_add_test(tc, whose_name_it_is_is_told_with_each_change);
	tcase_add_test(tc, a_name_that_is_no_more_when_it_is_tried_again_is_nobodys);
	tcase_add_test(tc, a_log_that_is_too_short_is_made_up_for_by_comparing_all);
	tcase_add_test(tc, before_the_store_is_ready_nothing_is_done);
	tcase_add_test(tc, an_adapter_that_cannot_be_asked_is_fed_all_the_same);
	suite_add_tcase(s, tc);
	return s;
}
