/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <limits.h>
#include <string.h>

#include "config/key.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *type_text_suite(void);

#define OURS "refused: this header is Holdfast's own to set"

static const struct {
	const struct hf_type *type;
	const char *text;
	const char *want; /* NULL: the text itself */
} rows[] = {
	{ &hf_type_string, "a b", NULL },
	{ &hf_type_string, "", "format" },
	{ &hf_type_path, "/", NULL },
	{ &hf_type_path, "/a b/c", NULL },
	{ &hf_type_path, "a", "format" },
	{ &hf_type_path, "", "format" },
	{ &hf_type_path, "~/x", "format" },
	{ &hf_type_path, "./x", "format" },
	{ &hf_type_socket, "/run/x.sock", NULL },
	{ &hf_type_socket, "x", "format" },
	{ &hf_type_label, "main", NULL },
	{ &hf_type_label, "a-b_C9", NULL },
	{ &hf_type_label, "", "format" },
	{ &hf_type_label, "a.b", "format" },
	{ &hf_type_label, "a b", "format" },
	{ &hf_type_label, "1234567890123456789012345678901234567890123456789012345678901234",
	    "format" },
	{ &hf_type_group, "adm", NULL },
	{ &hf_type_group, "Domain.Users@x", NULL },
	{ &hf_type_group, "", "format" },
	{ &hf_type_group, "-x", "format" },
	{ &hf_type_group, "domain users", NULL },
	{ &hf_type_group, "a ", "format" },
	{ &hf_type_group, "a:b", "format" },
	{ &hf_type_url, "https://coder.example.com", NULL },
	{ &hf_type_url, "HTTP://x:8080/coder/", NULL },
	{ &hf_type_url, "coder.example.com", "format" },
	{ &hf_type_url, "ftp://x", "format" },
	{ &hf_type_url, "https://u:p@x",
	    "refused: a URL here has no user or password in it; the token has its own file" },
	{ &hf_type_url, "https://x/?a", "refused: a URL here has no query and no fragment" },
	{ &hf_type_proxy, "http://u:p@proxy:3128", NULL },
	{ &hf_type_proxy, "SOCKS5h://[::1]:1080", NULL },
	{ &hf_type_proxy, "socks4a://p", NULL },
	{ &hf_type_proxy, "proxy:3128", "format" },
	{ &hf_type_proxy, "http://", "format" },
	{ &hf_type_proxy, "http://a b", "format" },
	{ &hf_type_proxy, "ftp://p", "format" },
	{ &hf_type_owner, "me", NULL },
	{ &hf_type_owner, "all", NULL },
	{ &hf_type_owner, "Bob-2", NULL },
	{ &hf_type_owner, "00112233-4455-6677-8899-aabbccddeeff", NULL },
	{ &hf_type_owner, "*", "format" },
	{ &hf_type_owner, "", "format" },
	{ &hf_type_owner, "a@b", "format" },
	{ &hf_type_header, "X-A: b", NULL },
	{ &hf_type_header, "X-A:b c: d", NULL },
	{ &hf_type_header, "X-A", "format" },
	{ &hf_type_header, "X-A:", "format" },
	{ &hf_type_header, "X-A:  ", "format" },
	{ &hf_type_header, ": b", "format" },
	{ &hf_type_header, "X A: b", "format" },
	{ &hf_type_header, "", "format" },
	{ &hf_type_header, "host: x", OURS },
	{ &hf_type_header, "Coder-Session-Token: x", OURS },
	{ &hf_type_header, "sec-websocket-key: x", OURS },
	{ &hf_type_header, "Hosts: x", NULL },
	{ &hf_type_header, "Transfer-Encoding: x", OURS },
	{ &hf_type_header, "upgrade: x", OURS },
	{ &hf_type_suffix, "auto", NULL },
	{ &hf_type_suffix, "coder", NULL },
	{ &hf_type_suffix, "Dev.Example.Com", "dev.example.com" },
	{ &hf_type_suffix, "home.arpa", NULL },
	{ &hf_type_suffix, "internal", NULL },
};

START_TEST(texts_are_taken_by_their_form)
{
	struct hf_key key = { .type = rows[_i].type };
	const char *want = rows[_i].want ? rows[_i].want : rows[_i].text;

	ck_assert_str_eq(through(rows[_i].type, &key, rows[_i].text), want);
}
END_TEST

static const char *const bad_suffixes[] = { "", ".", "com", "local", "localhost", "invalid",
	"onion", "arpa", "in-addr.arpa", "a..b", "a b", "*.coder", "-\xc3\xbc" };

START_TEST(a_suffix_that_others_own_is_refused_with_the_reason)
{
	struct hf_key key = { .type = &hf_type_suffix };
	const char *said = through(&hf_type_suffix, &key, bad_suffixes[_i]);

	ck_assert_msg(
	    !strncmp(said, "refused: ", 9) && strlen(said) > 12, "%s: %s", bad_suffixes[_i], said);
}
END_TEST

START_TEST(a_path_is_as_long_as_the_system_can_take)
{
	struct hf_key path = { .type = &hf_type_path }, sock = { .type = &hf_type_socket };
	char text[PATH_MAX + 2];

	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[108] = '\0';
	ck_assert_str_eq(through(&hf_type_path, &path, text), text);
	ck_assert_str_eq(through(&hf_type_socket, &sock, text),
	    "refused: it is longer than the 107 characters that a socket's path can have");
	text[107] = '\0';
	ck_assert_str_eq(through(&hf_type_socket, &sock, text), text);
	text[107] = text[108] = 'a';
	text[PATH_MAX] = '\0';
	ck_assert_str_eq(
	    through(&hf_type_path, &path, text), "refused: it is longer than a path can be");
}
END_TEST

static const struct hf_type *const types[] = { &hf_type_string, &hf_type_path, &hf_type_socket,
	&hf_type_label, &hf_type_group, &hf_type_url, &hf_type_proxy, &hf_type_owner,
	&hf_type_header, &hf_type_suffix };

START_TEST(each_says_what_it_expects)
{
	struct hf_key key = { .type = types[_i] };
	char text[HF_EXPECT_MAX] = "";

	types[_i]->expect(&key, text);
	ck_assert_uint_gt(strlen(text), 10);
	ck_assert_uint_lt(strlen(text), HF_EXPECT_MAX - 1);
}
END_TEST

Suite *type_text_suite(void)
{
	Suite *s = suite_create("type_text");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, texts_are_taken_by_their_form, 0, N(rows));
	tcase_add_loop_test(
	    tc, a_suffix_that_others_own_is_refused_with_the_reason, 0, N(bad_suffixes));
	tcase_add_test(tc, a_path_is_as_long_as_the_system_can_take);
	tcase_add_loop_test(tc, each_says_what_it_expects, 0, N(types));
	suite_add_tcase(s, tc);
	return s;
}
