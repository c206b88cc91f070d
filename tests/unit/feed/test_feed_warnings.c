/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "bridge/feed/feed_warnings.h"
#include "tests/unit/feed/peer_kit.h"

Suite *feed_warnings_suite(void);

static struct peer p;
static struct hf_feed_warnings w;

static void setup(void)
{
	peer_init(&p);
	memset(&w, 0, sizeof(w));
	w.peer = &p.peer;
}

static void teardown(void)
{
	peer_done(&p);
}

START_TEST(one_of_a_code_is_kept_with_its_last_text)
{
	hf_feed_warnings_set(&w, "large", "many names");
	hf_fake_clock_add(&p.fx.clock, 5000);
	hf_feed_warnings_set(&w, "large", "more names");
	ck_assert_uint_eq(w.n, 1);
	ck_assert_str_eq(hf_feed_warnings_text(&w, "large"), "more names");
	ck_assert_int_eq(w.at[0].since_s, FIXTURE_WALL_S);
	ck_assert_ptr_null(hf_feed_warnings_text(&w, "slow"));
}
END_TEST

/* The last one takes the place of one that ends. */
START_TEST(the_text_is_that_of_its_code_when_another_one_ends)
{
	hf_feed_warnings_set(&w, "first", "one");
	hf_feed_warnings_set(&w, "second", "two");
	hf_feed_warnings_set(&w, "third", "three");
	hf_feed_warnings_set(&w, "first", NULL);
	hf_feed_warnings_set(&w, "none", NULL);
	ck_assert_uint_eq(w.n, 2);
	ck_assert_ptr_null(hf_feed_warnings_text(&w, "first"));
	ck_assert_str_eq(hf_feed_warnings_text(&w, "second"), "two");
	ck_assert_str_eq(hf_feed_warnings_text(&w, "third"), "three");
}
END_TEST

START_TEST(there_is_a_limit_and_long_texts_are_cut)
{
	char text[2 * HF_FEED_TEXT_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (char c = 'a'; c < 'z'; c++)
		hf_feed_warnings_set(&w, (char[]){ c, 0 }, text);
	ck_assert_uint_eq(w.n, HF_FEED_WARNINGS_MAX);
	ck_assert_uint_eq(strlen(w.at[0].text), HF_FEED_TEXT_MAX - 1);
	hf_feed_warnings_set(&w, "a", NULL);
	ck_assert_uint_eq(w.n, HF_FEED_WARNINGS_MAX - 1);
}
END_TEST

Suite *feed_warnings_suite(void)
{
	Suite *s = suite_create("feed_warnings");
	TCase *tc = tcase_create("feed_warnings");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_of_a_code_is_kept_with_its_last_text);
	tcase_add_test(tc, the_text_is_that_of_its_code_when_another_one_ends);
	tcase_add_test(tc, there_is_a_limit_and_long_texts_are_cut);
	suite_add_tcase(s, tc);
	return s;
}
