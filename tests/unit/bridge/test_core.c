/*
 * The core's pace, on the real store and zone.
 */
#include <check.h>

#include "tests/unit/bridge/core_kit.h"

Suite *core_suite(void);

static struct core_kit k;

static void setup(void)
{
	core_kit_init(&k);
	core_kit_open(&k);
	core_kit_snapshot(&k, 5);
}

static void teardown(void)
{
	core_kit_done(&k);
}

static uint64_t generation(void)
{
	return hf_store_generation(hf_core_store(k.core));
}

START_TEST(however_fast_messages_come_they_are_twenty_commits_a_second)
{
	uint64_t last = generation();
	unsigned commits = 0;

	for (unsigned ms = 0; ms < 1000; ms++) {
		ck_assert_int_eq(core_kit_try_snapshot(&k, 5 + ms % 3), 0);
		hf_core_work(k.core);
		hf_fake_clock_add(&k.clock, 1);
		commits += generation() != last;
		last = generation();
	}
	ck_assert_uint_ge(commits, 10);
	ck_assert_uint_le(commits, 21);
	core_kit_snapshot(&k, 6);
	ck_assert_uint_eq(core_kit_published(&k), 18);
}
END_TEST

START_TEST(an_equal_snapshot_commits_nothing_but_stamps_once_a_minute)
{
	uint64_t before = generation(), last = before;
	unsigned commits = 0;

	for (unsigned seconds = 0; seconds < 600; seconds++) {
		hf_fake_clock_add(&k.clock, 1000);
		ck_assert_int_eq(core_kit_try_snapshot(&k, 5), 0);
		while (hf_core_work(k.core) == 0)
			;
		commits += generation() != last;
		last = generation();
	}
	ck_assert_uint_le(commits, 10);
	ck_assert_uint_eq(hf_core_published(k.core), before);
}
END_TEST

Suite *core_suite(void)
{
	Suite *s = suite_create("core");
	TCase *tc = tcase_create("pace");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, however_fast_messages_come_they_are_twenty_commits_a_second);
	tcase_add_test(tc, an_equal_snapshot_commits_nothing_but_stamps_once_a_minute);
	suite_add_tcase(s, tc);
	return s;
}
