/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checker alone: which names it asks for and when, and what the answers come to.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/feed/checker.h"
#include "tests/unit/feed/peer_kit.h"

Suite *checker_suite(void);

enum { VERIFY_MS = 10000 };

static struct peer p;
static struct parts s;
static struct hf_checker c;
static uint64_t n_passes; /* as the feed counts them */
static bool lost;

static void setup(void)
{
	peer_init(&p);
	parts_init(&s, &p);
	c = (struct hf_checker){
		.peer = &p.peer,
		.outbox = &s.outbox,
		.questions = &s.questions,
		.warnings = &s.warnings,
		.verify_ms = VERIFY_MS,
		.verified = -1,
		.check.unexpected = -1,
	};
	n_passes = 1;
	lost = false;
}

static void teardown(void)
{
	hf_checker_done(&c);
	parts_done(&s);
	peer_done(&p);
}

/* "n000.coder" and on, with the last byte of their number. */
static void own_many(unsigned from, unsigned n, uint8_t state)
{
	char name[20];

	for (unsigned i = from; i < from + n; i++) {
		struct hf_record r;

		snprintf(name, sizeof(name), "n%03u.coder", i);
		r = peer_record(name, (uint8_t)i, false);
		ck_assert_int_eq(
		    hf_ledger_set(&s.outbox.ledger, &r.name, r.addr, ROW_NONE, state), 0);
	}
	ck_assert_int_eq(hf_ledger_flush(&s.outbox.ledger), 0);
}

static void own_three(void)
{
	parts_own(&s, "a.coder", 1, ROW_PUT | ROW_PRIMARY);
	parts_own(&s, "b.coder", 2, ROW_PUT);
	parts_own(&s, "c.coder", 3, ROW_PUT);
}

/* The next lot, or "" if it asks for nothing now. */
static const char *ask(void)
{
	for (unsigned i = 0; i < 20 && hf_checker_wait(&c) == 0; i++)
		hf_checker_step(&c, n_passes);
	return parts_lot(&s);
}

static struct hf_feed_step answered(int code, const char *text)
{
	parts_answered(&s);
	return hf_checker_answered(&c, code, text, n_passes, &lost);
}

static struct hf_feed_step answer(enum hf_is is)
{
	parts_answer(&s, is);
	return hf_checker_answered(&c, 0, "", n_passes, &lost);
}

/* Repairs as text: "a.coder 1*;"; "": there are none. */
static const char *repairs(void)
{
	static char text[400];
	struct hf_item item;
	size_t len = 0;

	text[0] = '\0';
	if (!c.repairs)
		return text;
	ck_assert_int_eq(hf_wanted_seal(c.repairs), 0);
	for (; hf_wanted_at(c.repairs, &item); hf_wanted_next(c.repairs)) {
		ck_assert_uint_eq(item.flags & (unsigned)~HF_ITEM_PRIMARY, HF_ITEM_AGAIN);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %u%s;", item.text,
		    item.addr[15], item.flags & HF_ITEM_PRIMARY ? "*" : "");
	}
	return text;
}

/* --- what it asks for --- */

START_TEST(it_asks_for_what_should_be_there_and_for_what_should_be_gone)
{
	static const uint8_t others[] = { ROW_TRIED, ROW_STALE, ROW_CLASH, ROW_UNFIT, ROW_FAILED };
	char name[20];

	own_three();
	parts_own(&s, "d.coder", 4, ROW_STUCK);
	for (uint8_t i = 0; i < sizeof(others); i++) {
		snprintf(name, sizeof(name), "other%u.coder", i);
		parts_own(&s, name, i, others[i]);
	}
	ck_assert_str_eq(ask(), "a.coder 1*;b.coder 2;c.coder 3;!d.coder 4;");
	ck_assert_int_eq(s.questions.asking, ASK_LOOK);
}
END_TEST

