/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in the resolver and in no row of the ledger: it is found, counted, told and taken, by the
 * usual order, and nothing else is.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/feed/feed_kit.h"

Suite *unexpected_suite(void);

static struct desk d;

static void setup(void)
{
	desk_init(&d);
	desk_set(&d, "a.coder", 1, HF_REC_PRIMARY);
	desk_set(&d, "b.coder", 2, 0);
	desk_set(&d, "c.coder", 3, 0);
	desk_commit(&d);
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
	desk_clear_log(&d);
}

static void teardown(void)
{
	desk_done(&d);
}

static bool is_told(const char *code)
{
	struct hf_feed_status s = desk_status(&d);

	for (size_t i = 0; i < s.n_warnings; i++)
		if (!strcmp(s.warnings[i].code, code))
			return true;
	return false;
}

static uint64_t commits(void)
{
	struct hf_store_stats stats;

	hf_store_get_stats(d.fx.store, &stats);
	return stats.commits;
}

/* A step at a time, waiting where there is nothing else to do. */
static void until_pass(enum hf_pass_state state)
{
	for (unsigned i = 0; !d.feed->pass || d.feed->pass->state != state; i++) {
		ck_assert_uint_lt(i, 10000);
		if (!desk_step(&d))
			hf_fake_clock_add(&d.fx.clock, 50);
	}
}

/* --- when it is looked for --- */

START_TEST(a_life_begins_with_a_look_for_it)
{
	desk_stop(&d);
	desk_ghost(&d, "old.coder", 9, true);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "take old.coder 9;");
	ck_assert_uint_eq(d.r.n_lists, 1);
	ck_assert(!is_told(HF_FEED_WARN_UNEXPECTED));
	desk_check(&d);
}
END_TEST

START_TEST(it_is_looked_for_after_a_loss)
{
	desk_restart(&d);
	desk_ghost(&d, "old.coder", 9, false);
	d.host->lost(d.host->arg, "its canary is gone");
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "put a.coder 1;put b.coder 2;put c.coder 3;take old.coder 9;");
	desk_check(&d);
}
END_TEST

START_TEST(it_is_looked_for_when_all_is_put_again)
{
	desk_ghost(&d, "old.coder", 9, false);
	hf_feed_refill(d.feed, "the operator asks for it");
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_takes, 1);
	desk_check(&d);
}
END_TEST

START_TEST(a_loss_in_the_middle_of_a_pass_is_looked_at_after_it)
{
	desk_set(&d, "new.coder", 4, 0);
	desk_commit(&d);
	while (!d.r.batch)
		ck_assert(desk_step(&d));
	desk_ghost(&d, "old.coder", 9, false);
	d.host->lost(d.host->arg, "its canary is gone");
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

/* Nothing below it is to be left when the adapter forgets it. */
START_TEST(a_suffix_that_leaves_is_looked_through_first)
{
	struct hf_name dev;

	ck_assert_int_eq(hf_name_parse("dev", &dev), 0);
	desk_ghost(&d, "old.coder", 9, false);
	desk_del(&d, "a.coder");
	desk_del(&d, "b.coder");
	desk_del(&d, "c.coder");
	desk_set(&d, "a.dev", 1, HF_REC_PRIMARY);
	hf_feed_set_zones(d.feed, &dev, 1, 30);
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_told, 1);
	desk_check(&d);
}
END_TEST

/* Who lets go of it before it is known what is below it leaves that for good. */
START_TEST(a_suffix_stays_as_long_as_it_cannot_be_looked_through)
{
	struct hf_name dev;

	ck_assert_int_eq(hf_name_parse("dev", &dev), 0);
	desk_ghost(&d, "old.coder", 9, false);
	desk_del(&d, "a.coder");
	desk_del(&d, "b.coder");
	desk_del(&d, "c.coder");
	desk_set(&d, "a.dev", 1, HF_REC_PRIMARY);
	d.r.list_code = -EIO;
	hf_feed_set_zones(d.feed, &dev, 1, 30);
	desk_commit(&d);
	desk_run(&d, 20000);
	ck_assert_uint_eq(d.r.n_told, 2);
	ck_assert_uint_le(d.r.n_lists, 12);
	ck_assert_ptr_nonnull(desk_find(&d, "a.dev", false));
	ck_assert_ptr_null(desk_find(&d, "a.coder", false));
	d.r.list_code = 0;
	desk_run(&d, 6000);
	ck_assert_uint_eq(d.r.n_told, 1);
	desk_check(&d);
}
END_TEST

