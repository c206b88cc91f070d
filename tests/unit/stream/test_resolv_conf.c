/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <check.h>

#include "base/error.h"
#include "bridge/stream/wire/dns_answer.h"
#include "bridge/stream/wire/resolv_conf.h"

Suite *resolv_conf_suite(void);

static struct hf_resolv_conf parse(const char *text)
{
	struct hf_resolv_conf c;

	hf_resolv_conf_parse(&c, text, strlen(text));
	return c;
}

START_TEST(what_it_says_is_read)
{
	struct hf_resolv_conf c = parse("# a comment\n; and one\n"
					"nameserver 192.0.2.53\n  nameserver 2001:db8::53 # near\n"
					"nameserver nonsense\nnameserver fe80::1%eth0\r\n"
					"domain first.example\nsearch a.example. b.example\n"
					"options timeout:1 ndots:2 rotate\nsortlist x");

	ck_assert_uint_eq(c.n_servers, 3);
	ck_assert_str_eq(c.servers[0], "192.0.2.53");
	ck_assert_str_eq(c.servers[1], "2001:db8::53");
	ck_assert_str_eq(c.servers[2], "fe80::1%eth0");
	ck_assert_uint_eq(c.n_search, 2);
	ck_assert_str_eq(c.search[0], "a.example");
	ck_assert_uint_eq(c.ndots, 2);
}
END_TEST

START_TEST(without_a_word_it_is_this_host_and_one_dot)
{
	struct hf_resolv_conf c = parse("");

	ck_assert_uint_eq(c.n_servers, 1);
	ck_assert_str_eq(c.servers[0], "127.0.0.1");
	ck_assert_uint_eq(c.ndots, 1);
	ck_assert_uint_eq(c.n_search, 0);
}
END_TEST

START_TEST(too_much_is_left_out)
{
	char text[4096] = "search";

	for (int i = 0; i < 20; i++)
		strncat(text, " s.example", sizeof(text) - strlen(text) - 1);
	strncat(text, "\noptions ndots:99999999999\n", sizeof(text) - strlen(text) - 1);
	for (int i = 0; i < 9; i++)
		strncat(text, "nameserver ::1\n", sizeof(text) - strlen(text) - 1);
	ck_assert_uint_eq(parse(text).n_search, HF_SEARCH_MAX);
	ck_assert_uint_eq(parse(text).n_servers, HF_SERVERS_MAX);
	ck_assert_uint_eq(parse(text).ndots, 15);
}
END_TEST

static const struct {
	const char *conf;
	const char *host;
	const char *names[4];
} orders[] = {
	{ "search a b\n", "coder", { "coder.a.", "coder.b.", "coder." } },
	{ "search a b\n", "coder.example",
	    { "coder.example.", "coder.example.a.", "coder.example.b." } },
	{ "search a\noptions ndots:2", "coder.example", { "coder.example.a.", "coder.example." } },
	{ "search a\noptions ndots:0", "coder", { "coder.", "coder.a." } },
	{ "search a b\n", "coder.", { "coder." } },
	{ "", "coder", { "coder." } },
};

START_TEST(names_are_asked_for_in_order)
{
	struct hf_resolv_conf c = parse(orders[_i].conf);
	char name[HF_DNS_NAME_MAX + 2];
	size_t i;

	for (i = 0; i < 4 && orders[_i].names[i]; i++) {
		ck_assert(hf_resolv_conf_name(&c, orders[_i].host, i, name));
		ck_assert_str_eq(name, orders[_i].names[i]);
	}
	ck_assert(!hf_resolv_conf_name(&c, orders[_i].host, i, name));
}
END_TEST

START_TEST(a_hosts_file_has_addresses)
{
	static const char text[] =
	    "127.0.0.1 localhost\n# 192.0.2.9 coder\n192.0.2.1\tx CODER y\r\n"
	    "nonsense coder\n2001:db8::1 coder # coder.example\n192.0.2.3 coder.example\n"
	    "192.0.2.4 coder";
	struct hf_addresses a = { .n = 0 };

	hf_resolv_conf_find_host(text, sizeof(text) - 1, "coder.", &a);
	ck_assert_uint_eq(a.n, 3);
	ck_assert_str_eq(a.at[0], "192.0.2.1");
	ck_assert_str_eq(a.at[1], "2001:db8::1");
	ck_assert_str_eq(a.at[2], "192.0.2.4");
}
END_TEST

/* c.example: CNAME d.example, A 192.0.2.7, AAAA 2001:db8::7; and in the authority an A. */
static const uint8_t packet[] = "\x12\x34\x81\x80\x00\x01\x00\x03\x00\x01\x00\x00"
				"\x01"
				"c\x07"
				"example\x00\x00\x01\x00\x01"
				"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01"
				"d\xc0\x0e"
				"\xc0\x27\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"
				"\xc0\x27\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10\x20\x01\x0d\xb8"
				"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07"
				"\xc0\x27\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x63";

START_TEST(an_answer_gives_its_addresses_and_no_others)
{
	struct hf_addresses a = { .n = 0 };

	ck_assert_int_eq(hf_dns_answer(packet, sizeof(packet) - 1, &a), 0);
	ck_assert_uint_eq(a.n, 2);
	ck_assert_str_eq(a.at[0], "192.0.2.7");
	ck_assert_str_eq(a.at[1], "2001:db8::7");
}
END_TEST

START_TEST(an_answer_cut_anywhere_is_refused)
{
	/* Up to the end of the answers; what follows is not looked at. */
	for (size_t n = 0; n < sizeof(packet) - 1 - 16; n++) {
		struct hf_addresses a = { .n = 0 };

		ck_assert_int_eq(hf_dns_answer(packet, n, &a), HF_EFORMAT);
	}
}
END_TEST

Suite *resolv_conf_suite(void)
{
	Suite *s = suite_create("resolv_conf");
	TCase *tc = tcase_create("files");

	tcase_add_test(tc, what_it_says_is_read);
	tcase_add_test(tc, without_a_word_it_is_this_host_and_one_dot);
	tcase_add_test(tc, too_much_is_left_out);
	tcase_add_loop_test(
	    tc, names_are_asked_for_in_order, 0, sizeof(orders) / sizeof(orders[0]));
	tcase_add_test(tc, a_hosts_file_has_addresses);
	tcase_add_test(tc, an_answer_gives_its_addresses_and_no_others);
	tcase_add_test(tc, an_answer_cut_anywhere_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