START_TEST(round_after_round_each_name_is_asked_for_once)
{
	own_many(0, 450, ROW_PUT);
	for (int round = 0; round < 3; round++) {
		static const char *const first[] = { "n000.coder 0;", "n200.coder 200;",
			"n400.coder 144;" };
		static const size_t n[] = { 200, 200, 50 };

		for (size_t i = 0; i < 3; i++) {
			const char *lot = ask();

			ck_assert_int_eq(strncmp(lot, first[i], strlen(first[i])), 0);
			ck_assert_uint_eq(p.n_expect, n[i]);
			answer(HF_IS_SO);
			hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
		}
	}
	ck_assert_uint_eq(p.n_verifies, 9);
}
END_TEST

/* Hundreds of names that others have, in a row, are no end of a round. */
START_TEST(rows_that_are_not_asked_for_are_passed_over)
{
	own_many(0, 3 * HF_FEED_SAMPLE, ROW_CLASH);
	parts_own(&s, "z.coder", 7, ROW_PUT);
	hf_checker_verify(&c, _i);
	ck_assert_str_eq(ask(), "z.coder 7;");
	answer(HF_IS_SO);
	ck_assert(!c.check.running || c.check.listing);
	ck_assert_uint_eq(c.check.right, 1);
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ck_assert_str_eq(ask(), "z.coder 7;");
}
END_TEST

/* The ledger counts what waits to be written, and no row has it yet. */
START_TEST(what_is_counted_and_in_no_row_yet_is_not_looked_for_for_ever)
{
	const struct hf_record r = peer_record("a.coder", 1, false);

	parts_own(&s, "other.coder", 9, ROW_CLASH);
	ck_assert_int_eq(hf_ledger_set(&s.outbox.ledger, &r.name, r.addr, ROW_NONE, ROW_PUT), 0);
	ck_assert_str_eq(ask(), "");
	ck_assert_int_eq(hf_checker_wait(&c), VERIFY_MS);
	ck_assert_int_eq(hf_ledger_flush(&s.outbox.ledger), 0);
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ck_assert_str_eq(ask(), "a.coder 1;");
}
END_TEST

/* --- when --- */

START_TEST(a_round_takes_as_long_as_was_asked_for_and_never_less_than_the_rate_allows)
{
	own_three();
	ck_assert_int_eq(hf_checker_round_ms(&c), VERIFY_MS);
	c.verify_ms = 1000;
	own_many(0, 697, ROW_PUT);
	ck_assert_int_eq(hf_checker_round_ms(&c), 700 * 1000 / HF_CHECKER_RATE);
	/* As many as a lot in its part of the round. */
	ask();
	answer(HF_IS_SO);
	ck_assert_int_eq(hf_checker_wait(&c), 2000 * HF_FEED_SAMPLE / 700);
}
END_TEST

START_TEST(few_names_are_asked_for_once_in_a_round)
{
	own_three();
	ck_assert_int_eq(hf_checker_wait(&c), 0);
	ask();
	ck_assert_int_eq(hf_checker_wait(&c), -1); /* the adapter is at it */
	answer(HF_IS_SO);
	ck_assert_int_eq(hf_checker_wait(&c), VERIFY_MS);
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS - 1);
	ck_assert_int_eq(hf_checker_wait(&c), 1);
}
END_TEST

START_TEST(with_nothing_there_or_nobody_to_ask_it_asks_never)
{
	ck_assert_int_eq(hf_checker_wait(&c), -1);
	parts_own(&s, "other.coder", 9, ROW_CLASH);
	ck_assert_int_eq(hf_checker_wait(&c), -1);
	own_three();
	p.type.verify = NULL;
	ck_assert_int_eq(hf_checker_wait(&c), -1);
	hf_checker_verify(&c, true);
	ck_assert_int_eq(hf_checker_wait(&c), -1);
	hf_checker_counted(&c, c.check.number, 0);
	ck_assert(!c.check.running);
}
END_TEST

START_TEST(with_nothing_left_but_what_should_be_gone_it_asks_for_that)
{
	parts_own(&s, "d.coder", 4, ROW_STUCK);
	ck_assert_str_eq(ask(), "!d.coder 4;");
}
END_TEST

/* --- the answers --- */