/* The adapter tells of one below which nothing was ours before. */
START_TEST(a_suffix_that_is_there_again_is_emptied_and_let_go)
{
	struct hf_name gone;

	ck_assert_int_eq(hf_name_parse("gone", &gone), 0);
	hf_feed_verify(d.feed, true);
	while (!d.r.listing)
		ck_assert(desk_step(&d));
	d.host->former(d.host->arg, &gone);
	ck_assert_uint_eq(d.r.n_told, 2);
	desk_ghost(&d, "old.gone", 9, true);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_told, 1);
	ck_assert_ptr_null(desk_find(&d, "old.gone", false));
	ck_assert_uint_eq(d.r.n_puts, 0);
	desk_check(&d);
}
END_TEST

/* It is listed while the suffix is ours, and not compared before it has gone. */
START_TEST(what_is_listed_below_a_suffix_that_went_is_left_alone)
{
	struct hf_record record = { .addr = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b } };

	hf_feed_verify(d.feed, true);
	while (!d.r.listing)
		ck_assert(desk_step(&d));
	ck_assert_int_eq(hf_name_parse("old.gone", &record.name), 0);
	d.host->listed(d.host->arg, &record, 1, 0, "");
	desk_run(&d, 1000);
	ck_assert_uint_eq(desk_status(&d).leaving, 0);
	ck_assert_uint_eq(d.r.n_takes, 0);
	ck_assert_int_eq(desk_status(&d).check.unexpected, 0);
}
END_TEST

/* Who lists by marks of ours: what is between them is ours, whatever its suffix. */
START_TEST(what_is_marked_as_ours_goes_whatever_its_suffix)
{
	desk_stop(&d);
	d.type.lists_only_ours = true;
	desk_ghost(&d, "old.former", 9, false);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "take old.former 9;");
	desk_check(&d);
}
END_TEST

START_TEST(cleaning_up_begins_with_a_look)
{
	if (_i == 1)
		desk_lose_store(&d), desk_start(&d);
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_settle(&d);
	desk_clear_log(&d);
	if (_i == 2)
		d.r.list_code = HF_ELIMIT;
	if (_i == 3)
		d.r.list_code = -EIO;
	desk_ghost(&d, "old.coder", 9, true);
	d.check_order = false;
	hf_feed_clean(d.feed);
	desk_run(&d, 100);
	ck_assert(hf_feed_is_clean(d.feed));
	ck_assert_uint_eq(d.r.n, _i < 2 ? 0 : 1);
	ck_assert_uint_eq(d.r.n_puts + d.r.n_asked, 0);
	desk_remove(&d, "old.coder");
}
END_TEST

START_TEST(where_all_is_as_it_should_be_nothing_is_written)
{
	uint64_t before;

	desk_stop(&d);
	desk_start(&d);
	desk_run(&d, 1000);
	before = commits();
	for (unsigned i = 0; i < 20; i++) {
		hf_feed_verify(d.feed, true);
		desk_run(&d, 1000);
		ck_assert_int_eq(desk_status(&d).check.unexpected, 0);
	}
	desk_stop(&d);
	desk_start(&d);
	desk_run(&d, 1000);
	ck_assert_uint_eq(d.r.n_lists, 22);
	ck_assert_uint_eq(d.r.n_applies, 0);
	ck_assert_uint_eq(commits(), before);
}
END_TEST

/* --- what is told --- */

START_TEST(who_verifies_all_is_told_how_many_should_not_be_there)
{
	struct hf_feed_check check;

	desk_ghost(&d, "old.coder", 9, true);
	desk_ghost(&d, "older.coder", 10, true);
	desk_ghost(&d, "b.coder", 11, false); /* beside the wanted one */
	hf_feed_verify(d.feed, true);
	ck_assert(desk_status(&d).check.running);
	desk_run(&d, 1000);
	check = desk_status(&d).check;
	ck_assert(!check.running && check.full);
	ck_assert_int_eq(check.unexpected, 3);
	ck_assert_uint_eq(check.right, 3);
	desk_check(&d);
	hf_feed_verify(d.feed, true);
	desk_run(&d, 1000);
	ck_assert_int_eq(desk_status(&d).check.unexpected, 0);
}
END_TEST

START_TEST(who_verifies_a_sample_is_told_nothing_of_it)
{
	desk_ghost(&d, "old.coder", 9, true);
	hf_feed_verify(d.feed, false);
	desk_run(&d, 1000);
	ck_assert(!desk_status(&d).check.running);
	ck_assert_int_eq(desk_status(&d).check.unexpected, -1);
	ck_assert_uint_eq(d.r.n_lists, 0);
}
END_TEST

