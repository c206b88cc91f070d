/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: what the store has of one adapter, what waits to be written, and what it counts.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feed/peer_kit.h"

Suite *ledger_suite(void);

static struct peer p;
static struct hf_ledger l;

static void begin(void)
{
	hf_ledger_init(&l, p.fx.store, &p.fx.clock.clock, "fake");
}

static void setup(void)
{
	peer_init(&p);
	begin();
	ck_assert_int_eq(hf_ledger_load(&l), 0);
}

static void teardown(void)
{
	hf_ledger_done(&l);
	peer_done(&p);
}

static void set(const char *name, uint8_t addr, uint8_t before, uint8_t state)
{
	const struct hf_record r = peer_record(name, addr, false);

	ck_assert_int_eq(hf_ledger_set(&l, &r.name, r.addr, before, state), 0);
}

static void gone(const char *name, uint8_t addr, uint8_t before)
{
	const struct hf_record r = peer_record(name, addr, false);

	ck_assert_int_eq(hf_ledger_gone(&l, &r.name, r.addr, before), 0);
}

static void flush(void)
{
	ck_assert_int_eq(hf_ledger_flush(&l), 0);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 0);
}

static void reach(bool keep)
{
	hf_ledger_reached(&l, hf_store_epoch(p.fx.store), 7, keep);
}

/* As the next life reads it. */
static int read_again(void)
{
	hf_ledger_done(&l);
	begin();
	return hf_ledger_load(&l);
}

/* --- what waits --- */

START_TEST(what_is_not_written_waits_and_is_not_read)
{
	set("a.coder", 1, ROW_NONE, ROW_PUT);
	set("b.coder", 2, ROW_NONE, ROW_CLASH);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 2);
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_NONE);
	flush();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_PUT);
	ck_assert_int_eq(peer_row(&p, "b.coder", 2), ROW_CLASH);
	gone("a.coder", 1, ROW_PUT);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 1);
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_PUT);
	flush();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_NONE);
	ck_assert_uint_eq(l.n_written, 2);
}
END_TEST

START_TEST(with_nothing_that_waits_nothing_is_written)
{
	set("a.coder", 1, ROW_PUT, ROW_PUT);
	gone("b.coder", 2, ROW_NONE);
	reach(false);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 0);
	ck_assert_int_eq(l.since, 0);
	flush();
	ck_assert_uint_eq(l.n_written, 0);
}
END_TEST

START_TEST(it_knows_since_when_the_oldest_waits)
{
	ck_assert_int_eq(l.since, 0);
	hf_fake_clock_add(&p.fx.clock, 100);
	set("a.coder", 1, ROW_NONE, ROW_PUT);
	ck_assert_int_eq(l.since, hf_boot_ms(&p.fx.clock.clock));
	hf_fake_clock_add(&p.fx.clock, 100);
	gone("b.coder", 2, ROW_PUT);
	reach(true);
	ck_assert_int_eq(l.since, hf_boot_ms(&p.fx.clock.clock) - 100);
	flush();
	ck_assert_int_eq(l.since, 0);
	reach(true);
	ck_assert_int_eq(l.since, hf_boot_ms(&p.fx.clock.clock));
}
END_TEST

START_TEST(what_the_store_does_not_take_now_stays)
{
	const struct hf_record r = peer_record("n.coder", 9, false);
	struct hf_name_change change = { .name = r.name, .owner = UINT32_MAX, .agent = UINT32_MAX };
	const struct hf_changeset changes = {
		.names = &change, .n_names = 1, .wall_s = FIXTURE_WALL_S
	};

	set("a.coder", 1, ROW_NONE, ROW_PUT);
	gone("b.coder", 2, ROW_PUT);
	ck_assert_int_eq(hf_store_begin(p.fx.store, &changes), 0);
	ck_assert_int_eq(hf_ledger_flush(&l), -EBUSY);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 2);
	ck_assert_uint_eq(l.n_written, 0);
	ck_assert_int_ne(l.since, 0);
	hf_store_abort(p.fx.store);
	flush();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_PUT);
}
END_TEST

