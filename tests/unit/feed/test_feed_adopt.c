/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feed/feed_kit.h"

Suite *feed_adopt_suite(void);

static struct desk d;

static void setup(void)
{
	desk_init(&d);
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
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
	desk_clear_log(&d);
}

START_TEST(after_a_restart_with_nothing_new_the_adapter_looks_after_its_own_things)
{
	three();
	desk_stop(&d);
	desk_start(&d);
	desk_run(&d, 5000);
	ck_assert_uint_eq(d.r.n_applies, 0);
	ck_assert_uint_eq(d.r.n_lists, 1);
	ck_assert_uint_eq(d.r.n_completes, 1);
	ck_assert_uint_eq(d.r.n_verifies, 1);
	ck_assert_int_eq(desk_status(&d).verified, 1);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
}
END_TEST

START_TEST(what_changed_while_it_was_down_is_followed)
{
	three();
	desk_stop(&d);
	desk_del(&d, "b.coder");
	desk_set(&d, "c.coder", 33, 0);
	desk_set(&d, "new.coder", 4, 0);
	desk_commit(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "put c.coder 33;put new.coder 4;take b.coder 2;");
	desk_check(&d);
}
END_TEST

START_TEST(with_the_store_lost_what_is_there_is_adopted_and_cleaned_last)
{
	three();
	desk_foreign(&d, "printer.coder", 9);
	desk_foreign(&d, "b.example", 9);
	desk_del(&d, "b.coder");
	desk_set(&d, "new.coder", 4, 0);
	desk_lose_store(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_lists, 1);
	ck_assert_str_eq(d.r.log, "put new.coder 4;take b.coder 2;");
	ck_assert_ptr_nonnull(desk_find(&d, "printer.coder", true));
	ck_assert_uint_eq(desk_status(&d).leaving, 0);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
	desk_check(&d);
}
END_TEST

START_TEST(records_beyond_our_suffix_are_never_adopted)
{
	struct hf_record records[2] = { 0 };

	three();
	desk_lose_store(&d);
	desk_start(&d);
	while (!d.r.listing)
		ck_assert(desk_step(&d));
	ck_assert_int_eq(hf_name_parse("x.example", &records[0].name), 0);
	memcpy(records[0].addr, hf_addr_prefix, 6);
	ck_assert_int_eq(hf_name_parse("x.coder", &records[1].name), 0);
	records[1].addr[0] = 0x20;
	d.host->listed(d.host->arg, records, 2, 0, "");
	desk_run(&d, 1);
	ck_assert_uint_eq(desk_status(&d).leaving, 0);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_takes, 0);
	desk_check(&d);
}
END_TEST

START_TEST(a_list_that_cannot_be_had_stops_nothing)
{
	three();
	d.r.refuses_list = true;
	desk_set(&d, "new.coder", 4, 0);
	desk_lose_store(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_takes, 0);
	desk_check(&d);
}
END_TEST

START_TEST(with_its_list_unanswered_adoption_begins_anew)
{
	three();
	desk_del(&d, "b.coder");
	desk_lose_store(&d);
	desk_start(&d);
	while (!d.r.listing)
		ck_assert(desk_step(&d));
	desk_kill(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_lists, 2);
	ck_assert_str_eq(d.r.log, "take b.coder 2;");
	desk_check(&d);
}
END_TEST

/* Everything that can happen to names, at once. */
static void many_changes(void)
{
	char name[20];

	for (uint8_t i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "n%02u.coder", i);
		desk_set(&d, name, (uint8_t)(50 + i), 0);
	}
	desk_del(&d, "a.coder");
	desk_set(&d, "renamed.coder", 1, HF_REC_PRIMARY);
	desk_set(&d, "b.coder", 22, 0);
	desk_set(&d, "c.coder", 3, HF_REC_PRIMARY);
	desk_commit(&d);
}

/* Killed after so many steps, and once more as many steps later. */
START_TEST(killed_at_any_step_it_ends_with_what_is_wanted)
{
	unsigned left;

	three();
	desk_foreign(&d, "n03.coder", 99);
	d.r.next_max = 3;
	many_changes();
	for (int kill = 0; kill < 2; kill++) {
		for (left = (unsigned)_i / 2; left && desk_step(&d); left--)
			;
		desk_kill(&d);
		/* what was put just now is to be replaced, and is known to be ours */
		if (!kill && _i % 2) {
			desk_set(&d, "n00.coder", 90, 0);
			desk_set(&d, "renamed.coder", 91, HF_REC_PRIMARY);
			desk_del(&d, "n05.coder");
			desk_commit(&d);
		}
		desk_start(&d);
		if (left)
			break;
	}
	desk_settle(&d);
	desk_check(&d);
	ck_assert_uint_eq(desk_find(&d, "n03.coder", true)->addr, 99);
	ck_assert_uint_eq(desk_status(&d).owned, d.n_wanted - 1);
	/* And nothing is left over that nobody knows of. */
	desk_run(&d, 120000);
	desk_check(&d);
}
END_TEST

