/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "bridge/ctl/doctor/doctor.h"

Suite *ctl_doctor_suite(void);

enum { NOW_S = 1000000000 }; /* 2001-09-09T01:46:40Z */

static const struct {
	const char *bridge, *state, *expires; /* expires NULL: not known */
	const char *grade, *said;             /* grade NULL: nothing is told */
} rows[] = {
	{ "running", "live", NULL, "good", "token expiry unknown" },
	{ "running", "live", "2001-09-19T01:46:40Z", "good", "for 10 days" },
	{ "running", "live", "2001-09-16T01:46:40Z", "good", "for 7 days" },
	{ "running", "live", "2001-09-16T01:46:39Z", "note", "expires at 2001-09-16" },
	{ "running", "live", "2001-09-09T02:00:00Z", "bad", "expires at 2001-09-09" },
	{ "running", "live", "2001-09-09T01:00:00Z", "bad", "expired at 2001-09-09" },
	{ "running", "unauthorised", NULL, "bad", "refuses it: signed out" },
	{ "down", "live", "2001-09-09T01:00:00Z", NULL, NULL },
};

START_TEST(a_token_is_judged_by_its_end)
{
	struct hf_config_errors errors;
	struct hf_doctor d = { .now_s = NOW_S, .findings = json_array() };
	struct hf_config *config = NULL;
	const char *text = "sources: [{ name: main, token-file: /etc/my-token }]\n";
	json_t *status = json_pack("{s:s, s:[{s:s, s:s, s:s, s:s?}]}", "bridge", rows[_i].bridge,
	    "sources", "name", "main", "state", rows[_i].state, "reason", "signed out",
	    "token_expires", rows[_i].expires);
	const json_t *f;

	ck_assert_int_eq(hf_config_parse("test", text, strlen(text), 0, &config, &errors), 0);
	d.config = config;
	d.status = status;
	hf_doctor_tokens(&d);
	ck_assert_uint_eq(json_array_size(d.findings), rows[_i].grade ? 1 : 0);
	if (rows[_i].grade) {
		f = json_array_get(d.findings, 0);
		ck_assert_str_eq(json_string_value(json_object_get(f, "grade")), rows[_i].grade);
		ck_assert(strstr(json_string_value(json_object_get(f, "text")), rows[_i].said));
		ck_assert_int_eq(!strcmp(rows[_i].grade, "good"),
		    !strstr(json_string_value(json_object_get(f, "line")), "/etc/my-token") &&
			d.n_bad == 0);
	}
	json_decref(d.findings);
	json_decref(status);
	hf_config_free(config);
}
END_TEST

Suite *ctl_doctor_suite(void)
{
	Suite *s = suite_create("ctl_doctor");
	TCase *tc = tcase_create("doctor");

	tcase_add_loop_test(tc, a_token_is_judged_by_its_end, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
