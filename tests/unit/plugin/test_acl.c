/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include <arpa/inet.h>
#include <string.h>

#include "config/config.h"
#include "plugin/dns/acl.h"
#include "plugin/peer_addr.h"

Suite *acl_suite(void);

static struct hf_prefix prefix(const char *addr, uint8_t bits)
{
	struct hf_prefix p = { .family = strchr(addr, ':') ? AF_INET6 : AF_INET, .bits = bits };

	ck_assert_int_eq(inet_pton(p.family, addr, p.addr), 1);
	return p;
}

static struct sockaddr_storage from(const char *addr)
{
	struct sockaddr_storage any = { .ss_family = strchr(addr, ':') ? AF_INET6 : AF_INET };
	void *at = any.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&any)->sin_addr
					    : (void *)&((struct sockaddr_in6 *)&any)->sin6_addr;

	ck_assert_int_eq(inet_pton(any.ss_family, addr, at), 1);
	return any;
}

static const struct {
	const char *prefix;
	uint8_t bits;
	const char *addr;
	bool want;
} rows[] = {
	{ "127.0.0.0", 8, "127.255.0.1", true },
	{ "127.0.0.0", 8, "128.0.0.1", false },
	{ "10.1.2.3", 32, "10.1.2.3", true },
	{ "10.1.2.3", 32, "10.1.2.2", false },
	{ "10.1.2.0", 23, "10.1.3.255", true },
	{ "10.1.2.0", 23, "10.1.4.0", false },
	{ "0.0.0.0", 0, "203.0.113.7", true },
	{ "0.0.0.0", 0, "2001:db8::1", false },
	{ "::", 0, "203.0.113.7", false },
	{ "::1", 128, "::1", true },
	{ "::1", 128, "::2", false },
	{ "fd00::", 7, "fdff::1", true },
	{ "fd00::", 7, "fe80::1", false },
	{ "2001:db8:8000::", 33, "2001:db8:ffff::1", true },
	{ "2001:db8:8000::", 33, "2001:db8:7fff::1", false },
	{ "127.0.0.0", 8, "::ffff:127.0.0.1", true },
	{ "::", 0, "::ffff:127.0.0.1", false },
};

START_TEST(a_prefix_holds_its_addresses_and_no_others)
{
	struct hf_prefix p = prefix(rows[_i].prefix, rows[_i].bits);
	struct hf_prefixes allow = { &p, 1 };
	struct sockaddr_storage sa = from(rows[_i].addr);
	struct hf_acl_box box;
	struct hf_acl_view view = { 0 };

	ck_assert_int_eq(hf_acl_box_init(&box, &allow), 0);
	hf_acl_view_refresh(&view, &box);
	ck_assert_msg(hf_acl_allows(&view, (struct sockaddr *)&sa) == rows[_i].want, "row %d", _i);
	hf_acl_view_done(&view);
	hf_acl_box_done(&box);
}
END_TEST

START_TEST(other_families_and_empty_lists_allow_nobody)
{
	struct hf_prefix p = prefix("0.0.0.0", 0);
	struct hf_prefixes all = { &p, 1 }, none = { NULL, 0 };
	struct sockaddr_storage sa = from("127.0.0.1"), local = { .ss_family = AF_UNIX };
	struct hf_acl_box box;
	struct hf_acl_view view = { 0 };

	ck_assert_int_eq(hf_acl_box_init(&box, &all), 0);
	hf_acl_view_refresh(&view, &box);
	ck_assert(!hf_acl_allows(&view, (struct sockaddr *)&local));
	ck_assert_int_eq(hf_acl_box_set(&box, &none), 0);
	hf_acl_view_refresh(&view, &box);
	ck_assert(!hf_acl_allows(&view, (struct sockaddr *)&sa));
	hf_acl_view_done(&view);
	hf_acl_box_done(&box);
}
END_TEST

START_TEST(a_view_changes_at_its_own_refresh_only)
{
	struct hf_prefix a = prefix("127.0.0.1", 32), b = prefix("127.0.0.2", 32);
	struct hf_prefixes list_a = { &a, 1 }, list_b = { &b, 1 };
	struct sockaddr_storage sa = from("127.0.0.1");
	struct hf_acl_box box;
	struct hf_acl_view one = { 0 }, other = { 0 };

	ck_assert_int_eq(hf_acl_box_init(&box, &list_a), 0);
	hf_acl_view_refresh(&one, &box);
	hf_acl_view_refresh(&other, &box);
	ck_assert_int_eq(hf_acl_box_set(&box, &list_b), 0);
	hf_acl_view_refresh(&other, &box);
	ck_assert(hf_acl_allows(&one, (struct sockaddr *)&sa));
	ck_assert(!hf_acl_allows(&other, (struct sockaddr *)&sa));
	/* The list lives for as long as somebody looks at it. */
	hf_acl_box_done(&box);
	ck_assert(hf_acl_allows(&one, (struct sockaddr *)&sa));
	hf_acl_view_done(&one);
	hf_acl_view_done(&other);
}
END_TEST

static const struct {
	const char *addr;
	bool want;
} loopbacks[] = { { "127.0.0.1", true }, { "127.9.9.9", true }, { "128.0.0.1", false },
	{ "::1", true }, { "::", false }, { "::ffff:127.0.0.1", true },
	{ "::ffff:10.0.0.1", false }, { "fe80::1", false } };

START_TEST(loopback_is_127_and_1)
{
	struct sockaddr_storage sa = from(loopbacks[_i].addr);

	ck_assert_int_eq(hf_peer_addr_is_loopback((struct sockaddr *)&sa), loopbacks[_i].want);
}
END_TEST

Suite *acl_suite(void)
{
	Suite *s = suite_create("acl");
	TCase *tc = tcase_create("allow");

	tcase_add_loop_test(
	    tc, a_prefix_holds_its_addresses_and_no_others, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, other_families_and_empty_lists_allow_nobody);
	tcase_add_test(tc, a_view_changes_at_its_own_refresh_only);
	tcase_add_loop_test(tc, loopback_is_127_and_1, 0, sizeof(loopbacks) / sizeof(loopbacks[0]));
	suite_add_tcase(s, tc);
	return s;
}
