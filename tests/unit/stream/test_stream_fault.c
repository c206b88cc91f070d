/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "bridge/stream/wire/stream_fault.h"

Suite *stream_fault_suite(void);

START_TEST(every_trouble_has_a_name_of_its_own_a_text_and_a_code)
{
	for (int i = 0; i < HF_STREAM_FAULT_LAST; i++) {
		const char *name = hf_stream_fault_name((enum hf_stream_fault)i);

		ck_assert_uint_eq(
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
		ck_assert_str_ne(hf_stream_fault_text((enum hf_stream_fault)i), "");
		ck_assert_int_eq(
		    hf_stream_fault_code((enum hf_stream_fault)i) < 0, i != HF_STREAM_FAULT_NONE);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(name, hf_stream_fault_name((enum hf_stream_fault)j));
	}
}
END_TEST

START_TEST(no_number_is_beyond_the_table)
{
	ck_assert_str_eq(hf_stream_fault_name(HF_STREAM_FAULT_LAST), "unknown");
	ck_assert_str_eq(hf_stream_fault_text((enum hf_stream_fault)1000), "unknown");
	ck_assert_int_eq(hf_stream_fault_code((enum hf_stream_fault) - 1), HF_EPEER);
}
END_TEST

Suite *stream_fault_suite(void)
{
	Suite *s = suite_create("stream_fault");
	TCase *tc = tcase_create("trouble");

	tcase_add_test(tc, every_trouble_has_a_name_of_its_own_a_text_and_a_code);
	tcase_add_test(tc, no_number_is_beyond_the_table);
	suite_add_tcase(s, tc);
	return s;
}
