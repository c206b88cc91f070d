/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "config/key.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *type_net_suite(void);

static const struct {
	const struct hf_type *type;
	const char *text;
	const char *want; /* NULL: the text itself */
} rows[] = {
	{ &hf_type_endpoint, "127.0.0.1@53", NULL },
	{ &hf_type_endpoint, "::1@5453", NULL },
	{ &hf_type_endpoint, "0.0.0.0@65535", NULL },
	{ &hf_type_endpoint, "FD00::1@1", "fd00::1@1" },
	{ &hf_type_endpoint, "127.0.0.1", "format" },
	{ &hf_type_endpoint, "127.0.0.1@", "format" },
	{ &hf_type_endpoint, "127.0.0.1@0", "format" },
	{ &hf_type_endpoint, "127.0.0.1@65536", "format" },
	{ &hf_type_endpoint, "127.0.0.1@053", "format" },
	{ &hf_type_endpoint, "127.0.0.1@5 ", "format" },
	{ &hf_type_endpoint, "127.0.0.1@+5", "format" },
	{ &hf_type_endpoint, "127.0.0.1@99999999999", "format" },
	{ &hf_type_endpoint, "127.0.0.1:53", "format" },
	{ &hf_type_endpoint, "127.1@53", "format" },
	{ &hf_type_endpoint, "localhost@53", "format" },
	{ &hf_type_endpoint, "[::1]@53", "format" },
	{ &hf_type_endpoint, "@53", "format" },
	{ &hf_type_endpoint, "", "format" },
	{ &hf_type_endpoint, "fe80::1%eth0@53", "format" },
	{ &hf_type_endpoint, "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb@53",
	    "format" },
	{ &hf_type_prefix, "127.0.0.0/8", NULL },
	{ &hf_type_prefix, "::1", NULL },
	{ &hf_type_prefix, "10.0.0.1", NULL },
	{ &hf_type_prefix, "10.0.0.1/32", "10.0.0.1" },
	{ &hf_type_prefix, "fd00::/8", NULL },
	{ &hf_type_prefix, "::/0", NULL },
	{ &hf_type_prefix, "0.0.0.0/0", NULL },
	{ &hf_type_prefix, "fd60:627a:a42b::/48", NULL },
	{ &hf_type_prefix, "::1/128", "::1" },
	{ &hf_type_prefix, "10.128.0.0/9", NULL },
	{ &hf_type_prefix, "10.64.0.0/9", "refused: it has bits set beyond its length" },
	{ &hf_type_prefix, "10.0.0.1/8", "refused: it has bits set beyond its length" },
	{ &hf_type_prefix, "::1/127", "refused: it has bits set beyond its length" },
	{ &hf_type_prefix, "10.0.0.0/33", "format" },
	{ &hf_type_prefix, "::/129", "format" },
	{ &hf_type_prefix, "10.0.0.0/", "format" },
	{ &hf_type_prefix, "10.0.0.0/-1", "format" },
	{ &hf_type_prefix, "10.0.0.0/255.0.0.0", "format" },
	{ &hf_type_prefix, "10/8", "format" },
	{ &hf_type_prefix, "any", "format" },
	{ &hf_type_prefix, "", "format" },
	{ &hf_type_prefix, "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", "format" },
};

START_TEST(addresses_are_taken_by_their_form)
{
	struct hf_key key = { .type = rows[_i].type };
	const char *want = rows[_i].want ? rows[_i].want : rows[_i].text;

	ck_assert_str_eq(through(rows[_i].type, &key, rows[_i].text), want);
}
END_TEST

START_TEST(an_endpoint_is_ready_for_bind)
{
	struct hf_config *c = config_of("dns: { listen: [127.0.0.2@5300, \"fd00::2@5301\"] }\n");
	const struct hf_endpoints *l = &c->dns.listen;

	ck_assert_uint_eq(l->n, 2);
	ck_assert_uint_eq(l->at[0].len, sizeof(struct sockaddr_in));
	ck_assert_uint_eq(l->at[0].in4.sin_family, AF_INET);
	ck_assert_uint_eq(ntohl(l->at[0].in4.sin_addr.s_addr), 0x7f000002);
	ck_assert_uint_eq(ntohs(l->at[0].in4.sin_port), 5300);
	ck_assert_uint_eq(l->at[1].len, sizeof(struct sockaddr_in6));
	ck_assert_uint_eq(l->at[1].in6.sin6_family, AF_INET6);
	ck_assert_uint_eq(l->at[1].in6.sin6_addr.s6_addr[15], 2);
	ck_assert_uint_eq(ntohs(l->at[1].in6.sin6_port), 5301);
	ck_assert_uint_eq(c->status.listen.len, 0);
	hf_config_free(c);
}
END_TEST

START_TEST(a_network_has_family_and_length)
{
	struct hf_config *c = config_of("dns: { allow: [10.32.0.0/11, \"fd00::/8\", 1.2.3.4] }\n");
	const struct hf_prefixes *a = &c->dns.allow;

	ck_assert_uint_eq(a->n, 3);
	ck_assert_uint_eq(a->at[0].family, AF_INET);
	ck_assert_uint_eq(a->at[0].bits, 11);
	ck_assert_mem_eq(a->at[0].addr, "\x0a\x20\0\0", 4);
	ck_assert_uint_eq(a->at[1].family, AF_INET6);
	ck_assert_uint_eq(a->at[1].bits, 8);
	ck_assert_uint_eq(a->at[1].addr[0], 0xfd);
	ck_assert_uint_eq(a->at[2].bits, 32);
	hf_config_free(c);
}
END_TEST

static const struct hf_type *const types[] = { &hf_type_endpoint, &hf_type_prefix };

START_TEST(each_says_what_it_expects)
{
	struct hf_key key = { .type = types[_i] };
	char text[HF_EXPECT_MAX] = "";

	types[_i]->expect(&key, text);
	ck_assert_ptr_nonnull(strstr(text, "ADDRESS"));
}
END_TEST

Suite *type_net_suite(void)
{
	Suite *s = suite_create("type_net");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, addresses_are_taken_by_their_form, 0, N(rows));
	tcase_add_test(tc, an_endpoint_is_ready_for_bind);
	tcase_add_test(tc, a_network_has_family_and_length);
	tcase_add_loop_test(tc, each_says_what_it_expects, 0, N(types));
	suite_add_tcase(s, tc);
	return s;
}
