/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/store/store_kit.h"

Suite *change_log_suite(void);

static struct fixture fx;

static void setup(void)
{
	fixture_init(&fx);
	fixture_open(&fx);
}

static void teardown(void)
{
	fixture_done(&fx);
}

static void reopen(uint32_t log_max, uint32_t history_max)
{
	fixture_close(&fx);
	fx.opts.log_max = log_max;
	fx.opts.history_max = history_max;
	fixture_open(&fx);
}

static struct hf_name_change change(const char *name, bool removed, enum hf_what what)
{
	struct hf_name_change c = {
		.removed = removed,
		.what = what,
		.why = HF_WHY_DIFF,
		.source = 1,
		.owner = 2,
		.agent = UINT32_MAX,
		.addr = { 0xfd, 0x60, [15] = 7 },
		.flags = 2,
		.first_seen_s = 1234,
	};

	ck_assert_int_eq(hf_name_parse(name, &c.name), 0);
	return c;
}

/* A changeset of one name; its generation. */
static uint64_t apply_one(const char *name, bool removed, enum hf_what what)
{
	struct hf_name_change c = change(name, removed, what);
	struct hf_changeset set = { .names = &c, .n_names = 1, .wall_s = FIXTURE_WALL_S + 5 };

	ck_assert_int_eq(hf_store_apply(fx.store, &set), 0);
	return hf_store_generation(fx.store);
}

struct list {
	size_t n;
	size_t stop_at;
	char text[2000][96];
};
static struct list list;

static int take_change(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	char name[HF_NAME_TEXT_MAX];

	snprintf(list.text[list.n++], 96, "%s%.50s@%u", c->removed ? "-" : "+",
	    hf_name_text(&c->name, name), (unsigned)(generation - FIXTURE_WALL_S));
	return list.n == list.stop_at ? 5 : 0;
}

static int since(uint64_t generation)
{
	list.n = 0;
	return hf_store_names_since(fx.store, generation, take_change, NULL);
}

START_TEST(the_last_change_of_each_name_is_told_oldest_first)
{
	uint64_t first = apply_one("a.coder", false, HF_WHAT_ADDED);

	apply_one("b.coder", false, HF_WHAT_ADDED);
	apply_one("a.coder", false, HF_WHAT_CHANGED);
	apply_one("c.coder", false, HF_WHAT_ADDED);
	apply_one("b.coder", true, HF_WHAT_REMOVED);
	for (int start = 0; start < 2; start++) {
		ck_assert_int_eq(since(0), 0);
		ck_assert_uint_eq(list.n, 3);
		ck_assert_str_eq(list.text[0], "+a.coder@2");
		ck_assert_str_eq(list.text[1], "+c.coder@3");
		ck_assert_str_eq(list.text[2], "-b.coder@4");
		ck_assert_int_eq(since(first + 2), 0);
		ck_assert_uint_eq(list.n, 2);
		ck_assert_str_eq(list.text[0], "+c.coder@3");
		ck_assert_int_eq(since(first + 4), 0);
		ck_assert_uint_eq(list.n, 0);
		fixture_close(&fx);
		fixture_open(&fx);
	}
}
END_TEST

static int removed(size_t max)
{
	list.n = 0;
	return hf_store_names_removed(fx.store, max, take_change, NULL);
}

START_TEST(what_is_removed_and_not_back_is_told_newest_first)
{
	ck_assert_int_eq(removed(10), 0);
	ck_assert_uint_eq(list.n, 0);
	apply_one("a.coder", false, HF_WHAT_ADDED);
	apply_one("b.coder", false, HF_WHAT_ADDED);
	apply_one("c.coder", false, HF_WHAT_ADDED);
	apply_one("b.coder", true, HF_WHAT_REMOVED);
	apply_one("a.coder", true, HF_WHAT_REMOVED);
	apply_one("c.coder", true, HF_WHAT_REMOVED);
	apply_one("a.coder", false, HF_WHAT_ADDED);
	for (int start = 0; start < 2; start++) {
		ck_assert_int_eq(removed(10), 0);
		ck_assert_uint_eq(list.n, 2);
		ck_assert_str_eq(list.text[0], "-c.coder@5");
		ck_assert_str_eq(list.text[1], "-b.coder@3");
		/* The last two lines of the log. */
		ck_assert_int_eq(removed(2), 0);
		ck_assert_uint_eq(list.n, 1);
		list.stop_at = 1;
		ck_assert_int_eq(removed(10), 5);
		list.stop_at = 0;
		fixture_close(&fx);
		fixture_open(&fx);
	}
}
END_TEST

