/* SPDX-License-Identifier: Apache-2.0 */
/* One name that is in trouble by itself, and all others that do not wait for it. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/feed/feed_kit.h"

Suite *feed_aside_suite(void);

static struct desk d;

static void setup(void)
{
	desk_init(&d);
	d.check_order = false; /* what fails is wanted and not there */
	desk_start(&d);
	desk_set(&d, "a.coder", 1, 0);
	desk_set(&d, "b.coder", 2, 0);
	desk_set(&d, "c.coder", 3, 0);
	desk_commit(&d);
	desk_settle(&d);
	desk_check(&d);
	desk_clear_log(&d);
}

static void teardown(void)
{
	desk_done(&d);
}

static uint8_t row_of(const char *text, uint8_t addr)
{
	struct hf_ledger *l = &d.feed->outbox.ledger;
	struct hf_name name;
	struct hf_rows rows;

	ck_assert_int_eq(hf_ledger_flush(l), 0);
	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	ck_assert_int_eq(hf_ledger_rows(l, &name, &rows), 0);
	for (size_t i = 0; i < rows.n; i++)
		if (rows.at[i].addr[15] == addr)
			return hf_ledger_row_of(rows.at[i].state);
	return ROW_NONE;
}

/* --- what fails */

START_TEST(a_put_that_fails_holds_nothing_up_and_is_tried_again_less_and_less)
{
	d.r.fails = "fails";
	desk_set(&d, "fails.coder", 7, 0);
	desk_set(&d, "new.coder", 8, 0);
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 40);
	ck_assert_str_eq(d.r.log, "fail put fails.coder 7;put new.coder 8;take b.coder 2;");
	ck_assert_uint_eq(desk_status(&d).generation, hf_store_generation(d.fx.store));
	ck_assert_uint_eq(desk_status(&d).failing, 1);
	ck_assert_str_eq(desk_status(&d).failing_why, "'fails.coder': it cannot hold that");
	ck_assert_str_eq(desk_status(&d).last_error, "'fails.coder': it cannot hold that");
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
	desk_run(&d, 10000);
	ck_assert_uint_ge(d.r.n_failed, 7); /* 50, 150, 350, ... */
	ck_assert_uint_le(d.r.n_failed, 9);
	desk_del(&d, "c.coder");
	desk_commit(&d);
	desk_run(&d, 20);
	ck_assert_ptr_null(desk_find(&d, "c.coder", false));
	d.r.fails = NULL;
	desk_run(&d, 60000);
	ck_assert_uint_eq(desk_status(&d).failing, 0);
	ck_assert_str_eq(desk_status(&d).failing_why, "");
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	desk_check(&d);
}
END_TEST

START_TEST(a_take_that_fails_holds_nothing_up_and_is_done_in_the_end)
{
	d.r.fails = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 20);
	desk_del(&d, "c.coder");
	desk_set(&d, "new.coder", 8, 0);
	desk_commit(&d);
	desk_run(&d, 20);
	ck_assert_ptr_null(desk_find(&d, "c.coder", false));
	ck_assert_ptr_nonnull(desk_find(&d, "new.coder", false));
	ck_assert_ptr_nonnull(desk_find(&d, "b.coder", false));
	d.r.fails = NULL;
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

START_TEST(what_failed_is_not_forgotten_over_a_restart)
{
	d.r.fails = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 1000);
	for (int i = 0; i < 4; i++) {
		if (i % 2)
			desk_kill(&d);
		else
			desk_stop(&d);
		desk_start(&d);
		desk_run(&d, 1000);
		ck_assert_uint_eq(desk_status(&d).failing, 1);
		ck_assert_str_eq(desk_status(&d).failing_why, "'b.coder': it cannot hold that");
	}
	desk_stop(&d);
	d.r.fails = NULL;
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