START_TEST(what_is_missing_is_to_be_put_again)
{
	struct hf_feed_step step;

	own_three();
	parts_own(&s, "d.coder", 4, ROW_PUT);
	ask();
	parts_answer_one(&s, "a.coder", HF_IS_NOT_SO);
	parts_answer_one(&s, "b.coder", HF_IS_SO);
	parts_answer_one(&s, "c.coder", HF_IS_FOREIGN);
	parts_answer_one(&s, "d.coder", HF_IS_SO);
	step = answered(0, "");
	ck_assert(step.well && !lost);
	ck_assert_int_eq(c.verified, 0);
	ck_assert_str_eq(repairs(), "a.coder 1*;");
	ck_assert_ptr_nonnull(strstr(c.wrong.text, "'a.coder'"));
}
END_TEST

START_TEST(when_all_is_right_again_it_says_so)
{
	own_three();
	ask();
	ck_assert_int_eq(c.verified, -1);
	parts_answer_one(&s, "a.coder", HF_IS_NOT_SO);
	parts_answer_one(&s, "b.coder", HF_IS_SO);
	parts_answer_one(&s, "c.coder", HF_IS_SO);
	answered(0, "");
	ck_assert_int_eq(c.verified, 0);
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ask();
	answer(HF_IS_SO);
	ck_assert_int_eq(c.verified, 1);
	ck_assert_str_eq(c.wrong.text, "");
}
END_TEST

/* Ten of twenty, or all: else each is put by itself. */
START_TEST(where_most_is_missing_all_is_lost)
{
	static const struct {
		unsigned n, wrong;
		bool lost;
	} cases[] = { { 20, 10, true }, { 20, 9, false }, { 21, 10, false }, { 12, 9, false },
		{ 3, 3, true }, { 1, 1, true }, { 3, 2, false } };

	own_many(0, cases[_i].n, ROW_PUT);
	ask();
	for (unsigned i = 0; i < cases[_i].n; i++)
		s.questions.at[i].is = i < cases[_i].wrong ? HF_IS_NOT_SO : HF_IS_SO;
	answered(0, "");
	ck_assert_int_eq(lost, cases[_i].lost);
	if (lost)
		ck_assert_ptr_null(c.repairs);
	else
		ck_assert_uint_eq(hf_wanted_n(c.repairs), cases[_i].wrong);
}
END_TEST

START_TEST(nobody_answers)
{
	struct hf_feed_step step;

	own_three();
	ask();
	step = answered(-ECONNREFUSED, "nobody is there");
	ck_assert_int_eq(step.next, HF_STEP_FAILED);
	ck_assert_int_eq(step.code, -ECONNREFUSED);
	ck_assert_str_eq(step.text, "nobody is there");
	ck_assert_int_eq(c.verified, -1);
	ck_assert(!c.repairs && !lost);
	/* It is asked again as soon as the feed tries again. */
	ck_assert_int_eq(hf_checker_wait(&c), 0);
	ask();
	parts_answer_one(&s, "a.coder", HF_IS_NOT_SO);
	step = answered(0, "");
	ck_assert_int_eq(step.next, HF_STEP_FAILED);
	ck_assert_int_eq(step.code, -ETIMEDOUT);
	ck_assert(step.text[0]);
	ck_assert(!step.store);
}
END_TEST

/* Less than half of them: the others' answers count. */
START_TEST(some_that_are_silent_are_no_failure)
{
	own_three();
	ask();
	parts_answer_one(&s, "a.coder", HF_IS_SO);
	parts_answer_one(&s, "b.coder", HF_IS_SO);
	ck_assert(answered(0, "").well);
	ck_assert_int_eq(c.verified, 1);
	ck_assert_str_eq(repairs(), "");
}
END_TEST

