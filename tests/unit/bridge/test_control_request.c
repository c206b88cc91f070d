/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/control/control_request.h"

Suite *control_request_suite(void);

static const struct {
	const char *line;
	enum hf_command command;
	bool orders;
} good[] = {
	{ "{\"command\":\"status\"}", HF_COMMAND_STATUS, false },
	{ "{\"command\":\"records\",\"novel\":1}", HF_COMMAND_RECORDS, false },
	{ "{\"command\":\"records\",\"form\":\"zone\",\"suffix\":\"coder\",\"stale\":true}",
	    HF_COMMAND_RECORDS, false },
	{ "{\"command\":\"history\",\"max\":1,\"name\":null}", HF_COMMAND_HISTORY, false },
	{ "{\"command\":\"accept\",\"what\":\"suffix\"}", HF_COMMAND_ACCEPT, true },
	/* Whoever may look may see what a decision would do. */
	{ "{\"command\":\"preview\",\"decision\":\"accept\"}", HF_COMMAND_PREVIEW, false },
	{ "{\"command\":\"preview\",\"decision\":\"reject\"}", HF_COMMAND_PREVIEW, false },
	{ "{\"command\":\"reject\",\"source\":\"main\"}", HF_COMMAND_REJECT, true },
};

START_TEST(a_request_is_read)
{
	struct hf_control_request r;
	const char *why;

	ck_assert_int_eq(
	    hf_control_request_parse(good[_i].line, strlen(good[_i].line), &r, &why), 0);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(r.command, good[_i].command);
	ck_assert_int_eq(hf_control_request_orders(&r), good[_i].orders);
}
END_TEST

static const char *const bad[] = {
	"",
	"status",
	"[]",
	"{}",
	"{\"command\":7}",
	"{\"command\":\"stat\"}",
	"{\"command\":\"status\",\"command\":\"accept\"}",
	"{\"command\":\"accept\",\"what\":\"all\"}",
	"{\"command\":\"accept\",\"source\":7}",
	"{\"command\":\"accept\",\"source\":\"a\\u0000b\"}",
	"{\"command\":\"accept\",\"what\":\"0123456789abcdef\"}",
	"{\"command\":\"history\",\"max\":0}",
	"{\"command\":\"history\",\"max\":1001}",
	"{\"command\":\"history\",\"after\":-1}",
	"{\"command\":\"history\",\"after\":1.5}",
	"{\"command\":\"records\",\"form\":\"xml\"}",
	"{\"command\":\"preview\"}",
	"{\"command\":\"preview\",\"decision\":\"resync\"}",
	"{\"command\":\"accept\",\"ticket\":\"0123456789abcdef0\"}",
	"{\"command\":\"records\",\"form\":1}",
	"{\"command\":\"records\",\"suffix\":\"no name\"}",
	"{\"command\":\"records\",\"suffix\":\"a\\u0000b\"}",
};

START_TEST(what_is_no_request_is_refused_with_a_reason)
{
	struct hf_control_request r;
	const char *why;

	ck_assert_int_eq(hf_control_request_parse(bad[_i], strlen(bad[_i]), &r, &why), HF_EREFUSED);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(a_text_may_fill_its_place_and_no_more)
{
	char label[HF_LABEL_MAX + 2], line[200];
	struct hf_control_request r;
	const char *why;

	for (size_t len = HF_LABEL_MAX; len <= HF_LABEL_MAX + 1; len++) {
		memset(label, 'a', len);
		label[len] = '\0';
		snprintf(line, sizeof(line), "{\"command\":\"accept\",\"source\":\"%s\"}", label);
		ck_assert_int_eq(hf_control_request_parse(line, strlen(line), &r, &why),
		    len == HF_LABEL_MAX ? 0 : HF_EREFUSED);
	}
}
END_TEST

Suite *control_request_suite(void)
{
	Suite *s = suite_create("control_request");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, a_request_is_read, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(
	    tc, what_is_no_request_is_refused_with_a_reason, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, a_text_may_fill_its_place_and_no_more);
	suite_add_tcase(s, tc);
	return s;
}
