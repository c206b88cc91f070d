/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_warnings.h"

#include <check.h>

#include "tests/unit/adapters/kit_host.h"

Suite *adapter_warnings_suite(void);

static const char *const codes[] = { "first", "second" };

START_TEST(a_warning_is_told_when_it_begins_and_when_it_ends)
{
	struct hf_adapter_warnings w;
	struct kit_host kit;

	kit_host_open(&kit);
	hf_adapter_warnings_init(&w, &kit.host, codes);
	hf_adapter_warnings_set(&w, 1, NULL);
	ck_assert_str_eq(kit.told, "");
	hf_adapter_warnings_set(&w, 1, "it is so");
	hf_adapter_warnings_set(&w, 1, "it is still so");
	hf_adapter_warnings_set(&w, 0, "this too");
	hf_adapter_warnings_set(&w, 1, NULL);
	hf_adapter_warnings_set(&w, 1, NULL);
	hf_adapter_warnings_set(&w, 1, "again");
	ck_assert_str_eq(kit.told,
	    "warn second it is so\nwarn first this too\nwarn second -\nwarn second again\n");
	kit_host_close(&kit);
}
END_TEST

Suite *adapter_warnings_suite(void)
{
	Suite *s = suite_create("adapter_warnings");
	TCase *tc = tcase_create("warnings");

	tcase_add_test(tc, a_warning_is_told_when_it_begins_and_when_it_ends);
	suite_add_tcase(s, tc);
	return s;
}