START_TEST(what_was_taken_is_forgotten_when_it_is_seen_to_be_gone)
{
	static const struct {
		enum hf_is is;
		int code;
		bool gone;
	} cases[] = { { HF_IS_SO, 0, true }, { HF_IS_FOREIGN, 0, true }, { HF_IS_NOT_SO, 0, false },
		{ HF_IS_UNKNOWN, 0, false }, { HF_IS_SO, -ETIMEDOUT, false } };
	const struct hf_change take = { .op = HF_CHANGE_TAKE,
		.record = peer_record("d.coder", 4, true) };

	own_three();
	ck_assert_int_eq(
	    hf_outbox_set_aside(&s.outbox, &take, ROW_NONE, ROW_STUCK, "it is still answered"), 0);
	ck_assert_int_eq(hf_ledger_flush(&s.outbox.ledger), 0);
	ck_assert_str_eq(ask(), "a.coder 1*;b.coder 2;c.coder 3;!d.coder 4*;");
	parts_answer_one(&s, "a.coder", HF_IS_SO);
	parts_answer_one(&s, "b.coder", HF_IS_SO);
	parts_answer_one(&s, "c.coder", HF_IS_SO);
	parts_answer_one(&s, "d.coder", cases[_i].is);
	answered(cases[_i].code, "");
	/* That it is still there is nothing that could be repaired by a put. */
	ck_assert_str_eq(repairs(), "");
	ck_assert_int_eq(c.verified, cases[_i].code ? -1 : 1);
	ck_assert_int_eq(hf_ledger_flush(&s.outbox.ledger), 0);
	ck_assert_int_eq(
	    peer_row(&p, "d.coder", 4), cases[_i].gone ? ROW_NONE : ROW_STUCK | ROW_PRIMARY);
	ck_assert_uint_eq(hf_outbox_n_aside(&s.outbox), !cases[_i].gone);
	ck_assert_int_eq(hf_aside_wait(&s.outbox.aside) == -1, cases[_i].gone);
}
END_TEST

START_TEST(what_a_pass_has_changed_since_is_asked_for_once_more)
{
	own_many(0, 300, ROW_PUT);
	ask();
	answer(HF_IS_SO);
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ck_assert_int_eq(strncmp(ask(), "n200.", 5), 0);
	n_passes++;
	ck_assert_int_eq(answer(HF_IS_NOT_SO).next, HF_STEP_AGAIN);
	ck_assert_ptr_null(c.repairs);
	ck_assert(!lost);
	ck_assert_int_eq(c.verified, 1);
	/* The same lot, now. */
	ck_assert_int_eq(hf_checker_wait(&c), 0);
	ck_assert_int_eq(strncmp(ask(), "n200.", 5), 0);
	ck_assert_uint_eq(p.n_expect, 100);
	answer(HF_IS_NOT_SO);
	ck_assert(lost);
}
END_TEST

/* And what was seen of others in the round before goes on to count. */
START_TEST(to_ask_once_more_is_no_round)
{
	own_three();
	ask();
	parts_answer_one(&s, "a.coder", HF_IS_SO);
	parts_answer_one(&s, "b.coder", HF_IS_SO);
	parts_answer_one(&s, "c.coder", HF_IS_FOREIGN);
	answered(0, "");
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ask();
	n_passes++;
	answer(HF_IS_NOT_SO);
	ck_assert_str_eq(ask(), "a.coder 1*;b.coder 2;c.coder 3;");
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 1);
}
END_TEST

/* Its row may be another one by now: of that nothing was asked. */
START_TEST(a_pass_since_keeps_what_was_taken_before)
{
	own_three();
	parts_own(&s, "d.coder", 4, ROW_STUCK);
	ask();
	n_passes++;
	answer(HF_IS_SO);
	ck_assert_int_eq(hf_ledger_flush(&s.outbox.ledger), 0);
	ck_assert_int_eq(peer_row(&p, "d.coder", 4), ROW_STUCK);
}
END_TEST

/* --- others' records --- */

START_TEST(others_records_are_counted_until_a_round_saw_none)
{
	own_three();
	ask();
	parts_answer_one(&s, "a.coder", HF_IS_SO);
	parts_answer_one(&s, "b.coder", HF_IS_FOREIGN);
	parts_answer_one(&s, "c.coder", HF_IS_FOREIGN);
	answered(0, "");
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 2);
	ck_assert_ptr_nonnull(
	    strstr(hf_feed_warnings_text(&s.warnings, HF_FEED_WARN_CLASH), "'b.coder'"));
	/* In the next round they are counted until that is through. */
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ask();
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 2);
	answer(HF_IS_SO);
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 2);
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ask();
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 0);
	ck_assert_ptr_null(hf_feed_warnings_text(&s.warnings, HF_FEED_WARN_CLASH));
}
END_TEST

