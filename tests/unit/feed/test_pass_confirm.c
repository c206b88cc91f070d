/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pass whose questions are not answered as they should be: nothing is taken before what was put
 * is seen, and nothing waits for ever.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/feed/pass_kit.h"

Suite *pass_confirm_suite(void);

static struct run r;

static void setup(void)
{
	run_init(&r);
}

static void teardown(void)
{
	run_done(&r);
}

/* --- what is not confirmed --- */

static void rename_begins(void)
{
	peer_commit(&r.p, "old.coder", 1, 0);
	parts_own(&r.s, "old.coder", 1, ROW_PUT);
	run_reached(&r);
	peer_remove(&r.p, "old.coder", 1, 0);
	peer_commit(&r.p, "new.coder", 1, 0);
	run_log(&r, NULL);
	run_to_question(&r);
	ck_assert_str_eq(r.heard, "put new.coder 1;ask new.coder 1;");
}

START_TEST(nothing_is_taken_before_what_was_put_is_seen)
{
	struct hf_feed_step step;

	rename_begins();
	step = run_answer(&r, HF_IS_NOT_SO);
	ck_assert(step.next == HF_STEP_FAILED && !step.store);
	ck_assert_int_eq(step.code, HF_EREFUSED);
	ck_assert_ptr_nonnull(strstr(step.text, "'new.coder'"));
	ck_assert_int_eq(r.verified, 0);
	ck_assert(r.pass->unconfirmed);
	/* Asked for once more, and then put once more. */
	for (unsigned i = 0; i < 5; i++) {
		run_to_question(&r);
		ck_assert_int_eq(run_answer(&r, HF_IS_NOT_SO).next, HF_STEP_FAILED);
	}
	ck_assert_ptr_null(strstr(r.heard, "take"));
	ck_assert_ptr_nonnull(strstr(r.heard, "ask new.coder 1;ask new.coder 1;put new.coder 1=;"));
	run_to_question(&r);
	ck_assert(run_answer(&r, HF_IS_SO).well);
	ck_assert(!r.pass->unconfirmed);
	ck_assert_int_eq(r.verified, 1);
	run_forget(&r);
	run_to_question(&r);
	ck_assert_str_eq(r.heard, "complete;take old.coder 1;ask !old.coder 1;");
	/* Of what is taken the looks are counted anew. */
	ck_assert_int_eq(run_answer(&r, HF_IS_NOT_SO).next, HF_STEP_FAILED);
	run_to_question(&r);
	ck_assert_ptr_nonnull(strstr(r.heard, "1;take old.coder 1;"));
	run_answer(&r, HF_IS_SO);
	run_all(&r);
}
END_TEST

START_TEST(a_resolver_that_is_silent_says_nothing_of_what_is_there)
{
	struct hf_feed_step step;

	rename_begins();
	step = run_answered(&r, -ECONNREFUSED, "nobody is there");
	ck_assert_int_eq(step.next, HF_STEP_FAILED);
	ck_assert_int_eq(step.code, -ECONNREFUSED);
	ck_assert_str_eq(step.text, "nobody is there");
	ck_assert_int_eq(r.verified, -1);
	for (unsigned i = 0; i < 5; i++) {
		run_to_question(&r);
		step = run_answer(&r, HF_IS_UNKNOWN);
		ck_assert_int_eq(step.code, -ETIMEDOUT);
		ck_assert_int_eq(r.verified, -1);
	}
	/* Nor is it put again: nobody has said that it is missing. */
	ck_assert_uint_eq(r.pass->n_put, 1);
	ck_assert_ptr_null(strstr(r.heard, "take"));
}
END_TEST

START_TEST(others_records_in_its_place_are_an_answer)
{
	rename_begins();
	ck_assert(run_answer(&r, HF_IS_FOREIGN).well);
	ck_assert_int_eq(r.verified, 1);
	run_all(&r);
	ck_assert_ptr_nonnull(strstr(r.heard, "take old.coder 1;"));
}
END_TEST

