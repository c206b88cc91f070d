/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists whose members' keys depend on a word, nested maps and lists of maps in lists of maps, in a
 * table of the test's own: what the table of Holdfast has or may come to have.
 */
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/config_errors.h"
#include "config/key.h"
#include "config/nearest.h"
#include "config/yaml_tree.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *variant_suite(void);

struct leg {
	char *name;
	int64_t length_ms;
};

struct animal {
	char *name;
	int kind;
	union {
		struct {
			struct hf_strings tricks;
			char *collar;
		} dog;
		struct {
			int64_t depth;
			bool salt;
		} fish;
	};
	struct {
		struct leg *at;
		size_t n;
	} legs;
};

struct zoo {
	struct {
		struct animal *at;
		size_t n;
	} animals;
	struct {
		int64_t weight;
	} gate;
};

static const char *const kinds[] = { "stone", "fish", "dog", NULL };

static const struct hf_key leg_keys[] = {
	{ .name = "name",
	    .kind = HF_KEY_VALUE,
	    .flags = HF_KEY_IDENTITY | HF_KEY_REQUIRED,
	    .type = &hf_type_label,
	    .offset = offsetof(struct leg, name) },
	{ .name = "length",
	    .kind = HF_KEY_VALUE,
	    .type = &hf_type_duration,
	    .min = 1,
	    .max = 100000,
	    .def = "5s",
	    .offset = offsetof(struct leg, length_ms) },
};

static const struct hf_key dog_keys[] = {
	{ .name = "tricks",
	    .kind = HF_KEY_VALUES,
	    .type = &hf_type_string,
	    .def = "[sit, stay]",
	    .offset = offsetof(struct animal, dog.tricks) },
	{ .name = "collar",
	    .kind = HF_KEY_VALUE,
	    .type = &hf_type_string,
	    .offset = offsetof(struct animal, dog.collar) },
};

static const struct hf_key fish_keys[] = {
	{ .name = "depth",
	    .kind = HF_KEY_VALUE,
	    .flags = HF_KEY_REQUIRED,
	    .type = &hf_type_int,
	    .min = 1,
	    .max = 9,
	    .offset = offsetof(struct animal, fish.depth) },
	{ .name = "salt",
	    .kind = HF_KEY_VALUE,
	    .type = &hf_type_flag,
	    .def = "true",
	    .offset = offsetof(struct animal, fish.salt) },
};

static const struct hf_variant variants[] = {
	{ "dog", HF_KEYS(dog_keys) },
	{ "fish", HF_KEYS(fish_keys) },
	{ NULL, { NULL, 0 } },
};

static const struct hf_key animal_keys[] = {
	{ .name = "name",
	    .kind = HF_KEY_VALUE,
	    .flags = HF_KEY_IDENTITY,
	    .type = &hf_type_label,
	    .def = "rex",
	    .offset = offsetof(struct animal, name) },
	{ .name = "type",
	    .kind = HF_KEY_VALUE,
	    .flags = HF_KEY_VARIANT,
	    .type = &hf_type_enum,
	    .words = kinds,
	    .offset = offsetof(struct animal, kind) },
	{ .name = "legs",
	    .kind = HF_KEY_ENTRIES,
	    .keys = HF_KEYS(leg_keys),
	    .size = sizeof(struct leg),
	    .n_max = 4,
	    .offset = offsetof(struct animal, legs) },
};

static const struct hf_key gate_keys[] = {
	{ .name = "weight", .kind = HF_KEY_VALUE, .type = &hf_type_size, .min = 1, .max = 1 << 20 },
};

static const struct hf_key zoo_keys[] = {
	{ .name = "animals",
	    .kind = HF_KEY_ENTRIES,
	    .flags = HF_KEY_NONEMPTY,
	    .keys = HF_KEYS(animal_keys),
	    .variants = variants,
	    .size = sizeof(struct animal),
	    .offset = offsetof(struct zoo, animals) },
	{ .name = "gate",
	    .kind = HF_KEY_MAP,
	    .keys = HF_KEYS(gate_keys),
	    .size = sizeof(int64_t),
	    .offset = offsetof(struct zoo, gate) },
};

static const struct hf_key zoo_table = {
	.name = "",
	.kind = HF_KEY_MAP,
	.keys = HF_KEYS(zoo_keys),
	.size = sizeof(struct zoo),
};

/* Reads the text; what is told of it goes to `said`. End it with hf_keys_done(). */
static struct zoo zoo_of(const char *yaml, char said[static 1000])
{
	struct hf_config_errors e;
	struct hf_node *root = NULL;
	struct zoo zoo = { 0 };

	hf_config_errors_init(&e, "z");
	ck_assert_int_eq(hf_yaml_tree_parse(yaml, strlen(yaml), &e, &root), 0);
	ck_assert_int_eq(hf_keys_read(&zoo_table, root, &zoo, &e), 0);
	hf_yaml_tree_free(root);
	hf_config_errors_sort(&e);
	*said = '\0';
	for (size_t i = 0; i < e.n; i++)
		snprintf(said + strlen(said), 1000 - strlen(said), "%s%s: %s", i ? "\n" : "",
		    e.at[i].path, e.at[i].text);
	return zoo;
}

static char *text_of(const struct zoo *zoo)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	hf_keys_print(&zoo_table, zoo, out);
	fclose(out);
	return text;
}

