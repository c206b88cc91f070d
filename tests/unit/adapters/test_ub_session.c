/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/adapters/kit_unbound.h"

#define ADDR "fd60:627a:a42b::7"
#define REVERSE "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"
#define ASKS                                                                                       \
	"status\nget_option ip-ratelimit\nlocal_data_remove _holdfast-asks.invalid. 1 IN AAAA ::1\n"
#define MADE                                                                                       \
	"local_datas; coder 30 SOA; _holdfast-fill.coder 30 TXT f#; "                              \
	"_holdfast-canary.coder 30 TXT f#\n"
#define REFUSED_ZONE "error not a zone type. transparent\n"

static struct kit_unbound k;

static void open_old(void)
{
	kit_unbound_open_peer(&k, false, false);
}

static void close_kit(void)
{
	kit_unbound_close(&k);
}

static int fill_one(void)
{
	struct hf_change c = kit_unbound_put("dev.coder", ADDR, false);

	return kit_unbound_apply(&k, &c, 1);
}

START_TEST(the_zone_and_its_canary_come_before_the_first_record)
{
	ck_assert_int_eq(fill_one(), 0);
	ck_assert_str_eq(k.peer.log,
	    ASKS "list_local_data\n"
		 "local_zone coder transparent\n" MADE
		 "local_datas; coder 30 SOA; dev.coder 30 AAAA " ADDR "\n");
	ck_assert_str_eq(k.host.told, "lost unbound has nothing of an earlier fill\n");
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_FILLING);
}
END_TEST

START_TEST(what_is_known_is_asked_for_once)
{
	struct hf_change c = kit_unbound_put("web.coder", "fd60:627a:a42b::8", false);

	ck_assert_int_eq(fill_one(), 0);
	ck_assert_int_eq(kit_unbound_apply(&k, &c, 1), 0);
	ck_assert_str_eq(
	    k.peer.log, "local_datas; coder 30 SOA; web.coder 30 AAAA fd60:627a:a42b::8\n");
	ck_assert_str_eq(k.host.told, "");
}
END_TEST

START_TEST(a_canary_of_an_earlier_life_is_taken_over)
{
	ck_assert_int_eq(fill_one(), 0);
	kit_unbound_complete(&k);
	kit_unbound_restart(&k);
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), 0);
	/* Its own zone for fd00::/8 answers, and nothing is made. */
	ck_assert_str_eq(k.peer.log, ASKS "list_local_data\n");
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_WHOLE);
	ck_assert_str_eq(k.host.told, "");
}
END_TEST

/* It was written into an unbound that had just been reloaded. */
START_TEST(a_canary_without_its_mark_is_made_anew)
{
	ck_assert_int_eq(fill_one(), 0);
	kit_unbound_complete(&k);
	ub_data_remove(&k.peer.data, "_holdfast-fill.coder");
	kit_unbound_restart(&k);
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), 0);
	ck_assert_str_eq(k.peer.log, ASKS "list_local_data\n"
					  "local_zone coder transparent\n"
					  "local_data_remove _holdfast-canary.coder\n"
					  "local_data_remove _holdfast-fill.coder\n" MADE);
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_FILLING);
}
END_TEST

START_TEST(a_canary_that_is_lost_ends_the_batch_and_is_told)
{
	ck_assert_int_eq(fill_one(), 0);
	ub_peer_reload(&k.peer);
	ck_assert_int_eq(fill_one(), HF_ENOTREADY);
	ck_assert_str_eq(k.fates, "");
	ck_assert_str_eq(k.peer.log, ""); /* nothing is put into an unbound that lost the rest */
	ck_assert_str_eq(
	    k.host.told, "lost unbound was restarted or reloaded: its canary is gone\n");
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_NEW);
	ck_assert_int_eq(fill_one(), 0);
	ck_assert(ub_data_has(&k.peer.data, "dev.coder AAAA " ADDR));
}
END_TEST

/*
 * Between the zone and its canary, and between that and the first record: the second command meets
 * an unbound that has nothing, and makes the zone by its SOA.
 */
