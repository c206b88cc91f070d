/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "bridge/ctl/why_missing.h"

Suite *why_missing_suite(void);

static const struct {
	const char *row;
	const char *want; /* within it; NULL: nothing is to be said */
} rows[] = {
	{ "{'status':'stopped','agents':0,'refused':null}",
	    "'dev' of alice is stopped: the server lists no agent" },
	{ "{'status':'starting','agents':0,'refused':null}",
	    "is known (starting) and has no agent" },
	{ "{'status':'running','agents':1,'refused':null}", NULL },
	{ "{'status':'running','agents':0,'refused':'it has a space'}",
	    "is refused: it has a space" },
	{ "{}", "is known (unknown) and has no agent" },
};

START_TEST(a_workspace_without_names_is_explained)
{
	json_t *row;
	char text[400], out[HF_WHY_MISSING_MAX] = "";
	const char *said;
	size_t len = strlen(rows[_i].row);

	/* JSON has other quotes. */
	for (size_t i = 0; i <= len; i++)
		text[i] = (char)(rows[_i].row[i] == '\'' ? '"' : rows[_i].row[i]);
	row = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(row);
	json_object_set_new(row, "workspace", json_string("dev"));
	json_object_set_new(row, "owner", json_string("alice"));
	said = hf_why_missing_workspace(row, out);
	if (rows[_i].want)
		ck_assert_msg(said && strstr(said, rows[_i].want), "%s", out);
	else
		ck_assert_ptr_null(said);
	json_decref(row);
}
END_TEST

Suite *why_missing_suite(void)
{
	Suite *s = suite_create("why_missing");
	TCase *tc = tcase_create("explain");

	tcase_add_loop_test(
	    tc, a_workspace_without_names_is_explained, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
