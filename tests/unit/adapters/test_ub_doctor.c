/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/adapters/kit_unbound.h"

#define ADDR "fd60:627a:a42b::7"
#define REVERSE "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"
#define GOOD "found 0 "
#define NOTE "found 1 "
#define BAD "found 2 "

static struct kit_unbound k;

static bool told(const char *text)
{
	return strstr(k.host.told, text);
}

static unsigned times_told(const char *text)
{
	unsigned n = 0;

	for (const char *at = k.host.told; (at = strstr(at, text)); at++)
		n++;
	return n;
}

static void examine(void)
{
	k.host.told[0] = k.peer.log[0] = '\0';
	hf_ub_adapter_type.doctor(k.base);
	ck_assert_str_eq(k.host.told, ""); /* never from within the call */
	while (!told("examined\n"))
		event_base_loop(k.host.host.base, EVLOOP_ONCE);
	kit_host_run(&k.host);
	ck_assert_uint_eq(times_told("examined\n"), 1);
	ck_assert_str_eq(strstr(k.host.told, "examined\n"), "examined\n"); /* the last word */
}

static void open_kit(void)
{
	kit_unbound_open_peer(&k, true, false);
}

static void open_whole(void)
{
	open_kit();
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), 0);
	kit_unbound_complete(&k);
}

static void close_kit(void)
{
	kit_unbound_close(&k);
}

START_TEST(all_is_well)
{
	examine();
	ck_assert(told(GOOD "unbound 1.26.2 takes commands at '"));
	ck_assert(told(GOOD "unbound has 'coder' (whole)"));
	ck_assert(told(GOOD "what is not there under 'coder' is answered by this unbound itself"));
	ck_assert(
	    told(GOOD "what is not there under '" REVERSE "' is answered by this unbound itself"));
	ck_assert_uint_eq(times_told(BAD), 0);
	ck_assert_uint_eq(times_told(NOTE), 1); /* that it has no start file */
	ck_assert(told(NOTE "there is no start file"));
	/* Nothing was changed, and it can be done again. */
	ck_assert_ptr_null(strstr(k.peer.log, "local_zone"));
	ck_assert_ptr_null(strstr(k.peer.log, "local_datas"));
	examine();
	ck_assert(told(GOOD "unbound has 'coder' (whole)"));
}
END_TEST

START_TEST(what_is_answered_for_too_long_is_bad)
{
	ub_data_remove(&k.peer.data, "coder");
	ub_data_add(&k.peer.data, "coder 7200 SOA ns.example. root.example. 1 2 3 4 3600");
	ub_data_remove(&k.peer.data, "_holdfast-canary.coder");
	ub_data_add(&k.peer.data, "_holdfast-canary.coder 60 TXT w0123456789abcdef");
	examine();
	ck_assert(told(BAD "a negative answer under 'coder' may be kept for 3600 seconds"));
	ck_assert(told(BAD "the TTL of 'coder' is 60, not 1 to 30"));
	ck_assert_uint_eq(times_told(BAD), 2); /* unbound's own reverse zone may say 10800 */
}
END_TEST

START_TEST(without_a_soa_it_is_noted)
{
	ub_data_remove(&k.peer.data, "coder");
	examine();
	ck_assert(told(NOTE "a negative answer under 'coder' has no SOA"));
}
END_TEST

START_TEST(a_zone_that_is_being_filled_says_so)
{
	ub_data_remove(&k.peer.data, "_holdfast-canary.coder");
	ub_data_add(&k.peer.data, "_holdfast-canary.coder 30 TXT f0123456789abcdef");
	examine();
	ck_assert(told(GOOD "unbound has 'coder' (it is being filled)"));
}
END_TEST

START_TEST(what_was_never_filled_leaks)
{
	examine();
	ck_assert(told(NOTE "unbound has not been filled with 'coder' yet"));
	ck_assert(told(BAD "questions for what is not there under 'coder' leave this unbound until "
			   "it has been filled"));
	ck_assert_uint_eq(times_told(BAD), 1);
}
END_TEST

START_TEST(addresses_that_leak_are_told_with_the_line_to_add)
{
	kit_unbound_open_peer(&k, true, true);
	examine();
	ck_assert(told(BAD "questions for what is not there under '" REVERSE
			   "' leave this unbound server: local-zone: \"" REVERSE ".\" static\n"));
	kit_unbound_close(&k);
}
END_TEST

START_TEST(what_an_older_one_cannot_do_is_noted)
{
	kit_unbound_open_peer(&k, false, false);
	examine();
	ck_assert(told(GOOD "unbound 1.17.1 takes commands"));
	ck_assert(told(NOTE "this unbound can do less than the newest"));
	kit_unbound_close(&k);
}
END_TEST

START_TEST(without_a_control_socket_it_is_said_how_to_have_one)
{
	ub_peer_close(&k.peer);
	examine();
	ck_assert(told(BAD "unbound takes no commands at '"));
	ck_assert(told("remote-control: control-enable: yes, control-interface: "));
	ck_assert(!told("can do less"));                                 /* nobody said so */
	ck_assert(told("unbound has not been filled with 'coder' yet")); /* DNS is asked anyway */
	ub_peer_open(&k.peer, k.host.host.base, k.control);
}
END_TEST

