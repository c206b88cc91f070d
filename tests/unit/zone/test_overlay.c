/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "zone/overlay.h"

Suite *overlay_suite(void);

static struct hf_overlay *overlay, *other;

static void setup(void)
{
	ck_assert_int_eq(hf_overlay_new(&overlay), 0);
	ck_assert_int_eq(hf_overlay_new(&other), 0);
}

static void teardown(void)
{
	hf_overlay_free(overlay);
	hf_overlay_free(other);
	hf_overlay_free(NULL);
}

static void put(struct hf_overlay *o, const char *key, const char *value)
{
	ck_assert_int_eq(hf_overlay_put(o, key, strlen(key), value, strlen(value)), 0);
}

static void check(const struct hf_overlay *o, const char *key, const char *want)
{
	size_t len = 0;
	const uint8_t *value = hf_overlay_get(o, key, strlen(key), &len);

	if (!want) {
		ck_assert_ptr_null(value);
		return;
	}
	ck_assert_ptr_nonnull(value);
	ck_assert_uint_eq(len, strlen(want));
	ck_assert(!memcmp(value, want, len));
}

START_TEST(last_value_of_a_key_counts)
{
	check(overlay, "a", NULL);
	put(overlay, "a", "one");
	put(overlay, "ab", "two");
	check(overlay, "a", "one");
	put(overlay, "a", "six");
	check(overlay, "a", "six");
	put(overlay, "a", "longer");
	check(overlay, "a", "longer");
	put(overlay, "a", "s");
	check(overlay, "a", "s");
	check(overlay, "ab", "two");
	ck_assert_uint_eq(hf_overlay_count(overlay), 2);
}
END_TEST