START_TEST(as_long_as_it_cannot_be_taken_it_is_told)
{
	desk_ghost(&d, "old.coder", 9, true);
	d.r.fail = -ECONNREFUSED;
	hf_feed_verify(d.feed, true);
	desk_run(&d, 3000);
	ck_assert(is_told(HF_FEED_WARN_UNEXPECTED));
	ck_assert_ptr_nonnull(strstr(desk_status(&d).warnings[0].text, "'old.coder'"));
	ck_assert_uint_eq(desk_status(&d).leaving, 1);
	d.r.fail = 0;
	desk_settle(&d);
	ck_assert(!is_told(HF_FEED_WARN_UNEXPECTED));
	desk_check(&d);
}
END_TEST

START_TEST(a_verification_that_begins_while_another_lists_gets_a_list_of_its_own)
{
	hf_feed_verify(d.feed, true);
	while (!d.r.listing)
		ck_assert(desk_step(&d));
	hf_feed_verify(d.feed, true);
	while (d.r.listing)
		ck_assert(desk_step(&d));
	desk_ghost(&d, "old.coder", 9, true);
	desk_run(&d, 1000);
	ck_assert_uint_eq(d.r.n_lists, 2);
	ck_assert_uint_eq(desk_status(&d).check.number, 2);
	ck_assert_int_eq(desk_status(&d).check.unexpected, 1);
	ck_assert(!desk_status(&d).check.running);
	desk_check(&d);
}
END_TEST

START_TEST(who_cannot_list_is_asked_for_the_rest)
{
	desk_stop(&d);
	d.type.list = NULL;
	desk_start(&d);
	hf_feed_verify(d.feed, true);
	desk_run(&d, 1000);
	ck_assert(!desk_status(&d).check.running);
	ck_assert_int_eq(desk_status(&d).check.unexpected, -1);
	ck_assert_uint_eq(desk_status(&d).check.right, 3);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
}
END_TEST

/* --- lists that do not come --- */

