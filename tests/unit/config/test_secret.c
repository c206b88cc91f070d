/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "config/secret.h"
#include "tests/unit/config/config_kit.h"

Suite *secret_suite(void);

#define URL "https://coder.example.com"

static char folder[64];

/*
 * A world of the test's own: no variable, no file of the CLI, no credential, unless a test puts it
 * there.
 */
static void setup(void)
{
	static const char *const names[] = { "CODER_URL", "CODER_SESSION_TOKEN", "CODER_CONFIG_DIR",
		"XDG_CONFIG_HOME", "CREDENTIALS_DIRECTORY" };

	for (size_t i = 0; i < N(names); i++)
		unsetenv(names[i]);
	snprintf(folder, sizeof(folder), "%s", temp_folder());
	setenv("HOME", folder, 1);
}

static const char *put(const char *name, const char *text, unsigned mode)
{
	static char path[200];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	unlink(path); /* one that may not be written is replaced */
	out = fopen(path, "w");
	ck_assert_msg(out != NULL, "%s", path);
	fputs(text, out);
	fclose(out);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

/* "TOKEN from FROM", or the code's name and why. Static. */
static const char *token_of(const struct hf_config_source *s, const char *url, bool sole)
{
	static char text[HF_SECRET_WHY_MAX + HF_TOKEN_MAX + 50];
	char why[HF_SECRET_WHY_MAX];
	struct hf_token t;
	int rc = hf_secret_token(s, url, sole, &t, why);

	if (rc) {
		snprintf(text, sizeof(text), "%s %s", hf_errname(rc), why);
		return text;
	}
	snprintf(text, sizeof(text), "%s from %d", t.text, t.from);
	hf_secret_wipe(&t);
	ck_assert_mem_eq(t.text, "\0\0\0\0", 4);
	return text;
}

static const struct hf_config_source plain = { .name = (char *)"main" };

START_TEST(the_first_place_that_has_a_token_decides)
{
	struct hf_config_source s = plain;
	char cred[100];

	ck_assert_ptr_nonnull(
	    strstr(token_of(&s, URL, true), "ENOENT no token: expected the key token-file"));
	put(".config/coderv2/url", URL "\n", 0600);
	put(".config/coderv2/session", "cli-token", 0600);
	ck_assert_str_eq(token_of(&s, URL, true), "cli-token from 3");
	setenv("CODER_SESSION_TOKEN", "env-token", 1);
	ck_assert_str_eq(token_of(&s, URL, true), "env-token from 2");
	put("cred/holdfast-token", "cred-token\n", 0440);
	snprintf(cred, sizeof(cred), "%s/cred", folder);
	setenv("CREDENTIALS_DIRECTORY", cred, 1);
	ck_assert_str_eq(token_of(&s, URL, true), "cred-token from 1");
	put("cred/holdfast-token.main", "own-token\n", 0400);
	ck_assert_str_eq(token_of(&s, URL, true), "own-token from 1");
	s.token_file = (char *)put("token", "  file-token\r\n\n", 0600);
	ck_assert_str_eq(token_of(&s, URL, true), "file-token from 0");
}
END_TEST

START_TEST(trouble_with_a_place_is_not_passed_over)
{
	struct hf_config_source s = plain;
	char cred[100];

	setenv("CODER_SESSION_TOKEN", "env-token", 1);
	snprintf(cred, sizeof(cred), "%s/cred", folder);
	put("cred/holdfast-token", "", 0400);
	setenv("CREDENTIALS_DIRECTORY", cred, 1);
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "HF_EFORMAT"));
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "it is empty"));
	put("cred/holdfast-token", "cred-token", 0400);
	put("cred/holdfast-token.main", "two words", 0400);
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "HF_EFORMAT"));
	s.token_file = (char *)"/nonexistent/token";
	ck_assert_str_eq(
	    token_of(&s, URL, true), "ENOENT /nonexistent/token: No such file or directory");
	s.token_file = (char *)put("token", "t", 0644);
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "HF_EUNSAFE"));
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "chmod 0600 it"));
}
END_TEST

