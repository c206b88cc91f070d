/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "base/error.h"
#include "bridge/stream/wire/address.h"
#include "bridge/stream/client/server_url.h"
#include "bridge/stream/client/proxy.h"

Suite *server_url_suite(void);

static const struct {
	const char *url;
	const char *host;
	unsigned port;
	const char *authority;
	const char *prefix;
	const char *base;
} good[] = {
	{ "https://Coder.Example", "coder.example", 443, "coder.example", "",
	    "https://coder.example" },
	{ "https://c.example:443/", "c.example", 443, "c.example", "", "https://c.example" },
	{ "http://c.example:8080/a/b//", "c.example", 8080, "c.example:8080", "/a/b",
	    "http://c.example:8080/a/b" },
	{ "http://[::1]:3000", "::1", 3000, "[::1]:3000", "", "http://[::1]:3000" },
};

START_TEST(a_url_becomes_what_the_layers_want)
{
	struct hf_server_url p;

	ck_assert_int_eq(hf_server_url_parse(good[_i].url, &p), 0);
	ck_assert_str_eq(p.host, good[_i].host);
	ck_assert_uint_eq(p.port, good[_i].port);
	ck_assert_str_eq(p.authority, good[_i].authority);
	ck_assert_str_eq(p.prefix, good[_i].prefix);
	ck_assert_str_eq(p.base, good[_i].base);
	ck_assert_int_eq(p.tls, good[_i].url[4] == 's');
}
END_TEST

static const char *const bad[] = { "", "coder.example", "ftp://x", "http://", "https://u@x",
	"https://x?q", "https://x#f", "https://x:99999", "file:///etc/passwd" };

START_TEST(what_is_no_such_url_is_refused)
{
	struct hf_server_url p;

	ck_assert_int_eq(hf_server_url_parse(bad[_i], &p), HF_EFORMAT);
}
END_TEST

static char *env_of(const char *name)
{
	static char proxy[] = "http://p:1", all[] = "socks5h://s:2",
		    no[] = "localhost, .inner.example,[::1]";

	if (!strcmp(name, "https_proxy"))
		return proxy;
	if (!strcmp(name, "ALL_PROXY"))
		return all;
	return strcmp(name, "no_proxy") ? NULL : no;
}

/* As curl and Go read it; each entry alone, since another one might do its work. */
static const struct {
	const char *no_proxy, *host;
	unsigned port;
	bool exempt;
} entries[] = {
	{ "10.0.0.0/8", "10.255.0.1", 443, true },
	{ "10.0.0.0/8", "11.0.0.1", 443, false },
	{ "10.1.2.64/26", "10.1.2.127", 443, true },
	{ "10.1.2.64/26", "10.1.2.128", 443, false },
	{ "10.1.2.3/32", "10.1.2.3", 443, true },
	{ "10.1.2.3/32", "10.1.2.2", 443, false },
	{ "0.0.0.0/0", "192.0.2.1", 443, true },
	{ "0.0.0.0/0", "coder.example", 443, false },
	{ "0.0.0.0/0", "2001:db8::1", 443, false },
	{ "fd00::/8", "fdaa::1", 443, true },
	{ "fd00::/8", "fe80::1", 443, false },
	{ "2001:db8::/33", "2001:db8:7fff::1", 443, true },
	{ "2001:db8::/33", "2001:db8:8000::1", 443, false },
	{ "10.0.0.0/33", "10.0.0.0", 443, false },
	{ "10.0.0.0/", "10.0.0.0", 443, false },
	{ "10.0.0.0/8x", "10.0.0.0", 443, false },
	{ "/8", "10.0.0.0", 443, false },
	{ "10.0.0/8", "10.0.0.0", 443, false },
	{ "c.example:443", "c.example", 443, true },
	{ "c.example:443", "a.c.example", 443, true },
	{ "c.example:443", "c.example", 8443, false },
	{ "c.example:44x", "c.example", 44, false },
	{ "c.example:99999999999999999999443", "c.example", 443, false },
	{ "10.0.0.1:443", "10.0.0.1", 443, true },
	{ "10.0.0.1:443", "10.0.0.1", 80, false },
	{ "[::1]:443", "::1", 443, true },
	{ "[::1]:443", "::1", 80, false },
	{ "::1", "::1", 443, true },
	{ "::1", "::2", 443, false },
	{ ":443", "c.example", 443, false },
	{ "[", "c.example", 443, false },
	{ "[]", "c.example", 443, false },
};
static int entry;

