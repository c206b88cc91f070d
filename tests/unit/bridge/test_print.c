/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "bridge/ctl/print.h"

Suite *print_suite(void);

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

	tcase_add_loop_test(tc, only_a_live_bridge_without_warnings_is_well, 0,
	    sizeof(healths) / sizeof(healths[0]));
	suite_add_tcase(s, tc);
	return s;
}
