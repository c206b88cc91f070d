/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "bridge/state/multimap.h"

Suite *multimap_suite(void);

static unsigned count(const struct hf_multimap *m, uint32_t hash, uint32_t value)
{
	size_t at = HF_MULTIMAP_START;
	unsigned n = 0;
	uint32_t v;

	while (hf_multimap_next(m, hash, &at, &v))
		n += v == value;
	return n;
}

START_TEST(an_empty_map_has_nothing)
{
	struct hf_multimap m = { 0 };

	ck_assert_uint_eq(count(&m, 0, 0), 0);
	hf_multimap_del(&m, 0, 0);
	hf_multimap_done(&m);
}
END_TEST

START_TEST(one_hash_holds_many_values)
{
	struct hf_multimap m = { 0 };

	for (uint32_t v = 0; v < 100; v++)
		ck_assert_int_eq(hf_multimap_add(&m, 7, v), 0);
	for (uint32_t v = 0; v < 100; v += 2)
		hf_multimap_del(&m, 7, v);
	for (uint32_t v = 0; v < 100; v++)
		ck_assert_uint_eq(count(&m, 7, v), v % 2);
	hf_multimap_done(&m);
}
END_TEST

/* Against a table of counts, with few hashes so that runs touch and wrap round the end. */
START_TEST(random_steps_match_a_table)
{
	static unsigned want[64][32];
	struct hf_multimap m = { 0 };
	unsigned seed = 20;

	for (int step = 0; step < 20000; step++) {
		uint32_t h = (uint32_t)(rand_r(&seed) % 64), v = (uint32_t)(rand_r(&seed) % 32);

		if (rand_r(&seed) % 2 && want[h][v] < 3) {
			ck_assert_int_eq(hf_multimap_add(&m, h * 0x4000003fU, v), 0);
			want[h][v]++;
		} else {
			hf_multimap_del(&m, h * 0x4000003fU, v);
			want[h][v] -= want[h][v] > 0;
		}
		ck_assert_uint_eq(count(&m, h * 0x4000003fU, v), want[h][v]);
	}
	for (uint32_t h = 0; h < 64; h++)
		for (uint32_t v = 0; v < 32; v++)
			ck_assert_uint_eq(count(&m, h * 0x4000003fU, v), want[h][v]);
	hf_multimap_done(&m);
}
END_TEST

START_TEST(what_was_reserved_comes_in_without_a_copy)
{
	struct hf_multimap m = { 0 };
	const struct hf_multimap_slot *slots;

	ck_assert_int_eq(hf_multimap_reserve(&m, 0), 0);
	ck_assert_int_eq(hf_multimap_add(&m, 7, 3), 0);
	ck_assert_int_eq(hf_multimap_reserve(&m, 1000), 0);
	slots = m.slots;
	for (uint32_t v = 0; v < 999; v++)
		ck_assert_int_eq(hf_multimap_add(&m, v * 0x9e3779b1U, v), 0);
	ck_assert_ptr_eq(m.slots, slots);
	ck_assert_int_eq(hf_multimap_reserve(&m, 10), 0);
	ck_assert_ptr_eq(m.slots, slots);
	ck_assert_uint_eq(count(&m, 7, 3), 1);
	for (uint32_t v = 999; v < 5000; v++)
		ck_assert_int_eq(hf_multimap_add(&m, v * 0x9e3779b1U, v), 0);
	for (uint32_t v = 0; v < 5000; v++)
		ck_assert_uint_eq(count(&m, v * 0x9e3779b1U, v), 1);
	hf_multimap_done(&m);
}
END_TEST

Suite *multimap_suite(void)
{
	Suite *s = suite_create("multimap");
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, an_empty_map_has_nothing);
	tcase_add_test(tc, one_hash_holds_many_values);
	tcase_add_test(tc, random_steps_match_a_table);
	tcase_add_test(tc, what_was_reserved_comes_in_without_a_copy);
	suite_add_tcase(s, tc);
	return s;
}
