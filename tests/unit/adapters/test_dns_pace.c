/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dns_pace.h"

#include <check.h>

enum { SECOND = 1000 * 1000, STEP = 500, TOP = 20000, TIMEOUT = 200 * 1000 };

Suite *dns_pace_suite(void);

static struct hf_dns_pace p;
static int64_t now_us;

static void setup(void)
{
	now_us = 10 * SECOND;
	hf_dns_pace_init(&p, TOP);
}

/* A server that answers the first `limit` of each second and drops the rest; what is lost is seen
 * when its time is over. Returns the questions of that long, and of them the lost ones. */
struct course {
	unsigned sent, lost;
	unsigned seconds_with_loss;
};

static struct course ask_for(int64_t us, unsigned limit)
{
	struct course c = { 0 };
	int64_t end_us = now_us + us, oldest_us = 0;
	unsigned in_second = 0, lost_before = 0;

	for (; now_us < end_us; now_us += STEP) {
		if (now_us % SECOND == 0) {
			c.seconds_with_loss += c.lost > lost_before;
			lost_before = c.lost;
			in_second = 0;
		}
		if (oldest_us && now_us - oldest_us >= TIMEOUT) {
			hf_dns_pace_lost(&p, oldest_us, now_us);
			oldest_us = 0;
		}
		while (hf_dns_pace_take(&p, now_us)) {
			c.sent++;
			if (++in_second <= limit) {
				hf_dns_pace_heard(&p, now_us);
				continue;
			}
			c.lost++;
			if (!oldest_us)
				oldest_us = now_us;
		}
	}
	return c;
}

START_TEST(it_begins_slowly_and_is_at_the_top_soon)
{
	struct course c = ask_for(SECOND / 10, 1000000);

	ck_assert_uint_le(c.sent, 31); /* 25, and what one moment may make up for */
	c = ask_for(SECOND, 1000000);
	ck_assert_uint_eq(p.rate, TOP);
	ck_assert_uint_eq(c.lost, 0);
}
END_TEST

START_TEST(a_limit_that_is_known_is_never_met)
{
	struct course c;

	hf_dns_pace_limit(&p, 500);
	c = ask_for(60 * SECOND, 500);
	ck_assert_uint_eq(c.lost, 0);
	ck_assert_uint_le(c.sent, 60 * 250 + 6);
	ck_assert_uint_ge(c.sent, 60 * 240);
	hf_dns_pace_limit(&p, 0); /* unbound was started again without it */
	ask_for(SECOND, 1000000);
	ck_assert_uint_eq(p.rate, TOP);
}
END_TEST

/* Else the first changes of a life would wait, since it begins slowly to find one. */
START_TEST(one_that_has_no_limit_is_asked_at_full_speed_at_once)
{
	hf_dns_pace_limit(&p, 0);
	ck_assert_uint_eq(p.rate, TOP);
	ask_for(SECOND, 500); /* something else drops questions all the same */
	ck_assert_uint_lt(p.rate, 1000);
	hf_dns_pace_limit(&p, 0); /* said once more: what was found by loss stays */
	ck_assert_uint_lt(p.rate, 1000);
}
END_TEST

START_TEST(a_limit_that_is_found_by_loss_is_met_seldom_then)
{
	static const unsigned limits[] = { 100, 500, 1000, 5000 };
	unsigned limit = limits[_i];
	struct course c;

	ask_for(10 * SECOND, limit);
	c = ask_for(600 * SECOND, limit);
	/* Of a second in which something was lost a hundredth is. */
	ck_assert_uint_le(c.lost * 1000, c.sent);
	ck_assert_uint_ge(c.sent, 600 * limit / 2);
}
END_TEST

/* It was busy for half a second: that was no limit, and is soon forgotten. */
START_TEST(a_server_that_falls_silent_for_a_moment_has_no_limit)
{
	struct course c;

	ask_for(5 * SECOND, 1000000);
	ask_for(SECOND / 2, 0);
	now_us += SECOND / 2;
	c = ask_for(4 * SECOND, 1000000);
	ck_assert_uint_ge(c.sent, 4 * TOP / 4);
	ask_for(60 * SECOND, 1000000);
	ck_assert_uint_eq(p.rate, TOP);
}
END_TEST

START_TEST(a_server_that_answers_nobody_is_asked_slowly)
{
	struct course c = ask_for(30 * SECOND, 0);

	ck_assert_uint_le(c.sent, 30 * 1000);
	ask_for(2 * SECOND, 1000000);
	ck_assert_uint_eq(p.rate, TOP);
}
END_TEST

/* One that is restarted while it is asked for little, as spot checks do, has shown no limit. */
START_TEST(what_is_lost_far_below_the_rate_shows_no_limit)
{
	for (int i = 0; i < 300; i++, now_us += SECOND / 100) {
		ck_assert(hf_dns_pace_take(&p, now_us));
		hf_dns_pace_heard(&p, now_us);
	}
	hf_dns_pace_lost(&p, now_us - SECOND / 100, now_us);
	ck_assert_uint_eq(p.rate, 250);
	ask_for(SECOND, 1000000);
	ck_assert_uint_eq(p.rate, TOP);
}
END_TEST

/* It was not there for ten seconds, in the midst of many questions. */
START_TEST(a_server_that_was_away_is_asked_as_at_first)
{
	ask_for(5 * SECOND, 1000000);
	ask_for(10 * SECOND, 0);
	ask_for(2 * SECOND, 1000000);
	ck_assert_uint_eq(p.rate, TOP);
}
END_TEST

/* A question a second says nothing of twenty thousand. */
START_TEST(what_was_not_made_use_of_does_not_grow)
{
	for (int i = 0; i < 100; i++, now_us += SECOND)
		ck_assert(hf_dns_pace_take(&p, now_us));
	ck_assert_uint_le(p.rate, 250);
}
END_TEST

START_TEST(what_is_lost_together_counts_once)
{
	uint32_t rate;

	ask_for(5 * SECOND, 1000000);
	hf_dns_pace_lost(&p, now_us - TIMEOUT, now_us);
	rate = p.rate;
	ck_assert_uint_ge(rate, TOP / 4);
	for (int i = 0; i < 1000; i++)
		hf_dns_pace_lost(&p, now_us - i, now_us + TIMEOUT);
	ck_assert_uint_eq(p.rate, rate);
}
END_TEST

Suite *dns_pace_suite(void)
{
	Suite *s = suite_create("dns_pace");
	TCase *tc = tcase_create("pace");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, it_begins_slowly_and_is_at_the_top_soon);
	tcase_add_test(tc, a_limit_that_is_known_is_never_met);
	tcase_add_test(tc, one_that_has_no_limit_is_asked_at_full_speed_at_once);
	tcase_add_loop_test(tc, a_limit_that_is_found_by_loss_is_met_seldom_then, 0, 4);
	tcase_add_test(tc, a_server_that_falls_silent_for_a_moment_has_no_limit);
	tcase_add_test(tc, a_server_that_answers_nobody_is_asked_slowly);
	tcase_add_test(tc, what_is_lost_far_below_the_rate_shows_no_limit);
	tcase_add_test(tc, a_server_that_was_away_is_asked_as_at_first);
	tcase_add_test(tc, what_was_not_made_use_of_does_not_grow);
	tcase_add_test(tc, what_is_lost_together_counts_once);
	suite_add_tcase(s, tc);
	return s;
}
