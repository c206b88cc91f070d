/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adopt alone: what of a list becomes a stale row, when it is asked for, and what comes of a list
 * that cannot be had.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/adopt.h"
#include "tests/unit/feed/peer_kit.h"

Suite *adopt_suite(void);

static struct peer p;
static struct parts s;
static struct hf_adopt a;

static void setup(void)
{
	peer_init(&p);
	parts_init(&s, &p);
	a = (struct hf_adopt){
		.peer = &p.peer,
		.outbox = &s.outbox,
		.zones = &s.zones,
		.questions = &s.questions,
		.warnings = &s.warnings,
		.wait = { .floor_ms = 100, .cap_ms = 5000 },
	};
	hf_adopt_want(&a);
}

static void teardown(void)
{
	hf_adopt_done(&a);
	parts_done(&s);
	peer_done(&p);
}

/* Until the look is over, or somebody has to answer, or it fails. */
static struct hf_feed_step go_on(void)
{
	struct hf_feed_step step = { 0 };

	while (a.state != ADOPT_NOTHING && s.questions.asking == ASK_NOTHING) {
		step = hf_adopt_step(&a);
		if (step.next != HF_STEP_AGAIN)
			break;
	}
	return step;
}

static void begin(void)
{
	hf_adopt_begin(&a, 0);
	ck_assert_int_eq(go_on().next, HF_STEP_ON_EVENT);
	ck_assert(a.asked);
}

static void lists(const char *name, uint8_t addr, bool primary)
{
	const struct hf_record r = peer_record(name, addr, primary);

	ck_assert_int_eq(hf_adopt_listed(&a, &r, 1, 0, "").next, HF_STEP_AGAIN);
}

static struct hf_feed_step ends(int code, const char *text)
{
	return hf_adopt_listed(&a, NULL, 0, code, text);
}

/* To the end of the look, with nothing to be asked for. */
static void look_through(void)
{
	go_on();
	ck_assert_int_eq(a.state, ADOPT_NOTHING);
	ck_assert_int_eq(hf_ledger_flush(&s.outbox.ledger), 0);
}

static const char *unexpected(void)
{
	return hf_feed_warnings_text(&s.warnings, HF_FEED_WARN_UNEXPECTED);
}

static const char *not_adopted(void)
{
	return hf_feed_warnings_text(&s.warnings, HF_FEED_WARN_NOT_ADOPTED);
}

/* --- the comparison --- */

START_TEST(what_is_there_and_in_no_row_becomes_a_stale_row)
{
	parts_own(&s, "known.coder", 1, ROW_PUT);
	begin();
	lists("known.coder", 1, false);
	lists("ghost.coder", 2, true);
	lists("known.coder", 3, false); /* with an address that nobody knows of */
	ck_assert_int_eq(ends(0, "").next, HF_STEP_AGAIN);
	look_through();
	ck_assert_int_eq(peer_row(&p, "known.coder", 1), ROW_PUT);
	ck_assert_int_eq(peer_row(&p, "ghost.coder", 2), ROW_STALE | ROW_PRIMARY);
	ck_assert_int_eq(peer_row(&p, "known.coder", 3), ROW_STALE);
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 2);
	ck_assert(a.whole);
}
END_TEST

START_TEST(beyond_our_suffixes_and_our_prefix_nothing_is_ours)
{
	struct hf_record r = peer_record("x.coder", 1, false);

	begin();
	lists("x.example", 2, false);
	lists("xcoder", 3, false);
	r.addr[0] = 0x20;
	hf_adopt_listed(&a, &r, 1, 0, "");
	ends(0, "");
	look_through();
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 0);
	ck_assert_ptr_null(unexpected());
}
END_TEST

START_TEST(between_our_marks_all_is_ours_whatever_its_suffix)
{
	struct hf_record r = peer_record("y.coder", 1, false);

	p.type.lists_only_ours = true;
	begin();
	lists("x.example", 2, false);
	r.addr[0] = 0x20;
	hf_adopt_listed(&a, &r, 1, 0, "");
	ends(0, "");
	look_through();
	ck_assert_int_eq(peer_row(&p, "x.example", 2), ROW_STALE);
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 1);
}
END_TEST