START_TEST(walk_sees_each_entry_once_with_its_last_value)
{
	struct hf_overlay_entry e;
	unsigned seen[3] = { 0 };
	size_t at = 0;

	ck_assert(!hf_overlay_next(overlay, &at, &e));
	put(overlay, "0", "x");
	put(overlay, "1", "x");
	put(overlay, "2", "x");
	put(overlay, "1", "last");
	for (at = 0; hf_overlay_next(overlay, &at, &e);) {
		ck_assert_uint_eq(e.key_len, 1);
		seen[e.key[0] - '0']++;
		ck_assert_uint_eq(e.value_len, e.key[0] == '1' ? 4 : 1);
	}
	ck_assert(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
}
END_TEST

START_TEST(cleared_overlay_is_empty_and_small)
{
	char key[16];

	for (unsigned i = 0; i < (_i ? 10000u : 3u); i++) {
		snprintf(key, sizeof(key), "%u", i);
		put(overlay, key, "some value");
	}
	hf_overlay_clear(overlay);
	ck_assert_uint_eq(hf_overlay_count(overlay), 0);
	ck_assert_uint_lt(hf_overlay_memory(overlay), 8192);
	check(overlay, "1", NULL);
	put(overlay, "1", "again");
	check(overlay, "1", "again");
	ck_assert_uint_eq(hf_overlay_count(overlay), 1);
}
END_TEST

static const struct {
	size_t key_len, value_len;
	int want;
} sizes[] = {
	{ 1, 1, 0 },
	{ 255, HF_OVERLAY_VALUE_MAX, 0 },
	{ 0, 1, HF_ELIMIT },
	{ 256, 1, HF_ELIMIT },
	{ 1, 0, HF_ELIMIT },
	{ 1, HF_OVERLAY_VALUE_MAX + 1, HF_ELIMIT },
};

START_TEST(sizes_have_bounds)
{
	static uint8_t bytes[HF_OVERLAY_VALUE_MAX + 1];
	size_t len = 0;
	const uint8_t *value;

	memset(bytes, 0xa5, sizeof(bytes));
	ck_assert_int_eq(
	    hf_overlay_put(overlay, bytes, sizes[_i].key_len, bytes, sizes[_i].value_len),
	    sizes[_i].want);
	value = hf_overlay_get(overlay, bytes, sizes[_i].key_len, &len);
	ck_assert((value != NULL) == !sizes[_i].want);
	ck_assert(!value || (len == sizes[_i].value_len && !memcmp(value, bytes, len)));
}
END_TEST

/*
 * The larger side is the one that is kept, whichever it is: the younger value counts all the same.
 */
START_TEST(merge_has_both_and_the_younger_counts)
{
	char key[32];

	for (unsigned i = 0; i < (_i ? 100u : 0u); i++) {
		snprintf(key, sizeof(key), "under %u", i);
		put(overlay, key, "u");
	}
	put(overlay, "both", "under");
	put(overlay, "only under", "u");
	put(other, "both", "over");
	put(other, "only over", "o");
	put(other, "another", "o");
	ck_assert_int_eq(hf_overlay_merge(overlay, other), 0);
	check(overlay, "both", "over");
	check(overlay, "only under", "u");
	check(overlay, "only over", "o");
	ck_assert_uint_eq(hf_overlay_count(overlay), (_i ? 100u : 0u) + 4);
	ck_assert_uint_eq(hf_overlay_count(other), 0);
	put(other, "new", "n");
	check(other, "new", "n");
	check(other, "both", NULL);
	check(overlay, "new", NULL);
}
END_TEST

START_TEST(merge_with_an_empty_one_changes_nothing)
{
	put(overlay, "a", "1");
	ck_assert_int_eq(hf_overlay_merge(overlay, other), 0);
	check(overlay, "a", "1");
	ck_assert_int_eq(hf_overlay_merge(other, overlay), 0);
	check(other, "a", "1");
	ck_assert_uint_eq(hf_overlay_count(overlay), 0);
	ck_assert_int_eq(hf_overlay_merge(other, overlay), 0);
	check(other, "a", "1");
}
END_TEST

START_TEST(values_of_changing_length_do_not_grow_it_without_end)
{
	static const char filler[500];
	char key[16];

	for (unsigned round = 0; round < 2000; round++) {
		for (unsigned i = 0; i < 20; i++) {
			snprintf(key, sizeof(key), "%u", i);
			ck_assert_int_eq(hf_overlay_put(overlay, key, strlen(key), filler,
					     1 + (round * 37 + i) % sizeof(filler)),
			    0);
		}
	}
	ck_assert_uint_eq(hf_overlay_count(overlay), 20);
	ck_assert_uint_lt(hf_overlay_memory(overlay), 100000);
}
END_TEST

/* Against a plain table. */
START_TEST(random_changes_are_what_they_should_be)
{
	enum { KEYS = 300, STEPS = 20000 };
	static uint8_t want[KEYS][40];
	static size_t want_len[KEYS];
	unsigned seed = 1 + (unsigned)_i, n = 0;
	struct hf_overlay_entry e;
	char key[16];

	memset(want_len, 0, sizeof(want_len));
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned k = (unsigned)rand_r(&seed) % KEYS;
		size_t len = 1 + (size_t)(rand_r(&seed) % 40);
		struct hf_overlay *o = step / 1000 % 2 ? other : overlay;

		memset(want[k], rand_r(&seed), len);
		n += !want_len[k];
		want_len[k] = len;
		snprintf(key, sizeof(key), "key-%u", k);
		ck_assert_int_eq(hf_overlay_put(o, key, strlen(key), want[k], len), 0);
		if (step % 1000 == 999 && o == other)
			ck_assert_int_eq(hf_overlay_merge(overlay, other), 0);
	}
	ck_assert_uint_eq(hf_overlay_count(overlay), n);
	for (size_t at = 0; hf_overlay_next(overlay, &at, &e); n--) {
		unsigned k;

		snprintf(key, sizeof(key), "%.*s", (int)e.key_len, (const char *)e.key);
		k = (unsigned)atoi(key + 4);
		ck_assert(e.value_len == want_len[k] && !memcmp(e.value, want[k], e.value_len));
	}
	ck_assert_uint_eq(n, 0);
}
END_TEST

Suite *overlay_suite(void)
{
	Suite *s = suite_create("overlay");
	TCase *tc = tcase_create("map");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, last_value_of_a_key_counts);
	tcase_add_test(tc, walk_sees_each_entry_once_with_its_last_value);
	tcase_add_loop_test(tc, cleared_overlay_is_empty_and_small, 0, 2);
	tcase_add_loop_test(tc, sizes_have_bounds, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(tc, merge_has_both_and_the_younger_counts, 0, 2);
	tcase_add_test(tc, merge_with_an_empty_one_changes_nothing);
	tcase_add_test(tc, values_of_changing_length_do_not_grow_it_without_end);
	tcase_add_loop_test(tc, random_changes_are_what_they_should_be, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
