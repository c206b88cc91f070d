/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/url.h"
#include "tests/unit/config/config_kit.h"

Suite *url_suite(void);

/* 250 octets */
#define LONG_HOST                                                                                  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."                                       \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."                                       \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."                                       \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."                                       \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	int rc;
	const char *want; /* tls host port loopback */
} rows[] = {
	{ "https://coder.example.com", 0, "1 coder.example.com 443 0" },
	{ "https://Coder.Example.Com:8443/x/", 0, "1 coder.example.com 8443 0" },
	{ "http://localhost", 0, "0 localhost 80 1" },
	{ "http://x.LOCALHOST:1", 0, "0 x.localhost 1 1" },
	{ "http://xlocalhost", 0, "0 xlocalhost 80 0" },
	{ "http://127.9.9.9:3000", 0, "0 127.9.9.9 3000 1" },
	{ "http://128.0.0.1", 0, "0 128.0.0.1 80 0" },
	{ "http://127.0.0.1.evil.example", 0, "0 127.0.0.1.evil.example 80 0" },
	{ "http://[::1]:3000/", 0, "0 ::1 3000 1" },
	{ "http://[FD00::1]", 0, "0 fd00::1 80 0" },
	{ "https://" LONG_HOST, 0, "1 " LONG_HOST " 443 0" },
	{ "https://" LONG_HOST ".aaa", HF_EFORMAT, NULL },
	{ "https://", HF_EFORMAT, NULL },
	{ "https:///x", HF_EFORMAT, NULL },
	{ "https://:443", HF_EFORMAT, NULL },
	{ "https://x:", HF_EFORMAT, NULL },
	{ "https://x:0", HF_EFORMAT, NULL },
	{ "https://x:65536", HF_EFORMAT, NULL },
	{ "https://x:999999", HF_EFORMAT, NULL },
	{ "https://x:8a", HF_EFORMAT, NULL },
	{ "https://[::1", HF_EFORMAT, NULL },
	{ "https://[zz]", HF_EFORMAT, NULL },
	{ "https://[::1]x", HF_EFORMAT, NULL },
	{ "https://a b", HF_EFORMAT, NULL },
	{ "https://a/b c", HF_EFORMAT, NULL },
	{ "https://a\\b", HF_EFORMAT, NULL },
	{ "https://\xc3\xbc.example", HF_EFORMAT, NULL },
	{ "//x", HF_EFORMAT, NULL },
	{ "", HF_EFORMAT, NULL },
	{ "https://user@x", HF_EREFUSED, NULL },
	{ "https://x#a", HF_EREFUSED, NULL },
	{ "https://x/?q=1", HF_EREFUSED, NULL },
	{ "https://x/a@b", 0, "1 x 443 0" },
};

START_TEST(a_url_is_taken_apart)
{
	const char *why = NULL;
	struct hf_url url;
	char text[400];

	ck_assert_int_eq(hf_url_parse(rows[_i].text, &url, &why), rows[_i].rc);
	ck_assert_int_eq(why != NULL, rows[_i].rc == HF_EREFUSED);
	if (rows[_i].rc)
		return;
	snprintf(text, sizeof(text), "%d %s %u %d", url.tls, url.host, url.port,
	    hf_url_is_loopback(&url));
	ck_assert_str_eq(text, rows[_i].want);
}
END_TEST

START_TEST(a_url_of_more_than_511_characters_is_refused)
{
	char text[600] = "https://x/";
	const char *why = NULL;
	struct hf_url url;

	memset(text + 10, 'a', HF_URL_MAX - 10);
	ck_assert_int_eq(hf_url_parse(text, &url, &why), 0);
	text[HF_URL_MAX] = 'a';
	ck_assert_int_eq(hf_url_parse(text, &url, &why), HF_EREFUSED);
}
END_TEST

static const struct {
	const char *a;
	const char *b;
	bool same;
} pairs[] = {
	{ "https://x", "https://X:443/y", true },
	{ "https://x", "http://x", false },
	{ "https://x", "http://x:443", false },
	{ "https://x", "https://x:444", false },
	{ "https://x", "https://x.y", false },
	{ "x", "x", false },
	{ "https://x", "x", false },
};

START_TEST(a_token_is_for_one_origin)
{
	ck_assert_int_eq(hf_url_same_origin(pairs[_i].a, pairs[_i].b), pairs[_i].same);
	ck_assert_int_eq(hf_url_same_origin(pairs[_i].b, pairs[_i].a), pairs[_i].same);
}
END_TEST

Suite *url_suite(void)
{
	Suite *s = suite_create("url");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, a_url_is_taken_apart, 0, N(rows));
	tcase_add_test(tc, a_url_of_more_than_511_characters_is_refused);
	tcase_add_loop_test(tc, a_token_is_for_one_origin, 0, N(pairs));
	suite_add_tcase(s, tc);
	return s;
}