START_TEST(what_may_be_there_by_its_row_is_known)
{
	static const uint8_t rows[] = { ROW_TRIED, ROW_PUT | ROW_PRIMARY, ROW_STALE, ROW_FAILED,
		ROW_STUCK };

	parts_own(&s, "a.coder", 1, rows[_i]);
	begin();
	lists("a.coder", 1, false);
	ends(0, "");
	look_through();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), rows[_i]);
}
END_TEST

/* With the ledger lost, a row of the new one says nothing of what an earlier run put. */
START_TEST(what_others_have_is_theirs_unless_the_ledger_is_lost)
{
	parts_own(&s, "a.coder", 1, _i % 2 ? ROW_UNFIT : ROW_CLASH);
	a.lost = _i >= 2;
	begin();
	lists("a.coder", 1, false);
	ends(0, "");
	look_through();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), _i >= 2  ? ROW_STALE
						     : _i % 2 ? ROW_UNFIT
							      : ROW_CLASH);
	ck_assert_uint_eq(hf_outbox_n_skipped(&s.outbox), _i >= 2 ? 0 : 1);
}
END_TEST

/* In whatever order, and also while no row is written yet. */
START_TEST(a_record_that_comes_as_an_address_and_a_pointer_is_one)
{
	begin();
	lists("a.coder", 1, _i);
	lists("a.coder", 1, !_i);
	lists("a.coder", 1, false);
	ends(0, "");
	look_through();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_STALE | ROW_PRIMARY);
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 1);
}
END_TEST

START_TEST(a_long_list_is_written_in_parts)
{
	char name[20];

	begin();
	for (unsigned i = 0; i < 1300; i++) {
		snprintf(name, sizeof(name), "n%04u.coder", i);
		lists(name, (uint8_t)i, false);
	}
	ends(0, "");
	go_on();
	ck_assert_uint_eq(s.outbox.ledger.n_written, 3); /* the suffix before */
	ck_assert_uint_eq(hf_ledger_waiting(&s.outbox.ledger), 1300 - 2 * 512);
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 1300);
}
END_TEST

START_TEST(what_should_not_be_there_is_told_until_a_pass_took_it)
{
	const struct hf_record r = peer_record("ghost.coder", 2, false);

	begin();
	lists("ghost.coder", 2, false);
	ends(0, "");
	look_through();
	ck_assert_ptr_nonnull(strstr(unexpected(), "'ghost.coder'"));
	hf_adopt_passed(&a);
	ck_assert_ptr_nonnull(unexpected());
	ck_assert_int_eq(hf_ledger_gone(&s.outbox.ledger, &r.name, r.addr, ROW_STALE), 0);
	hf_adopt_passed(&a);
	ck_assert_ptr_null(unexpected());
}
END_TEST

/* --- when --- */

START_TEST(it_is_looked_for_when_something_may_be_there)
{
	ck_assert_int_eq(hf_adopt_wait(&a), 0);
	begin();
	ck_assert_int_eq(hf_adopt_wait(&a), -1);
	ends(0, "");
	look_through();
	ck_assert_int_eq(hf_adopt_wait(&a), -1);
	hf_adopt_want(&a);
	ck_assert_int_eq(hf_adopt_wait(&a), 0);
	p.type.list = NULL;
	hf_adopt_want(&a);
	ck_assert_int_eq(hf_adopt_wait(&a), -1);
}
END_TEST

START_TEST(where_nothing_can_be_listed_there_is_nothing_to_wait_for)
{
	p.type.list = NULL;
	hf_adopt_begin(&a, 0);
	look_through();
	ck_assert(a.whole && !a.asked);
	ck_assert_uint_eq(p.n_lists, 0);
}
END_TEST

START_TEST(an_adapter_that_is_at_it_is_not_asked_twice)
{
	begin();
	ck_assert_int_eq(go_on().next, HF_STEP_ON_EVENT);
	hf_adopt_begin(&a, 0);
	ck_assert_int_eq(go_on().next, HF_STEP_ON_EVENT);
	ck_assert_uint_eq(p.n_lists, 1);
}
END_TEST

START_TEST(an_answer_that_nobody_asked_for_is_nothing)
{
	lists("a.coder", 1, false);
	ck_assert_int_eq(ends(-EIO, "").next, HF_STEP_AGAIN);
	ck_assert_int_eq(a.state, ADOPT_NOTHING);
	begin();
	ends(0, "");
	look_through();
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 0);
}
END_TEST

