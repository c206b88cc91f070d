/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/key.h"
#include "config/config_table.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *key_suite(void);

START_TEST(a_list_grows_by_zeroed_elements)
{
	struct hf_key key = { .kind = HF_KEY_VALUES, .type = &hf_type_string };
	struct hf_strings list = { NULL, 0 };

	for (size_t i = 0; i < 100; i++) {
		char **at = hf_key_append(&key, &list);

		ck_assert_ptr_null(*at);
		ck_assert_uint_eq(list.n, i + 1);
		*at = strdup("x");
	}
	ck_assert_str_eq(list.at[99], "x");
	hf_key_done(&key, &list);
	ck_assert_ptr_null(list.at);
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

static const struct {
	enum hf_key_kind kind;
	const char *def;
	int rc;
	const char *want;
} rows[] = {
	{ HF_KEY_VALUE, "5", 0, "5" },
	{ HF_KEY_VALUE, "x", HF_EFORMAT, NULL },
	{ HF_KEY_VALUE, "50", HF_ELIMIT, NULL },
	{ HF_KEY_VALUES, "[1, 2,3]", 0, "[1, 2, 3]" },
	{ HF_KEY_VALUES, "[]", 0, "[]" },
	{ HF_KEY_VALUES, "[7]", 0, "[7]" },
	{ HF_KEY_VALUES, "[1, x]", HF_EFORMAT, NULL },
	{ HF_KEY_VALUES, NULL, 0, "[]" },
};

START_TEST(a_default_is_read_like_what_is_written)
{
	struct hf_key key = {
		.kind = rows[_i].kind, .type = &hf_type_int, .min = 1, .max = 9, .def = rows[_i].def
	};
	struct hf_list field = { NULL, 0 };
	char *text;

	ck_assert_int_eq(hf_key_default(&key, &field), rows[_i].rc);
	if (rows[_i].want) {
		text = hf_key_text(&key, &field);
		ck_assert_str_eq(text, rows[_i].want);
		free(text);
	}
	hf_key_done(&key, &field);
}
END_TEST

START_TEST(a_wrong_default_is_told_of)
{
	static const struct hf_key keys[] = {
		{ .name = "a", .kind = HF_KEY_VALUE, .type = &hf_type_string, .def = "x" },
		{ .name = "b",
		    .kind = HF_KEY_VALUE,
		    .type = &hf_type_int,
		    .min = 1,
		    .max = 9,
		    .def = "10",
		    .offset = 8 },
	};
	static const struct hf_key map = { .kind = HF_KEY_MAP, .keys = HF_KEYS(keys), .size = 16 };
	struct {
		char *a;
		int64_t b;
	} base = { NULL, 0 };

	ck_assert_int_eq(hf_keys_defaults(&map.keys, &base), HF_ELIMIT);
	hf_keys_done(&map, &base);
}
END_TEST

START_TEST(keys_are_found_by_name_and_flag)
{
	const struct hf_key *sources = hf_keys_find(&hf_config_table.keys, "sources");

	ck_assert_ptr_nonnull(sources);
	ck_assert_str_eq(hf_keys_flagged(&sources->keys, HF_KEY_IDENTITY)->name, "name");
	ck_assert_ptr_null(hf_keys_flagged(&sources->keys, HF_KEY_VARIANT));
	ck_assert_ptr_null(hf_keys_find(&hf_config_table.keys, "source"));
	ck_assert_ptr_null(hf_keys_find(NULL, "source"));
	ck_assert_ptr_null(hf_keys_variant(sources, NULL));
}
END_TEST

Suite *key_suite(void)
{
	Suite *s = suite_create("key");
	TCase *tc = tcase_create("key");

	tcase_add_test(tc, a_list_grows_by_zeroed_elements);
	tcase_add_loop_test(tc, a_default_is_read_like_what_is_written, 0, N(rows));
	tcase_add_test(tc, a_wrong_default_is_told_of);
	tcase_add_test(tc, keys_are_found_by_name_and_flag);
	suite_add_tcase(s, tc);
	return s;
}
