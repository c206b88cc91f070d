/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/outbox.h"
#include "tests/unit/feed/peer_kit.h"

Suite *outbox_suite(void);

enum { FLOOR_MS = 50, SKIPPED_MS = 60000 };

static struct peer p;
static struct hf_outbox o;
static char told[400];

static void on_told(void *arg, const struct hf_change *change, enum hf_fate fate)
{
	char name[HF_NAME_TEXT_MAX];
	size_t len = strlen(told);

	ck_assert_ptr_eq(arg, &p);
	snprintf(told + len, sizeof(told) - len, "%s %.60s %d;",
	    change->op == HF_CHANGE_PUT ? "put" : "take", hf_name_text(&change->record.name, name),
	    (int)fate);
}

static void setup(void)
{
	peer_init(&p);
	memset(&o, 0, sizeof(o));
	hf_outbox_init(&o, &p.peer, "fake", FLOOR_MS, SKIPPED_MS);
	ck_assert_int_ge(hf_ledger_load(&o.ledger), 0);
	told[0] = '\0';
}

static void teardown(void)
{
	hf_outbox_done(&o);
	peer_done(&p);
}

static void push(enum hf_change_op op, const char *name, uint8_t addr, uint8_t row)
{
	const struct hf_change c = { .op = op, .record = peer_record(name, addr, false) };

	ck_assert_int_eq(hf_outbox_push(&o, &c, row, ROW_NONE), 0);
}

static void send_now(void)
{
	struct hf_feed_step step = hf_outbox_send(&o, 7);

	ck_assert_int_eq(step.next, HF_STEP_ON_EVENT);
	ck_assert_ptr_nonnull(p.batch);
}

static struct hf_feed_step receipt(size_t n_done, const uint8_t *fates, int code)
{
	const struct hf_receipt r = {
		.n_done = n_done, .fates = fates, .code = code, .text = code ? "it is away" : ""
	};

	p.batch = NULL;
	return hf_outbox_applied(&o, &r, on_told, &p);
}

START_TEST(a_put_is_on_the_disk_as_tried_before_the_adapter_hears_of_it)
{
	push(HF_CHANGE_PUT, "a.coder", 1, ROW_NONE);
	ck_assert(!hf_outbox_is_empty(&o) && !hf_outbox_is_out(&o));
	send_now();
	ck_assert_int_eq(p.row_at_apply, ROW_TRIED);
	ck_assert(hf_outbox_is_out(&o));
	ck_assert_uint_eq(p.batch->generation, 7);
	ck_assert_int_eq(hf_outbox_send(&o, 7).next, HF_STEP_ON_EVENT);
	ck_assert_uint_eq(p.n_applies, 1);
	ck_assert(receipt(1, NULL, 0).well);
	ck_assert(hf_outbox_is_empty(&o) && !hf_outbox_is_out(&o));
	ck_assert_int_eq(hf_ledger_flush(&o.ledger), 0);
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_PUT);
}
END_TEST

/* What is ours there already stays so, however it ends. */
START_TEST(what_is_ours_already_is_not_announced)
{
	push(HF_CHANGE_PUT, "a.coder", 1, ROW_PUT);
	push(HF_CHANGE_TAKE, "b.coder", 2, ROW_PUT);
	send_now();
	ck_assert_int_eq(p.row_at_apply, ROW_NONE);
	ck_assert_uint_eq(o.ledger.n_written, 0);
	receipt(2, NULL, 0);
}
END_TEST

START_TEST(each_change_gets_its_fate_and_the_ledger_its_row)
{
	const uint8_t fates[] = { HF_FATE_DONE, HF_FATE_CLASH, HF_FATE_UNFIT, HF_FATE_DONE,
		HF_FATE_CLASH };
	struct hf_feed_step step;

	push(HF_CHANGE_PUT, "a.coder", 1, ROW_NONE);
	push(HF_CHANGE_PUT, "b.coder", 2, ROW_NONE);
	push(HF_CHANGE_PUT, "c.coder", 3, ROW_NONE);
	push(HF_CHANGE_TAKE, "d.coder", 4, ROW_STALE);
	push(HF_CHANGE_TAKE, "e.coder", 5, ROW_STALE);
	send_now();
	step = receipt(5, fates, 0);
	ck_assert(step.next == HF_STEP_AGAIN && step.well);
	ck_assert_str_eq(
	    told, "put a.coder 0;put b.coder 1;put c.coder 2;take d.coder 0;take e.coder 1;");
	ck_assert_int_eq(hf_ledger_flush(&o.ledger), 0);
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_PUT);
	ck_assert_int_eq(peer_row(&p, "b.coder", 2), ROW_CLASH);
	ck_assert_int_eq(peer_row(&p, "c.coder", 3), ROW_UNFIT);
	ck_assert_uint_eq(hf_outbox_n_skipped(&o), 2);
}
END_TEST

