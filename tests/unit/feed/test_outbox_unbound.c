/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter for unbound behind an outbox: what is refused of one name harms no other. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/outbox.h"
#include "tests/unit/adapters/kit_unbound.h"
#include "tests/unit/feed/peer_kit.h"

Suite *outbox_unbound_suite(void);

enum { FLOOR_MS = 50, SKIPPED_MS = 60000, N = 8, SENDS_MAX = 12 };

static struct kit_unbound k;
static struct peer p;
static struct hf_outbox o;
static char fates[N + 1]; /* by the last digit of the name; '.': none was told */
static bool received;
static int code;

static const char *name_of(int i)
{
	static const char *const names[N] = { "a0.coder", "a1.coder", "a2.coder", "a3.coder",
		"a4.coder", "a5.coder", "a6.coder", "a7.coder" };

	return names[i];
}

static void on_told(void *arg, const struct hf_change *change, enum hf_fate fate)
{
	fates[change->record.name.wire[2] - '0'] = "dcuf"[fate];
}

static void on_applied(void *arg, const struct hf_receipt *receipt)
{
	struct hf_feed_step step = hf_outbox_applied(&o, receipt, on_told, NULL);

	code = step.next == HF_STEP_FAILED ? step.code : 0;
	o.attempts = code ? o.attempts + 1 : 0;
	received = true;
}

static void setup(void)
{
	peer_init(&p);
	kit_unbound_open_peer(&k, false, false);
	k.host.host.applied = on_applied;
	p.peer.type = &hf_ub_adapter_type;
	p.peer.adapter = k.base;
	memset(&o, 0, sizeof(o));
	hf_outbox_init(&o, &p.peer, "fake", FLOOR_MS, SKIPPED_MS);
	ck_assert_int_ge(hf_ledger_load(&o.ledger), 0);
}

static void teardown(void)
{
	hf_outbox_done(&o);
	kit_unbound_close(&k);
	peer_done(&p);
}

/* All eight; how many batches it took. */
static unsigned push_all(enum hf_change_op op, uint8_t row)
{
	unsigned n = 0;

	memset(fates, '.', N);
	for (int i = 0; i < N; i++) {
		const struct hf_change c = { .op = op,
			.record = peer_record(name_of(i), (uint8_t)(i + 1), false) };

		ck_assert_int_eq(hf_outbox_push(&o, &c, row, ROW_NONE), 0);
	}
	while (!hf_outbox_is_empty(&o)) {
		ck_assert_uint_lt(n, SENDS_MAX);
		hf_fake_clock_add(&p.fx.clock, 1000);
		received = false;
		ck_assert_int_eq(hf_outbox_send(&o, 7).next, HF_STEP_ON_EVENT);
		while (!received)
			event_base_loop(k.host.host.base, EVLOOP_ONCE);
		n++;
	}
	ck_assert_int_eq(hf_ledger_flush(&o.ledger), 0);
	return n;
}

static void check_all(int refused, char fate, enum hf_row row, bool others_are_there)
{
	for (int i = 0; i < N; i++) {
		bool is_it = i == refused;

		ck_assert_int_eq(fates[i], is_it ? fate : 'd');
		ck_assert_int_eq(hf_ledger_row_of(peer_row(&p, name_of(i), (uint8_t)(i + 1))),
		    is_it              ? row
		    : others_are_there ? ROW_PUT
				       : ROW_NONE);
		ck_assert_int_eq(ub_data_has(&k.peer.data, name_of(i)), is_it != others_are_there);
	}
}

/* The batch is halved until that one is alone: it waits by itself, and goes in the end. */
START_TEST(a_removal_that_unbound_refuses_is_set_aside_alone)
{
	ck_assert_uint_eq(push_all(HF_CHANGE_PUT, ROW_NONE), 1);
	ck_assert_str_eq(fates, "dddddddd");
	k.peer.refuses = name_of(_i);
	ck_assert_uint_gt(push_all(HF_CHANGE_TAKE, ROW_PUT), 2);
	check_all(_i, '.', ROW_FAILED, false);
	ck_assert_uint_eq(hf_outbox_n_aside(&o), 1);
	ck_assert_ptr_nonnull(
	    strstr(hf_outbox_aside_why(&o, ROW_FAILED), "unbound says: error cannot parse name"));
}
END_TEST

/* An addition is found by the adapter itself, in the same batch: it does not fit. */
START_TEST(an_addition_that_unbound_refuses_is_left_out_alone)
{
	k.peer.refuses = name_of(_i);
	ck_assert_uint_eq(push_all(HF_CHANGE_PUT, ROW_NONE), 1);
	check_all(_i, 'u', ROW_UNFIT, true);
	ck_assert_uint_eq(hf_outbox_n_aside(&o), 0);
}
END_TEST

/* None of them is to blame for that, also the one that is alone in the last of the four. */
START_TEST(a_connection_that_is_cut_sets_no_name_aside)
{
	ck_assert_uint_eq(push_all(HF_CHANGE_PUT, ROW_NONE), 1);
	ub_peer_when(&k.peer, "local_datas_remove", _i ? UB_PEER_DIES : UB_PEER_CUTS, NULL);
	k.peer.when.again = _i ? 0 : 3; /* what was done once is not done again */
	push_all(HF_CHANGE_TAKE, ROW_PUT);
	ck_assert_ptr_null(k.peer.when.at);
	check_all(-1, 'd', ROW_NONE, false);
	ck_assert_uint_eq(hf_outbox_n_aside(&o), 0);
}
END_TEST

Suite *outbox_unbound_suite(void)
{
	Suite *s = suite_create("outbox_unbound");
	TCase *c = tcase_create("outbox_unbound");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, a_removal_that_unbound_refuses_is_set_aside_alone, 0, N);
	tcase_add_loop_test(c, an_addition_that_unbound_refuses_is_left_out_alone, 0, N);
	tcase_add_loop_test(c, a_connection_that_is_cut_sets_no_name_aside, 0, 2);
	suite_add_tcase(s, c);
	return s;
}
