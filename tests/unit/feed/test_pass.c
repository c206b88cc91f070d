/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pass alone: what it draws, and the order in which it puts, asks, takes, and asks again.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feed/pass_kit.h"

Suite *pass_suite(void);

static struct run r;

static void setup(void)
{
	run_init(&r);
}

static void teardown(void)
{
	run_done(&r);
}

/* --- of everything --- */

START_TEST(what_is_wanted_is_put_and_asked_for_before_what_is_not_is_taken)
{
	peer_commit(&r.p, "a.coder", 1, HF_REC_PRIMARY);
	peer_commit(&r.p, "b.coder", 2, HF_REC_HELD);
	parts_own(&r.s, "old.coder", 9, ROW_PUT | ROW_PRIMARY);
	run_full(&r, false);
	ck_assert(r.pass->full && !r.pass->fresh && !r.pass->refill);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put a.coder 1*;put b.coder 2;ask a.coder 1;b.coder 2;"
				  "complete;take old.coder 9*;ask !old.coder 9*;");
	ck_assert_int_eq(r.verified, 1);
	ck_assert_uint_eq(r.pass->n_put, 2);
	ck_assert_uint_eq(r.pass->n_taken, 1);
	ck_assert_uint_eq(r.pass->target, hf_store_generation(r.p.fx.store));
	ck_assert_mem_eq(r.pass->epoch, hf_store_epoch(r.p.fx.store), 16);
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), ROW_PUT | ROW_PRIMARY);
	ck_assert_int_eq(peer_row(&r.p, "old.coder", 9), ROW_NONE);
}
END_TEST

START_TEST(what_is_there_is_not_put_and_what_is_other_is)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	peer_commit(&r.p, "b.coder", 2, 0);
	peer_commit(&r.p, "c.coder", 3, HF_REC_PRIMARY);
	peer_commit(&r.p, "d.coder", 4, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	parts_own(&r.s, "b.coder", 7, ROW_PUT);
	parts_own(&r.s, "c.coder", 3, ROW_PUT);
	parts_own(&r.s, "d.coder", 44, ROW_CLASH); /* that address it never had */
	run_full(&r, false);
	run_all(&r);
	ck_assert_str_eq(r.heard,
	    "put b.coder 2<7;put c.coder 3*=;put d.coder 4;ask b.coder 2;c.coder 3;d.coder 4;");
	ck_assert_int_eq(peer_row(&r.p, "b.coder", 7), ROW_NONE);
	ck_assert_int_eq(peer_row(&r.p, "b.coder", 2), ROW_PUT);
	ck_assert_int_eq(peer_row(&r.p, "c.coder", 3), ROW_PUT | ROW_PRIMARY);
	ck_assert_uint_eq(r.p.n_completes, 0); /* nothing was taken: who ends it says so */
}
END_TEST

START_TEST(a_refill_puts_also_what_is_believed_to_be_there)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	run_full(&r, true);
	ck_assert(r.pass->refill && r.pass->fresh);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put a.coder 1=;ask a.coder 1;");
}
END_TEST

START_TEST(with_nothing_there_it_is_fresh)
{
	static const struct {
		uint8_t row;
		bool fresh;
	} cases[] = { { ROW_CLASH, true }, { ROW_PUT, false }, { ROW_TRIED, false },
		{ ROW_STALE, false } };

	parts_own(&r.s, "a.coder", 1, cases[_i].row);
	run_full(&r, false);
	ck_assert_int_eq(r.pass->fresh, cases[_i].fresh);
}
END_TEST

START_TEST(a_stale_row_is_used_where_it_is_wanted_and_taken_last)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	peer_commit(&r.p, "b.coder", 2, HF_REC_PRIMARY);
	peer_commit(&r.p, "c.coder", 3, 0);
	parts_own(&r.s, "a.coder", 1, ROW_STALE);
	parts_own(&r.s, "b.coder", 2, ROW_STALE); /* without its pointer */
	parts_own(&r.s, "c.coder", 8, ROW_STALE); /* with another address */
	parts_own(&r.s, "ghost.coder", 9, ROW_STALE);
	run_full(&r, false);
	run_all(&r);
	ck_assert_str_eq(r.heard,
	    "put b.coder 2*=;put c.coder 3<8;ask a.coder 1;b.coder 2;c.coder 3;"
	    "complete;take ghost.coder 9;ask !ghost.coder 9;");
	ck_assert_uint_eq(r.pass->n_stale, 1);
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), ROW_PUT);
}
END_TEST