/* One name does not hold up all, but what comes in its place is not taken. */
START_TEST(one_that_is_never_right_where_others_are_is_set_aside)
{
	peer_commit(&r.p, "old.coder", 1, 0);
	peer_commit(&r.p, "z.coder", 9, 0);
	parts_own(&r.s, "old.coder", 1, ROW_PUT);
	parts_own(&r.s, "z.coder", 9, ROW_PUT);
	run_reached(&r);
	peer_remove(&r.p, "old.coder", 1, 0);
	peer_remove(&r.p, "z.coder", 9, 0);
	peer_commit(&r.p, "new.coder", 1, 0);
	peer_commit(&r.p, "right.coder", 3, 0);
	peer_commit(&r.p, "theirs.coder", 4, 0);
	run_log(&r, NULL);
	run_to_question(&r);
	parts_answer_one(&r.s, "right.coder", HF_IS_SO);
	parts_answer_one(&r.s, "new.coder", HF_IS_NOT_SO);
	parts_answer_one(&r.s, "theirs.coder", HF_IS_FOREIGN);
	ck_assert_int_eq(run_answered(&r, 0, "").next, HF_STEP_FAILED);
	run_to_question(&r);
	ck_assert_str_eq(parts_lot(&r.s), "new.coder 1;"); /* the others are through */
	ck_assert_int_eq(run_answer(&r, HF_IS_NOT_SO).next, HF_STEP_FAILED);
	run_to_question(&r);
	ck_assert_int_eq(run_answer(&r, HF_IS_NOT_SO).next, HF_STEP_AGAIN);
	run_on(&r);
	ck_assert_ptr_nonnull(r.p.batch);
	ck_assert(!r.pass->unconfirmed);
	run_receipt(&r, NULL);
	run_all(&r);
	ck_assert_ptr_null(strstr(r.heard, "take old.coder"));
	ck_assert_ptr_nonnull(strstr(r.heard, "complete;take z.coder 9;"));
	ck_assert_int_eq(peer_row(&r.p, "new.coder", 1), ROW_FAILED);
	ck_assert_int_eq(peer_row(&r.p, "old.coder", 1), ROW_FAILED);
	ck_assert_ptr_nonnull(strstr(hf_outbox_aside_why(&r.s.outbox, ROW_FAILED), "'new.coder'"));
}
END_TEST

START_TEST(what_is_taken_and_still_answered_is_taken_once_more_and_then_stuck)
{
	parts_own(&r.s, "old.coder", 1, ROW_PUT);
	run_full(&r, false);
	run_to_question(&r);
	ck_assert_str_eq(r.heard, "complete;take old.coder 1;ask !old.coder 1;");
	ck_assert_int_eq(run_answer(&r, HF_IS_NOT_SO).next, HF_STEP_FAILED);
	ck_assert_int_eq(r.verified, -1); /* what should be there is another matter */
	run_to_question(&r);
	ck_assert_str_eq(r.heard,
	    "complete;take old.coder 1;ask !old.coder 1;take old.coder 1;ask !old.coder 1;");
	ck_assert_int_eq(run_answer(&r, HF_IS_NOT_SO).next, HF_STEP_AGAIN);
	run_all(&r);
	ck_assert_int_eq(peer_row(&r.p, "old.coder", 1), ROW_STUCK);
	ck_assert_ptr_nonnull(strstr(hf_outbox_aside_why(&r.s.outbox, ROW_STUCK), "'old.coder'"));
}
END_TEST

/* It was aside before: one look is enough, for a put as for a take. */
START_TEST(one_that_was_aside_goes_back_there_at_once)
{
	const struct hf_change c = { .op = _i ? HF_CHANGE_TAKE : HF_CHANGE_PUT,
		.record = peer_record("a.coder", 1, false) };
	const enum hf_row row = _i ? ROW_STUCK : ROW_FAILED;

	run_reached(&r);
	ck_assert_int_eq(hf_outbox_set_aside(&r.s.outbox, &c, ROW_NONE, row, "x"), 0);
	ck_assert_int_eq(hf_ledger_flush(&r.s.outbox.ledger), 0);
	hf_fake_clock_add(&r.p.fx.clock, PARTS_SKIPPED_MS);
	run_log(&r, NULL);
	run_to_question(&r);
	ck_assert_int_eq(run_answer(&r, HF_IS_NOT_SO).next, HF_STEP_AGAIN);
	run_all(&r);
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), row);
	ck_assert_int_eq(hf_aside_wait(&r.s.outbox.aside) > 0, 1);
}
END_TEST

START_TEST(news_waits_for_a_second_look_at_what_was_taken)
{
	parts_own(&r.s, "old.coder", 1, ROW_PUT);
	run_full(&r, false);
	peer_commit(&r.p, "news.coder", 2, 0);
	for (unsigned i = 0; i < 2; i++) {
		run_to_question(&r);
		ck_assert_int_eq(run_answer(&r, HF_IS_UNKNOWN).next, HF_STEP_FAILED);
	}
	run_all(&r);
	ck_assert_uint_eq(r.p.n_verifies, 2);
}
END_TEST

START_TEST(whether_it_is_gone_holds_up_no_news)
{
	parts_own(&r.s, "old.coder", 1, ROW_PUT);
	run_full(&r, false);
	for (unsigned i = 0; i < 4; i++) {
		run_to_question(&r);
		ck_assert_int_eq(run_answer(&r, HF_IS_UNKNOWN).next, HF_STEP_FAILED);
	}
	if (_i)
		r.pass->failed = true;
	else
		peer_commit(&r.p, "news.coder", 2, 0);
	run_all(&r);
	ck_assert_int_eq(peer_row(&r.p, "old.coder", 1), ROW_STUCK);
}
END_TEST

