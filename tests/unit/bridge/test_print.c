/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/ctl/print.h"

Suite *print_suite(void);

static const struct {
	int64_t seconds;
	const char *want;
} ages[] = { { -5, "0 s" }, { 0, "0 s" }, { 119, "119 s" }, { 120, "2 min" }, { 7199, "119 min" },
	{ 7200, "2 h" }, { 172799, "47 h" }, { 172800, "2 d" } };

START_TEST(an_age_has_the_unit_that_fits)
{
	char out[HF_AGE_MAX];

	ck_assert_str_eq(hf_ctl_age_text(ages[_i].seconds, out), ages[_i].want);
}
END_TEST

/* now is 2026-11-21T12:00:00Z */
static const struct {
	const char *time;
	const char *want;
} whens[] = { { NULL, "never" }, { "nonsense", "never" },
	{ "2026-11-21T09:30:00Z", "09:30 (2 h ago)" },
	{ "2026-11-21T12:00:30Z", "12:00 (in 30 s)" },
	{ "2026-11-11T12:00:00Z", "2026-11-11 12:00 (10 d ago)" } };

START_TEST(a_time_is_shown_as_clock_and_age)
{
	json_t *time = whens[_i].time ? json_string(whens[_i].time) : json_null();
	char out[HF_WHEN_MAX];

	setenv("TZ", "UTC", 1);
	ck_assert_str_eq(hf_ctl_when_text(time, 1795262400, out), whens[_i].want);
	json_decref(time);
}
END_TEST

static const struct {
	const char *status;
	int well;
} healths[] = {
	{ "{\"bridge\":\"running\",\"fresh\":true,\"warnings\":[]}", 1 },
	{ "{\"bridge\":\"down\",\"fresh\":true,\"warnings\":[]}", 0 },
	{ "{\"bridge\":\"running\",\"fresh\":false,\"warnings\":[]}", 0 },
	{ "{\"bridge\":\"running\",\"fresh\":true,\"warnings\":[{}]}", 0 },
	{ "{}", 0 },
};

START_TEST(only_a_live_bridge_without_warnings_is_well)
{
	json_t *status = json_loads(healths[_i].status, 0, NULL);

	ck_assert_int_eq(hf_print_status_is_well(status), healths[_i].well);
	json_decref(status);
}
END_TEST

Suite *print_suite(void)
{
	Suite *s = suite_create("print");
	TCase *tc = tcase_create("show");

	tcase_add_loop_test(tc, an_age_has_the_unit_that_fits, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_loop_test(
	    tc, a_time_is_shown_as_clock_and_age, 0, sizeof(whens) / sizeof(whens[0]));
	tcase_add_loop_test(tc, only_a_live_bridge_without_warnings_is_well, 0,
	    sizeof(healths) / sizeof(healths[0]));
	suite_add_tcase(s, tc);
	return s;
}
