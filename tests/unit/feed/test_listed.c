/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "bridge/feed/listed.h"

Suite *listed_suite(void);

static struct hf_record record_of(unsigned i)
{
	struct hf_record r = { .primary = i % 3 == 0, .addr[0] = 0xfd };
	char text[40];

	snprintf(text, sizeof(text), "%s%u.coder", i % 2 ? "a-longer-name" : "n", i);
	ck_assert_int_eq(hf_name_parse(text, &r.name), 0);
	r.addr[14] = (uint8_t)(i >> 8);
	r.addr[15] = (uint8_t)i;
	return r;
}

START_TEST(what_was_added_comes_back_as_it_was_in_its_order)
{
	enum { N = 5000 };
	struct hf_listed l = { 0 };
	struct hf_record got;

	for (unsigned i = 0; i < N; i++) {
		const struct hf_record r = record_of(i);

		ck_assert_int_eq(hf_listed_add(&l, &r), 0);
	}
	for (unsigned i = 0; i < N; i++) {
		const struct hf_record r = record_of(i);

		ck_assert(hf_listed_next(&l, &got));
		ck_assert(hf_name_equal(&got.name, &r.name));
		ck_assert_mem_eq(got.addr, r.addr, sizeof(r.addr));
		ck_assert_int_eq(got.primary, r.primary);
	}
	ck_assert(!hf_listed_next(&l, &got));
	ck_assert_uint_lt(l.size, 64 * N);
	hf_listed_done(&l);
}
END_TEST

START_TEST(the_longest_name_fits)
{
	struct hf_record r = { .name.len = HF_NAME_MAX }, got = { 0 };
	struct hf_listed l = { 0 };

	memset(r.name.wire, 0x3f, sizeof(r.name.wire));
	for (unsigned i = 0; i < 40; i++)
		ck_assert_int_eq(hf_listed_add(&l, &r), 0);
	for (unsigned i = 0; i < 40; i++)
		ck_assert(hf_listed_next(&l, &got));
	ck_assert_mem_eq(got.name.wire, r.name.wire, HF_NAME_MAX);
	ck_assert(!hf_listed_next(&l, &got));
	hf_listed_done(&l);
}
END_TEST

START_TEST(an_empty_one_has_nothing_and_can_be_filled_again)
{
	struct hf_record r = record_of(1), got;
	struct hf_listed l = { 0 };

	ck_assert(!hf_listed_next(&l, &got));
	ck_assert_int_eq(hf_listed_add(&l, &r), 0);
	hf_listed_done(&l);
	ck_assert(!hf_listed_next(&l, &got));
	ck_assert_int_eq(hf_listed_add(&l, &r), 0);
	ck_assert(hf_listed_next(&l, &got));
	hf_listed_done(&l);
	hf_listed_done(&l);
}
END_TEST

Suite *listed_suite(void)
{
	Suite *s = suite_create("listed");
	TCase *tc = tcase_create("listed");

	tcase_add_test(tc, what_was_added_comes_back_as_it_was_in_its_order);
	tcase_add_test(tc, the_longest_name_fits);
	tcase_add_test(tc, an_empty_one_has_nothing_and_can_be_filled_again);
	suite_add_tcase(s, tc);
	return s;
}
