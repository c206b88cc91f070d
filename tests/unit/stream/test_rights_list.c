/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "bridge/stream/wire/rights_list.h"
#include "bridge/stream/wire/server_info.h"

Suite *rights_list_suite(void);

#define A "00112233-4455-6677-8899-aabbccddeeff"
#define B "10112233-4455-6677-8899-aabbccddeeff"

static struct hf_rights_list list;
static char text[HF_RIGHTS_MAX];

static void clear(void)
{
	memset(&list, 0, sizeof(list));
}

/* What stands in the text after one answer of that kind: 'u'ser, 'r'oles, 'k'ey, 'c'heck. */
static void read_answer(char kind, const char *body)
{
	size_t len = strlen(body);

	switch (kind) {
	case 'u':
		hf_rights_list_of_user(&list, body, len);
		break;
	case 'r':
		hf_rights_list_of_roles(&list, body, len);
		break;
	case 'k':
		hf_rights_list_of_key(&list, body, len);
		break;
	default:
		hf_rights_list_of_check(&list, body, len);
		break;
	}
}

static const struct {
	char kind;
	const char *body;
	const char *want;
} rows[] = {
	{ 'u', "{\"roles\":[],\"organization_ids\":[\"" B "\",\"" A "\"]}", "org:" A " org:" B },
	{ 'u',
	    "{\"roles\":[{\"name\":\"owner\",\"display_name\":\"Owner\"}],\"organization_ids\":null}",
	    "role:owner" },
	{ 'u', "{\"roles\":[\"owner\",\"auditor\",\"owner\"],\"organization_ids\":[]}",
	    "role:auditor role:owner" },
	{ 'u',
	    "{\"roles\":[{\"name\":\"x\",\"organization_id\":\"" A "\"}],\"organization_ids\":[]}",
	    "org-role:" A ":x" },
	/* Upper case is the same organisation. */
	{ 'u', "{\"roles\":[],\"organization_ids\":[\"00112233-4455-6677-8899-AABBCCDDEEFF\"]}",
	    "org:" A },
	/* No name looks like two words, or like another one. */
	{ 'u',
	    "{\"roles\":[{\"name\":\"a role:owner\"},{\"name\":\"\\u001f\"},{\"name\":\"100%20\"}],\"organization_ids\":[]}",
	    "role:%1f role:100%2520 role:a%20role:owner" },
	{ 'u', "{\"roles\":[{\"name\":\"caf\\u00e9\"}],\"organization_ids\":[]}",
	    "role:caf%c3%a9" },
	/* What has not the form is unknown, all of it. */
	{ 'u', "{\"organization_ids\":[\"" A "\"]}", "" },
	{ 'u', "{\"roles\":[]}", "" },
	{ 'u', "{\"roles\":{},\"organization_ids\":[]}", "" },
	{ 'u', "{\"roles\":[{\"name\":\"\"},\"owner\"],\"organization_ids\":[]}", "" },
	{ 'u', "{\"roles\":[7],\"organization_ids\":[]}", "" },
	{ 'u', "{\"roles\":[\"owner\"],\"organization_ids\":[\"x\"]}", "" },
	{ 'u', "[]", "" },
	{ 'u', "", "" },
	{ 'r',
	    "{\"roles\":[\"owner\"],\"organization_roles\":{\"" B "\":[\"x\",\"w\"],\"" A
	    "\":null}}",
	    "org-role:" B ":w org-role:" B ":x role:owner" },
	{ 'r', "{\"roles\":[\"owner\"]}", "" },
	{ 'r', "{\"roles\":[],\"organization_roles\":{\"x\":[]}}", "" },
	{ 'r', "{\"roles\":[],\"organization_roles\":{\"" A "\":5}}", "" },
	{ 'k',
	    "{\"scope\":\"all\",\"scopes\":[\"workspace:read\",\"user:read\"],\"allow_list\":[{\"type\":\"*\",\"id\":\"*\"},{\"type\":\"a:b\",\"id\":\"c:d\"}]}",
	    "allow:*:* allow:a%3ab:c:d scope:user:read scope:workspace:read" },
	{ 'k', "{\"scope\":\"application_connect\"}", "scope:application_connect" },
	{ 'k', "{\"scope\":\"all\",\"scopes\":[]}", "scope:all" },
	{ 'k', "{\"scopes\":[{}]}", "" },
	{ 'k', "{\"scopes\":[\"all\"],\"allow_list\":[5]}", "" },
	{ 'k', "nonsense", "" },
	{ 'c', "{}", "" },
};