START_TEST(killed_at_any_step_after_the_store_was_lost_too)
{
	three();
	desk_foreign(&d, "printer.coder", 99);
	desk_del(&d, "b.coder");
	desk_set(&d, "c.coder", 33, 0);
	desk_set(&d, "new.coder", 4, 0);
	desk_lose_store(&d);
	desk_start(&d);
	for (int i = 0; i < _i && desk_step(&d); i++)
		;
	desk_kill(&d);
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_ptr_nonnull(desk_find(&d, "printer.coder", true));
}
END_TEST

/* Nobody can be asked whether what was under way was done: it is done until it is known. */
START_TEST(killed_at_any_step_twice_with_nobody_to_ask)
{
	d.type.verify = NULL;
	d.type.list = NULL;
	d.check_order = false;
	three();
	d.r.next_max = 3;
	many_changes();
	for (int i = 0; i < _i / 8 && desk_step(&d); i++)
		;
	desk_kill(&d);
	desk_start(&d);
	for (int i = 0; i < _i % 8 && desk_step(&d); i++)
		;
	desk_kill(&d);
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_uint_eq(desk_status(&d).owned, d.n_wanted);
}
END_TEST

/* It was taken, the receipt did not come, and then it is wanted again. */
START_TEST(with_nobody_to_ask_what_was_being_taken_is_put_again)
{
	d.type.verify = NULL;
	d.type.list = NULL;
	d.check_order = false;
	three();
	desk_del(&d, "b.coder");
	desk_commit(&d);
	while (!d.r.n_takes)
		ck_assert(desk_step(&d));
	desk_kill(&d);
	desk_set(&d, "b.coder", 2, 0);
	desk_commit(&d);
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
}
END_TEST

/* Cut off at any step, and configured again: with somebody to ask and with nobody. */
START_TEST(killed_at_any_step_of_a_clean_end_it_has_all_again)
{
	if (_i % 2)
		d.type.verify = NULL, d.type.list = NULL;
	d.check_order = false;
	three();
	hf_feed_clean(d.feed);
	for (int i = 0; i < _i / 2 && desk_step(&d); i++)
		;
	desk_kill(&d);
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
	ck_assert_uint_eq(desk_status(&d).owned, 3);
}
END_TEST

START_TEST(with_nobody_to_ask_only_what_was_under_way_is_done_once_more)
{
	d.type.verify = NULL;
	d.type.list = NULL;
	d.check_order = false;
	three();
	desk_set(&d, "new.coder", 4, 0);
	desk_commit(&d);
	while (!d.r.batch)
		ck_assert(desk_step(&d));
	desk_kill(&d);
	desk_start(&d);
	desk_settle(&d);
	ck_assert_str_eq(d.r.log, "put new.coder 4;");
	desk_check(&d);
}
END_TEST

START_TEST(what_a_killed_run_put_and_nobody_answers_for_is_asked_again)
{
	three();
	desk_set(&d, "new.coder", 4, 0);
	desk_commit(&d);
	while (!d.r.n_puts)
		ck_assert(desk_step(&d));
	desk_kill(&d);
	d.r.silent = true;
	desk_start(&d);
	desk_run(&d, 5000);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	d.r.silent = false;
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

/* Its receipt is on the disk, but nobody has confirmed it yet. */
START_TEST(what_a_killed_run_put_unconfirmed_is_confirmed_before_anything_goes)
{
	three();
	d.r.silent = true;
	desk_del(&d, "a.coder");
	desk_set(&d, "renamed.coder", 1, HF_REC_PRIMARY);
	desk_commit(&d);
	desk_run(&d, 2000);
	desk_kill(&d);
	desk_start(&d);
	desk_run(&d, 5000);
	ck_assert_uint_eq(d.r.n_takes, 0);
	d.r.silent = false;
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_takes, 1);
	desk_check(&d);
}
END_TEST

/* --- suffixes --- */

static void zones(const char *a, const char *b, uint32_t ttl_s)
{
	struct hf_name names[2];

	ck_assert_int_eq(hf_name_parse(a, &names[0]), 0);
	if (b)
		ck_assert_int_eq(hf_name_parse(b, &names[1]), 0);
	hf_feed_set_zones(d.feed, names, b ? 2 : 1, ttl_s);
}

static void move_to_dev(void)
{
	desk_del(&d, "a.coder");
	desk_del(&d, "b.coder");
	desk_del(&d, "c.coder");
	desk_set(&d, "a.dev", 1, 0);
	desk_commit(&d);
}

START_TEST(a_suffix_that_changed_is_emptied_and_then_let_go)
{
	three();
	ck_assert_uint_eq(d.r.n_told, 1);
	zones("dev", NULL, 30);
	move_to_dev();
	while (!d.r.n_takes)
		ck_assert(desk_step(&d));
	ck_assert_uint_eq(d.r.n_told, 2); /* it is still told both */
	ck_assert_uint_eq(d.r.n_puts, 1);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_told, 1);
	ck_assert(d.r.zones[0].wire[1] == 'd');
	ck_assert_uint_eq(d.r.n_empty, 1);
	desk_check(&d);
}
END_TEST