START_TEST(a_name_with_two_addresses_keeps_the_wanted_one)
{
	peer_commit(&r.p, "a.coder", 5, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	parts_own(&r.s, "a.coder", 5, ROW_PUT);
	run_full(&r, false);
	run_all(&r);
	ck_assert_str_eq(r.heard, "complete;put a.coder 5<1;ask a.coder 5;");
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), ROW_NONE);
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 5), ROW_PUT);
}
END_TEST

START_TEST(what_was_never_there_is_forgotten_without_a_word)
{
	parts_own(&r.s, "a.coder", 1, ROW_CLASH);
	parts_own(&r.s, "b.coder", 2, ROW_UNFIT);
	run_full(&r, false);
	run_all(&r);
	ck_assert_str_eq(r.heard, "");
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), ROW_NONE);
	ck_assert_int_eq(peer_row(&r.p, "b.coder", 2), ROW_NONE);
	/* The suffix is no name. */
	ck_assert_uint_eq(r.s.outbox.ledger.counts[ROW_ZONE], 1);
}
END_TEST

/* What a life before had put, or one that is to be filled after a loss. */
START_TEST(as_long_as_nothing_was_finished_also_what_is_there_is_asked_for)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	parts_own(&r.s, "old.coder", 9, ROW_PUT);
	run_full(&r, false);
	r.pass->late = true;
	run_all(&r);
	ck_assert_str_eq(r.heard, "ask a.coder 1;complete;take old.coder 9;ask !old.coder 9;");
}
END_TEST

START_TEST(what_is_withdrawn_goes)
{
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	run_reached(&r);
	peer_commit(&r.p, "a.coder", 1, HF_REC_WITHDRAWN);
	if (_i)
		run_log(&r, NULL);
	else
		run_full(&r, false);
	run_all(&r);
	ck_assert_str_eq(r.heard, "complete;take a.coder 1;ask !a.coder 1;");
}
END_TEST

START_TEST(others_and_what_does_not_fit_are_not_asked_for)
{
	const uint8_t fates[] = { HF_FATE_DONE, HF_FATE_CLASH, HF_FATE_UNFIT };

	peer_commit(&r.p, "a.coder", 1, 0);
	peer_commit(&r.p, "b.coder", 2, 0);
	peer_commit(&r.p, "c.coder", 3, 0);
	run_full(&r, false);
	run_on(&r);
	run_receipt(&r, fates);
	ck_assert_uint_eq(r.pass->n_put, 1);
	run_on(&r);
	ck_assert_str_eq(parts_lot(&r.s), "a.coder 1;");
	run_answer(&r, HF_IS_SO);
	run_all(&r);
	ck_assert_uint_eq(hf_outbox_n_skipped(&r.s.outbox), 2);
}
END_TEST

START_TEST(the_adapter_is_told_the_suffixes_before_it_gets_names)
{
	struct hf_name names[2];
	bool ttl;

	peer_commit(&r.p, "a.coder", 1, 0);
	ck_assert_int_eq(hf_name_parse("coder", &names[0]), 0);
	ck_assert_int_eq(hf_name_parse("dev", &names[1]), 0);
	run_full(&r, false);
	hf_feed_zones_set(&r.s.zones, names, 2, 30, &ttl);
	run_on(&r);
	ck_assert_ptr_nonnull(r.p.batch);
	ck_assert_uint_eq(r.p.n_told, 2);
	run_receipt(&r, NULL);
}
END_TEST

START_TEST(with_nobody_to_ask_it_goes_on)
{
	r.p.type.verify = NULL;
	r.p.type.complete = NULL;
	peer_commit(&r.p, "a.coder", 1, 0);
	peer_commit(&r.p, "b.coder", 2, 0);
	parts_own(&r.s, "b.coder", 2, ROW_TRIED); /* put, perhaps: nobody knows */
	parts_own(&r.s, "old.coder", 9, ROW_PUT);
	run_full(&r, false);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put a.coder 1;put b.coder 2;take old.coder 9;");
	ck_assert_int_eq(r.verified, -2);
}
END_TEST