/* --- news meanwhile --- */

START_TEST(news_overtakes_what_cannot_be_confirmed)
{
	struct hf_pass *before;

	rename_begins();
	/* Not before it was asked for. */
	peer_commit(&r.p, "news.coder", 5, 0);
	ck_assert(!r.pass->overtaken);
	run_answer(&r, HF_IS_UNKNOWN);
	run_on(&r);
	ck_assert(r.pass->overtaken);
	before = r.pass;
	/* Its receipts wait to be written. */
	ck_assert_uint_ne(hf_ledger_waiting(&r.s.outbox.ledger), 0);
	run_log(&r, before);
	ck_assert(r.pass->unconfirmed);
	run_forget(&r);
	run_to_question(&r);
	ck_assert_str_eq(r.heard, "put news.coder 5;ask new.coder 1;news.coder 5;");
	/* The old one goes when all of that was seen. */
	parts_answer_one(&r.s, "news.coder", HF_IS_SO);
	ck_assert_int_eq(run_answered(&r, 0, "").next, HF_STEP_FAILED);
	run_to_question(&r);
	ck_assert_ptr_null(strstr(r.heard, "take"));
	run_answer(&r, HF_IS_SO);
	run_all(&r);
	ck_assert_ptr_nonnull(strstr(r.heard, "take old.coder 1;"));
	ck_assert_uint_eq(r.s.outbox.ledger.counts[ROW_PUT], 2);
}
END_TEST

/* What a refill or a repair had put is not in the log. */
START_TEST(what_was_not_confirmed_and_is_not_in_the_log_is_put_once_more)
{
	struct hf_pass *before;

	peer_commit(&r.p, "a.coder", 1, HF_REC_PRIMARY);
	peer_commit(&r.p, "b.coder", 2, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT | ROW_PRIMARY);
	parts_own(&r.s, "b.coder", 2, ROW_PUT);
	run_reached(&r);
	run_full(&r, true);
	run_to_question(&r);
	parts_answer_one(&r.s, "a.coder", HF_IS_NOT_SO);
	parts_answer_one(&r.s, "b.coder", HF_IS_SO);
	run_answered(&r, 0, "");
	peer_commit(&r.p, "news.coder", 5, 0);
	run_on(&r);
	ck_assert(r.pass->overtaken);
	before = r.pass;
	run_log(&r, before);
	run_forget(&r);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put a.coder 1*=;put news.coder 5;ask a.coder 1;news.coder 5;");
}
END_TEST

START_TEST(what_was_not_confirmed_and_went_meanwhile_is_not_put_again)
{
	struct hf_pass *before;

	peer_commit(&r.p, "a.coder", 1, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	run_reached(&r);
	run_full(&r, true);
	run_to_question(&r);
	run_answer(&r, HF_IS_NOT_SO);
	peer_remove(&r.p, "a.coder", 1, 0);
	run_on(&r);
	before = r.pass;
	run_log(&r, before);
	run_forget(&r);
	run_all(&r);
	ck_assert_str_eq(r.heard, "complete;take a.coder 1;ask !a.coder 1;");
}
END_TEST

START_TEST(news_does_not_stop_what_goes_well)
{
	rename_begins();
	peer_commit(&r.p, "news.coder", 5, 0);
	run_answer(&r, HF_IS_SO);
	run_all(&r);
	ck_assert_ptr_nonnull(strstr(r.heard, "take old.coder 1;"));
}
END_TEST

Suite *pass_confirm_suite(void)
{
	Suite *suite = suite_create("pass_confirm");
	TCase *tc = tcase_create("confirm");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_taken_before_what_was_put_is_seen);
	tcase_add_test(tc, a_resolver_that_is_silent_says_nothing_of_what_is_there);
	tcase_add_test(tc, others_records_in_its_place_are_an_answer);
	tcase_add_test(tc, one_that_is_never_right_where_others_are_is_set_aside);
	tcase_add_test(tc, what_is_taken_and_still_answered_is_taken_once_more_and_then_stuck);
	tcase_add_loop_test(tc, one_that_was_aside_goes_back_there_at_once, 0, 2);
	tcase_add_test(tc, news_waits_for_a_second_look_at_what_was_taken);
	tcase_add_loop_test(tc, whether_it_is_gone_holds_up_no_news, 0, 2);
	tcase_add_test(tc, news_overtakes_what_cannot_be_confirmed);
	tcase_add_test(tc, what_was_not_confirmed_and_is_not_in_the_log_is_put_once_more);
	tcase_add_test(tc, what_was_not_confirmed_and_went_meanwhile_is_not_put_again);
	tcase_add_test(tc, news_does_not_stop_what_goes_well);
	suite_add_tcase(suite, tc);
	return suite;
}
