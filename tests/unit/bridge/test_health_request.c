/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "bridge/control/health_request.h"

Suite *health_request_suite(void);

static const struct {
	const char *text;
	int want;
	enum hf_health_path path;
	int head;
} rows[] = {
	{ "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 1, HF_HEALTH_LIVE, 0 },
	{ "GET /readyz HTTP/1.0\n\n", 1, HF_HEALTH_READY, 0 },
	{ "HEAD /healthz?verbose HTTP/1.1\r\n\r\n", 1, HF_HEALTH_LIVE, 1 },
	{ "GET /healthz/ HTTP/1.1\r\n\r\n", 1, HF_HEALTH_OTHER, 0 },
	{ "GET http://x/healthz HTTP/1.1\r\n\r\n", 1, HF_HEALTH_OTHER, 0 },
	{ "GET /healthz HTTP/1.1\r\n\r\nGET /", 1, HF_HEALTH_LIVE, 0 },
	{ "", 0, 0, 0 },
	{ "GET /healthz HTTP/1.1\r\n", 0, 0, 0 },
	{ "GET /healthz HTTP/1.1\r\nHost: x\r\n\r", 0, 0, 0 },
	{ "POST /healthz HTTP/1.1\r\n\r\n", -405, 0, 0 },
	{ "get /healthz HTTP/1.1\r\n\r\n", -405, 0, 0 },
	{ "GET /healthz HTTP/2.0\r\n\r\n", -505, 0, 0 },
	{ "GET /healthz\r\n\r\n", -400, 0, 0 },
	{ "GET  /healthz HTTP/1.1\r\n\r\n", -400, 0, 0 },
	{ "GET /healthz HTTP/1.1 \r\n\r\n", -400, 0, 0 },
	{ "GET /\x01 HTTP/1.1\r\n\r\n", -400, 0, 0 },
	{ "GET /\xc3\xa4 HTTP/1.1\r\n\r\n", -400, 0, 0 },
	{ "\r\n\r\n", -400, 0, 0 },
	{ "\n\n", -400, 0, 0 },
};

START_TEST(a_head_is_taken_or_refused)
{
	struct hf_health_request r = { 0 };

	ck_assert_int_eq(hf_health_parse(rows[_i].text, strlen(rows[_i].text), &r), rows[_i].want);
	if (rows[_i].want != 1)
		return;
	ck_assert_int_eq(r.path, rows[_i].path);
	ck_assert_int_eq(r.head, rows[_i].head);
}
END_TEST

START_TEST(a_head_has_an_end_or_is_too_long)
{
	struct hf_health_request r;
	char head[HF_HEALTH_HEAD_MAX + 10];

	memset(head, 'a', sizeof(head));
	ck_assert_int_eq(hf_health_parse(head, HF_HEALTH_HEAD_MAX - 1, &r), 0);
	ck_assert_int_eq(hf_health_parse(head, HF_HEALTH_HEAD_MAX, &r), -431);
	/* An end beyond the limit is none. */
	memcpy(head + HF_HEALTH_HEAD_MAX, "\n\n", 2);
	ck_assert_int_eq(hf_health_parse(head, sizeof(head), &r), -431);
}
END_TEST

Suite *health_request_suite(void)
{
	Suite *s = suite_create("health_request");
	TCase *tc = tcase_create("head");

	tcase_add_loop_test(tc, a_head_is_taken_or_refused, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, a_head_has_an_end_or_is_too_long);
	suite_add_tcase(s, tc);
	return s;
}