START_TEST(what_waits_can_be_asked_for_and_the_last_word_counts)
{
	const struct hf_record a = peer_record("a.coder", 1, false);
	const struct hf_record other = peer_record("a.coder", 2, false);
	const struct hf_record b = peer_record("b.coder", 1, false);
	uint8_t state = 99;

	set("a.coder", 1, ROW_NONE, ROW_TRIED);
	set("a.coder", 1, ROW_TRIED, ROW_PUT | ROW_PRIMARY);
	ck_assert(hf_ledger_waits(&l, &a.name, a.addr, &state));
	ck_assert_int_eq(state, ROW_PUT | ROW_PRIMARY);
	ck_assert(!hf_ledger_waits(&l, &other.name, other.addr, &state));
	ck_assert(!hf_ledger_waits(&l, &b.name, b.addr, &state));
	flush();
	ck_assert(!hf_ledger_waits(&l, &a.name, a.addr, &state));
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_PUT | ROW_PRIMARY);
}
END_TEST

/* What goes and comes back before it is written is there. */
START_TEST(a_row_that_goes_and_comes_back_is_there)
{
	set("a.coder", 1, ROW_NONE, ROW_PUT);
	flush();
	gone("a.coder", 1, ROW_PUT);
	set("a.coder", 1, ROW_NONE, ROW_STUCK);
	flush();
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_STUCK);
}
END_TEST

START_TEST(many_rows_are_one_write)
{
	char name[20];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%03u.coder", i);
		set(name, (uint8_t)i, ROW_NONE, ROW_PUT);
	}
	flush();
	ck_assert_uint_eq(l.n_written, 1);
	ck_assert_int_eq(peer_row(&p, "n999.coder", (uint8_t)999), ROW_PUT);
	ck_assert_int_eq(peer_row(&p, "n000.coder", 0), ROW_PUT);
}
END_TEST

/* --- what it counts --- */

START_TEST(each_state_is_counted_with_what_waits)
{
	set("a.coder", 1, ROW_NONE, ROW_TRIED | ROW_PRIMARY);
	set("b.coder", 2, ROW_NONE, ROW_PUT);
	ck_assert_uint_eq(l.counts[ROW_TRIED], 1);
	set("a.coder", 1, ROW_TRIED | ROW_PRIMARY, ROW_PUT | ROW_PRIMARY);
	ck_assert_uint_eq(l.counts[ROW_TRIED], 0);
	ck_assert_uint_eq(l.counts[ROW_PUT], 2);
	/* Another pointer is no other name. */
	set("a.coder", 1, ROW_PUT | ROW_PRIMARY, ROW_PUT);
	ck_assert_uint_eq(l.counts[ROW_PUT], 2);
	gone("b.coder", 2, ROW_PUT);
	ck_assert_uint_eq(l.counts[ROW_PUT], 1);
	gone("c.coder", 3, ROW_STALE);
	ck_assert_uint_eq(l.counts[ROW_STALE], 0);
	flush();
	ck_assert_uint_eq(l.counts[ROW_PUT], 1);
}
END_TEST

START_TEST(the_next_life_counts_the_same)
{
	static const uint8_t states[] = { ROW_TRIED, ROW_PUT, ROW_PUT | ROW_PRIMARY, ROW_STALE,
		ROW_CLASH, ROW_UNFIT, ROW_ZONE, ROW_FAILED | ROW_PRIMARY, ROW_STUCK };
	uint64_t counts[ROW_LAST];
	char name[20];

	for (uint8_t i = 0; i < sizeof(states); i++) {
		snprintf(name, sizeof(name), "n%u.coder", i);
		set(name, i, ROW_NONE, states[i]);
	}
	memcpy(counts, l.counts, sizeof(counts));
	ck_assert_uint_eq(counts[ROW_PUT], 2);
	flush();
	read_again();
	ck_assert_mem_eq(l.counts, counts, sizeof(counts));
}
END_TEST

/* --- how far it came --- */

START_TEST(how_far_it_came_is_known_in_the_next_life)
{
	ck_assert(l.loaded);
	reach(true);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 1);
	flush();
	ck_assert_int_eq(read_again(), 1);
	ck_assert_uint_eq(l.cursor.generation, 7);
	ck_assert_mem_eq(l.cursor.epoch, hf_store_epoch(p.fx.store), 16);
}
END_TEST

