/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one recovery, on the real store and zone; and a state that memory ran out of.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"
#include "tests/unit/bridge/kit_greedy.h"

Suite *engine_recover_suite(void);

enum { NAMES = 3 }; /* of one agent */

static struct engine_kit k;

static void setup(void)
{
	engine_kit_init(&k);
}

static void teardown(void)
{
	engine_kit_done(&k);
}

/* A life that ends in order, with `n` workspaces known, and leaves no copy. */
static void live(unsigned n)
{
	engine_kit_open(&k);
	engine_kit_snapshot(&k, n);
	engine_kit_stop(&k);
}

static bool spent(void)
{
	return hf_store_attempt_spent(hf_engine_store(k.engine));
}

static size_t names(void)
{
	return hf_state_n_names(hf_engine_state(k.engine));
}

START_TEST(an_invalid_store_is_put_away_and_no_name_goes)
{
	live(5);
	engine_kit_damage(&k);
	engine_kit_open(&k);
	ck_assert_uint_eq(engine_kit_aside(&k), 1);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_OK);
	ck_assert(spent());
	/* Out of the zone, until the server confirms them. */
	ck_assert_uint_eq(names(), 5 * NAMES);
	engine_kit_settle(&k);
	ck_assert_uint_eq(engine_kit_published(&k), 5 * NAMES);
	engine_kit_snapshot(&k, 5);
	ck_assert_uint_eq(engine_kit_published(&k), 5 * NAMES);
}
END_TEST

START_TEST(a_missing_store_is_no_error_and_spends_nothing)
{
	live(5);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	engine_kit_open(&k);
	ck_assert_uint_eq(engine_kit_aside(&k), 0);
	ck_assert(!spent());
	ck_assert(!engine_kit_exists(&k, ".recovery"));
	ck_assert_uint_eq(names(), 5 * NAMES);
}
END_TEST

START_TEST(an_empty_store_is_no_error_and_spends_nothing)
{
	live(5);
	ck_assert_int_eq(truncate(engine_kit_file(&k, ""), 0), 0);
	engine_kit_open(&k);
	ck_assert_uint_eq(engine_kit_aside(&k), 0);
	ck_assert(!spent());
	ck_assert_uint_eq(names(), 5 * NAMES);
}
END_TEST

START_TEST(without_a_path_nothing_is_recovered_and_nothing_is_made)
{
	char *path = k.config->store;

	k.config->store = (char[]){ "" };
	ck_assert_int_lt(engine_kit_try_open(&k), 0);
	k.config->store = path;
	ck_assert(!engine_kit_exists(&k, ""));
	ck_assert(!engine_kit_exists(&k, ".recovery"));
}
END_TEST

START_TEST(it_runs_after_an_end_that_nobody_asked_for)
{
	engine_kit_killed_life(&k, 5);
	engine_kit_damage(&k);
	engine_kit_open(&k);
	ck_assert_uint_eq(engine_kit_aside(&k), 1);
	ck_assert(spent());
	ck_assert_uint_eq(names(), 5 * NAMES);
}
END_TEST

START_TEST(it_does_not_run_twice_also_not_in_another_process)
{
	live(5);
	engine_kit_damage(&k);
	engine_kit_killed_life(&k, 5);
	for (int lives = 0; lives < 3; lives++) {
		engine_kit_damage(&k);
		engine_kit_open(&k);
		ck_assert_int_eq(engine_kit_store(&k), HF_STORE_FAILED);
		ck_assert_uint_eq(engine_kit_aside(&k), 1);
		/* It runs, and what was published stays. */
		ck_assert_uint_eq(names(), 5 * NAMES);
		ck_assert_uint_eq(engine_kit_published(&k), 5 * NAMES);
		engine_kit_stop(&k);
	}
}
END_TEST

START_TEST(an_ordinary_end_is_no_reason_for_it)
{
	for (int lives = 0; lives < 3; lives++)
		live(5);
	engine_kit_open(&k);
	ck_assert(!spent());
	ck_assert(!engine_kit_exists(&k, ".recovery"));
	ck_assert_uint_eq(engine_kit_aside(&k), 0);
	ck_assert_uint_eq(names(), 5 * NAMES);
}
END_TEST

START_TEST(an_hour_in_good_health_allows_another)
{
	live(5);
	engine_kit_damage(&k);
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 5);
	for (int seconds = 0; seconds <= 3660; seconds += 30) {
		ck_assert(seconds > 3600 ? !spent() : seconds == 3600 || spent());
		hf_fake_clock_add(&k.clock, 30000);
		ck_assert_int_eq(engine_kit_try_snapshot(&k, 5), 0);
		hf_engine_work(k.engine);
	}
}
END_TEST

