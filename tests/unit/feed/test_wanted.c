/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/feed/wanted.h"

Suite *wanted_suite(void);

static struct hf_wanted *picture;

static void setup(void)
{
	ck_assert_int_eq(hf_wanted_new(&picture), 0);
}

static void teardown(void)
{
	hf_wanted_free(picture);
}

static void add(const char *text, uint8_t last, uint8_t flags)
{
	uint8_t addr[16] = { [15] = last };
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	ck_assert_int_eq(hf_wanted_add(picture, &name, addr, flags), 0);
}

START_TEST(names_come_in_the_order_of_their_text)
{
	static const char *const in[] = { "b.coder", "a.coder", "a-b.coder", "aa.coder",
		"a.a.coder" };
	static const char *const out[] = { "a-b.coder", "a.a.coder", "a.coder", "aa.coder",
		"b.coder" };
	struct hf_item item;

	for (size_t i = 0; i < 5; i++)
		add(in[i], (uint8_t)i, 0);
	ck_assert_int_eq(hf_wanted_seal(picture), 0);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < 5; i++, hf_wanted_next(picture)) {
			ck_assert(hf_wanted_at(picture, &item));
			ck_assert_str_eq(item.text, out[i]);
		}
		ck_assert(!hf_wanted_at(picture, &item));
		hf_wanted_next(picture);
		hf_wanted_rewind(picture);
	}
}
END_TEST

/* Also where the two are far from each other. */
START_TEST(of_a_name_that_was_added_twice_the_last_one_counts)
{
	struct hf_item item;
	char text[32];
	size_t n = 0;

	add("twice.coder", 1, HF_ITEM_AGAIN);
	for (int i = 0; i < _i; i++) {
		snprintf(text, sizeof(text), "n%d.coder", i);
		add(text, 0, 0);
	}
	add("twice.coder", 2, HF_ITEM_PRIMARY);
	ck_assert_int_eq(hf_wanted_seal(picture), 0);
	for (; hf_wanted_at(picture, &item); hf_wanted_next(picture)) {
		if (strcmp(item.text, "twice.coder"))
			continue;
		ck_assert_uint_eq(item.addr[15], 2);
		ck_assert_uint_eq(item.flags, HF_ITEM_PRIMARY);
		n++;
	}
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(many_names_are_all_there_and_in_order)
{
	enum { N = 30000 };
	char text[32], last[32] = "";
	struct hf_item item;
	size_t n = 0;

	for (uint32_t i = 0; i < N; i++) {
		snprintf(text, sizeof(text), "n%u.coder", i * 7919 % N);
		add(text, (uint8_t)i, 0);
	}
	ck_assert_uint_eq(hf_wanted_n(picture), N);
	ck_assert_int_eq(hf_wanted_seal(picture), 0);
	for (; hf_wanted_at(picture, &item); hf_wanted_next(picture), n++) {
		ck_assert_int_lt(strcmp(last, item.text), 0);
		snprintf(last, sizeof(last), "%s", item.text);
	}
	ck_assert_uint_eq(n, N);
}
END_TEST

START_TEST(one_without_names_is_at_its_end)
{
	struct hf_item item;

	ck_assert_int_eq(hf_wanted_seal(picture), 0);
	ck_assert(!hf_wanted_at(picture, &item));
	hf_wanted_next(picture);
	hf_wanted_rewind(picture);
	ck_assert(!hf_wanted_at(picture, &item));
}
END_TEST

Suite *wanted_suite(void)
{
	Suite *s = suite_create("wanted");
	TCase *tc = tcase_create("picture");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, names_come_in_the_order_of_their_text);
	tcase_add_loop_test(tc, of_a_name_that_was_added_twice_the_last_one_counts, 0, 2);
	tcase_add_loop_test(tc, of_a_name_that_was_added_twice_the_last_one_counts, 9000, 9001);
	tcase_add_test(tc, many_names_are_all_there_and_in_order);
	tcase_add_test(tc, one_without_names_is_at_its_end);
	suite_add_tcase(s, tc);
	return s;
}