START_TEST(more_than_a_batch_holds_goes_in_order)
{
	const struct hf_record old = peer_record("old.coder", 9, false);
	char name[20];

	for (unsigned i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "n%03u.coder", i);
		peer_commit(&r.p, name, (uint8_t)i, 0);
	}
	parts_own(&r.s, "old.coder", 9, ROW_PUT);
	run_full(&r, false);
	while (r.pass->state < PASS_TAKING) {
		run_forget(&r);
		run_on(&r);
		if (r.p.batch) {
			ck_assert_int_eq(r.p.batch->at[0].op, HF_CHANGE_PUT);
			ck_assert_uint_eq(r.p.batch->generation, hf_store_generation(r.p.fx.store));
			run_receipt(&r, NULL);
		} else if (r.s.questions.asking != ASK_NOTHING) {
			/* A sample of all that were put. */
			ck_assert_uint_eq(r.pass->n_put, 700);
			ck_assert_uint_eq(r.p.n_expect, HF_FEED_SAMPLE);
			run_answer(&r, HF_IS_SO);
			break;
		}
	}
	run_all(&r);
	ck_assert_uint_eq(r.pass->n_taken, 1);
	ck_assert_int_eq(peer_row(&r.p, "old.coder", old.addr[15]), ROW_NONE);
}
END_TEST

/* Each has the same chance: also the last ones, and not the first ones alone. */
START_TEST(the_sample_is_of_all)
{
	unsigned n_late = 0;
	char name[20];

	run_full(&r, false);
	for (unsigned i = 0; i < 1000; i++) {
		struct hf_change c = { .op = HF_CHANGE_PUT };

		snprintf(name, sizeof(name), "n%03u.coder", i);
		c.record = peer_record(name, (uint8_t)(i >= 500), false);
		hf_pass_told(r.pass, &c, HF_FATE_DONE);
	}
	ck_assert_uint_eq(r.pass->n_sample, HF_FEED_SAMPLE);
	for (size_t i = 0; i < HF_FEED_SAMPLE; i++)
		n_late += r.pass->sample[i].record.addr[15];
	/* 100 are to be expected; 7 is the deviation. */
	ck_assert_uint_gt(n_late, 60);
	ck_assert_uint_lt(n_late, 140);
}
END_TEST

/* --- of the log --- */

START_TEST(the_log_says_what_changed_since_the_cursor_and_no_more)
{
	peer_commit(&r.p, "a.coder", 1, HF_REC_PRIMARY);
	parts_own(&r.s, "a.coder", 1, ROW_PUT | ROW_PRIMARY);
	parts_own(&r.s, "unknown.coder", 8, ROW_PUT);
	run_reached(&r);
	peer_commit(&r.p, "b.coder", 2, 0);
	peer_remove(&r.p, "a.coder", 1, HF_REC_PRIMARY);
	run_log(&r, NULL);
	ck_assert(!r.pass->full && !r.pass->unconfirmed);
	ck_assert_uint_eq(r.pass->target, hf_store_generation(r.p.fx.store));
	run_all(&r);
	ck_assert_str_eq(
	    r.heard, "put b.coder 2;ask b.coder 2;complete;take a.coder 1*;ask !a.coder 1*;");
	ck_assert_int_eq(peer_row(&r.p, "unknown.coder", 8), ROW_PUT);
}
END_TEST

START_TEST(a_log_that_does_not_reach_back_is_no_pass)
{
	const struct hf_changeset all = { .names_reset = true, .wall_s = FIXTURE_WALL_S };
	const struct hf_pass_env e = run_env(&r);

	peer_commit(&r.p, "a.coder", 1, 0);
	run_reached(&r);
	peer_commit(&r.p, "b.coder", 2, 0);
	ck_assert_int_eq(hf_store_apply(r.p.fx.store, &all), 0);
	ck_assert_int_eq(hf_pass_new_log(&e, NULL, &r.pass), -ESTALE);
	ck_assert_ptr_null(r.pass);
}
END_TEST

