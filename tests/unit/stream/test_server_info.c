/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "base/error.h"
#include "bridge/stream/client/header_command.h"
#include "bridge/stream/wire/server_info.h"

Suite *server_info_suite(void);

#define ID "00112233-4455-6677-8899-aabbccddeeff"
#define ID2 "10112233-4455-6677-8899-aabbccddeeff"

static struct hf_server_info told;

static void clear(void)
{
	free(told.owners);
	free(told.words);
	memset(&told, 0, sizeof(told));
}

START_TEST(a_server_tells_what_it_is)
{
	static const char body[] =
	    "{\"version\":\"v2.30.0+x\",\"deployment_id\":\"d\\n\",\"x\":[1]}";

	ck_assert_int_eq(hf_server_info_buildinfo(&told, body, sizeof(body) - 1), 0);
	ck_assert_str_eq(told.version, "v2.30.0+x");
	ck_assert_str_eq(told.deployment_id, "d\\x0a");
}
END_TEST

static const char *const no_server[] = { "", "{}", "[]", "null", "{\"version\":1}", "<html>",
	"{\"version\":\"v2\"", "\"version\"" };

START_TEST(what_is_no_server_is_told)
{
	ck_assert_int_eq(
	    hf_server_info_buildinfo(&told, no_server[_i], strlen(no_server[_i])), HF_EFORMAT);
	ck_assert_int_eq(hf_server_info_buildinfo(&told, NULL, 0), HF_EFORMAT);
	ck_assert_str_eq(told.version, "");
}
END_TEST

static const struct {
	const char *body;
	int rc;
	const char *want;
} suffixes[] = { { "{\"hostname_suffix\":\"corp\"}", 0, "corp" },
	{ "{\"hostname_suffix\":\"\"}", 0, "coder" }, { "{}", 0, "coder" },
	{ "{\"hostname_suffix\":null}", 0, "coder" }, { "{\"hostname_suffix\":5}", HF_EFORMAT, "" },
	{ "[]", HF_EFORMAT, "" }, { "", HF_EFORMAT, "" } };

START_TEST(a_suffix_is_told_or_coder)
{
	ck_assert_int_eq(hf_server_info_suffix(&told, suffixes[_i].body, strlen(suffixes[_i].body)),
	    suffixes[_i].rc);
	ck_assert_str_eq(told.suffix, suffixes[_i].want);
}
END_TEST

START_TEST(a_user_has_an_id_and_a_name)
{
	static const char *const bad[] = { "{}", "{\"id\":\"x\",\"username\":\"a\"}",
		"{\"id\":\"" ID "\"}", "{\"id\":\"" ID "\",\"username\":7}",
		"{\"id\":\"00000000-0000-0000-0000-000000000000\",\"username\":\"a\"}" };
	static const char body[] = "{\"id\":\"" ID "\",\"username\":\"alice\"}";
	struct hf_owner_info user;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(hf_server_info_user(&user, bad[i], strlen(bad[i])), HF_EFORMAT);
	ck_assert_int_eq(hf_server_info_user(&user, body, sizeof(body) - 1), 0);
	ck_assert_str_eq(user.name, "alice");
	ck_assert_uint_eq(user.id.b[15], 0xff);
}
END_TEST

START_TEST(a_page_of_users_adds_each_once)
{
	static const char body[] =
	    "{\"users\":[{\"id\":\"" ID "\",\"username\":\"a\"},7,{\"id\":\"" ID2
	    "\",\"username\":\"b\"},{\"id\":\"" ID "\",\"username\":\"a\"}],\"count\":-4}";
	size_t n, count;

	ck_assert_int_eq(hf_server_info_users(&told, body, sizeof(body) - 1, &n, &count), 0);
	ck_assert_uint_eq(told.n_owners, 2);
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(hf_server_info_users(&told, "{\"users\":[]}", 12, &n, &count), HF_EFORMAT);
}
END_TEST

START_TEST(an_owner_is_known_by_the_list_and_as_the_tokens_own)
{
	static const char body[] =
	    "{\"users\":[{\"id\":\"" ID "\",\"username\":\"a\"},{\"id\":\"" ID2
	    "\",\"username\":\"b\"}],\"count\":2}";
	struct hf_owner_info first = { .name = "a" }, third = { .name = "c", .id.b[0] = 3 };
	size_t n, count;

	ck_assert_int_eq(hf_uuid_parse(ID, &first.id), 0);
	ck_assert_int_eq(hf_uuid_parse(ID2, &told.user), 0);
	ck_assert_int_eq(hf_server_info_add(&told, &first), 0);
	ck_assert_int_eq(hf_server_info_users(&told, body, sizeof(body) - 1, &n, &count), 0);
	ck_assert_int_eq(hf_server_info_add(&told, &third), 0);
	ck_assert_uint_eq(told.n_owners, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(told.owners[i].listed, i < 2);
		ck_assert_int_eq(told.owners[i].me, i == 1);
	}
	ck_assert_int_eq(hf_server_info_set_words(&told, 2), 0);
	ck_assert_int_eq(told.words[1].is, WORD_OPEN);
}
END_TEST