START_TEST(the_word_decides_which_keys_there_are)
{
	char said[1000];
	struct zoo z = zoo_of(
	    "animals:\n  - { type: dog, collar: red, name: a }\n  - { depth: 3, name: b, type: fish }\n"
	    "  - { type: dog, tricks: roll, name: c, legs: [ { name: x }, { name: y, length: 1s } ] }\n"
	    "  - { type: stone }\n",
	    said);

	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(z.animals.n, 4);
	ck_assert_str_eq(z.animals.at[0].dog.collar, "red");
	ck_assert_uint_eq(z.animals.at[0].dog.tricks.n, 2);
	ck_assert_str_eq(z.animals.at[0].dog.tricks.at[1], "stay");
	ck_assert_int_eq(z.animals.at[1].fish.depth, 3);
	ck_assert(z.animals.at[1].fish.salt);
	ck_assert_uint_eq(z.animals.at[2].dog.tricks.n, 1);
	ck_assert_uint_eq(z.animals.at[2].legs.n, 2);
	ck_assert_int_eq(z.animals.at[2].legs.at[0].length_ms, 5000);
	ck_assert_int_eq(z.animals.at[2].legs.at[1].length_ms, 1000);
	ck_assert_str_eq(z.animals.at[3].name, "rex");
	hf_keys_done(&zoo_table, &z);
	ck_assert_uint_eq(z.animals.n, 0);
}
END_TEST

static const struct {
	const char *yaml;
	const char *want;
} rows[] = {
	{ "animals: [ { name: a } ]\n", "animals[0]: needs the key 'type'" },
	{ "animals: [ { type: cat, collar: x } ]\n",
	    "animals[0].type: 'cat' is not a known word; expected stone, fish or dog" },
	{ "animals: [ { type: fish } ]\n", "animals[0]: needs the key 'depth'" },
	{ "animals: [ { type: stone, depth: 3 } ]\n",
	    "animals[0].depth: unknown key; did you mean 'animals[].depth'?" },
	{ "animals: [ { type: dog, colar: x } ]\n",
	    "animals[0].colar: unknown key; did you mean 'collar'?" },
	{ "animals: [ { type: stone, legs: [ { name: a }, { length: 1s } ] } ]\n",
	    "animals[0].legs[1]: needs the key 'name'" },
	{ "animals: [ { type: stone, legs: [ { name: a }, { name: a } ] } ]\n",
	    "animals[0].legs[1].name: 'a' is also that of legs[0]; each needs its own" },
	{ "animals: [ { type: stone, legs: [ {name: a}, {name: b}, {name: c}, {name: d}, {name: e} ] } ]\n",
	    "animals[0].legs[4]: too many; expected at most 4" },
	{ "animals: []\n", "animals: is an empty list; expected at least one" },
	{ "animals: [ { type: fish, depth: 10, type2: 1 } ]\n",
	    "animals[0].depth: 10 is out of range; expected 1 to 9\nanimals[0].type2: unknown key; did you mean 'type'?" },
	{ "gate: {}\n", "" },
};

START_TEST(what_is_wrong_in_a_member_is_told)
{
	char said[1000];
	struct zoo z = zoo_of(rows[_i].yaml, said);

	ck_assert_str_eq(said, rows[_i].want);
	hf_keys_done(&zoo_table, &z);
}
END_TEST

static const char *const zoos[] = {
	"{}",
	"gate: { weight: 5 }",
	"animals: [ { type: dog }, { name: b, type: fish, depth: 1, salt: false } ]",
	"animals: [ { name: c, type: stone }, { name: d, type: dog, collar: x y } ]",
	"animals: [ { type: dog, tricks: [], legs: [ { name: a }, { name: b, length: 2ms } ] } ]",
};

START_TEST(members_print_and_read_back)
{
	char said[1000];
	struct zoo a = zoo_of(zoos[_i], said), b;
	char *first = text_of(&a), *second;

	ck_assert_str_eq(said, "");
	b = zoo_of(first, said);
	ck_assert_str_eq(said, "");
	second = text_of(&b);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	hf_keys_done(&zoo_table, &a);
	hf_keys_done(&zoo_table, &b);
}
END_TEST

static char told[1000];

static void note(const struct hf_config_change *change, void *arg)
{
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s: %s -> %s",
	    *told ? "\n" : "", change->path, change->before ? change->before : "-",
	    change->after ? change->after : "-");
}

START_TEST(members_are_compared_by_name_and_kind)
{
	char said[1000];
	struct zoo a =
	    zoo_of("animals: [ { name: a, type: dog }, { name: b, type: fish, depth: 1 } ]", said);
	struct zoo b = zoo_of(
	    "animals: [ { name: a, type: fish, depth: 2 }, { name: b, type: fish, depth: 3, legs: [ { name: x } ] } ]",
	    said);

	*told = '\0';
	ck_assert_int_eq(hf_keys_diff(&zoo_table, &a, &b, note, NULL), 3);
	ck_assert_str_eq(told,
	    "animals[a].type: dog -> fish\nanimals[b].legs[x]: - -> x\nanimals[b].depth: 1 -> 3");
	hf_keys_done(&zoo_table, &a);
	hf_keys_done(&zoo_table, &b);
}
END_TEST

START_TEST(keys_of_a_variant_are_found_elsewhere)
{
	char where[60];

	ck_assert(hf_key_elsewhere(&zoo_table, "salt", where, sizeof(where)));
	ck_assert_str_eq(where, "animals[].salt");
}
END_TEST

Suite *variant_suite(void)
{
	Suite *s = suite_create("variant");
	TCase *tc = tcase_create("variant");

	tcase_add_test(tc, the_word_decides_which_keys_there_are);
	tcase_add_loop_test(tc, what_is_wrong_in_a_member_is_told, 0, N(rows));
	tcase_add_loop_test(tc, members_print_and_read_back, 0, N(zoos));
	tcase_add_test(tc, members_are_compared_by_name_and_kind);
	tcase_add_test(tc, keys_of_a_variant_are_found_elsewhere);
	suite_add_tcase(s, tc);
	return s;
}