START_TEST(the_operator_may_allow_another_and_it_runs_at_once)
{
	live(5);
	engine_kit_damage(&k);
	engine_kit_killed_life(&k, 5);
	engine_kit_damage(&k);
	engine_kit_open(&k);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_FAILED);
	ck_assert_int_eq(hf_engine_rearm(k.engine), 1);
	engine_kit_settle(&k);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_OK);
	ck_assert_uint_eq(engine_kit_aside(&k), 2);
	ck_assert(spent());
	engine_kit_snapshot(&k, 5);
	engine_kit_stop(&k);
	engine_kit_open(&k);
	ck_assert_uint_eq(names(), 5 * NAMES);
}
END_TEST

/* Everything of the model, the changes included that were not durable yet. */
START_TEST(a_store_taken_away_while_it_is_used_is_made_anew_out_of_memory)
{
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 5);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	engine_kit_snapshot(&k, 7);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_OK);
	ck_assert_uint_eq(engine_kit_published(&k), 7 * NAMES);
	engine_kit_stop(&k);
	engine_kit_open(&k);
	ck_assert_uint_eq(names(), 7 * NAMES);
}
END_TEST

START_TEST(damage_that_is_met_while_it_runs_costs_no_record)
{
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 1500);
	engine_kit_stop(&k); /* the WAL is written back */
	engine_kit_open(&k);
	engine_kit_damage(&k);
	/* Whichever comes first, a page that is read or one that is written. */
	engine_kit_snapshot(&k, 1400);
	hf_store_copy_begin(hf_engine_store(k.engine));
	for (int i = 0; i < 5000 && engine_kit_aside(&k) == 0; i++) {
		hf_engine_work(k.engine);
		hf_fake_clock_add(&k.clock, 10);
		usleep(1000);
	}
	ck_assert_uint_eq(engine_kit_aside(&k), 1);
	engine_kit_settle(&k);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_OK);
	ck_assert(spent());
	ck_assert_uint_eq(engine_kit_published(&k), 1400 * NAMES);
	engine_kit_stop(&k);
	engine_kit_open(&k);
	ck_assert_uint_eq(names(), 1400 * NAMES);
}
END_TEST

/*
 * The n-th call for memory fails: whatever it was for, the state is right again, or was never
 * wrong.
 */
START_TEST(a_state_without_memory_is_made_anew_out_of_the_store)
{
	uint64_t lives;

	engine_kit_open(&k);
	engine_kit_snapshot(&k, 5);
	lives = hf_engine_lives(k.engine);
	for (unsigned n = 1; n < 100; n++) {
		struct hf_judgement j;
		struct hf_identity alice = { .user = { { 9, [15] = 1 } }, .user_name = "alice" };

		greedy_fail_at(n);
		engine_kit_try_snapshot(&k, 400);
		if (greedy_end())
			break;
		engine_kit_settle(&k);
		ck_assert(!hf_state_spent(hf_engine_state(k.engine)));
		/* As the sources do when they see that it lives anew. */
		hf_engine_identify(k.engine, "main", &alice, &j);
		hf_engine_owner_set(k.engine, "main", &alice.user, "alice");
		engine_kit_snapshot(&k, 5 + n);
		ck_assert_uint_eq(engine_kit_published(&k), (5 + n) * NAMES);
	}
	ck_assert_uint_gt(hf_engine_lives(k.engine), lives + 10);
}
END_TEST

Suite *engine_recover_suite(void)
{
	Suite *s = suite_create("engine_recover");
	TCase *tc = tcase_create("recovery");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_invalid_store_is_put_away_and_no_name_goes);
	tcase_add_test(tc, a_missing_store_is_no_error_and_spends_nothing);
	tcase_add_test(tc, an_empty_store_is_no_error_and_spends_nothing);
	tcase_add_test(tc, without_a_path_nothing_is_recovered_and_nothing_is_made);
	tcase_add_test(tc, it_runs_after_an_end_that_nobody_asked_for);
	tcase_add_test(tc, it_does_not_run_twice_also_not_in_another_process);
	tcase_add_test(tc, an_ordinary_end_is_no_reason_for_it);
	tcase_add_test(tc, an_hour_in_good_health_allows_another);
	tcase_add_test(tc, the_operator_may_allow_another_and_it_runs_at_once);
	tcase_add_test(tc, a_store_taken_away_while_it_is_used_is_made_anew_out_of_memory);
	tcase_add_test(tc, damage_that_is_met_while_it_runs_costs_no_record);
	tcase_add_test(tc, a_state_without_memory_is_made_anew_out_of_the_store);
	suite_add_tcase(s, tc);
	return s;
}