START_TEST(an_address_that_cannot_be_replaced_stays_until_it_can)
{
	d.r.fails = "b.coder";
	desk_set(&d, "b.coder", 9, 0);
	desk_commit(&d);
	desk_run(&d, 2000);
	ck_assert_ptr_null(strstr(d.r.log, "take"));
	ck_assert_uint_eq(desk_find(&d, "b.coder", false)->addr, 2);
	d.r.fails = NULL;
	desk_settle(&d);
	ck_assert_uint_eq(desk_find(&d, "b.coder", false)->addr, 9);
	ck_assert_int_eq(row_of("b.coder", 2), ROW_NONE);
	desk_check(&d);
}
END_TEST

START_TEST(changes_of_the_same_name_keep_their_order)
{
	d.r.fails = "b.coder";
	desk_set(&d, "b.coder", 9, 0);
	desk_commit(&d);
	desk_run(&d, 1000);
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 1000);
	desk_clear_log(&d);
	d.r.fails = NULL;
	desk_settle(&d);
	ck_assert_ptr_null(strstr(d.r.log, "put b.coder"));
	desk_check(&d);
	d.r.fails = "c.coder";
	desk_del(&d, "c.coder");
	desk_commit(&d);
	desk_run(&d, 1000);
	desk_set(&d, "c.coder", 5, 0);
	desk_commit(&d);
	desk_run(&d, 1000);
	d.r.fails = NULL;
	desk_settle(&d);
	ck_assert_uint_eq(desk_find(&d, "c.coder", false)->addr, 5);
	desk_check(&d);
}
END_TEST

START_TEST(a_call_that_takes_long_waits_longer)
{
	d.r.fails = "fails";
	d.r.slow_ms = 10000;
	desk_set(&d, "fails.coder", 7, 0);
	desk_commit(&d);
	desk_run(&d, 100000);
	ck_assert_uint_le(d.r.n_failed, 4); /* 10 s, and 20 s or more without */
	ck_assert_uint_ge(d.r.n_failed, 2);
}
END_TEST

START_TEST(where_all_fails_the_adapter_waits_and_no_longer_than_that)
{
	char name[20];

	d.r.next_max = 8;
	d.r.fails = "n";
	for (uint8_t i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "n%02u.coder", i);
		desk_set(&d, name, i, 0);
	}
	desk_commit(&d);
	desk_run(&d, 1000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	ck_assert_uint_gt(desk_status(&d).attempts, 0);
	ck_assert_uint_lt(d.r.n_failed, 200);
	desk_run(&d, 100000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_FAILED);
	ck_assert_uint_eq(desk_status(&d).failing, 60);
	ck_assert_uint_lt(d.r.n_failed, 2000);
	d.r.fails = NULL;
	desk_settle(&d);
	desk_run(&d, 60000);
	ck_assert_uint_eq(desk_status(&d).failing, 0);
	desk_check(&d);
}
END_TEST

START_TEST(an_adapter_that_goes_takes_what_could_not_be_taken_too)
{
	d.r.fails = "b.coder";
	hf_feed_clean(d.feed);
	desk_run(&d, 5000);
	ck_assert(!hf_feed_is_clean(d.feed));
	ck_assert_ptr_null(desk_find(&d, "a.coder", false));
	ck_assert_ptr_nonnull(desk_find(&d, "b.coder", false));
	d.r.fails = NULL;
	desk_run(&d, 60000);
	ck_assert(hf_feed_is_clean(d.feed));
	ck_assert_uint_eq(d.r.n, 0);
}
END_TEST

static void twenty(const char *last)
{
	char name[20];

	for (uint8_t i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%02u.coder", i);
		desk_set(&d, name, (uint8_t)(100 + i), 0);
	}
	desk_set(&d, last, 7, 0);
	desk_commit(&d);
}

START_TEST(what_is_put_and_not_answered_holds_nothing_up)
{
	d.r.loses = "lost";
	desk_set(&d, "lost.coder", 7, 0);
	desk_set(&d, "new.coder", 8, 0);
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 1000);
	ck_assert_ptr_null(desk_find(&d, "b.coder", false));
	ck_assert_uint_eq(desk_status(&d).failing, 1);
	ck_assert_str_eq(desk_status(&d).failing_why,
	    "'lost.coder': it was put, and is not answered as it should be");
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	desk_clear_log(&d);
	desk_run(&d, 60000);
	ck_assert_uint_le(d.r.n_puts, 12); /* less and less */
	ck_assert_uint_eq(desk_status(&d).failing, 1);
	d.r.loses = NULL;
	desk_run(&d, 61000);
	ck_assert_uint_eq(desk_status(&d).failing, 0);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	desk_check(&d);
}
END_TEST