START_TEST(a_suffix_that_changed_while_it_was_down_is_let_go_too)
{
	three();
	desk_stop(&d);
	move_to_dev();
	desk_start(&d);
	zones("dev", NULL, 30);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_told, 1);
	ck_assert(d.r.zones[0].wire[1] == 'd');
	desk_check(&d);
	ck_assert_uint_eq(desk_status(&d).owned, 1);
}
END_TEST

START_TEST(another_ttl_is_put_everywhere)
{
	three();
	zones("coder", NULL, 5);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.ttl_s, 5);
	ck_assert_uint_eq(d.r.n_puts, 3);
	zones("coder", NULL, 5);
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_puts, 3);
}
END_TEST

/* --- teardown --- */

START_TEST(an_adapter_that_ends_leaves_everything_where_it_is)
{
	three();
	desk_stop(&d);
	ck_assert_uint_eq(d.r.n_applies, 0);
	ck_assert_uint_eq(d.r.n, 3);
}
END_TEST

START_TEST(cleaned_up_nothing_of_ours_is_left_and_the_rest_is_untouched)
{
	struct hf_cursor cursor;

	desk_foreign(&d, "b.coder", 99);
	three();
	d.check_order = false;
	if (_i)
		desk_lose_store(&d), desk_start(&d), desk_settle(&d);
	hf_feed_clean(d.feed);
	desk_run(&d, 1000);
	ck_assert(hf_feed_is_clean(d.feed));
	ck_assert_uint_eq(d.r.n, 1);
	ck_assert_uint_eq(desk_find(&d, "b.coder", true)->addr, 99);
	ck_assert_uint_eq(d.r.n_told, 0);
	ck_assert_uint_eq(d.r.n_empty, 1);
	ck_assert_int_eq(hf_store_cursor_get(d.fx.store, "fake", &cursor), 0);
	/* And it can come back. */
	desk_stop(&d);
	desk_start(&d);
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

START_TEST(cleaning_up_waits_for_the_batch_that_is_out)
{
	three();
	d.check_order = false;
	desk_set(&d, "new.coder", 4, 0);
	desk_commit(&d);
	while (!d.r.batch)
		ck_assert(desk_step(&d));
	hf_feed_clean(d.feed);
	desk_run(&d, 1000);
	ck_assert(hf_feed_is_clean(d.feed));
	ck_assert_uint_eq(d.r.n, 0);
}
END_TEST

Suite *feed_adopt_suite(void)
{
	Suite *s = suite_create("feed_adopt");
	TCase *tc = tcase_create("adopt");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, after_a_restart_with_nothing_new_the_adapter_looks_after_its_own_things);
	tcase_add_test(tc, what_changed_while_it_was_down_is_followed);
	tcase_add_test(tc, with_the_store_lost_what_is_there_is_adopted_and_cleaned_last);
	tcase_add_test(tc, records_beyond_our_suffix_are_never_adopted);
	tcase_add_test(tc, a_list_that_cannot_be_had_stops_nothing);
	tcase_add_test(tc, with_its_list_unanswered_adoption_begins_anew);
	tcase_add_loop_test(tc, killed_at_any_step_it_ends_with_what_is_wanted, 0, 120);
	tcase_add_loop_test(tc, killed_at_any_step_after_the_store_was_lost_too, 0, 30);
	tcase_add_loop_test(tc, killed_at_any_step_twice_with_nobody_to_ask, 0, 240);
	tcase_add_test(tc, with_nobody_to_ask_what_was_being_taken_is_put_again);
	tcase_add_loop_test(tc, killed_at_any_step_of_a_clean_end_it_has_all_again, 0, 80);
	tcase_add_test(tc, with_nobody_to_ask_only_what_was_under_way_is_done_once_more);
	tcase_add_test(tc, what_a_killed_run_put_and_nobody_answers_for_is_asked_again);
	tcase_add_test(tc, what_a_killed_run_put_unconfirmed_is_confirmed_before_anything_goes);
	tcase_add_test(tc, a_suffix_that_changed_is_emptied_and_then_let_go);
	tcase_add_test(tc, a_suffix_that_changed_while_it_was_down_is_let_go_too);
	tcase_add_test(tc, another_ttl_is_put_everywhere);
	tcase_add_test(tc, an_adapter_that_ends_leaves_everything_where_it_is);
	tcase_add_loop_test(tc, cleaned_up_nothing_of_ours_is_left_and_the_rest_is_untouched, 0, 2);
	tcase_add_test(tc, cleaning_up_waits_for_the_batch_that_is_out);
	suite_add_tcase(s, tc);
	return s;
}
