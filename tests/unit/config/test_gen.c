/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "config/gen.h"
#include "config/config_table.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *gen_suite(void);

typedef void gen_fn(const struct hf_key *table, FILE *out);

/* noinline: gcc 12 takes the memory of open_memstream() for that of its variable. */
static __attribute__((noinline)) char *generated(gen_fn *gen)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	gen(&hf_config_table, out);
	fclose(out);
	return text;
}

static const struct {
	gen_fn *gen;
	const char *path;
} rows[] = {
	{ hf_gen_sample, SOURCE_ROOT "/examples/holdfast.yaml" },
	{ hf_gen_manual, SOURCE_ROOT "/docs/man/holdfast.yaml.5" },
};

START_TEST(the_file_in_the_tree_is_the_table_of_today)
{
	char *now = generated(rows[_i].gen), *then = file_text(rows[_i].path);

	ck_assert_msg(!strcmp(now, then), "%s: ninja config-docs renews it", rows[_i].path);
	free(now);
	free(then);
}
END_TEST

/*
 * The sample has "NAME:", the manual ".B NAME" or a heading that ends with it, hyphens as roff
 * wants them.
 */
static void names_are_in(const struct hf_keys *keys, const char *text, bool is_manual)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct hf_key *key = &keys->at[i];
		char want[100];
		size_t n =
		    (size_t)snprintf(want, sizeof(want), "%s", is_manual && key->type ? ".B " : "");

		for (const char *p = key->name; *p; p++)
			n += (size_t)snprintf(
			    want + n, sizeof(want) - n, *p == '-' && is_manual ? "\\-" : "%c", *p);
		if (!is_manual)
			snprintf(want + n, sizeof(want) - n, ":");
		ck_assert_msg(strstr(text, want) != NULL, "%s is missing", want);
		names_are_in(&key->keys, text, is_manual);
		for (const struct hf_variant *v = key->variants; v && v->word; v++)
			names_are_in(&v->keys, text, is_manual);
	}
}

START_TEST(every_key_is_in_it)
{
	char *text = generated(rows[_i].gen);

	names_are_in(&hf_config_table.keys, text, rows[_i].gen == hf_gen_manual);
	free(text);
}
END_TEST

START_TEST(the_sample_is_a_configuration)
{
	char *text = generated(hf_gen_sample);
	struct hf_config *c = config_of(text);

	ck_assert_uint_eq(c->sources.n, 1);
	ck_assert_str_eq(c->sources.at[0].url, "https://coder.example.com");
	free(text);
	hf_config_free(c);
}
END_TEST

/* Takes the '#' away from a list and all keys in it, as the head of the file says. */
static void switch_on(char *list)
{
	list[0] = ' ';
	for (char *at = list; at && strncmp(at, "\n\n", 2) != 0; at = strchr(at + 1, '\n'))
		if (at[0] == '\n' && at[1] == '#' && at[2] == ' ' && at[3] == ' ')
			at[1] = ' ';
	memmove(list, list + 1, strlen("adapters:"));
	list[strlen("adapters:")] = ' ';
}

START_TEST(entries_of_several_kinds_can_be_switched_on)
{
	char *text = generated(hf_gen_sample);
	char *list = strstr(text, "#adapters:\n");
	struct hf_config *c;

	ck_assert_ptr_nonnull(list);
	/* These go instead of the hostsdir before them. */
	strstr(list, "#    hosts-file:")[2] = '.';
	strstr(list, "#    pid-file:")[2] = '.';
	switch_on(list);
	c = config_of(text);
	ck_assert_uint_eq(c->adapters.n, 4);
	ck_assert_str_eq(c->adapters.at[0].name, "resolver");
	ck_assert_str_eq(c->adapters.at[3].name, "hook");
	ck_assert_int_eq(c->adapters.at[1].retry.cap_ms, 5000);
	free(text);
	hf_config_free(c);
}
END_TEST

START_TEST(roff_takes_no_text_for_an_order)
{
	char *text = generated(hf_gen_manual);
	const char *at = text;

	/* Each line that begins with a dot is one of the macros that we write. */
	while ((at = strstr(at, "\n."))) {
		static const char *const macros[] = { "TH ", "SH ", "SS ", "TP\n", "B ", "br\n",
			"PP\n", "I ", "nf\n", "fi\n" };
		bool known = false;

		at += 2;
		for (size_t i = 0; i < N(macros); i++)
			known |= !strncmp(at, macros[i], strlen(macros[i]));
		ck_assert_msg(known, ".%.20s", at);
	}
	ck_assert_ptr_null(strstr(text, "\n'"));
	free(text);
}
END_TEST

Suite *gen_suite(void)
{
	Suite *s = suite_create("gen");
	TCase *tc = tcase_create("gen");

	tcase_add_loop_test(tc, the_file_in_the_tree_is_the_table_of_today, 0, N(rows));
	tcase_add_loop_test(tc, every_key_is_in_it, 0, N(rows));
	tcase_add_test(tc, the_sample_is_a_configuration);
	tcase_add_test(tc, entries_of_several_kinds_can_be_switched_on);
	tcase_add_test(tc, roff_takes_no_text_for_an_order);
	suite_add_tcase(s, tc);
	return s;
}