START_TEST(an_answer_becomes_words)
{
	read_answer(rows[_i].kind, rows[_i].body);
	hf_rights_list_text(&list, text);
	ck_assert_str_eq(text, rows[_i].want);
}
END_TEST

START_TEST(answers_come_together_and_one_that_failed_spoils_all)
{
	read_answer('u', "{\"roles\":[\"owner\"],\"organization_ids\":[\"" A "\"]}");
	read_answer('r', "{\"roles\":[\"owner\"],\"organization_roles\":{\"" A "\":[\"b\"]}}");
	read_answer('k', "{\"scopes\":[\"all\"]}");
	hf_rights_list_text(&list, text);
	ck_assert_str_eq(text, "org-role:" A ":b org:" A " role:owner scope:all");
	read_answer('k', "<html>");
	hf_rights_list_text(&list, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(each_organisation_is_asked_for)
{
	struct hf_server_info told = { .n_owners = 0 };
	char *asked;
	json_t *root, *check;

	read_answer('u', "{\"roles\":[],\"organization_ids\":[\"" A "\",\"" B "\"]}");
	ck_assert_uint_eq(hf_rights_list_n_checks(&list), 2);
	asked = hf_server_info_ask_readable(&told, 0, 0, &list);
	root = json_loads(asked, 0, NULL);
	check = json_object_get(json_object_get(root, "checks"), "org1");
	check = json_object_get(check, "object");
	ck_assert_str_eq(json_string_value(json_object_get(check, "organization_id")), B);
	ck_assert_ptr_null(json_object_get(check, "owner_id"));
	ck_assert_ptr_null(json_object_get(check, "any_org"));
	json_decref(root);
	free(asked);
	read_answer('c', "{\"org0\":false,\"org1\":true,\"org2\":true}");
	hf_rights_list_text(&list, text);
	ck_assert_str_eq(text, "org:" A " org:" B " reads:" B);
	read_answer('c', "{\"org0\":false}");
	hf_rights_list_text(&list, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(of_very_many_organisations_none_is_asked_for)
{
	static char body[16384];
	size_t n = (size_t)snprintf(body, sizeof(body), "{\"roles\":[],\"organization_ids\":[");

	for (int i = 0; i <= HF_ORGS_MAX; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n,
		    "%s\"%08x-4455-6677-8899-aabbccddeeff\"", i ? "," : "", i);
	snprintf(body + n, sizeof(body) - n, "]}");
	read_answer('u', body);
	ck_assert_uint_eq(hf_rights_list_n_checks(&list), 0);
	hf_rights_list_text(&list, text);
	ck_assert(strstr(text, "org:00000040-4455") != NULL);
}
END_TEST

/* Rows: how many roles, how long each. */
static const struct {
	int n, len;
	bool fits;
} sizes[] = { { 1, HF_RIGHTS_MAX - 6, true }, { 1, HF_RIGHTS_MAX - 5, false }, { 409, 4, true },
	{ 410, 4, false }, { 100000, 1, false } };

START_TEST(what_does_not_fit_is_unknown)
{
	size_t room = 64 + (size_t)sizes[_i].n * ((size_t)sizes[_i].len + 3), n;
	char *body = malloc(room);

	n = (size_t)snprintf(body, room, "{\"organization_ids\":[],\"roles\":[");
	for (int i = 0; i < sizes[_i].n; i++)
		n += (size_t)snprintf(
		    body + n, room - n, "%s\"%0*d\"", i ? "," : "", sizes[_i].len, i % 10);
	snprintf(body + n, room - n, "]}");
	read_answer('u', body);
	hf_rights_list_text(&list, text);
	ck_assert_int_eq(text[0] != '\0', sizes[_i].fits);
	free(body);
}
END_TEST

Suite *rights_list_suite(void)
{
	Suite *s = suite_create("rights_list");
	TCase *tc = tcase_create("words");

	tcase_add_checked_fixture(tc, clear, NULL);
	tcase_add_loop_test(tc, an_answer_becomes_words, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, answers_come_together_and_one_that_failed_spoils_all);
	tcase_add_test(tc, each_organisation_is_asked_for);
	tcase_add_test(tc, of_very_many_organisations_none_is_asked_for);
	tcase_add_loop_test(tc, what_does_not_fit_is_unknown, 0, sizeof(sizes) / sizeof(sizes[0]));
	suite_add_tcase(s, tc);
	return s;
}