static char *env_of_entry(const char *name)
{
	static char proxy[] = "http://p:1", no[64];

	snprintf(no, sizeof(no), "%s", entries[entry].no_proxy);
	return !strcmp(name, "https_proxy") ? proxy : !strcmp(name, "NO_PROXY") ? no : NULL;
}

START_TEST(networks_and_ports_are_exempt_as_elsewhere)
{
	entry = _i;
	ck_assert_str_eq(hf_proxy_for(NULL, true, entries[_i].host, entries[_i].port, env_of_entry),
	    entries[_i].exempt ? "" : "http://p:1");
}
END_TEST

static char *no_env(const char *name)
{
	return NULL;
}

START_TEST(a_proxy_is_chosen_as_others_choose)
{
	ck_assert_str_eq(hf_proxy_for(NULL, true, "c.example", 443, env_of), "http://p:1");
	ck_assert_str_eq(hf_proxy_for(NULL, false, "c.example", 443, env_of), "socks5h://s:2");
	ck_assert_str_eq(hf_proxy_for(NULL, true, "a.inner.example", 443, env_of), "");
	ck_assert_str_eq(hf_proxy_for(NULL, true, "inner.example", 443, env_of), "");
	ck_assert_str_eq(hf_proxy_for(NULL, true, "xinner.example", 443, env_of), "http://p:1");
	ck_assert_str_eq(hf_proxy_for(NULL, true, "::1", 443, env_of), "");
	ck_assert_str_eq(
	    hf_proxy_for("http://own:3", true, "localhost", 443, env_of), "http://own:3");
	ck_assert_str_eq(hf_proxy_for(NULL, true, "c.example", 443, no_env), "");
}
END_TEST

START_TEST(families_take_turns_and_the_good_one_goes_first)
{
	struct hf_addresses a = { .n = 0 };

	ck_assert(hf_addresses_add(&a, "192.0.2.1"));
	ck_assert(hf_addresses_add(&a, "192.0.2.2"));
	ck_assert(hf_addresses_add(&a, "2001:db8::1"));
	ck_assert(!hf_addresses_add(&a, "192.0.2.1"));
	hf_addresses_interleave(&a);
	ck_assert_str_eq(a.at[0], "2001:db8::1");
	ck_assert_str_eq(a.at[1], "192.0.2.1");
	ck_assert_str_eq(a.at[2], "192.0.2.2");
	hf_addresses_prefer(&a, 2);
	ck_assert_str_eq(a.at[0], "192.0.2.2");
	ck_assert_str_eq(a.at[1], "2001:db8::1");
	ck_assert_uint_eq(a.n, 3);
	for (int i = 0; i < 40; i++) {
		char text[] = "10.0.0.xx";

		text[7] = (char)('0' + i / 10);
		text[8] = (char)('0' + i % 10);
		hf_addresses_add(&a, text);
	}
	ck_assert_uint_eq(a.n, HF_ADDRESSES_MAX);
}
END_TEST

START_TEST(an_address_is_told_from_a_name)
{
	ck_assert(hf_address_is("127.0.0.1"));
	ck_assert(hf_address_is("::1"));
	ck_assert(hf_address_is("fe80::1%eth0"));
	ck_assert(!hf_address_is("127.0.0.1%lo"));
	ck_assert(!hf_address_is("coder"));
	ck_assert(!hf_address_is(""));
}
END_TEST

Suite *server_url_suite(void)
{
	Suite *s = suite_create("server_url");
	TCase *tc = tcase_create("url");

	tcase_add_loop_test(
	    tc, a_url_becomes_what_the_layers_want, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, what_is_no_such_url_is_refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, a_proxy_is_chosen_as_others_choose);
	tcase_add_loop_test(tc, networks_and_ports_are_exempt_as_elsewhere, 0,
	    (int)(sizeof(entries) / sizeof(*entries)));
	tcase_add_test(tc, families_take_turns_and_the_good_one_goes_first);
	tcase_add_test(tc, an_address_is_told_from_a_name);
	suite_add_tcase(s, tc);
	return s;
}
