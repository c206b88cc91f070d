/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "config/nearest.h"
#include "config/config_table.h"
#include "tests/unit/config/config_kit.h"

Suite *nearest_suite(void);

static const struct {
	const char *a;
	const char *b;
	unsigned want;
} distances[] = {
	{ "", "", 0 },
	{ "", "abc", 3 },
	{ "abc", "abc", 0 },
	{ "abc", "abd", 1 },
	{ "abc", "acb", 1 },
	{ "abc", "ab", 1 },
	{ "abc", "xabc", 1 },
	{ "kitten", "sitting", 3 },
	{ "token_file", "Token-File", 0 },
	{ "ca", "abc", 3 },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 },
};

START_TEST(distance_is_the_number_of_slips)
{
	ck_assert_uint_eq(
	    hf_nearest_distance(distances[_i].a, distances[_i].b), distances[_i].want);
	ck_assert_uint_eq(
	    hf_nearest_distance(distances[_i].b, distances[_i].a), distances[_i].want);
}
END_TEST

static const struct {
	const char *name;
	const char *want; /* NULL: none is near */
} rows[] = {
	{ "stor", "store" },
	{ "TTL", "ttl" },
	{ "provenence", "provenance" },
	{ "notready", "not-ready" },
	{ "source", "sources" },
	{ "x", NULL },
	{ "banana", NULL },
	{ "", NULL },
	{ "holds", "hold" },
	{ "control_grp", "control-group" },
};

START_TEST(the_key_that_was_meant_is_found)
{
	const struct hf_key *key = hf_key_nearest(&hf_config_table.keys, NULL, rows[_i].name);

	if (rows[_i].want) {
		ck_assert_ptr_nonnull(key);
		ck_assert_str_eq(key->name, rows[_i].want);
	} else {
		ck_assert_ptr_null(key);
	}
}
END_TEST

static const struct {
	const char *name;
	const char *want;
} places[] = {
	{ "url", "sources[].url" },
	{ "ttl", "ttl" },
	{ "cap", "sources[].retry.cap" },
	{ "grace", "guard.grace" },
	{ "nope", NULL },
};

START_TEST(a_key_in_the_wrong_map_is_found_where_it_belongs)
{
	char where[100];
	bool found = hf_key_elsewhere(&hf_config_table, places[_i].name, where, sizeof(where));

	ck_assert_int_eq(found, places[_i].want != NULL);
	if (found)
		ck_assert_str_eq(where, places[_i].want);
}
END_TEST

Suite *nearest_suite(void)
{
	Suite *s = suite_create("nearest");
	TCase *tc = tcase_create("nearest");

	tcase_add_loop_test(tc, distance_is_the_number_of_slips, 0, N(distances));
	tcase_add_loop_test(tc, the_key_that_was_meant_is_found, 0, N(rows));
	tcase_add_loop_test(tc, a_key_in_the_wrong_map_is_found_where_it_belongs, 0, N(places));
	suite_add_tcase(s, tc);
	return s;
}