START_TEST(a_reload_between_two_commands_makes_no_zone_of_a_name)
{
	ub_peer_when(&k.peer, "local_datas", UB_PEER_RELOADS, NULL);
	k.peer.when.skip = (unsigned)_i;
	ck_assert_int_eq(fill_one(), 0);
	ck_assert_ptr_null(k.peer.when.at);
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "transparent");
	ck_assert_uint_eq(k.peer.data.n_zones, 3); /* that, and two of its own */
	/* What was lost with the canary is seen before the next batch. */
	ck_assert_int_eq(fill_one(), _i ? HF_ENOTREADY : 0);
}
END_TEST

START_TEST(what_is_not_answered_where_we_ask_is_another_unbound)
{
	k.peer.elsewhere = true;
	ck_assert_int_eq(fill_one(), HF_EREFUSED);
	ck_assert_ptr_nonnull(strstr(k.text, "is not answered at the address of 'ask'"));
	ck_assert(!ub_data_has(&k.peer.data, "dev.coder"));
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_NEW);
	k.peer.elsewhere = false;
	ck_assert_int_eq(fill_one(), 0);
}
END_TEST

/* Each command of a first batch, and what goes wrong with it. */
static const char *const commands[] = { "status", "get_option", "local_data_remove", "local_zone",
	"local_datas\ncoder 30 SOA holdfast.invalid. nobody" };

START_TEST(a_connection_that_is_cut_ends_the_batch_and_no_more)
{
	enum ub_peer_act act = _i % 2 ? UB_PEER_DIES : UB_PEER_CUTS;
	const char *at = commands[_i / 2];

	ub_peer_when(&k.peer, at, act, NULL);
	ck_assert_int_eq(fill_one(), HF_ECLOSED);
	ck_assert_ptr_null(k.peer.when.at); /* it was cut */
	ck_assert_str_eq(k.fates, "");
	ck_assert_ptr_nonnull(strstr(k.text, "the control socket '"));
	ck_assert(!k.a->session.open);
	ck_assert(!ub_data_has(&k.peer.data, "dev.coder"));
	ck_assert_int_eq(fill_one(), 0);
	ck_assert_int_eq(strncmp(k.peer.log, ASKS, strlen(ASKS)), 0); /* all is asked again */
	ck_assert_str_eq(k.fates, "d");
	ck_assert(ub_data_has(&k.peer.data, "dev.coder AAAA " ADDR));
}
END_TEST

static const struct {
	const char *at, *said;
	int code;
	const char *text;
} refusals[] = {
	{ "status", "220 mail.example ESMTP\n", HF_EPEER, "does not answer as unbound does" },
	{ "local_zone", REFUSED_ZONE, HF_EREFUSED, "unbound says: error not a zone type" },
	{ "local_datas", "error out of memory\nadded 2 datas\n", HF_EREFUSED,
	    "unbound says: error out of memory" },
	/* One line is not taken, and the count alone would do. */
	{ "local_datas", "error parsing local-data\nadded 3 datas\n", HF_EREFUSED,
	    "unbound says: error parsing local-data" },
	{ "local_datas", "ok\n", HF_EREFUSED, "unbound says: ok" },
};

START_TEST(what_it_refuses_is_told_in_its_words)
{
	ub_peer_when(&k.peer, refusals[_i].at, UB_PEER_SAYS, refusals[_i].said);
	ck_assert_int_eq(fill_one(), refusals[_i].code);
	ck_assert_ptr_nonnull(strstr(k.text, refusals[_i].text));
	ck_assert(!ub_data_has(&k.peer.data, "dev.coder"));
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_NEW);
	ck_assert_int_eq(fill_one(), 0);
}
END_TEST

START_TEST(whoever_takes_a_command_and_does_not_end_it_is_left)
{
	ub_peer_when(&k.peer, "local_zone", UB_PEER_HANGS, NULL);
	ck_assert_int_eq(fill_one(), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(k.text, "took a command at '"));
	ck_assert_int_eq(fill_one(), 0);
}
END_TEST

START_TEST(without_a_socket_it_is_said_what_is_missing)
{
	ub_peer_close(&k.peer);
	ck_assert_int_eq(fill_one(), -ENOENT);
	ck_assert_ptr_nonnull(strstr(k.text, "there is no control socket '"));
	ub_peer_open(&k.peer, k.host.host.base, k.control);
	ck_assert_int_eq(fill_one(), 0);
}
END_TEST