START_TEST(a_workspace_tells_its_owner)
{
	static const char *const bad[] = { "{}", "[]", "{\"id\":\"" ID "\"}",
		"{\"owner_id\":\"" ID "\"}", "{\"id\":\"x\",\"owner_id\":\"" ID "\"}",
		"{\"id\":\"" ID "\",\"owner_id\":7}",
		"{\"id\":\"" ID "\",\"owner_id\":\"00000000-0000-0000-0000-000000000000\"}" };
	static const char body[] =
	    "{\"id\":\"" ID "\",\"owner_id\":\"" ID2 "\",\"owner_name\":\"x\"}";
	struct hf_uuid workspace = { { 0 } }, owner = { { 0 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(
		    hf_server_info_workspace(&workspace, &owner, bad[i], strlen(bad[i])),
		    HF_EFORMAT);
	ck_assert(hf_uuid_is_zero(&owner));
	ck_assert_int_eq(hf_server_info_workspace(&workspace, &owner, body, sizeof(body) - 1), 0);
	ck_assert_uint_eq(workspace.b[0], 0x00);
	ck_assert_uint_eq(owner.b[0], 0x10);
}
END_TEST

START_TEST(only_coders_own_no_is_one)
{
	ck_assert(hf_server_info_is_message("{\"message\":\"Resource not found\"}", 32));
	ck_assert(!hf_server_info_is_message("{\"message\":404}", 15));
	ck_assert(!hf_server_info_is_message("<html>404</html>", 16));
	ck_assert(!hf_server_info_is_message(NULL, 0));
}
END_TEST

START_TEST(whether_owners_may_be_read_is_asked_at_once)
{
	static const char body[] = "{\"0\":true,\"1\":false,\"7\":true}";
	struct hf_owner_info o = { .name = "a" };
	char *text;
	json_t *root;

	for (int i = 1; i < 4; i++) {
		o.id.b[0] = (uint8_t)i;
		ck_assert_int_eq(hf_server_info_add(&told, &o), 0);
	}
	text = hf_server_info_ask_readable(&told, 0, 3, NULL);
	root = json_loads(text, 0, NULL);
	ck_assert_uint_eq(json_object_size(json_object_get(root, "checks")), 3);
	ck_assert_ptr_nonnull(
	    strstr(text, "\"owner_id\":\"03000000-0000-0000-0000-000000000000\""));
	ck_assert_int_eq(hf_server_info_readable(&told, 0, 3, body, sizeof(body) - 1), 0);
	ck_assert_int_eq(told.owners[0].readable, READABLE_YES);
	ck_assert_int_eq(told.owners[1].readable, READABLE_NO);
	ck_assert_int_eq(told.owners[2].readable, READABLE_UNKNOWN);
	ck_assert_int_eq(hf_server_info_readable(&told, 0, 3, "[]", 2), HF_EFORMAT);
	json_decref(root);
	free(text);
}
END_TEST

START_TEST(an_end_of_the_token_is_read)
{
	static const char soon[] = "{\"expires_at\":\"2030-01-31T00:00:00.5Z\"}";
	static const char never[] = "{\"expires_at\":\"0001-01-01T00:00:00Z\"}";

	ck_assert_int_eq(hf_server_info_expiry(&told, never, sizeof(never) - 1), 0);
	ck_assert_int_eq(told.token_expires_s, 0);
	ck_assert_int_eq(hf_server_info_expiry(&told, soon, sizeof(soon) - 1), 0);
	ck_assert_int_eq(told.token_expires_s, 1896048000);
	ck_assert_int_eq(hf_server_info_expiry(&told, "{\"expires_at\":\"x\"}", 18), HF_EFORMAT);
}
END_TEST

START_TEST(an_old_server_is_known_by_its_version)
{
	ck_assert(hf_server_info_is_old("v2.17.9"));
	ck_assert(hf_server_info_is_old("v1.99.0+a"));
	ck_assert(!hf_server_info_is_old("v2.18.0"));
	ck_assert(!hf_server_info_is_old("v3.0.0"));
	ck_assert(!hf_server_info_is_old("v0.0.0-devel+abc"));
	ck_assert(!hf_server_info_is_old("nightly"));
	ck_assert(!hf_server_info_is_old(""));
}
END_TEST

START_TEST(lines_of_a_header_command_become_headers)
{
	char good[] = "A=1\r\n\nB-C=x=y\n", bad[] = "A=1\nnonsense\n", nameless[] = "=1\n";
	char *lines[2];

	ck_assert_int_eq(hf_header_command_lines(good, lines, 2), 2);
	ck_assert_str_eq(lines[0], "A:1");
	ck_assert_str_eq(lines[1], "B-C:x=y");
	ck_assert_int_eq(hf_header_command_lines(bad, lines, 2), -1);
	ck_assert_int_eq(hf_header_command_lines(nameless, lines, 2), -1);
	ck_assert_int_eq(hf_header_command_lines((char[]){ "A=1\nB=2\nC=3\n" }, lines, 2), -1);
}
END_TEST

Suite *server_info_suite(void)
{
	Suite *s = suite_create("server_info");
	TCase *tc = tcase_create("answers");

	tcase_add_checked_fixture(tc, clear, clear);
	tcase_add_test(tc, a_server_tells_what_it_is);
	tcase_add_loop_test(
	    tc, what_is_no_server_is_told, 0, sizeof(no_server) / sizeof(no_server[0]));
	tcase_add_loop_test(
	    tc, a_suffix_is_told_or_coder, 0, sizeof(suffixes) / sizeof(suffixes[0]));
	tcase_add_test(tc, a_user_has_an_id_and_a_name);
	tcase_add_test(tc, a_page_of_users_adds_each_once);
	tcase_add_test(tc, an_owner_is_known_by_the_list_and_as_the_tokens_own);
	tcase_add_test(tc, a_workspace_tells_its_owner);
	tcase_add_test(tc, only_coders_own_no_is_one);
	tcase_add_test(tc, whether_owners_may_be_read_is_asked_at_once);
	tcase_add_test(tc, an_end_of_the_token_is_read);
	tcase_add_test(tc, an_old_server_is_known_by_its_version);
	tcase_add_test(tc, lines_of_a_header_command_become_headers);
	suite_add_tcase(s, tc);
	return s;
}