/* A workspace that is renamed is never without a name. */
START_TEST(the_name_before_stays_until_the_next_could_be_put)
{
	const char **trouble = _i ? &d.r.fails : &d.r.loses;

	*trouble = "renamed";
	desk_set(&d, "renamed.coder", 1, 0);
	desk_set(&d, "new.coder", 8, 0);
	desk_del(&d, "a.coder");
	desk_del(&d, "b.coder");
	desk_commit(&d);
	for (int i = 0; i < 3; i++) {
		desk_run(&d, 5000);
		ck_assert_ptr_null(desk_find(&d, "b.coder", false));
		ck_assert_ptr_nonnull(desk_find(&d, "new.coder", false));
		ck_assert_ptr_nonnull(desk_find(&d, "a.coder", false));
		ck_assert_uint_eq(desk_status(&d).failing, 2);
		desk_kill(&d);
		desk_start(&d);
	}
	*trouble = NULL;
	desk_run(&d, 130000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	desk_check(&d);
}
END_TEST

/* As unbound does, and as a program that dies of one line. */
START_TEST(one_change_of_which_a_whole_batch_fails_is_found_and_set_aside)
{
	d.r.poison = "p1.";
	d.r.poison_late = _i;
	desk_set(&d, "np1.coder", 8, 0);
	twenty("xp1.coder");
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 20000);
	ck_assert_uint_eq(desk_status(&d).failing, 2);
	ck_assert_ptr_nonnull(strstr(desk_status(&d).failing_why, "it chokes"));
	ck_assert_uint_eq(desk_status(&d).owned, 22);
	ck_assert_ptr_null(desk_find(&d, "b.coder", false));
	d.r.poison = NULL;
	desk_run(&d, 61000);
	ck_assert_uint_eq(desk_status(&d).failing, 0);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	desk_check(&d);
}
END_TEST

START_TEST(one_that_is_refused_alone_makes_way_for_news)
{
	d.r.poison = "p1.";
	desk_set(&d, "xp1.coder", 8, 0);
	desk_commit(&d);
	desk_run(&d, 2000);
	ck_assert_uint_eq(
	    desk_status(&d).failing, 0); /* there is nobody that it is in the way of */
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	desk_set(&d, "new.coder", 9, 0);
	desk_commit(&d);
	desk_run(&d, 5000);
	ck_assert_ptr_nonnull(desk_find(&d, "new.coder", false));
	ck_assert_uint_eq(desk_status(&d).failing, 1);
}
END_TEST

START_TEST(an_adapter_that_is_away_is_the_fault_of_no_name)
{
	d.r.fail = -ECONNREFUSED;
	twenty("x.coder");
	desk_run(&d, 60000);
	desk_set(&d, "new.coder", 9, 0);
	desk_commit(&d);
	desk_run(&d, 60000);
	ck_assert_uint_eq(desk_status(&d).failing, 0);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_FAILED);
	d.r.fail = 0;
	desk_clear_log(&d);
	desk_run(&d, 5100);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	ck_assert_uint_eq(d.r.n_puts, 22);
	ck_assert_uint_le(d.r.n_applies, 8); /* not one by one */
	desk_check(&d);
}
END_TEST

