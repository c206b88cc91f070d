/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "zone/name.h"
#include "zone/record.h"
#include "zone/sum.h"

Suite *sum_suite(void);

static struct hf_name name_of(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

START_TEST(each_part_of_what_a_name_tells_is_in_its_sum)
{
	struct hf_name name = name_of("main.dev.me.coder"), other = name_of("main.dev.me.coden");
	uint8_t addr[16] = { 0xfd, 0x60 };
	uint64_t sum = hf_sum_of(&name, addr, 1, 2, 3);

	ck_assert_uint_eq(hf_sum_of(&name, addr, 1, 2, 3), sum);
	ck_assert_uint_ne(hf_sum_of(&other, addr, 1, 2, 3), sum);
	ck_assert_uint_ne(hf_sum_of(&name, addr, 0, 2, 3), sum);
	ck_assert_uint_ne(hf_sum_of(&name, addr, 1, 3, 3), sum);
	ck_assert_uint_ne(hf_sum_of(&name, addr, 1, 2, 4), sum);
	for (size_t i = 0; i < sizeof(addr); i++)
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			addr[i] ^= (uint8_t)bit;
			ck_assert_uint_ne(hf_sum_of(&name, addr, 1, 2, 3), sum);
			addr[i] ^= (uint8_t)bit;
		}
}
END_TEST

START_TEST(what_is_no_owner_is_the_same_for_all)
{
	struct hf_name name = name_of("a.coder");
	const uint8_t addr[16] = { 0xfd };

	ck_assert_uint_eq(hf_sum_of(&name, addr, 0, 0, UINT32_MAX),
	    hf_sum_of(&name, addr, 0, 0, HF_ZONE_OWNER_NONE));
	ck_assert_uint_ne(
	    hf_sum_of(&name, addr, 0, 0, UINT32_MAX), hf_sum_of(&name, addr, 0, 0, 0));
}
END_TEST

/* Two names that change their addresses leave the same parts, and another whole. */
START_TEST(addresses_that_change_places_change_the_sum)
{
	struct hf_name a = name_of("a.coder"), b = name_of("b.coder");
	const uint8_t x[16] = { 0xfd, 1 }, y[16] = { 0xfd, 2 };

	ck_assert_uint_ne(hf_sum_of(&a, x, 0, 0, 0) + hf_sum_of(&b, y, 0, 0, 0),
	    hf_sum_of(&a, y, 0, 0, 0) + hf_sum_of(&b, x, 0, 0, 0));
}
END_TEST

Suite *sum_suite(void)
{
	Suite *s = suite_create("sum");
	TCase *tc = tcase_create("sum");

	tcase_add_test(tc, each_part_of_what_a_name_tells_is_in_its_sum);
	tcase_add_test(tc, what_is_no_owner_is_the_same_for_all);
	tcase_add_test(tc, addresses_that_change_places_change_the_sum);
	suite_add_tcase(s, tc);
	return s;
}