static const struct {
	const char *token;
	bool ok;
} forms[] = {
	{ "abcdefghij-0123456789abcdefghijkl", true },
	{ "!~", true },
	{ "a b", false },
	{ "a\tb", false },
	{ "a\nb", false },
	{ "\xc3\xbc", false },
	{ "a\x7f", false },
	{ "\x01", false },
	{ " \n", false },
};

START_TEST(a_token_is_one_printable_word)
{
	struct hf_config_source s = plain;
	const char *said;

	s.token_file = (char *)put("token", forms[_i].token, 0600);
	said = token_of(&s, URL, true);
	if (forms[_i].ok) {
		ck_assert_int_eq(strncmp(said, forms[_i].token, strlen(forms[_i].token)), 0);
	} else {
		ck_assert_int_eq(strncmp(said, "HF_EFORMAT ", 11), 0);
		/* What it was is not told. */
		ck_assert_ptr_null(strstr(said, forms[_i].token));
	}
}
END_TEST

START_TEST(a_token_has_a_limit)
{
	char text[HF_TOKEN_MAX + 200];
	struct hf_config_source s = plain;

	memset(text, 'a', sizeof(text));
	text[HF_TOKEN_MAX] = '\0';
	s.token_file = (char *)put("token", text, 0600);
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "a from 0"));
	text[HF_TOKEN_MAX] = 'a';
	text[HF_TOKEN_MAX + 1] = '\0';
	put("token", text, 0600);
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "longer than 1024"));
	text[HF_TOKEN_MAX + 1] = 'a';
	text[sizeof(text) - 1] = '\0';
	put("token", text, 0600);
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "too large"));
}
END_TEST

START_TEST(a_file_with_a_nul_holds_no_token)
{
	struct hf_config_source s = plain;
	FILE *out;

	s.token_file = (char *)put("token", "", 0600);
	out = fopen(s.token_file, "w");
	fwrite("abc\0def", 1, 7, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(token_of(&s, URL, true), "bytes that are no text"));
}
END_TEST

static const struct {
	const char *its_url; /* of the environment; NULL: none */
	const char *url;
	bool sole;
	bool taken;
} origins[] = {
	{ NULL, URL, true, true },
	{ NULL, URL, false, false },
	{ "", URL, false, false },
	{ URL "/", URL, false, true },
	{ URL ":443", URL, true, true },
	{ "https://other.example", URL, true, false },
	{ "http://coder.example.com", URL, true, false },
	{ "nonsense", URL, true, false },
};

START_TEST(a_token_of_the_environment_goes_to_its_server_only)
{
	const char *said;

	setenv("CODER_SESSION_TOKEN", "env-token", 1);
	if (origins[_i].its_url)
		setenv("CODER_URL", origins[_i].its_url, 1);
	said = token_of(&plain, origins[_i].url, origins[_i].sole);
	ck_assert_int_eq(!strcmp(said, "env-token from 2"), origins[_i].taken);
	ck_assert_int_eq(!strncmp(said, "ENOENT", 6), !origins[_i].taken);
}
END_TEST

START_TEST(a_token_of_the_cli_goes_to_its_server_only)
{
	put(".config/coderv2/url", "https://other.example", 0600);
	put(".config/coderv2/session", "cli-token", 0600);
	ck_assert_int_eq(strncmp(token_of(&plain, URL, true), "ENOENT", 6), 0);
	ck_assert_str_eq(token_of(&plain, "https://other.example/", true), "cli-token from 3");
	ck_assert_int_eq(chmod(put(".config/coderv2/session", "cli-token", 0600), 0644), 0);
	ck_assert_int_eq(
	    strncmp(token_of(&plain, "https://other.example/", true), "HF_EUNSAFE", 10), 0);
}
END_TEST

/* The URL that is found, or the code's name and why. Static. */
static const char *url_of(const struct hf_config_source *s)
{
	static char text[HF_SECRET_WHY_MAX + HF_URL_MAX + 50];
	char why[HF_SECRET_WHY_MAX];
	struct hf_place_url url;
	int rc = hf_secret_url(s, &url, why);

	snprintf(text, sizeof(text), rc ? "%s %s" : "%s%s", rc ? hf_errname(rc) : url.text,
	    rc ? why : "");
	return text;
}