START_TEST(a_look_that_is_given_up_leaves_nothing)
{
	begin();
	lists("a.coder", 1, false);
	ends(0, "");
	ck_assert_int_eq(a.state, ADOPT_COMPARING);
	hf_adopt_drop(&a);
	ck_assert_int_eq(a.state, ADOPT_NOTHING);
	hf_adopt_begin(&a, 3);
	ck_assert_uint_eq(a.check, 3);
	go_on();
	ends(0, "");
	look_through();
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 0);
}
END_TEST

/* --- a list that fails --- */

START_TEST(one_that_fails_is_made_again_later_and_delays_nothing)
{
	begin();
	lists("ghost.coder", 2, false);
	ck_assert_int_eq(ends(-ETIMEDOUT, "it is away").next, HF_STEP_AGAIN);
	look_through();
	ck_assert(!a.whole);
	/* What came before it failed is there all the same. */
	ck_assert_int_eq(peer_row(&p, "ghost.coder", 2), ROW_STALE);
	ck_assert_int_eq(hf_adopt_wait(&a), 100);
	hf_fake_clock_add(&p.fx.clock, 100);
	ck_assert_int_eq(hf_adopt_wait(&a), 0);
	begin();
	ends(-ETIMEDOUT, "it is away");
	look_through();
	ck_assert_int_eq(hf_adopt_wait(&a), 200);
	hf_fake_clock_add(&p.fx.clock, 200);
	begin();
	ends(0, "");
	look_through();
	ck_assert(a.whole);
	ck_assert_int_eq(hf_adopt_wait(&a), -1);
	/* The next failure is a first one. */
	hf_adopt_want(&a);
	begin();
	ends(-ETIMEDOUT, "");
	ck_assert_int_eq(hf_adopt_wait(&a), 100);
	/* Who has a reason of its own does not wait for that. */
	hf_adopt_want(&a);
	ck_assert_int_eq(hf_adopt_wait(&a), 0);
}
END_TEST

START_TEST(with_the_ledger_lost_nothing_begins_before_it)
{
	struct hf_feed_step step;

	a.lost = true;
	begin();
	lists("half.coder", 9, false);
	step = ends(-ECONNREFUSED, "nobody is there");
	ck_assert_int_eq(step.next, HF_STEP_FAILED);
	ck_assert_int_eq(step.code, -ECONNREFUSED);
	ck_assert_str_eq(step.text, "nobody is there");
	ck_assert_int_eq(a.state, ADOPT_LISTING);
	/* Tried again, from the beginning. */
	ck_assert_int_eq(go_on().next, HF_STEP_ON_EVENT);
	ck_assert_uint_eq(p.n_lists, 2);
	lists("ghost.coder", 2, false);
	step = ends(0, "");
	ck_assert(step.next == HF_STEP_AGAIN && step.well);
	look_through();
	ck_assert(!a.lost);
	ck_assert_int_eq(peer_row(&p, "half.coder", 9), ROW_NONE);
	ck_assert_int_eq(peer_row(&p, "ghost.coder", 2), ROW_STALE);
	/* The ledger is of this epoch now, also for the next life. */
	ck_assert_int_eq(hf_ledger_load(&s.outbox.ledger), 1);
	/* What an earlier run left is no surprise. */
	ck_assert_ptr_null(unexpected());
}
END_TEST

START_TEST(one_that_leaves_has_no_time_for_a_second_try)
{
	a.lost = a.leaving = true;
	begin();
	ck_assert_int_ne(ends(-ECONNREFUSED, "nobody is there").next, HF_STEP_FAILED);
	look_through();
	ck_assert_uint_eq(p.n_lists, 1);
}
END_TEST

START_TEST(one_that_cannot_be_had_at_all_is_not_tried_again)
{
	static const int codes[] = { HF_EUNSUPPORTED, -ENOTSUP };

	a.lost = true;
	begin();
	ck_assert(ends(codes[_i], "it has no such command").well);
	look_through();
	ck_assert(!a.lost && !a.whole);
	ck_assert_int_eq(hf_ledger_load(&s.outbox.ledger), 1);
	ck_assert_int_eq(hf_adopt_wait(&a), -1);
	ck_assert_ptr_null(not_adopted());
}
END_TEST