/* The fate of the rest is not known: it is sent again. */
START_TEST(what_a_receipt_leaves_open_is_sent_again)
{
	struct hf_feed_step step;

	push(HF_CHANGE_PUT, "a.coder", 1, ROW_NONE);
	push(HF_CHANGE_PUT, "b.coder", 2, ROW_NONE);
	send_now();
	step = receipt(1, NULL, -ECONNRESET);
	ck_assert(step.next == HF_STEP_FAILED && !step.store);
	ck_assert_int_eq(step.code, -ECONNRESET);
	ck_assert_str_eq(step.text, "it is away");
	ck_assert(!hf_outbox_is_empty(&o) && !hf_outbox_is_out(&o));
	send_now();
	ck_assert_uint_eq(p.batch->n, 1);
	ck_assert_int_eq(p.batch->at[0].record.addr[15], 2);
	receipt(1, NULL, 0);
	ck_assert(hf_outbox_is_empty(&o));
}
END_TEST

START_TEST(a_receipt_that_says_nothing_is_a_failure)
{
	push(HF_CHANGE_PUT, "a.coder", 1, ROW_NONE);
	send_now();
	ck_assert_int_eq(receipt(0, NULL, 0).code, HF_EPEER);
	ck_assert(!hf_outbox_is_empty(&o));
	send_now();
	/* One that says more than there was is taken for what there was. */
	receipt(99, NULL, 0);
	ck_assert(hf_outbox_is_empty(&o));
}
END_TEST

START_TEST(a_name_is_in_a_batch_once)
{
	push(HF_CHANGE_TAKE, "a.coder", 1, ROW_PUT);
	push(HF_CHANGE_TAKE, "a.coder", 2, ROW_PUT);
	push(HF_CHANGE_TAKE, "b.coder", 3, ROW_PUT);
	send_now();
	ck_assert_uint_eq(p.batch->n, 1);
	receipt(1, NULL, 0);
	send_now();
	ck_assert_uint_eq(p.batch->n, 2);
	receipt(2, NULL, 0);
}
END_TEST

START_TEST(the_adapter_sets_the_pace)
{
	const struct hf_receipt r = { .n_done = 1, .pause_us = 30000, .next_max = 2, .text = "" };
	struct hf_feed_step step;
	char name[20];

	for (uint8_t i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "n%u.coder", i);
		push(HF_CHANGE_TAKE, name, i, ROW_PUT);
	}
	send_now();
	p.batch = NULL;
	hf_outbox_applied(&o, &r, NULL, NULL);
	step = hf_outbox_send(&o, 7);
	ck_assert_int_eq(step.next, HF_STEP_IN_MS);
	ck_assert_int_eq(step.ms, 30);
	hf_fake_clock_add(&p.fx.clock, 30);
	send_now();
	ck_assert_uint_eq(p.batch->n, 2);
	receipt(2, NULL, 0);
	ck_assert_uint_eq(hf_outbox_room(&o), HF_OUTBOX_CHUNK);
}
END_TEST

START_TEST(one_that_fails_by_itself_is_set_aside_and_drawn_when_it_is_due)
{
	const uint8_t fates[] = { HF_FATE_FAILED, HF_FATE_DONE };
	struct hf_wanted *picture;
	struct hf_feed_step step;
	struct hf_item item;

	push(HF_CHANGE_PUT, "a.coder", 1, ROW_NONE);
	push(HF_CHANGE_PUT, "b.coder", 2, ROW_NONE);
	send_now();
	step = receipt(2, fates, 0);
	ck_assert(step.next == HF_STEP_AGAIN);
	ck_assert_str_eq(told, "put b.coder 0;");
	ck_assert_uint_eq(hf_outbox_n_aside(&o), 1);
	ck_assert_ptr_nonnull(strstr(hf_outbox_aside_why(&o, ROW_FAILED), "'a.coder'"));
	ck_assert_int_eq(hf_ledger_flush(&o.ledger), 0);
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_FAILED);
	hf_fake_clock_add(&p.fx.clock, FLOOR_MS);
	ck_assert_int_eq(hf_wanted_new(&picture), 0);
	ck_assert_int_eq(hf_outbox_draw_aside(&o, picture), 0);
	ck_assert_int_eq(hf_wanted_seal(picture), 0);
	ck_assert(hf_wanted_at(picture, &item));
	ck_assert_str_eq(item.text, "a.coder");
	hf_wanted_free(picture);
}
END_TEST