START_TEST(without_dns_nothing_is_written)
{
	resolver_close(&k.server);
	ck_assert_int_ne(fill_one(), 0);
	ck_assert_ptr_nonnull(strstr(k.text, "does not answer DNS"));
	ck_assert_str_eq(k.peer.log, ASKS);
	resolver_open(&k.server, k.host.host.base, ub_peer_answer, &k.peer);
}
END_TEST

/* All of its own zones were turned off: it has nothing to list, and says nothing. */
START_TEST(an_unbound_without_any_local_data_is_filled)
{
	ub_data_zone_remove(&k.peer.data, "d.f.ip6.arpa");
	ub_data_zone_remove(&k.peer.data, "localhost");
	ck_assert_int_eq(fill_one(), 0);
	ck_assert(ub_data_has(&k.peer.data, "dev.coder AAAA " ADDR));
}
END_TEST

START_TEST(what_it_can_is_found_out_by_asking)
{
	kit_unbound_open_peer(&k, _i, false);
	ck_assert_int_eq(fill_one(), 0);
	ck_assert_uint_eq(k.a->session.able, _i ? HF_UB_RECORDS : 0);
	ck_assert_uint_eq(k.a->session.version, _i ? 1026002 : 1017001);
	kit_unbound_close(&k);
}
END_TEST

/* Where nobody answers for the prefix's addresses, unbound is to do it. */
START_TEST(a_reverse_zone_is_made_where_there_is_none)
{
	struct hf_change c = kit_unbound_put("web.coder", "fd60:627a:a42b::8", true);

	kit_unbound_open_peer(&k, false, true);
	ck_assert_int_eq(fill_one(), 0);
	ck_assert_ptr_nonnull(strstr(k.peer.log, "local_zone " REVERSE " transparent\n"
						 "local_datas; " REVERSE " 30 SOA\n"));
	/* Once; that it is ours is known from then on, though it answers now. */
	ck_assert_int_eq(kit_unbound_apply(&k, &c, 1), 0);
	ck_assert_str_eq(k.peer.log,
	    "local_datas; coder 30 SOA; web.coder 30 AAAA fd60:627a:a42b::8\n"
	    "local_datas; " REVERSE " 30 SOA; 8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0." REVERSE
	    " 30 PTR web.coder\n");
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_session_suite(void);
Suite *ub_session_suite(void)
{
	Suite *s = suite_create("ub_session");
	TCase *c = tcase_create("old"), *own = tcase_create("own");

	tcase_add_checked_fixture(c, open_old, close_kit);
	tcase_add_test(c, the_zone_and_its_canary_come_before_the_first_record);
	tcase_add_test(c, what_is_known_is_asked_for_once);
	tcase_add_test(c, a_canary_of_an_earlier_life_is_taken_over);
	tcase_add_test(c, a_canary_without_its_mark_is_made_anew);
	tcase_add_test(c, a_canary_that_is_lost_ends_the_batch_and_is_told);
	tcase_add_loop_test(c, a_reload_between_two_commands_makes_no_zone_of_a_name, 0, 2);
	tcase_add_test(c, what_is_not_answered_where_we_ask_is_another_unbound);
	tcase_add_loop_test(c, a_connection_that_is_cut_ends_the_batch_and_no_more, 0,
	    2 * sizeof(commands) / sizeof(commands[0]));
	tcase_add_loop_test(
	    c, what_it_refuses_is_told_in_its_words, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(c, whoever_takes_a_command_and_does_not_end_it_is_left);
	tcase_add_test(c, without_a_socket_it_is_said_what_is_missing);
	tcase_add_test(c, without_dns_nothing_is_written);
	tcase_add_test(c, an_unbound_without_any_local_data_is_filled);
	tcase_add_loop_test(own, what_it_can_is_found_out_by_asking, 0, 2);
	tcase_add_test(own, a_reverse_zone_is_made_where_there_is_none);
	suite_add_tcase(s, c);
	suite_add_tcase(s, own);
	return s;
}