static int check_whole(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	struct hf_name_change want = change("a.coder", false, HF_WHAT_HELD);

	ck_assert(hf_name_equal(&c->name, &want.name));
	ck_assert(!c->removed && c->what == HF_WHAT_HELD && c->why == HF_WHY_DIFF);
	ck_assert(c->flags == 2 && c->source == 1 && c->owner == 2 && c->agent == UINT32_MAX);
	ck_assert_mem_eq(c->addr, want.addr, 16);
	ck_assert_int_eq(c->first_seen_s, 1234);
	return 0;
}

START_TEST(a_change_comes_back_with_all_that_it_had)
{
	apply_one("a.coder", false, HF_WHAT_HELD);
	ck_assert_int_eq(hf_store_names_since(fx.store, 0, check_whole, NULL), 0);
}
END_TEST

START_TEST(what_a_callback_says_ends_the_telling)
{
	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d.coder", i);
		apply_one(name, false, HF_WHAT_ADDED);
	}
	list.stop_at = 2;
	ck_assert_int_eq(since(0), 5);
	ck_assert_uint_eq(list.n, 2);
	list.stop_at = 0;
}
END_TEST

START_TEST(who_is_further_than_the_store_is_told_to_take_all)
{
	uint64_t generation = apply_one("a.coder", false, HF_WHAT_ADDED);

	ck_assert_int_eq(since(generation), 0);
	ck_assert_int_eq(since(generation + 1), -ESTALE);
}
END_TEST

START_TEST(who_is_further_back_than_the_log_reaches_is_told_to_take_all)
{
	uint64_t first;

	reopen(10, 10);
	first = apply_one("first.coder", false, HF_WHAT_ADDED);
	for (int i = 0; i < 100; i++) {
		apply_one(i % 2 ? "a.coder" : "b.coder", false, HF_WHAT_CHANGED);
		if (i < 10)
			ck_assert_int_eq(since(first), 0);
		else
			ck_assert_int_eq(since(first), -ESTALE);
		list.n = 0;
		ck_assert_int_eq(since(hf_store_generation(fx.store) - 5), 0);
	}
	reopen(10, 10);
	ck_assert_int_eq(since(first), -ESTALE);
	ck_assert_int_eq(since(hf_store_generation(fx.store) - 10), 0);
	ck_assert_uint_eq(list.n, 2);
}
END_TEST

START_TEST(the_log_is_told_by_names_while_the_history_is_longer)
{
	uint64_t first;

	reopen(5, 1000);
	first = apply_one("first.coder", false, HF_WHAT_ADDED);
	for (int i = 0; i < 5; i++)
		apply_one("a.coder", false, HF_WHAT_CHANGED);
	ck_assert_int_eq(since(first), 0);
	apply_one("a.coder", false, HF_WHAT_CHANGED);
	ck_assert_int_eq(since(first), -ESTALE);
}
END_TEST

/* --- history --- */

static int take_line(const struct hf_history_line *line, void *arg)
{
	snprintf(list.text[list.n++], 96, "%lld %.20s %.12s %.12s %.10s",
	    (long long)line->wall_s - FIXTURE_WALL_S, line->name, line->what, line->reason,
	    line->detail);
	return list.n == list.stop_at ? 6 : 0;
}

static int history(const char *name, size_t max)
{
	list.n = 0;
	return hf_store_history(fx.store, name, max, take_line, NULL);
}

