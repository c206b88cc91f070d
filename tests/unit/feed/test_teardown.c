/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "bridge/feed/teardown.h"
#include "tests/unit/feed/peer_kit.h"

Suite *teardown_suite(void);

static struct peer p;
static struct hf_outbox o;
static struct hf_feed_zones z;
static struct hf_feed_teardown t;

static void setup(void)
{
	struct hf_name suffix;
	bool ttl;

	peer_init(&p);
	memset(&o, 0, sizeof(o));
	memset(&z, 0, sizeof(z));
	memset(&t, 0, sizeof(t));
	hf_outbox_init(&o, &p.peer, "fake", 50, 60000);
	ck_assert_int_ge(hf_ledger_load(&o.ledger), 0);
	z.peer = t.peer = &p.peer;
	z.ledger = &o.ledger;
	t.outbox = &o;
	t.zones = &z;
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	hf_feed_zones_set(&z, &suffix, 1, 30, &ttl);
	hf_feed_zones_tell(&z);
}

static void teardown(void)
{
	hf_outbox_done(&o);
	peer_done(&p);
}

static void own(const char *name, uint8_t addr, uint8_t state)
{
	const struct hf_record r = peer_record(name, addr, false);

	ck_assert_int_eq(hf_ledger_set(&o.ledger, &r.name, r.addr, ROW_NONE, state), 0);
	ck_assert_int_eq(hf_ledger_flush(&o.ledger), 0);
}

/* Until a batch is out, or it has to wait. */
static struct hf_feed_step go_on(void)
{
	struct hf_feed_step step;

	do {
		step = hf_teardown_step(&t);
	} while (step.next == HF_STEP_AGAIN);
	return step;
}

static void receipt(size_t n_done, const uint8_t *fates, int code)
{
	const struct hf_receipt r = { .n_done = n_done, .fates = fates, .code = code, .text = "" };

	p.batch = NULL;
	hf_outbox_applied(&o, &r, hf_teardown_told, &t);
}

START_TEST(all_that_is_ours_goes_then_the_suffixes_then_the_ledger)
{
	struct hf_cursor cursor;

	own("a.coder", 1, ROW_PUT);
	own("b.coder", 2, ROW_CLASH);
	own("c.coder", 3, ROW_STALE);
	own("d.coder", 4, ROW_STUCK);
	hf_teardown_begin(&t, false);
	go_on();
	ck_assert_uint_eq(p.batch->n, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(p.batch->at[i].op, HF_CHANGE_TAKE);
	ck_assert_uint_eq(p.n_told, 1);
	receipt(3, NULL, 0);
	go_on();
	ck_assert_uint_eq(p.n_told, 0);
	ck_assert_uint_eq(p.batch->n, 0);
	ck_assert(!t.clean);
	receipt(0, NULL, 0);
	go_on();
	ck_assert(t.clean);
	ck_assert_uint_eq(t.n_taken, 3);
	ck_assert_int_eq(hf_store_cursor_get(p.fx.store, "fake", &cursor), 0);
	ck_assert_int_eq(peer_row(&p, "b.coder", 2), ROW_NONE);
}
END_TEST

START_TEST(suffixes_that_could_not_be_taken_out_are_tried_again)
{
	hf_teardown_begin(&t, false);
	go_on();
	receipt(0, NULL, -ECONNREFUSED);
	go_on();
	ck_assert_ptr_nonnull(p.batch);
	receipt(0, NULL, 0);
	go_on();
	ck_assert(t.clean);
	ck_assert_uint_eq(t.n_emptied, 2);
}
END_TEST

START_TEST(where_nothing_ever_was_one_attempt_is_enough)
{
	hf_teardown_begin(&t, true);
	go_on();
	receipt(0, NULL, -ECONNREFUSED);
	go_on();
	ck_assert(t.clean);
	ck_assert_uint_eq(t.n_emptied, 1);
}
END_TEST

START_TEST(one_that_fails_is_waited_for)
{
	const uint8_t failed[] = { HF_FATE_FAILED };
	struct hf_feed_step step;

	own("a.coder", 1, ROW_PUT);
	hf_teardown_begin(&t, false);
	go_on();
	receipt(1, failed, 0);
	step = go_on();
	ck_assert_int_eq(step.next, HF_STEP_IN_MS);
	ck_assert(!t.clean);
	hf_fake_clock_add(&p.fx.clock, step.ms);
	go_on();
	ck_assert_uint_eq(p.batch->n, 1);
	receipt(1, NULL, 0);
	go_on();
	receipt(0, NULL, 0);
	go_on();
	ck_assert(t.clean);
}
END_TEST

Suite *teardown_suite(void)
{
	Suite *s = suite_create("teardown");
	TCase *tc = tcase_create("teardown");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_that_is_ours_goes_then_the_suffixes_then_the_ledger);
	tcase_add_test(tc, suffixes_that_could_not_be_taken_out_are_tried_again);
	tcase_add_test(tc, where_nothing_ever_was_one_attempt_is_enough);
	tcase_add_test(tc, one_that_fails_is_waited_for);
	suite_add_tcase(s, tc);
	return s;
}
