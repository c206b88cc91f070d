/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <check.h>

#include "bridge/stream/wire/problem.h"

Suite *problem_suite(void);

static const struct {
	long status;
	const char *type;
	const char *body;
	const char *location;
	enum hf_problem_code want;
	enum hf_mends mends;
	const char *says;
} rows[] = {
	{ 200, "text/html; charset=utf-8", "<p>hi", NULL, HF_PROBLEM_CAPTIVE, MENDS_NOT,
	    "web page" },
	{ 200, NULL, "  <!DOCTYPE html>", NULL, HF_PROBLEM_CAPTIVE, MENDS_NOT, "web page" },
	{ 200, "application/json", "{}", NULL, HF_PROBLEM_NOT_CODER, MENDS_NOT, "not a Coder" },
	{ 200, NULL, NULL, NULL, HF_PROBLEM_NOT_CODER, MENDS_NOT, "not a Coder" },
	{ 511, NULL, NULL, NULL, HF_PROBLEM_CAPTIVE, MENDS_NOT, "511" },
	{ 302, NULL, NULL, "http://x/\n", HF_PROBLEM_REDIRECT, MENDS_NOT, "to http://x/\\x0a" },
	{ 307, NULL, NULL, NULL, HF_PROBLEM_REDIRECT, MENDS_NOT, "elsewhere" },
	{ 400, NULL, "{\"message\":\"Unknown or unsupported API version\"}", NULL, HF_PROBLEM_OLD,
	    MENDS_NOT, "v2.18" },
	{ 400, NULL, "{\"message\":\"no\"}", NULL, HF_PROBLEM_REFUSED, MENDS_NOT, ": no" },
	{ 401, NULL, "{\"message\":\"You are signed out\"}", NULL, HF_PROBLEM_SIGNED_OUT,
	    MENDS_TOKEN, "You are signed out" },
	{ 401, "text/html", "<html>", NULL, HF_PROBLEM_NOT_CODER, MENDS_NOT, "401" },
	{ 403, NULL, NULL, NULL, HF_PROBLEM_FORBIDDEN, MENDS_TOKEN, "may not" },
	{ 403, "text/html", NULL, NULL, HF_PROBLEM_CAPTIVE, MENDS_NOT, "403" },
	{ 404, NULL, NULL, NULL, HF_PROBLEM_NOT_CODER, MENDS_NOT, "not a Coder" },
	{ 409, NULL, NULL, NULL, HF_PROBLEM_REFUSED, MENDS_NOT, "409" },
	{ 429, NULL, NULL, NULL, HF_PROBLEM_BUSY, MENDS_SOON, "later" },
	{ 500, NULL, "<html>", NULL, HF_PROBLEM_STATUS, MENDS_SOON, "500" },
	{ 503, NULL, "\xff\xfe", NULL, HF_PROBLEM_STATUS, MENDS_SOON, "503" },
};

START_TEST(each_answer_has_its_reason)
{
	const struct hf_http_answer a = { .status = rows[_i].status,
		.content_type = rows[_i].type,
		.location = rows[_i].location,
		.body = rows[_i].body,
		.body_len = rows[_i].body ? strlen(rows[_i].body) : 0 };
	struct hf_problem p;

	hf_problem_of_answer(&p, "GET /x", &a, 0);
	ck_assert_int_eq(p.code, rows[_i].want);
	ck_assert_int_eq(hf_problem_mends(p.code), rows[_i].mends);
	ck_assert_msg(strstr(p.text, rows[_i].says), "%s", p.text);
	ck_assert_int_eq(p.wait_s, -1);
	for (const char *c = p.text; *c; c++)
		ck_assert(*c >= ' ' && *c < 127);
}
END_TEST

static const struct {
	long status;
	const char *retry_after;
	int64_t want;
} waits[] = { { 429, "7", 7 }, { 503, "7", 7 }, { 429, "0", 0 }, { 429, "junk", -1 },
	{ 429, "1000000000", 3600 }, { 500, "7", -1 }, { 429, NULL, -1 } };

START_TEST(a_wait_is_taken_from_those_who_may_ask_for_one)
{
	const struct hf_http_answer a = { .status = waits[_i].status,
		.retry_after = waits[_i].retry_after };
	struct hf_problem p;

	hf_problem_of_answer(&p, "GET /x", &a, 0);
	ck_assert_int_eq(p.wait_s, waits[_i].want);
}
END_TEST

START_TEST(names_are_all_there_and_differ)
{
	for (int i = 0; i < HF_PROBLEM_LAST; i++) {
		ck_assert(*hf_problem_name((enum hf_problem_code)i));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(hf_problem_name((enum hf_problem_code)i),
			    hf_problem_name((enum hf_problem_code)j));
	}
}
END_TEST

START_TEST(a_cause_tells_more_than_a_silence)
{
	struct hf_problem cert, silence, refused;

	hf_problem_set(&cert, HF_PROBLEM_CERT, NULL);
	hf_problem_set(&silence, HF_PROBLEM_TIMEOUT, NULL);
	hf_problem_set(&refused, HF_PROBLEM_CONNECT, NULL);
	ck_assert(hf_problem_tells_more(&silence, &cert));
	ck_assert(hf_problem_tells_more(&silence, &refused));
	ck_assert(!hf_problem_tells_more(&cert, &refused));
	ck_assert(!hf_problem_tells_more(&cert, &cert));
}
END_TEST

Suite *problem_suite(void)
{
	Suite *s = suite_create("problem");
	TCase *tc = tcase_create("answer");

	tcase_add_loop_test(tc, each_answer_has_its_reason, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, a_wait_is_taken_from_those_who_may_ask_for_one, 0,
	    sizeof(waits) / sizeof(waits[0]));
	tcase_add_test(tc, names_are_all_there_and_differ);
	tcase_add_test(tc, a_cause_tells_more_than_a_silence);
	suite_add_tcase(s, tc);
	return s;
}