START_TEST(news_does_not_wait_for_a_list_that_fails)
{
	d.r.list_code = -EIO;
	desk_ghost(&d, "old.coder", 9, false);
	desk_stop(&d);
	desk_set(&d, "new.coder", 4, 0);
	desk_commit(&d);
	desk_start(&d);
	desk_run(&d, 20);
	ck_assert_ptr_nonnull(desk_find(&d, "new.coder", false));
	desk_run(&d, 20000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	ck_assert_uint_ge(d.r.n_lists, 3);
	ck_assert_uint_le(d.r.n_lists, 12);
	d.r.list_code = 0;
	desk_run(&d, 6000);
	desk_check(&d);
}
END_TEST

START_TEST(a_list_that_is_cut_does_not_mean_that_there_is_nothing_more)
{
	desk_ghost(&d, "old.coder", 9, false);
	desk_ghost(&d, "older.coder", 10, false);
	d.r.list_code = -EIO;
	d.r.list_max = 4;
	hf_feed_verify(d.feed, true);
	desk_run(&d, 40);
	ck_assert_ptr_null(desk_find(&d, "old.coder", false));
	ck_assert_ptr_nonnull(desk_find(&d, "older.coder", false));
	ck_assert(!desk_status(&d).check.running);
	d.r.list_code = 0;
	desk_run(&d, 6000);
	desk_check(&d);
	ck_assert_uint_eq(d.r.n_puts, 0);
}
END_TEST

/* A verification that finds nothing out does not say that there is nothing. */
START_TEST(a_list_that_is_cut_is_no_count)
{
	d.r.list_code = _i ? -EIO : HF_ELIMIT;
	hf_feed_verify(d.feed, true);
	desk_run(&d, 1000);
	ck_assert(!desk_status(&d).check.running);
	ck_assert_int_eq(desk_status(&d).check.unexpected, -1);
	ck_assert(!is_told(HF_FEED_WARN_NOT_ADOPTED));
	ck_assert_uint_eq(d.r.n_takes, 0);
}
END_TEST

START_TEST(with_the_store_lost_and_too_much_to_list_it_is_said)
{
	desk_del(&d, "b.coder");
	d.r.list_code = HF_ELIMIT;
	desk_lose_store(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert(is_told(HF_FEED_WARN_NOT_ADOPTED));
	ck_assert_uint_eq(d.r.n_takes, 0);
	/* The resolver starts again: what it had went with it. */
	desk_restart(&d);
	d.r.list_code = 0;
	d.host->lost(d.host->arg, "restarted");
	desk_settle(&d);
	ck_assert(!is_told(HF_FEED_WARN_NOT_ADOPTED));
	desk_check(&d);
}
END_TEST

/* What comes with it, of a file perhaps, is adopted all the same. */
START_TEST(with_the_store_lost_what_comes_of_a_list_that_is_too_large_is_adopted)
{
	desk_del(&d, "b.coder");
	d.r.list_code = HF_ELIMIT;
	d.r.list_max = 3;
	desk_lose_store(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "take b.coder 2;");
	desk_check(&d);
}
END_TEST

/* The start of a resolver with an older file, which brings a removed name back. */
static void removed_is_back(void)
{
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_settle(&d);
	desk_clear_log(&d);
	desk_ghost(&d, "b.coder", 2, false);
	d.r.list_code = HF_ELIMIT;
}

START_TEST(where_not_all_can_be_listed_it_is_asked_for_what_was_removed)
{
	removed_is_back();
	d.host->lost(d.host->arg, "its canary is gone");
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "put a.coder 1;put c.coder 3;take b.coder 2;");
	desk_check(&d);
	desk_clear_log(&d);
	hf_feed_verify(d.feed, true);
	desk_run(&d, 1000);
	ck_assert_int_eq(desk_status(&d).check.unexpected, -1);
	ck_assert_uint_eq(d.r.n_asked, 1 + 2);
	ck_assert_uint_eq(d.r.n_applies, 0);
}
END_TEST

START_TEST(what_was_removed_and_is_back_is_counted)
{
	removed_is_back();
	hf_feed_verify(d.feed, true);
	desk_run(&d, 1000);
	ck_assert_int_eq(desk_status(&d).check.unexpected, 1);
	desk_check(&d);
}
END_TEST

/* One that was taken and is still answered is known, and has its own turn. */
START_TEST(what_is_known_to_be_left_is_not_found_once_more)
{
	d.r.clings = "b.coder";
	desk_del(&d, "b.coder");
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_uint_eq(desk_status(&d).stuck, 1);
	d.r.list_code = _i ? HF_ELIMIT : 0;
	hf_feed_verify(d.feed, true);
	desk_run(&d, 1000);
	ck_assert_uint_eq(desk_status(&d).stuck, 1);
	ck_assert_uint_eq(desk_status(&d).leaving, 0);
	ck_assert_int_eq(desk_status(&d).check.unexpected, _i ? -1 : 0);
	d.r.clings = NULL;
	desk_run(&d, 60000);
	ck_assert_uint_eq(desk_status(&d).stuck, 0);
	desk_check(&d);
}
END_TEST

/* Nobody answers, and then somebody does. */
START_TEST(what_was_removed_is_asked_for_until_there_is_an_answer)
{
	removed_is_back();
	desk_stop(&d);
	if (_i)
		d.r.silent = true;
	else
		d.r.verify_code = -ECONNREFUSED;
	desk_start(&d);
	desk_run(&d, 10000);
	ck_assert_uint_eq(d.r.n_takes, 0);
	d.r.silent = false;
	d.r.verify_code = 0;
	desk_run(&d, 15000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	desk_check(&d);
}
END_TEST

/* --- what is found --- */

START_TEST(a_name_that_is_wanted_by_now_is_not_taken)
{
	const enum hf_pass_state states[] = { PASS_DRAWING, PASS_TAKING, PASS_SEEING_OFF };

	desk_ghost(&d, "new.coder", 9, false);
	hf_feed_verify(d.feed, true);
	while (d.r.n_lists == 0 || d.r.listing)
		ck_assert(desk_step(&d));
	if (_i)
		until_pass(states[_i]);
	desk_set(&d, "new.coder", 9, 0);
	d.check_order = false;
	desk_commit(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_ptr_nonnull(desk_find(&d, "new.coder", false));
	if (!_i)
		ck_assert_str_eq(d.r.log, "");
}
END_TEST

/* The name is right; what still points to it is not. */
START_TEST(a_former_address_of_a_name_goes)
{
	desk_ghost(&d, "c.coder", 33, true);
	hf_feed_verify(d.feed, true);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "put c.coder 3;");
	desk_check(&d);
}
END_TEST

START_TEST(a_record_that_comes_twice_is_one)
{
	struct hf_record record = { .addr = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b } };

	record.addr[15] = 9;
	desk_ghost(&d, "old.coder", 9, true);
	hf_feed_verify(d.feed, true);
	while (!d.r.listing)
		ck_assert(desk_step(&d));
	/* as an address, and then as what it points to */
	ck_assert_int_eq(hf_name_parse("old.coder", &record.name), 0);
	d.host->listed(d.host->arg, &record, 1, 0, "");
	desk_run(&d, 1000);
	ck_assert_int_eq(desk_status(&d).check.unexpected, 1);
	ck_assert_uint_eq(desk_status(&d).leaving, 0);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
	desk_check(&d);
}
END_TEST

START_TEST(a_name_that_others_have_is_not_adopted)
{
	desk_foreign(&d, "x.coder", 99);
	desk_set(&d, "x.coder", 9, 0);
	desk_commit(&d);
	desk_settle(&d);
	ck_assert_uint_eq(desk_status(&d).skipped, 1);
	desk_ghost(&d, "x.coder", 9, false);
	hf_feed_verify(d.feed, true);
	desk_run(&d, 1000);
	ck_assert_int_eq(desk_status(&d).check.unexpected, 0);
	ck_assert_uint_eq(desk_status(&d).skipped, 1);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
	ck_assert_uint_eq(d.r.n_takes, 0);
}
END_TEST

/* Killed after so many steps of finding and taking. */
START_TEST(killed_at_any_step_it_goes_all_the_same)
{
	desk_ghost(&d, "old.coder", 9, true);
	desk_ghost(&d, "c.coder", 33, false);
	hf_feed_verify(d.feed, true);
	for (int i = 0; i < _i && desk_step(&d); i++)
		;
	desk_kill(&d);
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
}
END_TEST

Suite *unexpected_suite(void)
{
	Suite *s = suite_create("unexpected");
	TCase *tc = tcase_create("unexpected");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_life_begins_with_a_look_for_it);
	tcase_add_test(tc, it_is_looked_for_after_a_loss);
	tcase_add_test(tc, it_is_looked_for_when_all_is_put_again);
	tcase_add_test(tc, a_loss_in_the_middle_of_a_pass_is_looked_at_after_it);
	tcase_add_test(tc, a_suffix_that_leaves_is_looked_through_first);
	tcase_add_test(tc, what_is_listed_below_a_suffix_that_went_is_left_alone);
	tcase_add_test(tc, a_suffix_stays_as_long_as_it_cannot_be_looked_through);
	tcase_add_test(tc, a_suffix_that_is_there_again_is_emptied_and_let_go);
	tcase_add_test(tc, what_is_marked_as_ours_goes_whatever_its_suffix);
	tcase_add_loop_test(tc, cleaning_up_begins_with_a_look, 0, 4);
	tcase_add_test(tc, where_all_is_as_it_should_be_nothing_is_written);
	tcase_add_test(tc, who_verifies_all_is_told_how_many_should_not_be_there);
	tcase_add_test(tc, who_verifies_a_sample_is_told_nothing_of_it);
	tcase_add_test(tc, as_long_as_it_cannot_be_taken_it_is_told);
	tcase_add_test(tc, a_verification_that_begins_while_another_lists_gets_a_list_of_its_own);
	tcase_add_test(tc, who_cannot_list_is_asked_for_the_rest);
	tcase_add_test(tc, news_does_not_wait_for_a_list_that_fails);
	tcase_add_test(tc, a_list_that_is_cut_does_not_mean_that_there_is_nothing_more);
	tcase_add_loop_test(tc, a_list_that_is_cut_is_no_count, 0, 2);
	tcase_add_test(tc, with_the_store_lost_and_too_much_to_list_it_is_said);
	tcase_add_test(tc, with_the_store_lost_what_comes_of_a_list_that_is_too_large_is_adopted);
	tcase_add_test(tc, where_not_all_can_be_listed_it_is_asked_for_what_was_removed);
	tcase_add_test(tc, what_was_removed_and_is_back_is_counted);
	tcase_add_loop_test(tc, what_is_known_to_be_left_is_not_found_once_more, 0, 2);
	tcase_add_loop_test(tc, what_was_removed_is_asked_for_until_there_is_an_answer, 0, 2);
	tcase_add_loop_test(tc, a_name_that_is_wanted_by_now_is_not_taken, 0, 3);
	tcase_add_test(tc, a_former_address_of_a_name_goes);
	tcase_add_test(tc, a_record_that_comes_twice_is_one);
	tcase_add_test(tc, a_name_that_others_have_is_not_adopted);
	tcase_add_loop_test(tc, killed_at_any_step_it_goes_all_the_same, 0, 40);
	suite_add_tcase(s, tc);
	return s;
}