START_TEST(names_that_are_left_out_end_no_round_of_others_records)
{
	parts_own(&s, "a.coder", 1, ROW_PUT);
	own_many(0, 5 * HF_FEED_SAMPLE, ROW_CLASH);
	parts_own(&s, "z.coder", 7, ROW_PUT);
	ck_assert_str_eq(ask(), "a.coder 1;");
	answer(HF_IS_FOREIGN);
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ck_assert_str_eq(ask(), "z.coder 7;");
	answer(HF_IS_FOREIGN);
	ck_assert_uint_eq(c.foreign.now, 2);
}
END_TEST

START_TEST(with_nothing_of_ours_there_others_records_are_no_clash)
{
	const struct hf_record r = peer_record("a.coder", 1, false);

	parts_own(&s, "a.coder", 1, ROW_PUT);
	ask();
	answer(HF_IS_FOREIGN);
	hf_checker_passed(&c);
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 1);
	ck_assert_int_eq(hf_ledger_gone(&s.outbox.ledger, &r.name, r.addr, ROW_PUT), 0);
	hf_checker_passed(&c);
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 0);
	ck_assert_ptr_null(hf_feed_warnings_text(&s.warnings, HF_FEED_WARN_CLASH));
}
END_TEST

/* --- who verifies --- */

START_TEST(a_full_verification_asks_for_all_from_the_first_on_at_once)
{
	own_many(0, 450, ROW_PUT);
	ask();
	answer(HF_IS_SO);
	hf_checker_verify(&c, true);
	ck_assert(c.check.running && c.check.full && c.check.listing);
	ck_assert_uint_eq(c.check.number, 1);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(hf_checker_wait(&c), 0);
		ask();
		ck_assert_int_eq(strncmp(parts_lot(&s),
				     i == 0   ? "n000."
				     : i == 1 ? "n200."
					      : "n400.",
				     5),
		    0);
		answer(HF_IS_SO);
	}
	ck_assert_int_gt(hf_checker_wait(&c), 0);
	ck_assert_uint_eq(c.check.asked, 450);
	ck_assert_uint_eq(c.check.right, 450);
	ck_assert(c.check.running); /* the list is to come */
	hf_checker_counted(&c, 7, 99);
	ck_assert_int_eq(c.check.unexpected, -1);
	hf_checker_counted(&c, 1, 4);
	ck_assert(!c.check.running);
	ck_assert_int_eq(c.check.unexpected, 4);
	hf_checker_counted(&c, 1, 5);
	ck_assert_int_eq(c.check.unexpected, 4);
}
END_TEST

START_TEST(a_full_verification_in_the_midst_of_a_round_counts_others_once)
{
	own_many(0, 300, ROW_PUT);
	ask();
	answer(HF_IS_FOREIGN);
	hf_checker_verify(&c, true);
	ask();
	answer(HF_IS_FOREIGN);
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 200);
	ask();
	answer(HF_IS_FOREIGN);
	ck_assert_uint_eq(hf_checker_n_foreign(&c), 300);
}
END_TEST

START_TEST(a_sample_is_one_lot_now)
{
	own_many(0, 450, ROW_PUT);
	ask();
	answer(HF_IS_SO);
	ck_assert_int_gt(hf_checker_wait(&c), 0);
	hf_checker_verify(&c, false);
	ck_assert(c.check.running && !c.check.listing);
	ask();
	for (size_t i = 0; i < 200; i++)
		s.questions.at[i].is = i < 150   ? HF_IS_SO
				       : i < 160 ? HF_IS_NOT_SO
				       : i < 180 ? HF_IS_FOREIGN
						 : HF_IS_UNKNOWN;
	answered(0, "");
	ck_assert(!c.check.running);
	ck_assert_uint_eq(c.check.asked, 200);
	ck_assert_uint_eq(c.check.right, 150);
	ck_assert_uint_eq(c.check.wrong, 10);
	ck_assert_uint_eq(c.check.foreign, 20);
	ck_assert_uint_eq(c.check.silent, 20);
	ck_assert_int_gt(hf_checker_wait(&c), 0);
}
END_TEST