START_TEST(what_was_set_aside_and_is_due_comes_with_it)
{
	const struct hf_change put = { .op = HF_CHANGE_PUT,
		.record = peer_record("f.coder", 6, false) };
	const struct hf_change take = { .op = HF_CHANGE_TAKE,
		.record = peer_record("g.coder", 7, false) };

	parts_own(&r.s, "g.coder", 8, ROW_PUT); /* with that address it is well */
	run_reached(&r);
	ck_assert_int_eq(hf_outbox_set_aside(&r.s.outbox, &put, ROW_NONE, ROW_FAILED, "x"), 0);
	ck_assert_int_eq(hf_outbox_set_aside(&r.s.outbox, &take, ROW_NONE, ROW_FAILED, "x"), 0);
	ck_assert_int_eq(hf_ledger_flush(&r.s.outbox.ledger), 0);
	run_log(&r, NULL);
	run_all(&r);
	ck_assert_str_eq(r.heard, "");
	hf_pass_free(r.pass);
	hf_fake_clock_add(&r.p.fx.clock, PARTS_SKIPPED_MS);
	run_log(&r, NULL);
	run_all(&r);
	ck_assert_str_eq(
	    r.heard, "put f.coder 6;ask f.coder 6;complete;take g.coder 7;ask !g.coder 7;");
	ck_assert_uint_eq(hf_outbox_n_aside(&r.s.outbox), 0);
	ck_assert_int_eq(hf_aside_wait(&r.s.outbox.aside), -1);
	ck_assert_int_eq(peer_row(&r.p, "g.coder", 8), ROW_PUT);
}
END_TEST

/* A name goes on with another address: the old one is not taken before, or beside it. */
START_TEST(an_address_that_changes_is_one_change)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	run_reached(&r);
	peer_commit(&r.p, "a.coder", 5, 0);
	run_log(&r, NULL);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put a.coder 5<1;ask a.coder 5;");
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), ROW_NONE);
}
END_TEST

START_TEST(an_address_stays_until_the_other_one_could_be_put)
{
	const uint8_t failed[] = { HF_FATE_FAILED };

	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	run_reached(&r);
	peer_commit(&r.p, "a.coder", 5, 0);
	run_log(&r, NULL);
	run_on(&r);
	run_receipt(&r, failed);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put a.coder 5<1;");
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), ROW_PUT);
}
END_TEST

/* The agent was renamed, and its new name cannot be put: it keeps its old one. */
START_TEST(a_name_stays_whose_address_has_no_other_yet)
{
	const uint8_t failed[] = { HF_FATE_FAILED };

	peer_commit(&r.p, "a.coder", 1, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT);
	run_reached(&r);
	peer_remove(&r.p, "a.coder", 1, 0);
	peer_commit(&r.p, "b.coder", 1, 0);
	run_log(&r, NULL);
	run_on(&r);
	ck_assert_str_eq(r.heard, "put b.coder 1;");
	run_receipt(&r, failed);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put b.coder 1;");
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 1), ROW_FAILED);
	ck_assert_int_eq(peer_row(&r.p, "b.coder", 1), ROW_FAILED);
}
END_TEST

/* What an earlier run left there, or was taken before, is no name that its user has. */
START_TEST(what_nobody_wanted_does_not_stay_for_that)
{
	const uint8_t failed[] = { HF_FATE_FAILED };

	peer_commit(&r.p, "b.coder", 1, 0);
	parts_own(&r.s, "ghost.coder", 1, _i ? ROW_STUCK : ROW_STALE);
	run_full(&r, false);
	run_on(&r);
	run_receipt(&r, failed);
	run_on(&r);
	ck_assert_str_eq(r.heard, "put b.coder 1;complete;take ghost.coder 1;");
	run_receipt(&r, NULL);
}
END_TEST

/* --- of repairs --- */

START_TEST(a_repair_puts_what_is_owned_and_takes_nothing)
{
	const struct hf_record a = peer_record("a.coder", 1, true);
	const struct hf_record gone = peer_record("gone.coder", 2, false);
	const struct hf_pass_env e = run_env(&r);
	struct hf_wanted *repairs;

	run_reached(&r);
	peer_commit(&r.p, "first.coder", 5, 0);
	run_reached(&r);
	peer_commit(&r.p, "later.coder", 5, 0);
	parts_own(&r.s, "a.coder", 1, ROW_PUT | ROW_PRIMARY);
	parts_own(&r.s, "a.coder", 7, ROW_PUT);
	parts_own(&r.s, "old.coder", 9, ROW_PUT);
	ck_assert_int_eq(hf_wanted_new(&repairs), 0);
	hf_wanted_add(repairs, &a.name, a.addr, HF_ITEM_AGAIN | HF_ITEM_PRIMARY);
	hf_wanted_add(repairs, &gone.name, gone.addr, HF_ITEM_AGAIN);
	ck_assert_int_eq(hf_pass_new_repairs(&e, repairs, &r.pass), 0);
	ck_assert_uint_eq(r.pass->target, hf_store_generation(r.p.fx.store) - 1);
	run_all(&r);
	ck_assert_str_eq(r.heard, "put a.coder 1*=;ask a.coder 1;");
	ck_assert_int_eq(peer_row(&r.p, "a.coder", 7), ROW_PUT);
}
END_TEST