START_TEST(nor_one_that_goes_away_in_the_middle)
{
	d.r.next_max = 5;
	twenty("x.coder");
	while (d.r.n_puts < 13)
		ck_assert(desk_step(&d) || (desk_run(&d, 1), true));
	d.r.fail = -ECONNRESET;
	desk_run(&d, 60000);
	ck_assert_uint_eq(desk_status(&d).failing, 0);
	d.r.fail = 0;
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

static int count_record(const struct hf_record *record, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

START_TEST(who_writes_whole_files_does_not_get_what_could_not_be_put)
{
	struct hf_record_walk *walk;
	unsigned n = 0;

	d.r.fails = "fails";
	desk_set(&d, "fails.coder", 7, 0);
	desk_commit(&d);
	desk_run(&d, 1000);
	ck_assert_int_eq(d.host->walk_new(d.host->arg, &walk), 0);
	ck_assert_int_eq(d.host->walk_step(walk, 100, count_record, &n), 0);
	d.host->walk_free(walk);
	ck_assert_uint_eq(n, 3);
}
END_TEST

/* --- what is taken and stays */

START_TEST(a_taken_name_that_is_still_answered_holds_nothing_up)
{
	d.r.clings = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 10);
	desk_set(&d, "new.coder", 8, 0);
	desk_del(&d, "c.coder");
	desk_commit(&d);
	desk_run(&d, 100); /* one wait, and what it takes */
	ck_assert_ptr_nonnull(desk_find(&d, "new.coder", false));
	ck_assert_ptr_null(desk_find(&d, "c.coder", false));
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	ck_assert_uint_eq(desk_status(&d).stuck, 1);
	ck_assert_str_eq(
	    desk_status(&d).stuck_why, "'b.coder': it was taken, and is still answered");
	ck_assert_uint_eq(desk_status(&d).owned, 2);
	ck_assert_int_eq(row_of("b.coder", 2), ROW_STUCK);
	desk_run(&d, 10000);
	ck_assert_uint_ge(d.r.n_takes, 8); /* after 50, 150, 350, ... */
	ck_assert_uint_le(d.r.n_takes, 12);
	d.r.clings = NULL;
	desk_run(&d, 60000);
	ck_assert_uint_eq(desk_status(&d).stuck, 0);
	ck_assert_int_eq(row_of("b.coder", 2), ROW_NONE);
	desk_check(&d);
}
END_TEST

START_TEST(a_stuck_name_is_known_after_a_restart)
{
	d.r.clings = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 2000);
	desk_kill(&d);
	desk_start(&d);
	desk_run(&d, 1000);
	ck_assert_uint_eq(desk_status(&d).stuck, 1);
	desk_stop(&d);
	d.r.clings = NULL;
	desk_start(&d);
	desk_settle(&d);
	ck_assert_uint_eq(desk_status(&d).stuck, 0);
	desk_check(&d);
}
END_TEST

START_TEST(a_stuck_name_that_went_by_itself_is_seen_in_turn)
{
	d.r.clings = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 61000); /* its waits are long by now */
	ck_assert_uint_eq(desk_status(&d).stuck, 1);
	desk_remove(&d, "b.coder");
	desk_clear_log(&d);
	desk_run(&d, 11000);
	ck_assert_uint_eq(desk_status(&d).stuck, 0);
	ck_assert_uint_eq(d.r.n_takes, 0);
	desk_check(&d);
}
END_TEST

START_TEST(a_stuck_name_that_is_wanted_again_is_ours_again)
{
	d.r.clings = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 2000);
	desk_set(&d, "b.coder", 2, 0);
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_uint_eq(desk_status(&d).stuck, 0);
	ck_assert_int_eq(row_of("b.coder", 2), ROW_PUT);
	desk_run(&d, 70000);
	desk_check(&d);
}
END_TEST

START_TEST(of_a_stuck_name_another_address_is_put_and_stays)
{
	d.r.clings = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_run(&d, 2000);
	desk_set(&d, "b.coder", 9, 0);
	desk_commit(&d);
	desk_run(&d, 70000);
	d.r.clings = NULL;
	desk_run(&d, 70000);
	desk_check(&d);
}
END_TEST

