/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's pace, and what waits while a change is on its way, on the real store and zone.
 */
#include <check.h>
#include <errno.h>

#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"

Suite *engine_suite(void);

static struct engine_kit k;

static void setup(void)
{
	engine_kit_init(&k);
	engine_kit_open(&k);
	engine_kit_snapshot(&k, 5);
}

static void teardown(void)
{
	engine_kit_done(&k);
}

static uint64_t generation(void)
{
	return hf_store_generation(hf_engine_store(k.engine));
}

START_TEST(however_fast_messages_come_they_are_twenty_commits_a_second)
{
	uint64_t last = generation();
	unsigned commits = 0;

	for (unsigned ms = 0; ms < 1000; ms++) {
		ck_assert_int_eq(engine_kit_try_snapshot(&k, 5 + ms % 3), 0);
		hf_engine_work(k.engine);
		hf_fake_clock_add(&k.clock, 1);
		commits += generation() != last;
		last = generation();
	}
	ck_assert_uint_ge(commits, 10);
	ck_assert_uint_le(commits, 21);
	engine_kit_snapshot(&k, 6);
	ck_assert_uint_eq(engine_kit_published(&k), 18);
}
END_TEST

START_TEST(an_equal_snapshot_commits_nothing_but_stamps_once_a_minute)
{
	uint64_t before = generation(), last = before;
	unsigned commits = 0;

	for (unsigned seconds = 0; seconds < 600; seconds++) {
		hf_fake_clock_add(&k.clock, 1000);
		ck_assert_int_eq(engine_kit_try_snapshot(&k, 5), 0);
		while (hf_engine_work(k.engine) == 0)
			;
		commits += generation() != last;
		last = generation();
	}
	ck_assert_uint_le(commits, 10);
	ck_assert_uint_eq(hf_engine_published(k.engine), before);
}
END_TEST

/* Its own wake-ups, and no more: an idle machine sleeps. */
START_TEST(at_rest_it_wakes_four_times_a_minute)
{
	int64_t wait, rest_ms = 600 * 1000, end;
	unsigned wakes = 0;

	engine_kit_settle(&k);
	/* A message between two looks: what comes by the minute does not fall on them. */
	hf_fake_clock_add(&k.clock, 7 * 1000);
	ck_assert_int_eq(engine_kit_try_snapshot(&k, 5), 0);
	hf_engine_work(k.engine);
	end = hf_boot_ms(&k.clock.clock) + rest_ms;
	while (hf_boot_ms(&k.clock.clock) < end) {
		wait = hf_engine_work(k.engine);
		ck_assert_int_ge(wait, 0);
		hf_fake_clock_add(&k.clock, wait);
		wakes += wait > 0;
	}
	ck_assert_uint_ge(wakes, 10); /* it looks, though */
	ck_assert_uint_le(wakes, 4 * 10 + 1);
}
END_TEST

/* A change of so many workspaces that it is written in more than one slice, and its first slice. */
static void begin_large_change(unsigned n)
{
	ck_assert_int_eq(engine_kit_try_snapshot(&k, n), 0);
	engine_kit_begin_writing(&k);
}

/* A base of its own is made of it, by another process. */
static void settle_published(size_t n)
{
	for (int i = 0; i < 1000 && engine_kit_published(&k) != n; i++)
		engine_kit_settle(&k);
	ck_assert_uint_eq(engine_kit_published(&k), n);
}

static struct hf_uuid alice(void)
{
	return (struct hf_uuid){ { 9, [15] = 1 } };
}

START_TEST(while_a_change_is_written_nothing_changes_the_model)
{
	const struct hf_identity bob = { .user = { { 9, [15] = 2 } }, .user_name = "bob" };
	const struct hf_uuid owner = alice();
	uint64_t last;
	struct hf_judgement j;

	begin_large_change(4000);
	last = generation();
	ck_assert_int_eq(hf_engine_configure(k.engine, k.config), -EBUSY);
	ck_assert_int_eq(hf_engine_identify(k.engine, "main", &bob, &j), -EBUSY);
	ck_assert_int_eq(hf_engine_owner_set(k.engine, "main", &owner, "bob"), -EBUSY);
	ck_assert_int_eq(hf_engine_owner_missing(k.engine, "main", "bob"), -EBUSY);
	ck_assert_int_eq(hf_engine_owners_settled(k.engine, "main"), -EBUSY);
	ck_assert_int_eq(hf_engine_workspace_owner(k.engine, "main", &owner, &owner), -EBUSY);
	hf_engine_owner_readable(k.engine, "main", &owner, READABLE_NO, 1);
	ck_assert_int_eq(engine_kit_try_snapshot(&k, 1), -EBUSY);
	ck_assert_int_eq(
	    hf_engine_decide(k.engine, "main", NULL, NULL, HF_DECISION_ACCEPT), -EBUSY);
	ck_assert_uint_eq(hf_state_n_names(hf_engine_state(k.engine)), 12000);
	ck_assert_uint_eq(generation(), last);
	settle_published(12000);
	/* Its turn has come. */
	ck_assert_int_eq(hf_engine_configure(k.engine, k.config), 0);
}
END_TEST

static int is_fresh(const struct hf_source_view *view, void *arg)
{
	*(bool *)arg = view->fresh;
	return 0;
}

static bool fresh(void)
{
	bool is = false;

	hf_state_each_source(hf_engine_state(k.engine), hf_engine_now(k.engine), is_fresh, &is);
	return is;
}

START_TEST(a_sign_of_life_that_comes_meanwhile_is_not_lost)
{
	begin_large_change(4000);
	hf_engine_away(k.engine, "main");
	hf_engine_away(k.engine, "nobody");
	ck_assert(fresh()); /* the model is not touched yet */
	engine_kit_settle(&k);
	ck_assert(!fresh());
	begin_large_change(2000);
	hf_engine_away(k.engine, "main");
	hf_engine_contact(k.engine, "main");
	engine_kit_settle(&k);
	ck_assert(fresh());
}
END_TEST

Suite *engine_suite(void)
{
	Suite *s = suite_create("engine");
	TCase *tc = tcase_create("pace");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, however_fast_messages_come_they_are_twenty_commits_a_second);
	tcase_add_test(tc, an_equal_snapshot_commits_nothing_but_stamps_once_a_minute);
	tcase_add_test(tc, at_rest_it_wakes_four_times_a_minute);
	suite_add_tcase(s, tc);
	tc = tcase_create("turn");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, while_a_change_is_written_nothing_changes_the_model);
	tcase_add_test(tc, a_sign_of_life_that_comes_meanwhile_is_not_lost);
	suite_add_tcase(s, tc);
	return s;
}