START_TEST(a_batch_of_nothing_is_done_or_is_not)
{
	hf_outbox_send_empty(&o);
	ck_assert(hf_outbox_is_out(&o) && hf_outbox_is_empty(&o));
	ck_assert_uint_eq(p.batch->n, 0);
	ck_assert_int_eq(receipt(0, NULL, -ECONNREFUSED).next, HF_STEP_FAILED);
	ck_assert(!o.empty_done && !hf_outbox_is_out(&o));
	hf_outbox_send_empty(&o);
	ck_assert(receipt(0, NULL, 0).well);
	ck_assert(o.empty_done);
}
END_TEST

/* Tried again after a while, and less and less often. */
START_TEST(what_is_left_out_has_its_time)
{
	const uint8_t clash[] = { HF_FATE_CLASH };

	ck_assert_int_eq(hf_outbox_skipped_wait(&o), -1);
	push(HF_CHANGE_PUT, "a.coder", 1, ROW_NONE);
	send_now();
	receipt(1, clash, 0);
	hf_outbox_passed(&o, false);
	ck_assert_int_eq(hf_outbox_skipped_wait(&o), SKIPPED_MS);
	hf_fake_clock_add(&p.fx.clock, SKIPPED_MS);
	ck_assert_int_eq(hf_outbox_skipped_wait(&o), 0);
	hf_outbox_passed(&o, true);
	ck_assert_int_eq(hf_outbox_skipped_wait(&o), SKIPPED_MS);
	hf_outbox_passed(&o, true);
	ck_assert_int_eq(hf_outbox_skipped_wait(&o), 2 * SKIPPED_MS);
	/* In the next life it begins anew. */
	ck_assert_int_eq(hf_ledger_flush(&o.ledger), 0);
	hf_outbox_done(&o);
	memset(&o, 0, sizeof(o));
	hf_outbox_init(&o, &p.peer, "fake", FLOOR_MS, SKIPPED_MS);
	ck_assert_int_ge(hf_ledger_load(&o.ledger), 0);
	hf_outbox_loaded(&o);
	ck_assert_int_eq(hf_outbox_skipped_wait(&o), SKIPPED_MS);
}
END_TEST

START_TEST(changes_that_are_dropped_are_gone_and_rows_stay)
{
	push(HF_CHANGE_PUT, "a.coder", 1, ROW_NONE);
	send_now();
	receipt(0, NULL, -EIO);
	hf_outbox_drop(&o);
	ck_assert(hf_outbox_is_empty(&o));
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_TRIED);
	push(HF_CHANGE_PUT, "b.coder", 2, ROW_NONE);
	send_now();
	ck_assert_int_eq(p.row_at_apply, ROW_TRIED);
	receipt(1, NULL, 0);
}
END_TEST

Suite *outbox_suite(void)
{
	Suite *s = suite_create("outbox");
	TCase *tc = tcase_create("outbox");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_put_is_on_the_disk_as_tried_before_the_adapter_hears_of_it);
	tcase_add_test(tc, what_is_ours_already_is_not_announced);
	tcase_add_test(tc, each_change_gets_its_fate_and_the_ledger_its_row);
	tcase_add_test(tc, what_a_receipt_leaves_open_is_sent_again);
	tcase_add_test(tc, a_receipt_that_says_nothing_is_a_failure);
	tcase_add_test(tc, a_name_is_in_a_batch_once);
	tcase_add_test(tc, the_adapter_sets_the_pace);
	tcase_add_test(tc, one_that_fails_by_itself_is_set_aside_and_drawn_when_it_is_due);
	tcase_add_test(tc, a_batch_of_nothing_is_done_or_is_not);
	tcase_add_test(tc, what_is_left_out_has_its_time);
	tcase_add_test(tc, changes_that_are_dropped_are_gone_and_rows_stay);
	suite_add_tcase(s, tc);
	return s;
}