START_TEST(what_is_stuck_is_nothing_that_is_missing)
{
	d.r.clings = "coder";
	desk_del(&d, "a.coder");
	desk_del(&d, "b.coder");
	desk_del(&d, "c.coder");
	desk_commit(&d);
	desk_run(&d, 100);
	ck_assert_uint_eq(desk_status(&d).stuck, 3);
	desk_clear_log(&d);
	hf_feed_verify(d.feed, true);
	desk_run(&d, 100);
	ck_assert(!desk_status(&d).check.running);
	desk_run(&d, 30000);
	ck_assert_uint_eq(d.r.n_puts, 0);
	d.r.clings = NULL;
	desk_run(&d, 60000);
	desk_check(&d);
}
END_TEST

START_TEST(a_resolver_that_is_silent_when_it_is_asked_does_not_hold_up_news_either)
{
	desk_del(&d, "b.coder");
	desk_commit(&d);
	while (!d.r.n_takes)
		ck_assert(desk_step(&d));
	d.r.silent = true;
	desk_run(&d, 1000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	desk_set(&d, "new.coder", 8, 0);
	desk_commit(&d);
	desk_run(&d, 5000);
	ck_assert_ptr_nonnull(desk_find(&d, "new.coder", false));
	d.r.silent = false;
	desk_settle(&d);
	desk_run(&d, 60000);
	ck_assert_uint_eq(desk_status(&d).stuck, 0);
	desk_check(&d);
}
END_TEST

START_TEST(all_is_complete_before_the_first_take)
{
	desk_set(&d, "new.coder", 8, 0);
	desk_del(&d, "b.coder");
	desk_commit(&d);
	while (!d.r.n_takes)
		ck_assert(desk_step(&d));
	ck_assert_uint_eq(d.r.n_completes, 1);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_completes, 2);
}
END_TEST

static void add_stuck(TCase *tc)
{
	tcase_add_test(tc, a_taken_name_that_is_still_answered_holds_nothing_up);
	tcase_add_test(tc, a_stuck_name_is_known_after_a_restart);
	tcase_add_test(tc, a_stuck_name_that_went_by_itself_is_seen_in_turn);
	tcase_add_test(tc, a_stuck_name_that_is_wanted_again_is_ours_again);
	tcase_add_test(tc, of_a_stuck_name_another_address_is_put_and_stays);
	tcase_add_test(tc, what_is_stuck_is_nothing_that_is_missing);
	tcase_add_test(tc, a_resolver_that_is_silent_when_it_is_asked_does_not_hold_up_news_either);
	tcase_add_test(tc, all_is_complete_before_the_first_take);
}

Suite *feed_aside_suite(void)
{
	Suite *s = suite_create("feed_aside");
	TCase *tc = tcase_create("aside");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_put_that_fails_holds_nothing_up_and_is_tried_again_less_and_less);
	tcase_add_test(tc, a_take_that_fails_holds_nothing_up_and_is_done_in_the_end);
	tcase_add_test(tc, what_failed_is_not_forgotten_over_a_restart);
	tcase_add_test(tc, an_address_that_cannot_be_replaced_stays_until_it_can);
	tcase_add_test(tc, changes_of_the_same_name_keep_their_order);
	tcase_add_test(tc, a_call_that_takes_long_waits_longer);
	tcase_add_test(tc, where_all_fails_the_adapter_waits_and_no_longer_than_that);
	tcase_add_test(tc, an_adapter_that_goes_takes_what_could_not_be_taken_too);
	tcase_add_test(tc, who_writes_whole_files_does_not_get_what_could_not_be_put);
	tcase_add_test(tc, what_is_put_and_not_answered_holds_nothing_up);
	tcase_add_loop_test(tc, the_name_before_stays_until_the_next_could_be_put, 0, 2);
	tcase_add_loop_test(
	    tc, one_change_of_which_a_whole_batch_fails_is_found_and_set_aside, 0, 2);
	tcase_add_test(tc, one_that_is_refused_alone_makes_way_for_news);
	tcase_add_test(tc, an_adapter_that_is_away_is_the_fault_of_no_name);
	tcase_add_test(tc, nor_one_that_goes_away_in_the_middle);
	add_stuck(tc);
	suite_add_tcase(s, tc);
	return s;
}