START_TEST(whoever_is_not_unbound_is_told)
{
	ub_peer_when(&k.peer, "status", UB_PEER_SAYS, "220 mail.example ESMTP\n");
	examine();
	ck_assert(told(BAD "what listens at '"));
	ck_assert(told("is not unbound"));
}
END_TEST

START_TEST(a_connection_that_is_cut_is_one_finding)
{
	ub_peer_when(&k.peer, "status", _i ? UB_PEER_DIES : UB_PEER_CUTS, NULL);
	examine();
	ck_assert_uint_eq(times_told(BAD "unbound takes no commands at '"), 1);
	examine();
	ck_assert(told(GOOD "unbound 1.26.2 takes commands"));
}
END_TEST

START_TEST(a_silence_is_told_once)
{
	resolver_close(&k.server);
	examine();
	ck_assert_uint_eq(times_told(BAD "unbound does not answer DNS at the address of 'ask'"), 1);
	ck_assert(!told("leave this unbound"));
	ck_assert(told(GOOD "unbound 1.26.2 takes commands"));
	resolver_open(&k.server, k.host.host.base, ub_peer_answer, &k.peer);
}
END_TEST

/* It has a command of its own: what is said to that of the job is judged by that one. */
START_TEST(a_batch_goes_on_beside_it)
{
	struct hf_change c = kit_unbound_put("dev.coder", ADDR, true);
	struct hf_batch batch = { .at = &c, .n = 1 };

	hf_ub_adapter_type.apply(k.base, &batch);
	while (!strstr(k.peer.log, "dev.coder"))
		event_base_loop(k.host.host.base, EVLOOP_ONCE);
	hf_ub_adapter_type.doctor(k.base); /* unbound has taken the command and has answered */
	while (!told("examined\n") || !k.n_receipts)
		event_base_loop(k.host.host.base, EVLOOP_ONCE);
	ck_assert_int_eq(k.code, 0);
	ck_assert_str_eq(k.fates, "d");
	ck_assert(ub_data_has(&k.peer.data, "dev.coder AAAA " ADDR));
	ck_assert(told(GOOD "unbound 1.26.2 takes commands"));
}
END_TEST

START_TEST(after_the_end_nothing_is_found)
{
	hf_ub_adapter_type.doctor(k.base);
	for (int i = 0; i < _i; i++)
		event_base_loop(k.host.host.base, EVLOOP_ONCE);
	k.host.told[0] = '\0';
	kit_unbound_restart(&k);
	kit_host_run(&k.host);
	ck_assert_str_eq(k.host.told, "");
}
END_TEST

/* --- the start file --- */

static size_t answer_nothing(
    const struct resolver_question *q, uint8_t out[static RESOLVER_PACKET_MAX], void *arg)
{
	return resolver_answer(q, HF_RCODE_REFUSED, out);
}

START_TEST(a_start_file_is_to_be_there_and_to_be_read_by_others)
{
	kit_unbound_open(&k, answer_nothing, NULL, HF_START_INCLUDE);
	examine();
	ck_assert(told(BAD "the start file '"));
	ck_assert(told("; unbound may not start"));
	kit_unbound_write(&k, "start", "server:\n");
	ck_assert_int_eq(chmod(k.path, 0640), 0);
	examine();
	ck_assert(told("may not be read by unbound's user"));
	ck_assert_int_eq(chmod(k.path, 0644), 0);
	examine();
	ck_assert(told(GOOD "the start file '"));
	ck_assert(!told(BAD "the start file '"));
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_doctor_suite(void);
Suite *ub_doctor_suite(void)
{
	Suite *s = suite_create("ub_doctor");
	TCase *whole = tcase_create("whole"), *c = tcase_create("new"), *own = tcase_create("own");

	tcase_add_checked_fixture(whole, open_whole, close_kit);
	tcase_add_test(whole, all_is_well);
	tcase_add_test(whole, what_is_answered_for_too_long_is_bad);
	tcase_add_test(whole, without_a_soa_it_is_noted);
	tcase_add_test(whole, a_zone_that_is_being_filled_says_so);
	tcase_add_checked_fixture(c, open_kit, close_kit);
	tcase_add_test(c, what_was_never_filled_leaks);
	tcase_add_test(c, without_a_control_socket_it_is_said_how_to_have_one);
	tcase_add_test(c, whoever_is_not_unbound_is_told);
	tcase_add_loop_test(c, a_connection_that_is_cut_is_one_finding, 0, 2);
	tcase_add_test(c, a_silence_is_told_once);
	tcase_add_test(c, a_batch_goes_on_beside_it);
	tcase_add_loop_test(c, after_the_end_nothing_is_found, 0, 8);
	tcase_add_test(own, addresses_that_leak_are_told_with_the_line_to_add);
	tcase_add_test(own, what_an_older_one_cannot_do_is_noted);
	tcase_add_test(own, a_start_file_is_to_be_there_and_to_be_read_by_others);
	suite_add_tcase(s, whole);
	suite_add_tcase(s, c);
	suite_add_tcase(s, own);
	return s;
}
