/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "adapters/unbound/ub_sums.h"

START_TEST(a_sum_is_new_once)
{
	struct hf_ub_sums s = { 0 };

	ck_assert(!hf_ub_sums_has(&s, 7));
	ck_assert_int_eq(hf_ub_sums_add(&s, 7), 1);
	ck_assert_int_eq(hf_ub_sums_add(&s, 7), 0);
	ck_assert(hf_ub_sums_has(&s, 7));
	ck_assert(!hf_ub_sums_has(&s, 7 + 1024)); /* the same slot */
	ck_assert_int_eq(hf_ub_sums_add(&s, 7 + 1024), 1);
	ck_assert_uint_eq(s.n, 2);
	hf_ub_sums_free(&s);
	ck_assert(!hf_ub_sums_has(&s, 7));
}
END_TEST

START_TEST(none_is_lost_while_it_grows)
{
	struct hf_ub_sums s = { 0 };

	for (uint64_t i = 1; i <= 5000; i++)
		ck_assert_int_eq(hf_ub_sums_add(&s, i * 4096), 1);
	for (uint64_t i = 1; i <= 5000; i++)
		ck_assert(hf_ub_sums_has(&s, i * 4096));
	ck_assert(!hf_ub_sums_has(&s, 5001 * 4096));
	hf_ub_sums_free(&s);
}
END_TEST

START_TEST(a_sum_is_of_all_bytes_in_their_order)
{
	uint64_t whole = hf_ub_sum(0, "abcd", 4);

	ck_assert_uint_eq(hf_ub_sum(hf_ub_sum(0, "ab", 2), "cd", 2), whole);
	ck_assert_uint_ne(hf_ub_sum(hf_ub_sum(0, "cd", 2), "ab", 2), whole);
	ck_assert_uint_ne(hf_ub_sum(0, "abc", 3), whole);
	ck_assert_uint_ne(hf_ub_sum(0, "", 0), 0);
}
END_TEST

Suite *ub_sums_suite(void);
Suite *ub_sums_suite(void)
{
	Suite *s = suite_create("ub_sums");
	TCase *c = tcase_create("ub_sums");

	tcase_add_test(c, a_sum_is_new_once);
	tcase_add_test(c, none_is_lost_while_it_grows);
	tcase_add_test(c, a_sum_is_of_all_bytes_in_their_order);
	suite_add_tcase(s, c);
	return s;
}