START_TEST(the_history_is_told_newest_first)
{
	apply_one("a.coder", false, HF_WHAT_ADDED);
	apply_one("b.coder", false, HF_WHAT_ADDED);
	apply_one("a.coder", true, HF_WHAT_CHANGED); /* removed, whatever `what` says */
	ck_assert_int_eq(history(NULL, SIZE_MAX), 0);
	ck_assert_uint_eq(list.n, 3);
	ck_assert_str_eq(list.text[0], "5 a.coder removed diff fd60::7");
	ck_assert_str_eq(list.text[1], "5 b.coder added diff fd60::7");
	ck_assert_str_eq(list.text[2], "5 a.coder added diff fd60::7");
	ck_assert_int_eq(history("a.coder", SIZE_MAX), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_int_eq(history("a.coder", 1), 0);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_str_eq(list.text[0], "5 a.coder removed diff fd60::7");
	ck_assert_int_eq(history("never.coder", 10), 0);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_int_eq(history(NULL, 0), 0);
	ck_assert_uint_eq(list.n, 0);
	list.stop_at = 1;
	ck_assert_int_eq(history(NULL, 10), 6);
	list.stop_at = 0;
}
END_TEST

START_TEST(the_history_is_bounded_in_batches)
{
	size_t most = 0;

	reopen(50, 400);
	for (int i = 0; i < 30; i++) {
		struct hf_name_change names[40];
		struct hf_changeset set = {
			.names = names, .n_names = 40, .wall_s = FIXTURE_WALL_S
		};

		for (int k = 0; k < 40; k++) {
			char name[32];

			snprintf(name, sizeof(name), "n%d-%d.coder", i, k);
			names[k] = change(name, false, HF_WHAT_ADDED);
		}
		ck_assert_int_eq(hf_store_apply(fx.store, &set), 0);
		ck_assert_int_eq(history(NULL, SIZE_MAX), 0);
		most = list.n > most ? list.n : most;
		ck_assert_uint_ge(list.n, i < 10 ? 40u * (unsigned)(i + 1) : 400);
	}
	ck_assert_uint_le(most, 450);
	ck_assert_int_eq(since(FIXTURE_WALL_S), -ESTALE);
	fixture_close(&fx);
	ck_assert_int_eq(
	    fixture_number(&fx, "", "SELECT max(seq)-min(seq)+1=count(*) FROM change"), 1);
	ck_assert_int_eq(fixture_number(&fx, "", "SELECT min(generation) FROM change") - 1,
	    fixture_number(&fx, "", "SELECT log_floor FROM meta"));
}
END_TEST

START_TEST(a_small_limit_cuts_a_long_history_in_slices)
{
	reopen(2000, 2000);
	for (int i = 0; i < 20; i++) {
		struct hf_name_change names[90];
		struct hf_changeset set = {
			.names = names, .n_names = 90, .wall_s = FIXTURE_WALL_S
		};

		for (int k = 0; k < 90; k++)
			names[k] = change("a.coder", false, HF_WHAT_CHANGED);
		ck_assert_int_eq(hf_store_apply(fx.store, &set), 0);
	}
	reopen(100, 100);
	apply_one("b.coder", false, HF_WHAT_ADDED);
	ck_assert_int_eq(history(NULL, SIZE_MAX), 0);
	ck_assert_uint_eq(list.n, 100);
	ck_assert_str_eq(list.text[0], "5 b.coder added diff fd60::7");
}
END_TEST

START_TEST(a_word_of_a_newer_version_is_taken_as_an_ordinary_change)
{
	/*
	 * The sum is over the words: so this one is made by the store itself, with a reason that it
	 * has no word for.
	 */
	struct hf_name_change c = change("a.coder", false, (enum hf_what)99);
	struct hf_changeset set = { .names = &c, .n_names = 1, .wall_s = FIXTURE_WALL_S };

	c.why = (enum hf_reason)99;
	ck_assert_int_eq(hf_store_apply(fx.store, &set), 0);
	ck_assert_int_eq(since(0), 0);
	ck_assert_str_eq(list.text[0], "+a.coder@0");
	ck_assert_int_eq(history(NULL, 1), 0);
	ck_assert_str_eq(list.text[0], "0 a.coder unknown unknown fd60::7");
}
END_TEST

START_TEST(each_word_is_there_and_another)
{
	for (int i = 0; i < HF_WHY_LAST; i++) {
		ck_assert_str_ne(hf_store_reason_name((enum hf_reason)i), "unknown");
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(hf_store_reason_name((enum hf_reason)i),
			    hf_store_reason_name((enum hf_reason)k));
	}
	for (int i = 0; i < HF_WHAT_LAST; i++) {
		ck_assert_str_ne(hf_store_what_name((enum hf_what)i), "unknown");
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(hf_store_what_name((enum hf_what)i),
			    hf_store_what_name((enum hf_what)k));
	}
	ck_assert_str_eq(hf_store_reason_name(HF_WHY_LAST), "unknown");
	ck_assert_str_eq(hf_store_what_name(HF_WHAT_LAST), "unknown");
}
END_TEST

Suite *change_log_suite(void)
{
	Suite *s = suite_create("change_log");
	TCase *tc = tcase_create("change");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_last_change_of_each_name_is_told_oldest_first);
	tcase_add_test(tc, what_is_removed_and_not_back_is_told_newest_first);
	tcase_add_test(tc, a_change_comes_back_with_all_that_it_had);
	tcase_add_test(tc, what_a_callback_says_ends_the_telling);
	tcase_add_test(tc, who_is_further_than_the_store_is_told_to_take_all);
	tcase_add_test(tc, who_is_further_back_than_the_log_reaches_is_told_to_take_all);
	tcase_add_test(tc, the_log_is_told_by_names_while_the_history_is_longer);
	tcase_add_test(tc, the_history_is_told_newest_first);
	tcase_add_test(tc, the_history_is_bounded_in_batches);
	tcase_add_test(tc, a_small_limit_cuts_a_long_history_in_slices);
	tcase_add_test(tc, a_word_of_a_newer_version_is_taken_as_an_ordinary_change);
	tcase_add_test(tc, each_word_is_there_and_another);
	suite_add_tcase(s, tc);
	return s;
}