START_TEST(what_cannot_be_listed_after_a_loss_is_told_until_a_list_came)
{
	a.lost = true;
	begin();
	ends(HF_ELIMIT, "more than 100 MB");
	ck_assert_ptr_nonnull(strstr(not_adopted(), "more than 100 MB"));
	look_through();
	ck_assert_ptr_nonnull(not_adopted());
	begin();
	ends(-ETIMEDOUT, "");
	look_through();
	ck_assert_ptr_nonnull(not_adopted());
	begin();
	ends(0, "");
	ck_assert_ptr_null(not_adopted());
}
END_TEST

/* --- what cannot be listed is asked for --- */

static void remove_three(void)
{
	peer_commit(&p, "a.coder", 1, HF_REC_PRIMARY);
	peer_commit(&p, "b.coder", 2, 0);
	peer_commit(&p, "c.coder", 3, 0);
	peer_commit(&p, "x.example", 4, 0);
	peer_commit(&p, "stays.coder", 5, 0);
	peer_remove(&p, "a.coder", 1, HF_REC_PRIMARY);
	peer_remove(&p, "b.coder", 2, 0);
	peer_remove(&p, "c.coder", 3, 0);
	peer_remove(&p, "x.example", 4, 0);
}

START_TEST(the_names_that_were_removed_last_are_asked_for)
{
	remove_three();
	parts_own(&s, "c.coder", 3, ROW_PUT); /* known: its pass is still to come */
	begin();
	ends(HF_ELIMIT, "too many");
	go_on();
	ck_assert_int_eq(s.questions.asking, ASK_SEEK);
	ck_assert_str_eq(parts_lot(&s), "!b.coder 2;!a.coder 1*;");
	ck_assert_int_eq(hf_adopt_step(&a).next, HF_STEP_ON_EVENT);
	parts_answer_one(&s, "a.coder", HF_IS_NOT_SO);
	parts_answer_one(&s, "b.coder", HF_IS_SO);
	parts_answered(&s);
	hf_adopt_answered(&a, 0, "");
	look_through();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_STALE | ROW_PRIMARY);
	ck_assert_int_eq(peer_row(&p, "b.coder", 2), ROW_NONE);
	ck_assert_ptr_nonnull(strstr(unexpected(), "'a.coder'"));
	ck_assert_ptr_null(not_adopted());
	ck_assert_int_eq(hf_adopt_wait(&a), -1);
}
END_TEST

START_TEST(what_is_not_answered_is_asked_for_again_later)
{
	remove_three();
	begin();
	ends(HF_ELIMIT, "too many");
	go_on();
	ck_assert_str_eq(parts_lot(&s), "!c.coder 3;!b.coder 2;!a.coder 1*;");
	parts_answer_one(&s, "a.coder", HF_IS_NOT_SO);
	parts_answer_one(&s, "b.coder", HF_IS_FOREIGN);
	parts_answered(&s);
	hf_adopt_answered(&a, _i ? -ECONNREFUSED : 0, "");
	ck_assert_int_eq(a.state, ADOPT_NOTHING);
	ck_assert_int_eq(hf_adopt_wait(&a), 100);
	ck_assert_int_eq(hf_ledger_flush(&s.outbox.ledger), 0);
	/* With a code nothing was found out. */
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), _i ? ROW_NONE : ROW_STALE | ROW_PRIMARY);
	ck_assert_int_eq(peer_row(&p, "b.coder", 2), ROW_NONE);
	ck_assert_int_eq(peer_row(&p, "c.coder", 3), ROW_NONE);
}
END_TEST

START_TEST(many_of_them_are_asked_for_in_lots)
{
	char name[20];

	for (unsigned i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "n%03u.coder", i);
		peer_commit(&p, name, (uint8_t)i, 0);
		peer_remove(&p, name, (uint8_t)i, 0);
	}
	begin();
	ends(HF_ELIMIT, "too many");
	go_on();
	ck_assert_uint_eq(p.n_expect, HF_FEED_SAMPLE);
	parts_answer(&s, HF_IS_SO);
	hf_adopt_answered(&a, 0, "");
	go_on();
	ck_assert_uint_eq(p.n_verifies, 2);
	ck_assert_uint_eq(p.n_expect, 50);
	parts_answer(&s, HF_IS_SO);
	hf_adopt_answered(&a, 0, "");
	look_through();
}
END_TEST

START_TEST(who_leaves_or_has_nobody_to_ask_asks_for_none)
{
	remove_three();
	if (_i)
		a.leaving = true;
	else
		p.type.verify = NULL;
	begin();
	ends(HF_ELIMIT, "too many");
	look_through();
	ck_assert_uint_eq(p.n_verifies, 0);
}
END_TEST