START_TEST(a_verification_that_nobody_answers_ends)
{
	own_many(0, 450, ROW_PUT);
	p.type.list = NULL;
	hf_checker_verify(&c, true);
	ask();
	answered(-ETIMEDOUT, "it is away");
	ck_assert(!c.check.running);
	ck_assert_uint_eq(c.check.silent, 200);
}
END_TEST

START_TEST(a_verification_of_nothing_is_over_at_once)
{
	p.type.list = NULL;
	hf_checker_verify(&c, _i);
	ask();
	ck_assert(!c.check.running);
	ck_assert_uint_eq(c.check.asked, 0);
	ck_assert_uint_eq(p.n_verifies, 0);
}
END_TEST

/* Counts of the one before are not the next one's. */
START_TEST(each_verification_counts_for_itself)
{
	own_three();
	hf_checker_verify(&c, false);
	ask();
	answer(HF_IS_SO);
	hf_checker_verify(&c, false);
	ck_assert_uint_eq(c.check.number, 2);
	ck_assert_uint_eq(c.check.asked, 0);
	ask();
	answer(HF_IS_SO);
	ck_assert_uint_eq(c.check.right, 3);
	/* What is asked for in turn is none of it. */
	hf_fake_clock_add(&p.fx.clock, VERIFY_MS);
	ask();
	answer(HF_IS_SO);
	ck_assert_uint_eq(c.check.right, 3);
}
END_TEST

static TCase *questions_case(void)
{
	TCase *tc = tcase_create("questions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_asks_for_what_should_be_there_and_for_what_should_be_gone);
	tcase_add_test(tc, round_after_round_each_name_is_asked_for_once);
	tcase_add_loop_test(tc, rows_that_are_not_asked_for_are_passed_over, 0, 2);
	tcase_add_test(tc, what_is_counted_and_in_no_row_yet_is_not_looked_for_for_ever);
	tcase_add_test(
	    tc, a_round_takes_as_long_as_was_asked_for_and_never_less_than_the_rate_allows);
	tcase_add_test(tc, few_names_are_asked_for_once_in_a_round);
	tcase_add_test(tc, with_nothing_there_or_nobody_to_ask_it_asks_never);
	tcase_add_test(tc, with_nothing_left_but_what_should_be_gone_it_asks_for_that);
	return tc;
}

static TCase *answers_case(void)
{
	TCase *tc = tcase_create("answers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_missing_is_to_be_put_again);
	tcase_add_test(tc, when_all_is_right_again_it_says_so);
	tcase_add_loop_test(tc, where_most_is_missing_all_is_lost, 0, 7);
	tcase_add_test(tc, nobody_answers);
	tcase_add_test(tc, some_that_are_silent_are_no_failure);
	tcase_add_loop_test(tc, what_was_taken_is_forgotten_when_it_is_seen_to_be_gone, 0, 5);
	tcase_add_test(tc, what_a_pass_has_changed_since_is_asked_for_once_more);
	tcase_add_test(tc, to_ask_once_more_is_no_round);
	tcase_add_test(tc, a_pass_since_keeps_what_was_taken_before);
	tcase_add_test(tc, others_records_are_counted_until_a_round_saw_none);
	tcase_add_test(tc, names_that_are_left_out_end_no_round_of_others_records);
	tcase_add_test(tc, with_nothing_of_ours_there_others_records_are_no_clash);
	return tc;
}

Suite *checker_suite(void)
{
	Suite *suite = suite_create("checker");
	TCase *tc = tcase_create("verify");

	suite_add_tcase(suite, questions_case());
	suite_add_tcase(suite, answers_case());
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_full_verification_asks_for_all_from_the_first_on_at_once);
	tcase_add_test(tc, a_full_verification_in_the_midst_of_a_round_counts_others_once);
	tcase_add_test(tc, a_sample_is_one_lot_now);
	tcase_add_test(tc, a_verification_that_nobody_answers_ends);
	tcase_add_loop_test(tc, a_verification_of_nothing_is_over_at_once, 0, 2);
	tcase_add_test(tc, each_verification_counts_for_itself);
	suite_add_tcase(suite, tc);
	return suite;
}