/* It goes with the next rows. */
START_TEST(what_is_not_worth_a_write_goes_with_the_next_one)
{
	reach(true);
	flush();
	hf_ledger_reached(&l, hf_store_epoch(p.fx.store), 9, false);
	flush();
	ck_assert_uint_eq(l.n_written, 1);
	set("a.coder", 1, ROW_NONE, ROW_PUT);
	flush();
	ck_assert_int_eq(read_again(), 1);
	ck_assert_uint_eq(l.cursor.generation, 9);
}
END_TEST

START_TEST(of_another_epoch_it_is_as_if_nothing_was_finished)
{
	const uint8_t other[16] = { 1, 2, 3 };

	set("a.coder", 1, ROW_NONE, ROW_PUT);
	hf_ledger_reached(&l, other, 7, true);
	flush();
	ck_assert_int_eq(read_again(), 0);
	ck_assert(l.loaded);
	ck_assert_uint_eq(l.cursor.generation, 0);
	/* But what is there is known. */
	ck_assert_uint_eq(l.counts[ROW_PUT], 1);
}
END_TEST

START_TEST(what_waited_is_forgotten_when_it_is_read_again)
{
	set("a.coder", 1, ROW_NONE, ROW_PUT);
	reach(true);
	ck_assert_int_eq(hf_ledger_load(&l), 0);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 0);
	ck_assert_uint_eq(l.counts[ROW_PUT], 0);
	ck_assert_uint_eq(l.cursor.generation, 0);
	ck_assert_int_eq(l.since, 0);
}
END_TEST

START_TEST(all_is_forgotten_here_and_in_the_store)
{
	set("a.coder", 1, ROW_NONE, ROW_PUT);
	reach(true);
	flush();
	set("b.coder", 2, ROW_NONE, ROW_PUT);
	ck_assert_int_eq(hf_ledger_forget(&l), 0);
	ck_assert_uint_eq(hf_ledger_waiting(&l), 0);
	ck_assert_uint_eq(l.counts[ROW_PUT], 0);
	ck_assert_uint_eq(l.cursor.generation, 0);
	ck_assert_int_eq(peer_row(&p, "a.coder", 1), ROW_NONE);
	flush();
	ck_assert_int_eq(read_again(), 0);
	ck_assert_int_eq(peer_row(&p, "b.coder", 2), ROW_NONE);
}
END_TEST

START_TEST(adapters_know_nothing_of_each_other)
{
	struct hf_ledger other;

	set("a.coder", 1, ROW_NONE, ROW_PUT);
	reach(true);
	flush();
	hf_ledger_init(&other, p.fx.store, &p.fx.clock.clock, "other");
	ck_assert_int_eq(hf_ledger_load(&other), 0);
	ck_assert_uint_eq(other.counts[ROW_PUT], 0);
	ck_assert_int_eq(hf_ledger_forget(&other), 0);
	hf_ledger_done(&other);
	ck_assert_int_eq(read_again(), 1);
	ck_assert_uint_eq(l.counts[ROW_PUT], 1);
}
END_TEST

/* --- the rows of a name --- */

START_TEST(a_name_has_a_row_for_each_address)
{
	const struct hf_record a = peer_record("a.coder", 1, false);
	const struct hf_record none = peer_record("a.coder", 9, false);
	struct hf_rows rows;

	set("a.coder", 1, ROW_NONE, ROW_PUT | ROW_PRIMARY);
	set("a.coder", 2, ROW_NONE, ROW_CLASH);
	set("aa.coder", 3, ROW_NONE, ROW_PUT);
	flush();
	ck_assert_int_eq(hf_ledger_rows(&l, &a.name, &rows), 0);
	ck_assert_uint_eq(rows.n, 2);
	ck_assert_int_eq(hf_ledger_rows_state(&rows, a.addr), ROW_PUT | ROW_PRIMARY);
	ck_assert_int_eq(hf_ledger_rows_state(&rows, none.addr), ROW_NONE);
}
END_TEST