START_TEST(the_first_place_that_has_a_url_decides)
{
	struct hf_config_source s = plain;
	char dir[100];

	ck_assert_ptr_nonnull(strstr(url_of(&s), "ENOENT no URL: expected the key url"));
	put(".config/coderv2/url", "https://home.example\n", 0644);
	ck_assert_str_eq(url_of(&s), "https://home.example");
	put("xdg/coderv2/url", "https://xdg.example\n", 0644);
	snprintf(dir, sizeof(dir), "%s/xdg", folder);
	setenv("XDG_CONFIG_HOME", dir, 1);
	ck_assert_str_eq(url_of(&s), "https://xdg.example");
	put("own/url", "https://own.example\n", 0644);
	snprintf(dir, sizeof(dir), "%s/own", folder);
	setenv("CODER_CONFIG_DIR", dir, 1);
	ck_assert_str_eq(url_of(&s), "https://own.example");
	setenv("CODER_URL", "https://env.example", 1);
	ck_assert_str_eq(url_of(&s), "https://env.example");
	s.url = (char *)URL;
	ck_assert_str_eq(url_of(&s), URL);
	s.url = NULL;
	unsetenv("CODER_URL");
	unsetenv("CODER_CONFIG_DIR");
	unsetenv("XDG_CONFIG_HOME");
	setenv("HOME", "relative", 1);
	ck_assert_ptr_nonnull(strstr(url_of(&s), "ENOENT"));
}
END_TEST

static const struct {
	const char *url;
	bool allow_http;
	const char *want;
} urls[] = {
	{ "http://coder.example.com", false, "HF_EREFUSED CODER_URL: http:// to another host" },
	{ "http://coder.example.com", true, "http://coder.example.com" },
	{ "http://localhost:3000", false, "http://localhost:3000" },
	{ "coder.example.com", false, "HF_EFORMAT CODER_URL: it holds no URL of a Coder server" },
	{ "https://u:s3cret@x", false, "HF_EREFUSED CODER_URL: a URL here has no user" },
};

START_TEST(a_url_of_the_environment_is_checked_like_any)
{
	struct hf_config_source s = plain;

	s.allow_http = urls[_i].allow_http;
	setenv("CODER_URL", urls[_i].url, 1);
	ck_assert_msg(!strncmp(url_of(&s), urls[_i].want, strlen(urls[_i].want)), "%s", url_of(&s));
	ck_assert_ptr_null(strstr(url_of(&s), "s3cret"));
}
END_TEST

START_TEST(a_url_has_a_limit_wherever_it_comes_from)
{
	char text[HF_URL_MAX + 100] = "https://";

	memset(text + 8, 'a', sizeof(text) - 9);
	setenv("CODER_URL", text, 1);
	ck_assert_int_eq(strncmp(url_of(&plain), "HF_EFORMAT", 10), 0);
	unsetenv("CODER_URL");
	put(".config/coderv2/url", text, 0600);
	ck_assert_int_eq(strncmp(url_of(&plain), "HF_EFORMAT", 10), 0);
}
END_TEST

START_TEST(a_url_file_that_others_may_write_is_refused)
{
	put(".config/coderv2/url", URL, 0666);
	ck_assert_int_eq(strncmp(url_of(&plain), "HF_EUNSAFE", 10), 0);
}
END_TEST

Suite *secret_suite(void)
{
	Suite *s = suite_create("secret");
	TCase *tc = tcase_create("token");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, the_first_place_that_has_a_token_decides);
	tcase_add_test(tc, trouble_with_a_place_is_not_passed_over);
	tcase_add_loop_test(tc, a_token_is_one_printable_word, 0, N(forms));
	tcase_add_test(tc, a_token_has_a_limit);
	tcase_add_test(tc, a_file_with_a_nul_holds_no_token);
	tcase_add_loop_test(tc, a_token_of_the_environment_goes_to_its_server_only, 0, N(origins));
	tcase_add_test(tc, a_token_of_the_cli_goes_to_its_server_only);
	tcase_add_test(tc, the_first_place_that_has_a_url_decides);
	tcase_add_loop_test(tc, a_url_of_the_environment_is_checked_like_any, 0, N(urls));
	tcase_add_test(tc, a_url_has_a_limit_wherever_it_comes_from);
	tcase_add_test(tc, a_url_file_that_others_may_write_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
