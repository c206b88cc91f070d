/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of every row of the table. */
#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/gen.h"
#include "config/config_table.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *config_table_suite(void);

static unsigned seen;

static bool is_number(const struct hf_type *type)
{
	return type == &hf_type_int || type == &hf_type_duration || type == &hf_type_size ||
	       type == &hf_type_percent;
}

static void check_name(const struct hf_key *key, const struct hf_keys *siblings)
{
	size_t n = 0;

	ck_assert_msg(islower((unsigned char)key->name[0]), "%s", key->name);
	for (const char *p = key->name; *p; p++)
		ck_assert_msg(islower((unsigned char)*p) || *p == '-', "%s", key->name);
	for (size_t i = 0; i < siblings->n; i++)
		n += !strcmp(siblings->at[i].name, key->name);
	ck_assert_msg(n == 1, "%s is there %zu times", key->name, n);
}

static void check_help(const struct hf_key *key)
{
	ck_assert_msg(key->help && strlen(key->help) > 10, "%s has no help", key->name);
	ck_assert_msg(strlen(key->help) <= 160, "%s: its help is no line", key->name);
	ck_assert_msg(isupper((unsigned char)key->help[0]) || !strncmp(key->help, "auto", 4), "%s",
	    key->name);
	ck_assert_msg(
	    key->help[strlen(key->help) - 1] == '.', "%s: its help ends without a dot", key->name);
}

static void check_value(const struct hf_key *key)
{
	char expect[HF_EXPECT_MAX] = "";
	char *text = hf_gen_value(key);

	/* What people see of it: default or example, and that must be right. */
	ck_assert_msg(key->def || key->example, "%s has neither default nor example", key->name);
	ck_assert_msg(text && *text, "%s: '%s' is no value of it", key->name,
	    key->def ? key->def : key->example);
	free(text);
	key->type->expect(key, expect);
	ck_assert_msg(expect[0] && strlen(expect) < HF_EXPECT_MAX - 1, "%s", key->name);
	if (is_number(key->type))
		ck_assert_msg(key->min < key->max, "%s has no range", key->name);
	if (is_number(key->type) && !key->def)
		ck_assert_msg(key->min > 0, "%s: 0 must mean that it was not given", key->name);
	ck_assert_msg((key->type == &hf_type_enum) == (key->words != NULL), "%s", key->name);
	ck_assert_msg(
	    key->kind != HF_KEY_VALUES || !key->def || key->def[0] == '[', "%s", key->name);
}

/* No two keys at one place, none beyond the struct. */
static void check_places(const struct hf_key *map)
{
	for (size_t i = 0; i < map->keys.n; i++) {
		const struct hf_key *a = &map->keys.at[i];
		size_t size = a->kind == HF_KEY_VALUES || a->kind == HF_KEY_ENTRIES
				  ? sizeof(struct hf_list)
				  : hf_key_size(a);

		ck_assert_msg(a->offset + size <= map->size, "%s lies outside", a->name);
		for (size_t j = 0; j < map->keys.n; j++) {
			const struct hf_key *b = &map->keys.at[j];

			ck_assert_msg(
			    i == j || b->offset >= a->offset + size || b->offset < a->offset,
			    "%s and %s lie at one place", a->name, b->name);
		}
	}
}

static void check_map(const struct hf_key *map)
{
	ck_assert_uint_gt(map->keys.n, 0);
	check_places(map);
	for (size_t i = 0; i < map->keys.n; i++) {
		const struct hf_key *key = &map->keys.at[i];

		seen++;
		check_name(key, &map->keys);
		check_help(key);
		if (key->type)
			check_value(key);
		else
			check_map(key);
		if (key->kind == HF_KEY_ENTRIES)
			ck_assert_ptr_nonnull(hf_keys_flagged(&key->keys, HF_KEY_IDENTITY));
	}
}

START_TEST(every_row_is_whole)
{
	seen = 0;
	check_map(&hf_config_table);
	ck_assert_uint_gt(seen, 50);
}
END_TEST

/* All of the struct is described: what is left when the keys are taken out is padding only. */
START_TEST(every_field_has_its_row)
{
	static struct {
		const char *path;
		size_t size;
	} const maps[] = {
		{ NULL, sizeof(struct hf_config) },
		{ "sources", sizeof(struct hf_config_source) },
		{ "hold", sizeof(struct hf_config_hold) },
		{ "guard", sizeof(struct hf_config_guard) },
		{ "dns", sizeof(struct hf_config_dns) },
		{ "status", sizeof(struct hf_config_status) },
		{ "log", sizeof(struct hf_config_log) },
	};
	const struct hf_key *map =
	    maps[_i].path ? hf_keys_find(&hf_config_table.keys, maps[_i].path) : &hf_config_table;
	size_t used = 0;

	ck_assert_ptr_nonnull(map);
	ck_assert_uint_eq(map->size, maps[_i].size);
	for (size_t i = 0; i < map->keys.n; i++) {
		const struct hf_key *key = &map->keys.at[i];

		used += key->kind == HF_KEY_VALUES || key->kind == HF_KEY_ENTRIES
			    ? sizeof(struct hf_list)
			    : hf_key_size(key);
	}
	ck_assert_uint_lt(map->size - used, sizeof(void *) * 2);
}
END_TEST

Suite *config_table_suite(void)
{
	Suite *s = suite_create("config_table");
	TCase *tc = tcase_create("rows");

	tcase_add_test(tc, every_row_is_whole);
	tcase_add_loop_test(tc, every_field_has_its_row, 0, 7);
	suite_add_tcase(s, tc);
	return s;
}
