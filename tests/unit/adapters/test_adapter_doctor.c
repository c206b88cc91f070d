/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_doctor.h"

#include <string.h>

#include <check.h>

#include "adapters/adapter_head.h"
#include "tests/unit/adapters/kit_host.h"

Suite *adapter_doctor_suite(void);

START_TEST(a_finding_is_told_whole)
{
	struct kit_host kit;
	static struct hf_adapter a;
	char path[3000];

	kit_host_open(&kit);
	a.host = &kit.host;
	hf_adapter_found(&a, HF_FINDING_BAD, "chmod o+r", "%s: mode %o", "/x", 0640U);
	hf_adapter_found(&a, HF_FINDING_GOOD, "", "all is well");
	ck_assert_str_eq(kit.told, "found 2 /x: mode 640 chmod o+r\nfound 0 all is well \n");
	kit.told[0] = '\0';
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	hf_adapter_found(&a, HF_FINDING_BAD, "", "%s ends", path);
	ck_assert_ptr_nonnull(strstr(kit.told, "p ends"));
	kit_host_close(&kit);
}
END_TEST

Suite *adapter_doctor_suite(void)
{
	Suite *s = suite_create("adapter_doctor");
	TCase *tc = tcase_create("doctor");

	tcase_add_test(tc, a_finding_is_told_whole);
	suite_add_tcase(s, tc);
	return s;
}