START_TEST(an_answer_after_it_was_given_up_is_nothing)
{
	remove_three();
	begin();
	ends(HF_ELIMIT, "too many");
	go_on();
	hf_adopt_drop(&a);
	parts_answer(&s, HF_IS_NOT_SO);
	hf_adopt_answered(&a, 0, "");
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 0);
	ck_assert_int_eq(a.state, ADOPT_NOTHING);
}
END_TEST

/* While the store applies a changeset it takes no rows: it goes on where it was. */
START_TEST(a_store_that_is_busy_is_waited_for)
{
	const struct hf_record r = peer_record("new.coder", 9, false);
	struct hf_name_change change = {
		.name = r.name, .what = HF_WHAT_ADDED, .owner = UINT32_MAX, .agent = UINT32_MAX
	};
	const struct hf_changeset set = {
		.names = &change, .n_names = 1, .wall_s = FIXTURE_WALL_S
	};
	struct hf_feed_step step;
	char name[20];

	begin();
	for (unsigned i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "n%03u.coder", i);
		lists(name, (uint8_t)i, false);
	}
	ends(0, "");
	memcpy(change.addr, r.addr, sizeof(change.addr));
	ck_assert_int_eq(hf_store_begin(p.fx.store, &set), 0);
	step = go_on();
	ck_assert(step.next == HF_STEP_FAILED && step.store);
	ck_assert_int_eq(step.code, -EBUSY);
	hf_store_abort(p.fx.store);
	look_through();
	ck_assert_uint_eq(s.outbox.ledger.counts[ROW_STALE], 600);
	ck_assert_int_eq(peer_row(&p, "n512.coder", 0), ROW_STALE);
}
END_TEST

static TCase *compare_case(void)
{
	TCase *tc = tcase_create("compare");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_there_and_in_no_row_becomes_a_stale_row);
	tcase_add_test(tc, beyond_our_suffixes_and_our_prefix_nothing_is_ours);
	tcase_add_test(tc, between_our_marks_all_is_ours_whatever_its_suffix);
	tcase_add_loop_test(tc, what_may_be_there_by_its_row_is_known, 0, 5);
	tcase_add_loop_test(tc, what_others_have_is_theirs_unless_the_ledger_is_lost, 0, 4);
	tcase_add_loop_test(tc, a_record_that_comes_as_an_address_and_a_pointer_is_one, 0, 2);
	tcase_add_test(tc, a_long_list_is_written_in_parts);
	tcase_add_test(tc, a_store_that_is_busy_is_waited_for);
	tcase_add_test(tc, what_should_not_be_there_is_told_until_a_pass_took_it);
	return tc;
}

static TCase *list_case(void)
{
	TCase *tc = tcase_create("list");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_is_looked_for_when_something_may_be_there);
	tcase_add_test(tc, where_nothing_can_be_listed_there_is_nothing_to_wait_for);
	tcase_add_test(tc, an_adapter_that_is_at_it_is_not_asked_twice);
	tcase_add_test(tc, an_answer_that_nobody_asked_for_is_nothing);
	tcase_add_test(tc, a_look_that_is_given_up_leaves_nothing);
	tcase_add_test(tc, one_that_fails_is_made_again_later_and_delays_nothing);
	tcase_add_test(tc, with_the_ledger_lost_nothing_begins_before_it);
	tcase_add_test(tc, one_that_leaves_has_no_time_for_a_second_try);
	tcase_add_loop_test(tc, one_that_cannot_be_had_at_all_is_not_tried_again, 0, 2);
	tcase_add_test(tc, what_cannot_be_listed_after_a_loss_is_told_until_a_list_came);
	return tc;
}

Suite *adopt_suite(void)
{
	Suite *suite = suite_create("adopt");
	TCase *tc = tcase_create("seek");

	suite_add_tcase(suite, compare_case());
	suite_add_tcase(suite, list_case());
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_names_that_were_removed_last_are_asked_for);
	tcase_add_loop_test(tc, what_is_not_answered_is_asked_for_again_later, 0, 2);
	tcase_add_test(tc, many_of_them_are_asked_for_in_lots);
	tcase_add_loop_test(tc, who_leaves_or_has_nobody_to_ask_asks_for_none, 0, 2);
	tcase_add_test(tc, an_answer_after_it_was_given_up_is_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}
