/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "bridge/stream/client/heartbeat.h"

Suite *heartbeat_suite(void);

static const struct hf_stream_timeouts timeouts = {
	.ping_interval_ms = 15000, .ping_timeout_ms = 10000, .doubt_ms = 3000
};
static struct hf_heartbeat b;

static void setup(void)
{
	hf_heartbeat_begin(&b, &timeouts, 1000);
}

START_TEST(nothing_is_late_before_the_first_ping)
{
	ck_assert_int_eq(hf_heartbeat_next(&b), 16000);
	ck_assert(!hf_heartbeat_is_late(&b, 100000));
}
END_TEST

START_TEST(a_pong_that_does_not_come_is_late_by_its_silence)
{
	hf_heartbeat_ping(&b, true, 16000, 500);
	ck_assert_int_eq(hf_heartbeat_next(&b), 26000);
	ck_assert(!hf_heartbeat_is_late(&b, 25999));
	ck_assert(hf_heartbeat_is_late(&b, 26000));
	hf_heartbeat_pong(&b);
	ck_assert(!hf_heartbeat_is_late(&b, 26000));
	ck_assert_int_eq(hf_heartbeat_next(&b), 31000);
}
END_TEST

START_TEST(a_second_ping_does_not_begin_the_wait_again)
{
	hf_heartbeat_ping(&b, true, 16000, 0);
	hf_heartbeat_ping(&b, true, 20000, 0);
	ck_assert(hf_heartbeat_is_late(&b, 26000));
}
END_TEST

START_TEST(one_that_was_not_sent_is_not_waited_for)
{
	hf_heartbeat_ping(&b, false, 16000, 0);
	ck_assert_int_eq(hf_heartbeat_next(&b), 31000);
	ck_assert(!hf_heartbeat_is_late(&b, 100000));
}
END_TEST

START_TEST(bytes_before_the_pong_are_life)
{
	hf_heartbeat_ping(&b, true, 16000, 0);
	hf_heartbeat_note(&b, 25000, 100000);
	ck_assert(!hf_heartbeat_is_late(&b, 26000));
	ck_assert(hf_heartbeat_is_late(&b, 36000));
}
END_TEST

START_TEST(a_doubt_ends_with_any_byte_or_the_connection)
{
	hf_heartbeat_ping(&b, true, 2000, 70);
	hf_heartbeat_doubt(&b, 2000, 70);
	ck_assert_int_eq(hf_heartbeat_next(&b), 5000);
	hf_heartbeat_note(&b, 3000, 70);
	ck_assert(hf_heartbeat_is_late(&b, 5000));
	hf_heartbeat_note(&b, 4000, 71);
	ck_assert(!hf_heartbeat_is_late(&b, 5000));
}
END_TEST

START_TEST(who_did_not_read_begins_to_wait_again)
{
	hf_heartbeat_ping(&b, true, 2000, 70);
	hf_heartbeat_doubt(&b, 2000, 70);
	hf_heartbeat_forgive(&b, 50000, 70);
	ck_assert(!hf_heartbeat_is_late(&b, 59999));
	ck_assert(hf_heartbeat_is_late(&b, 60000));
}
END_TEST

Suite *heartbeat_suite(void)
{
	Suite *s = suite_create("heartbeat");
	TCase *c = tcase_create("pings");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, nothing_is_late_before_the_first_ping);
	tcase_add_test(c, a_pong_that_does_not_come_is_late_by_its_silence);
	tcase_add_test(c, a_second_ping_does_not_begin_the_wait_again);
	tcase_add_test(c, one_that_was_not_sent_is_not_waited_for);
	tcase_add_test(c, bytes_before_the_pong_are_life);
	tcase_add_test(c, a_doubt_ends_with_any_byte_or_the_connection);
	tcase_add_test(c, who_did_not_read_begins_to_wait_again);
	suite_add_tcase(s, c);
	return s;
}