START_TEST(a_suffix_that_was_told_is_no_row_of_a_name)
{
	const struct hf_record r = peer_record("coder", 0, false);
	struct hf_rows rows;

	set("coder", 0, ROW_NONE, ROW_ZONE);
	set("coder", 5, ROW_NONE, ROW_PUT);
	flush();
	ck_assert_int_eq(hf_ledger_rows(&l, &r.name, &rows), 0);
	ck_assert_uint_eq(rows.n, 1);
	ck_assert_int_eq(rows.at[0].state, ROW_PUT);
}
END_TEST

START_TEST(more_rows_than_there_is_room_for_are_left_out)
{
	const struct hf_record r = peer_record("a.coder", 0, false);
	struct hf_rows rows;

	for (uint8_t i = 0; i < HF_LEDGER_ROWS_MAX + 4; i++)
		set("a.coder", i, ROW_NONE, ROW_STALE);
	flush();
	ck_assert_int_eq(hf_ledger_rows(&l, &r.name, &rows), 0);
	ck_assert_uint_eq(rows.n, HF_LEDGER_ROWS_MAX);
}
END_TEST

START_TEST(what_a_row_says_of_the_resolver)
{
	static const struct {
		enum hf_row row;
		bool there, aside, skipped;
	} rows[] = { { ROW_NONE, false, false, false }, { ROW_TRIED, true, false, false },
		{ ROW_PUT, true, false, false }, { ROW_STALE, true, false, false },
		{ ROW_CLASH, false, false, true }, { ROW_UNFIT, false, false, true },
		{ ROW_ZONE, false, false, false }, { ROW_FAILED, false, true, false },
		{ ROW_STUCK, false, true, false } };
	uint8_t state = (uint8_t)(rows[_i].row | (_i % 2 ? ROW_PRIMARY : 0));

	ck_assert_int_eq(hf_ledger_row_of(state), rows[_i].row);
	ck_assert_int_eq(hf_ledger_row_is_there(state), rows[_i].there);
	ck_assert_int_eq(hf_ledger_row_is_aside(state), rows[_i].aside);
	ck_assert_int_eq(hf_ledger_row_is_skipped(state), rows[_i].skipped);
	ck_assert_int_eq(hf_ledger_row_may_be_there(state), rows[_i].there || rows[_i].aside);
}
END_TEST

static TCase *waiting_case(void)
{
	TCase *tc = tcase_create("waiting");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_not_written_waits_and_is_not_read);
	tcase_add_test(tc, with_nothing_that_waits_nothing_is_written);
	tcase_add_test(tc, it_knows_since_when_the_oldest_waits);
	tcase_add_test(tc, what_the_store_does_not_take_now_stays);
	tcase_add_test(tc, what_waits_can_be_asked_for_and_the_last_word_counts);
	tcase_add_test(tc, a_row_that_goes_and_comes_back_is_there);
	tcase_add_test(tc, many_rows_are_one_write);
	tcase_add_test(tc, each_state_is_counted_with_what_waits);
	tcase_add_test(tc, the_next_life_counts_the_same);
	return tc;
}

Suite *ledger_suite(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tc = tcase_create("life");

	suite_add_tcase(suite, waiting_case());
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, how_far_it_came_is_known_in_the_next_life);
	tcase_add_test(tc, what_is_not_worth_a_write_goes_with_the_next_one);
	tcase_add_test(tc, of_another_epoch_it_is_as_if_nothing_was_finished);
	tcase_add_test(tc, what_waited_is_forgotten_when_it_is_read_again);
	tcase_add_test(tc, all_is_forgotten_here_and_in_the_store);
	tcase_add_test(tc, adapters_know_nothing_of_each_other);
	tcase_add_test(tc, a_name_has_a_row_for_each_address);
	tcase_add_test(tc, a_suffix_that_was_told_is_no_row_of_a_name);
	tcase_add_test(tc, more_rows_than_there_is_room_for_are_left_out);
	tcase_add_loop_test(tc, what_a_row_says_of_the_resolver, 0, 9);
	suite_add_tcase(suite, tc);
	return suite;
}