/* --- its end --- */

START_TEST(one_that_is_given_up_forgets_what_is_not_sent)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	r.s.outbox.resume_at = hf_feed_peer_now(&r.p.peer) + 100;
	run_full(&r, false);
	ck_assert_int_eq(run_on(&r).next, HF_STEP_IN_MS);
	ck_assert(!hf_outbox_is_empty(&r.s.outbox));
	hf_pass_free(r.pass);
	r.pass = NULL;
	hf_pass_free(NULL);
	ck_assert(hf_outbox_is_empty(&r.s.outbox));
}
END_TEST

START_TEST(an_answer_that_it_does_not_wait_for_is_nothing)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	run_full(&r, false);
	run_on(&r);
	ck_assert_int_eq(hf_pass_answered(r.pass, 0, "", &r.verified).next, HF_STEP_AGAIN);
	ck_assert_int_eq(r.verified, -1);
	ck_assert_int_eq(r.pass->state, PASS_PUTTING);
	run_receipt(&r, NULL);
}
END_TEST

/* Somebody else's question is out. */
START_TEST(it_waits_for_the_lot)
{
	peer_commit(&r.p, "a.coder", 1, 0);
	r.s.questions.asking = ASK_LOOK;
	run_full(&r, false);
	while (!r.p.batch)
		hf_pass_step(r.pass);
	run_receipt(&r, NULL);
	while (r.pass->state != PASS_CONFIRMING)
		hf_pass_step(r.pass);
	ck_assert_int_eq(hf_pass_step(r.pass).next, HF_STEP_ON_EVENT);
	ck_assert_uint_eq(r.p.n_verifies, 0);
	r.s.questions.asking = ASK_NOTHING;
	run_all(&r);
}
END_TEST

static TCase *full_case(void)
{
	TCase *tc = tcase_create("full");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_wanted_is_put_and_asked_for_before_what_is_not_is_taken);
	tcase_add_test(tc, what_is_there_is_not_put_and_what_is_other_is);
	tcase_add_test(tc, a_refill_puts_also_what_is_believed_to_be_there);
	tcase_add_loop_test(tc, with_nothing_there_it_is_fresh, 0, 4);
	tcase_add_test(tc, a_stale_row_is_used_where_it_is_wanted_and_taken_last);
	tcase_add_test(tc, a_name_with_two_addresses_keeps_the_wanted_one);
	tcase_add_test(tc, what_was_never_there_is_forgotten_without_a_word);
	tcase_add_test(tc, as_long_as_nothing_was_finished_also_what_is_there_is_asked_for);
	tcase_add_loop_test(tc, what_is_withdrawn_goes, 0, 2);
	tcase_add_test(tc, others_and_what_does_not_fit_are_not_asked_for);
	tcase_add_test(tc, the_adapter_is_told_the_suffixes_before_it_gets_names);
	tcase_add_test(tc, with_nobody_to_ask_it_goes_on);
	tcase_add_test(tc, more_than_a_batch_holds_goes_in_order);
	tcase_add_test(tc, the_sample_is_of_all);
	return tc;
}

static TCase *log_case(void)
{
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_log_says_what_changed_since_the_cursor_and_no_more);
	tcase_add_test(tc, a_log_that_does_not_reach_back_is_no_pass);
	tcase_add_test(tc, what_was_set_aside_and_is_due_comes_with_it);
	tcase_add_test(tc, an_address_that_changes_is_one_change);
	tcase_add_test(tc, an_address_stays_until_the_other_one_could_be_put);
	tcase_add_loop_test(tc, what_nobody_wanted_does_not_stay_for_that, 0, 2);
	tcase_add_test(tc, a_name_stays_whose_address_has_no_other_yet);
	tcase_add_test(tc, a_repair_puts_what_is_owned_and_takes_nothing);
	return tc;
}

Suite *pass_suite(void)
{
	Suite *suite = suite_create("pass");
	TCase *tc = tcase_create("end");

	suite_add_tcase(suite, full_case());
	suite_add_tcase(suite, log_case());
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_that_is_given_up_forgets_what_is_not_sent);
	tcase_add_test(tc, an_answer_that_it_does_not_wait_for_is_nothing);
	tcase_add_test(tc, it_waits_for_the_lot);
	suite_add_tcase(suite, tc);
	return suite;
}
