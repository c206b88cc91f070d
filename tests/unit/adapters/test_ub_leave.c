/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/adapters/kit_unbound.h"

#define ADDR "fd60:627a:a42b::7"
#define REVERSE "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"
#define FAR_PTR "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0." REVERSE

enum { LONG = HF_UB_LISTING_MAX + 4096 };

static struct kit_unbound k;

/* A whole zone without names: those were taken by batches before. */
static void open_whole(bool no_reverse)
{
	kit_unbound_open_peer(&k, false, no_reverse);
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), 0);
	kit_unbound_complete(&k);
	ck_assert_int_eq(k.a->zones[0].state, HF_UBZONE_WHOLE);
}

static void open_kit(void)
{
	open_whole(false);
}

static void close_kit(void)
{
	kit_unbound_close(&k);
}

/* The suffix is another one from now on, or there is none. */
static int leave(bool for_another)
{
	struct hf_name suffix = kit_unbound_name("other");

	hf_ub_adapter_type.zones(k.base, &suffix, for_another ? 1 : 0, 30);
	return kit_unbound_apply(&k, NULL, 0);
}

static void check_gone(void)
{
	ck_assert_uint_eq(k.a->n_leaving, 0);
	ck_assert(!ub_data_has(&k.peer.data, "_holdfast-canary.coder"));
	ck_assert(!ub_data_has(&k.peer.data, "_holdfast-fill.coder"));
}

START_TEST(a_zone_with_nothing_but_ours_goes)
{
	ck_assert_int_eq(leave(true), 0);
	ck_assert_int_eq(strncmp(k.peer.log,
			     "auth_zone_reload coder\nlist_local_data\n"
			     "local_zone_remove coder\n",
			     63),
	    0);
	check_gone();
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "");
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "other"), "transparent");
}
END_TEST

/* What others have there, by the listing and where that is too long by questions. */
static const struct {
	const char *record;
	size_t more;
	const char *zone;
	bool soa; /* that goes with the zone's own name, where others have something, too */
} others[] = {
	{ NULL, 0, "", false },
	{ "host.coder 30 A 192.0.2.1", 0, "transparent", false },
	{ "coder 30 TXT hello", 0, "transparent", true },
	{ NULL, LONG, "transparent", false },
	{ "host.coder 30 A 192.0.2.1", LONG, "transparent", false },
	{ "coder 30 TXT hello", LONG, "transparent", true },
	{ "coder 30 AAAA 2001:db8::1", LONG, "transparent", true },
};

START_TEST(what_others_have_in_it_stays)
{
	char text[UB_DATA_TEXT_MAX], *ttl;

	if (others[_i].record)
		ub_data_add(&k.peer.data, others[_i].record);
	k.peer.data.more = others[_i].more;
	ck_assert_int_eq(leave(true), 0);
	check_gone();
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), others[_i].zone);
	ck_assert_int_eq(ub_data_has(&k.peer.data, "coder SOA"), others[_i].soa);
	if (!others[_i].record)
		return;
	snprintf(text, sizeof(text), "%s", others[_i].record);
	ttl = strstr(text, " 30 ");
	memmove(ttl, ttl + 3, strlen(ttl + 3) + 1);
	ck_assert(ub_data_has(&k.peer.data, text));
}
END_TEST

/* An operator's zone of that name, in an unbound that never had ours or lost it. */
START_TEST(a_zone_without_our_canary_is_left_alone)
{
	ub_peer_reload(&k.peer);
	k.peer.data.more = _i ? LONG : 0;
	ub_data_zone_set(&k.peer.data, "coder", "static");
	ub_data_add(&k.peer.data, "host.coder 30 A 192.0.2.1");
	ck_assert_int_eq(leave(true), 0);
	ck_assert_uint_eq(k.a->n_leaving, 0);
	ck_assert_ptr_null(strstr(k.peer.log, "local_zone coder"));
	ck_assert_ptr_null(strstr(k.peer.log, "remove coder"));
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "static");
	ck_assert(ub_data_has(&k.peer.data, "host.coder A"));
}
END_TEST

START_TEST(a_suffix_that_comes_back_in_time_stays)
{
	struct hf_name suffix = kit_unbound_name("coder");

	hf_ub_adapter_type.zones(k.base, NULL, 0, 30);
	hf_ub_adapter_type.zones(k.base, &suffix, 1, 30);
	ck_assert_uint_eq(k.a->n_leaving, 0);
	ck_assert_int_eq(kit_unbound_apply(&k, NULL, 0), 0);
	ck_assert_ptr_null(strstr(k.peer.log, "remove"));
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "static");
}
END_TEST

/* Each command of it. */
static const char *const commands[] = { "auth_zone_reload", "local_zone_remove" };

