/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/adapters/kit_unbound.h"

#define A7 "fd60:627a:a42b::7"
#define A8 "fd60:627a:a42b::8"
#define REVERSE "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"

enum { LONG = HF_UB_LISTING_MAX + 4096 };

static struct kit_unbound k;
static char names[256]; /* that were told, in their order: "NAME+" for a pointer's */
static unsigned n_ends;
static int end_code;

static void on_listed(
    void *arg, const struct hf_record *records, size_t n, int code, const char *text)
{
	char name[HF_NAME_TEXT_MAX];
	size_t len = strlen(names);

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s ",
		    hf_name_text(&records[i].name, name), records[i].primary ? "+" : "");
	if (n)
		return;
	n_ends++;
	end_code = code;
}

static void list_all(void)
{
	names[0] = k.peer.log[0] = '\0';
	n_ends = 0;
	hf_ub_adapter_type.list(k.base);
	ck_assert_uint_eq(n_ends, 0); /* never from within the call */
	while (!n_ends)
		event_base_loop(k.host.host.base, EVLOOP_ONCE);
	kit_unbound_settle(&k);
	ck_assert_uint_eq(n_ends, 1);
}

static void open_kit(void)
{
	kit_unbound_open_peer(&k, false, false);
	k.host.host.listed = on_listed;
}

static void close_kit(void)
{
	kit_unbound_close(&k);
}

/* Pointers first: a name of both is told once, as one that is pointed to. */
START_TEST(what_is_ours_is_told_and_nothing_else)
{
	ub_data_zone_set(&k.peer.data, "coder", "static");
	ub_data_add(&k.peer.data, "coder 30 SOA " HF_UB_SOA " 30");
	ub_data_add(&k.peer.data, "_holdfast-canary.coder 30 TXT w0123456789abcdef");
	ub_data_add(&k.peer.data, "web.coder 30 AAAA " A8);
	ub_data_add(&k.peer.data, "dev.coder 30 AAAA " A7);
	ub_data_add(&k.peer.data, "dev.coder 30 A 192.0.2.1");
	ub_data_add(&k.peer.data, "far.coder 30 AAAA 2001:db8::1");
	ub_data_add(&k.peer.data, "dev.example 30 AAAA " A7);
	ub_data_add(&k.peer.data, "7." REVERSE " 30 PTR dev.coder");
	ub_data_add(&k.peer.data, "9." REVERSE " 30 PTR host.example");
	list_all();
	ck_assert_int_eq(end_code, 0);
	ck_assert_str_eq(names, "dev.coder+ web.coder ");
	ck_assert_str_eq(k.peer.log, "list_local_data\n");
}
END_TEST

START_TEST(too_much_is_not_listed)
{
	ub_data_add(&k.peer.data, "dev.coder 30 AAAA " A7);
	k.peer.data.more = LONG;
	list_all();
	ck_assert_int_eq(end_code, HF_ELIMIT);
	ck_assert_str_eq(names, "");
}
END_TEST

/* All of its own zones were turned off. */
START_TEST(an_unbound_without_any_local_data_lists_nothing)
{
	ub_data_zone_remove(&k.peer.data, "d.f.ip6.arpa");
	ub_data_zone_remove(&k.peer.data, "localhost");
	list_all();
	ck_assert_int_eq(end_code, 0);
	ck_assert_str_eq(names, "");
	ck_assert_str_eq(k.peer.log, "list_local_data\nstatus\n");
}
END_TEST

/* That one is no empty listing. */
START_TEST(an_unbound_that_goes_away_has_listed_nothing)
{
	ub_data_add(&k.peer.data, "dev.coder 30 AAAA " A7);
	ub_peer_when(&k.peer, "", _i ? UB_PEER_DIES : UB_PEER_CUTS, NULL);
	k.peer.when.again = 1;
	list_all();
	ck_assert_int_eq(end_code, HF_ECLOSED);
	ck_assert_str_eq(names, "");
	list_all();
	ck_assert_int_eq(end_code, 0);
	ck_assert_str_eq(names, "dev.coder ");
}
END_TEST

Suite *ub_listing_suite(void);
Suite *ub_listing_suite(void)
{
	Suite *s = suite_create("ub_listing");
	TCase *c = tcase_create("ub_listing");

	tcase_add_checked_fixture(c, open_kit, close_kit);
	tcase_add_test(c, what_is_ours_is_told_and_nothing_else);
	tcase_add_test(c, too_much_is_not_listed);
	tcase_add_test(c, an_unbound_without_any_local_data_lists_nothing);
	tcase_add_loop_test(c, an_unbound_that_goes_away_has_listed_nothing, 0, 2);
	suite_add_tcase(s, c);
	return s;
}
