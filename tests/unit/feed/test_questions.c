/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lot of names that is asked for, and what the answers to it come to: for who settles, too.
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "bridge/feed/questions.h"
#include "bridge/feed/settle.h"
#include "tests/unit/feed/peer_kit.h"

Suite *questions_suite(void);

static struct peer p;
static struct hf_questions q;
static struct hf_ledger ledger;

static void setup(void)
{
	peer_init(&p);
	memset(&q, 0, sizeof(q));
	q.peer = &p.peer;
	hf_ledger_init(&ledger, p.fx.store, &p.fx.clock.clock, "fake");
	ck_assert_int_ge(hf_ledger_load(&ledger), 0);
}

static void teardown(void)
{
	hf_ledger_done(&ledger);
	peer_done(&p);
}

static void answers(const enum hf_is *is, size_t n)
{
	q.n = n;
	for (size_t i = 0; i < n; i++)
		q.at[i].is = is[i];
}

START_TEST(the_lot_is_lent_until_it_is_answered)
{
	q.n = 2;
	hf_questions_ask(&q, ASK_LOOK);
	ck_assert_ptr_eq(p.expect, q.at);
	ck_assert_uint_eq(p.n_expect, 2);
	ck_assert_int_eq(q.asking, ASK_LOOK);
	ck_assert_int_eq(hf_questions_answered(&q), ASK_LOOK);
	ck_assert_int_eq(q.asking, ASK_NOTHING);
	ck_assert_int_eq(hf_questions_answered(&q), ASK_NOTHING);
}
END_TEST

START_TEST(answers_are_counted_and_the_first_bad_one_is_known)
{
	const enum hf_is is[] = { HF_IS_SO, HF_IS_UNKNOWN, HF_IS_FOREIGN, HF_IS_NOT_SO,
		HF_IS_NOT_SO };
	struct hf_questions_tally t;

	answers(is, 5);
	hf_questions_tally(&q, 0, &t);
	ck_assert(t.right == 1 && t.silent == 1 && t.foreign == 1 && t.wrong == 2);
	ck_assert_uint_eq(t.first_bad, 3);
	answers(is, 3);
	hf_questions_tally(&q, 0, &t);
	ck_assert_uint_eq(t.first_bad, 1);
	answers(is, 1);
	hf_questions_tally(&q, 0, &t);
	ck_assert_uint_eq(t.first_bad, 1);
}
END_TEST

START_TEST(with_a_code_all_are_silent)
{
	const enum hf_is is[] = { HF_IS_SO, HF_IS_NOT_SO };
	struct hf_questions_tally t;

	answers(is, 2);
	hf_questions_tally(&q, -ECONNREFUSED, &t);
	ck_assert(t.silent == 2 && t.right + t.wrong + t.foreign == 0);
}
END_TEST

/* --- settle --- */

static void three_tried(void)
{
	static const char *const names[] = { "a.coder", "b.coder", "c.coder" };

	for (uint8_t i = 0; i < 3; i++) {
		const struct hf_record r = peer_record(names[i], i, i == 1);

		ck_assert_int_eq(hf_ledger_set(&ledger, &r.name, r.addr, ROW_NONE,
				     (uint8_t)(ROW_TRIED | (i == 1 ? ROW_PRIMARY : 0))),
		    0);
	}
	ck_assert_int_eq(hf_ledger_flush(&ledger), 0);
}

START_TEST(what_was_under_way_is_there_or_forgotten)
{
	three_tried();
	ck_assert_int_eq(hf_settle_fill(&ledger, &q), 3);
	for (size_t i = 0; i < 3; i++)
		q.at[i].is = q.at[i].record.addr[15] == 2 ? HF_IS_NOT_SO : HF_IS_SO;
	ck_assert(hf_settle_answered(&ledger, &q, 0, "").well);
	ck_assert_int_eq(hf_ledger_flush(&ledger), 0);
	ck_assert_int_eq(peer_row(&p, "a.coder", 0), ROW_PUT);
	ck_assert_int_eq(peer_row(&p, "b.coder", 1), ROW_PUT | ROW_PRIMARY);
	ck_assert_int_eq(peer_row(&p, "c.coder", 2), ROW_NONE);
	ck_assert_int_eq(hf_settle_fill(&ledger, &q), 0);
}
END_TEST

START_TEST(what_is_not_answered_is_asked_for_again)
{
	struct hf_feed_step step;

	three_tried();
	ck_assert_int_eq(hf_settle_fill(&ledger, &q), 3);
	q.at[0].is = HF_IS_SO;
	q.at[1].is = q.at[2].is = HF_IS_UNKNOWN;
	step = hf_settle_answered(&ledger, &q, 0, "");
	ck_assert(step.next == HF_STEP_FAILED && step.code == -ETIMEDOUT);
	ck_assert_int_eq(hf_ledger_flush(&ledger), 0);
	ck_assert_int_eq(hf_settle_fill(&ledger, &q), 2);
	step = hf_settle_answered(&ledger, &q, -ECONNREFUSED, "nobody is there");
	ck_assert_str_eq(step.text, "nobody is there");
	ck_assert_int_eq(hf_settle_fill(&ledger, &q), 2);
}
END_TEST

Suite *questions_suite(void)
{
	Suite *s = suite_create("questions");
	TCase *tc = tcase_create("questions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_lot_is_lent_until_it_is_answered);
	tcase_add_test(tc, answers_are_counted_and_the_first_bad_one_is_known);
	tcase_add_test(tc, with_a_code_all_are_silent);
	tcase_add_test(tc, what_was_under_way_is_there_or_forgotten);
	tcase_add_test(tc, what_is_not_answered_is_asked_for_again);
	suite_add_tcase(s, tc);
	return s;
}
