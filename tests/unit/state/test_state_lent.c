/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While a changeset is lent to the store nothing changes the state (guard rule 10).
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/state/state_kit.h"

Suite *state_lent_suite(void);

static struct kit *k;

static void setup(void)
{
	k = kit_new();
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:9=main");
	kit_commit(k);
	kit_snapshot(k, "main", 1, "1=dev:8=main 2=web:9=main");
}

static void teardown(void)
{
	kit_free(k);
}

static const struct hf_changeset *take(void)
{
	const struct hf_changeset *c = NULL;

	ck_assert_int_eq(hf_state_take(k->state, k->now, &c), 1);
	return c;
}

START_TEST(what_is_lent_does_not_change)
{
	const struct hf_changeset *c = take();
	struct hf_name_change before[8], now;
	size_t n = c->n_names;

	ck_assert_uint_gt(n, 0);
	ck_assert_uint_le(n, 8);
	for (size_t i = 0; i < n; i++)
		hf_changeset_name(c, i, &before[i]);
	k->now.boot_ms += 100000;
	kit_try_all(k);
	ck_assert_uint_eq(c->n_names, n);
	for (size_t i = 0; i < n; i++) {
		hf_changeset_name(c, i, &now);
		ck_assert_mem_eq(&now, &before[i], sizeof(now));
	}
	hf_state_committed(k->state);
	ck_assert(!hf_state_dirty(k->state));
}
END_TEST

START_TEST(when_the_loan_is_over_it_changes_again)
{
	take();
	hf_state_committed(k->state);
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
}
END_TEST

START_TEST(what_was_not_written_stays_to_be_written)
{
	take();
	hf_state_not_committed(k->state);
	ck_assert(hf_state_dirty(k->state));
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	kit_commit(k);
	ck_assert(kit_has(k, "main.dev.me.coder", 8));
}
END_TEST

/* The sum is of what the store has, however often it was tried, and whatever came in between. */
START_TEST(what_was_summed_for_a_commit_that_failed_is_forgotten)
{
	uint64_t before = hf_state_sum(k->state);

	take();
	hf_state_lent_step(k->state, 100);
	hf_state_not_committed(k->state);
	ck_assert_uint_eq(hf_state_sum(k->state), before);
	hf_state_lent_step(k->state, 100); /* nothing is lent: it may change yet */
	kit_snapshot(k, "main", 1, "1=dev:10=main 2=web:9=main");
	take();
	hf_state_lent_step(k->state, 2);
	hf_state_committed(k->state);
	ck_assert_uint_ne(hf_state_sum(k->state), before);
	ck_assert_uint_eq(hf_state_sum(k->state), hf_state_count_sum(k->state));
}
END_TEST

/* What the store has meanwhile or not: so much is left for the commit, and no more. */
START_TEST(what_is_left_to_sum_is_told)
{
	size_t steps = 0;

	ck_assert(!hf_state_lent_step(k->state, 1)); /* nothing is lent */
	kit_snapshot(k, "main", 1, "1=dev:10=main 2=web:9=main");
	take();
	while (hf_state_lent_step(k->state, 1))
		steps++;
	ck_assert_uint_ge(
	    steps, 2); /* three names and more have changed, all but the last left some */
	ck_assert(!hf_state_lent_step(k->state, 1));
	hf_state_committed(k->state);
	ck_assert(!hf_state_lent_step(k->state, 1));
	ck_assert_uint_eq(hf_state_sum(k->state), hf_state_count_sum(k->state));
}
END_TEST

Suite *state_lent_suite(void)
{
	Suite *s = suite_create("state_lent");
	TCase *tc = tcase_create("lent");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_lent_does_not_change);
	tcase_add_test(tc, when_the_loan_is_over_it_changes_again);
	tcase_add_test(tc, what_was_not_written_stays_to_be_written);
	tcase_add_test(tc, what_is_left_to_sum_is_told);
	tcase_add_test(tc, what_was_summed_for_a_commit_that_failed_is_forgotten);
	suite_add_tcase(s, tc);
	return s;
}