START_TEST(a_connection_that_is_cut_is_told_and_it_goes_the_next_time)
{
	ub_peer_when(&k.peer, commands[_i / 2], _i % 2 ? UB_PEER_DIES : UB_PEER_CUTS, NULL);
	ck_assert_int_eq(leave(true), HF_ECLOSED);
	ck_assert_ptr_null(k.peer.when.at);
	ck_assert_uint_eq(k.a->n_leaving, 1);
	ck_assert_int_eq(leave(true), 0);
	check_gone();
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "");
}
END_TEST

/* It says nothing: it has nothing, or went away, or is too busy. So it is asked. */
START_TEST(a_listing_that_says_nothing_is_asked_about)
{
	ub_peer_when(&k.peer, "list_local_data", UB_PEER_CUTS, NULL);
	ck_assert_int_eq(leave(true), 0);
	check_gone();
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, "coder"), "transparent");
}
END_TEST

START_TEST(a_refusal_is_told_in_its_words)
{
	ub_peer_when(&k.peer, "local_zone_remove", UB_PEER_SAYS, "error out of memory\n");
	ck_assert_int_eq(leave(true), HF_EREFUSED);
	ck_assert_str_eq(k.text, "unbound says: error out of memory");
	ck_assert_uint_eq(k.a->n_leaving, 1);
	ck_assert_int_eq(leave(true), 0);
	check_gone();
}
END_TEST

/* Where it has to be asked. */
START_TEST(without_dns_nothing_goes)
{
	k.peer.data.more = LONG;
	resolver_close(&k.server);
	ck_assert_int_ne(leave(true), 0);
	ck_assert_ptr_nonnull(strstr(k.text, "does not answer DNS"));
	ck_assert_ptr_null(strstr(k.peer.log, "remove"));
	ck_assert_uint_eq(k.a->n_leaving, 1);
	resolver_open(&k.server, k.host.host.base, ub_peer_answer, &k.peer);
}
END_TEST

/* --- with the last suffix --- */

START_TEST(with_the_last_suffix_goes_the_reverse_zone_that_we_made)
{
	open_whole(true);
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, REVERSE), "static");
	if (_i)
		ub_data_add(&k.peer.data, FAR_PTR " 30 PTR host.example");
	ck_assert_int_eq(leave(false), 0);
	ck_assert_ptr_nonnull(strstr(k.peer.log, "auth_zone_reload " REVERSE "\n"));
	check_gone();
	ck_assert(!ub_data_has(&k.peer.data, REVERSE " SOA"));
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, REVERSE), _i ? "transparent" : "");
	ck_assert_int_eq(ub_data_has(&k.peer.data, FAR_PTR " PTR"), _i);
	kit_unbound_close(&k);
}
END_TEST

START_TEST(a_reverse_zone_of_others_stays)
{
	open_whole(false);
	ub_data_zone_set(&k.peer.data, REVERSE, "static");
	ub_data_add(&k.peer.data, REVERSE " 30 SOA ns.example. root.example. 1 2 3 4 5");
	ck_assert_int_eq(leave(false), 0);
	check_gone();
	ck_assert_str_eq(ub_data_zone_type(&k.peer.data, REVERSE), "static");
	ck_assert(ub_data_has(&k.peer.data, REVERSE " SOA ns.example."));
	kit_unbound_close(&k);
}
END_TEST

START_TEST(the_reverse_zone_stays_for_the_next_suffix)
{
	open_whole(true);
	ck_assert_int_eq(leave(true), 0);
	check_gone();
	ck_assert(ub_data_has(&k.peer.data, REVERSE " SOA"));
	ck_assert_ptr_null(strstr(k.peer.log, "auth_zone_reload " REVERSE));
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_leave_suite(void);
Suite *ub_leave_suite(void)
{
	Suite *s = suite_create("ub_leave");
	TCase *c = tcase_create("ub_leave"), *last = tcase_create("last");

	tcase_add_checked_fixture(c, open_kit, close_kit);
	tcase_add_test(c, a_zone_with_nothing_but_ours_goes);
	tcase_add_loop_test(c, what_others_have_in_it_stays, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_loop_test(c, a_zone_without_our_canary_is_left_alone, 0, 2);
	tcase_add_test(c, a_suffix_that_comes_back_in_time_stays);
	tcase_add_loop_test(c, a_connection_that_is_cut_is_told_and_it_goes_the_next_time, 0, 4);
	tcase_add_test(c, a_listing_that_says_nothing_is_asked_about);
	tcase_add_test(c, a_refusal_is_told_in_its_words);
	tcase_add_test(c, without_dns_nothing_goes);
	tcase_add_loop_test(last, with_the_last_suffix_goes_the_reverse_zone_that_we_made, 0, 2);
	tcase_add_test(last, a_reverse_zone_of_others_stays);
	tcase_add_test(last, the_reverse_zone_stays_for_the_next_suffix);
	suite_add_tcase(s, c);
	suite_add_tcase(s, last);
	return s;
}
