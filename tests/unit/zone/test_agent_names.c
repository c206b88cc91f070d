/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/prng.h"
#include "zone/agent_names.h"

Suite *agent_names_suite(void);

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const char long63[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static struct hf_name parsed(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

static const struct {
	const char *agent, *workspace, *owner, *suffix;
	const char *me, *of_owner, *of_workspace; /* NULL: refused */
} rows[] = {
	{ "main", "dev", "alice", "coder", "main.dev.me.coder", "main.dev.alice.coder",
	    "dev.coder" },
	{ "Main", "DEV", "Alice", "coder", "main.dev.me.coder", "main.dev.alice.coder",
	    "dev.coder" },
	{ "a", "b", "c", "ws.example.com", "a.b.me.ws.example.com", "a.b.c.ws.example.com",
	    "b.ws.example.com" },
	{ "-x", "xn--a", "_o", "coder", "-x.xn--a.me.coder", "-x.xn--a._o.coder", "xn--a.coder" },
	/* "me" is kept free of owners only. */
	{ "me", "me", "bob", "coder", "me.me.me.coder", "me.me.bob.coder", "me.coder" },
	{ "main", "dev", "me", "coder", "main.dev.me.coder", NULL, "dev.coder" },
	{ "main", "dev", "ME", "coder", "main.dev.me.coder", NULL, "dev.coder" },
	{ "main", "dev", "meg", "coder", "main.dev.me.coder", "main.dev.meg.coder", "dev.coder" },
	/* What is odd refuses the names that it is part of, and no others. */
	{ "ma in", "dev", "bob", "coder", NULL, NULL, "dev.coder" },
	{ "main", "d.v", "bob", "coder", NULL, NULL, NULL },
	{ "main", "dev", "b*b", "coder", "main.dev.me.coder", NULL, "dev.coder" },
	{ "", "dev", "bob", "coder", NULL, NULL, "dev.coder" },
	{ "main", "", "bob", "coder", NULL, NULL, NULL },
	{ "main", "dev", "", "coder", "main.dev.me.coder", NULL, "dev.coder" },
	{ "_holdfast", "dev", "bob", "coder", NULL, NULL, "dev.coder" },
	{ "main", "_HoldFast-x", "bob", "coder", NULL, NULL, NULL },
	{ "main", "dev", "_holdfast", "coder", "main.dev.me.coder", NULL, "dev.coder" },
	{ "main", "dev\n", "bob\"", "coder", NULL, NULL, NULL },
};

static void check_name(const struct hf_agent_label *label, unsigned which, const char *want)
{
	struct hf_name name = { .len = 77 };
	char text[HF_NAME_TEXT_MAX];
	int rc = hf_agent_name(label, which, &name);

	if (want) {
		ck_assert_int_eq(rc, 0);
		ck_assert_str_eq(hf_name_text(&name, text), want);
	} else {
		ck_assert_int_eq(rc, HF_ENAME);
		ck_assert_uint_eq(name.len, 77);
	}
}

START_TEST(agent_has_three_names)
{
	struct hf_name suffix = parsed(rows[_i].suffix);
	struct hf_agent_label label = { rows[_i].agent, rows[_i].workspace, rows[_i].owner,
		&suffix };

	check_name(&label, HF_NAME_ME, rows[_i].me);
	check_name(&label, HF_NAME_OWNER, rows[_i].of_owner);
	check_name(&label, HF_NAME_SHORT, rows[_i].of_workspace);
}
END_TEST

START_TEST(one_name_at_a_time)
{
	struct hf_name suffix = parsed("coder");
	struct hf_agent_label label = { "main", "dev", "bob", &suffix };

	check_name(&label, 0, NULL);
	check_name(&label, HF_NAME_ME | HF_NAME_OWNER, NULL);
	check_name(&label, HF_NAME_ALL, NULL);
	check_name(&label, 8, NULL);
}
END_TEST

START_TEST(label_that_the_name_does_not_need_is_not_looked_at)
{
	struct hf_name suffix = parsed("coder");
	struct hf_agent_label label = { NULL, "dev", NULL, &suffix };

	check_name(&label, HF_NAME_SHORT, "dev.coder");
	label.agent = "main";
	check_name(&label, HF_NAME_ME, "main.dev.me.coder");
}
END_TEST

START_TEST(only_the_name_that_is_too_long_is_refused)
{
	char text[200] = "";
	struct hf_name suffix;
	struct hf_agent_label label = { long63, long63, long63, &suffix };

	/* 3 * 64 octets of labels leave 63 to the suffix with its root. */
	memset(text, 's', 61);
	suffix = parsed(text);
	ck_assert_int_eq(hf_agent_name(&label, HF_NAME_OWNER, &(struct hf_name){ 0 }), 0);
	memcpy(text + 59, ".st", 4);
	suffix = parsed(text);
	check_name(&label, HF_NAME_OWNER, NULL);
	ck_assert_int_eq(hf_agent_name(&label, HF_NAME_ME, &(struct hf_name){ 0 }), 0);
	ck_assert_int_eq(hf_agent_name(&label, HF_NAME_SHORT, &(struct hf_name){ 0 }), 0);
}
END_TEST

START_TEST(names_of_sound_labels_are_under_the_suffix_and_told_apart)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	struct prng p = { (uint64_t)_i };
	struct hf_name suffix = parsed("coder.test");

	for (int i = 0; i < 200; i++) {
		char agent[64], workspace[64], owner[64];
		struct hf_agent_label label = { agent, workspace, owner, &suffix };
		struct hf_name me, of_owner, of_workspace;

		prng_text(&p, bytes, sizeof(bytes) - 1, agent, 1 + prng_below(&p, 63));
		prng_text(&p, bytes, sizeof(bytes) - 1, workspace, 1 + prng_below(&p, 63));
		prng_text(&p, bytes, sizeof(bytes) - 1, owner, 3 + prng_below(&p, 32));
		ck_assert_int_eq(hf_agent_name(&label, HF_NAME_ME, &me), 0);
		ck_assert_int_eq(hf_agent_name(&label, HF_NAME_OWNER, &of_owner), 0);
		ck_assert_int_eq(hf_agent_name(&label, HF_NAME_SHORT, &of_workspace), 0);
		ck_assert_uint_eq(hf_name_labels(&me), 5);
		ck_assert_uint_eq(hf_name_labels(&of_owner), 5);
		ck_assert_uint_eq(hf_name_labels(&of_workspace), 3);
		ck_assert(hf_name_is_under(&me, &suffix));
		ck_assert(hf_name_is_under(&of_owner, &suffix));
		ck_assert(hf_name_is_under(&of_workspace, &suffix));
		ck_assert(!hf_name_equal(&me, &of_owner));
	}
}
END_TEST

/* --- what upstream may use --- */

static const struct {
	const char *text;
	size_t len;
	bool agent, owner; /* may be called so */
} labels[] = {
	{ "main", 4, true, true },
	{ "Me", 2, true, false },
	{ "me", 2, true, false },
	{ "mee", 3, true, true },
	{ "m", 1, true, true },
	{ "_hold", 5, true, true },
	{ "holdfast", 8, true, true },
	{ "_holdfast", 9, false, false },
	{ "_HOLDFAST", 9, false, false },
	{ "_holdfasts", 10, false, false },
	/* Only what is within the length counts. */
	{ "_holdfast", 8, true, true },
	{ "men", 2, true, false },
	{ "", 0, false, false },
	{ "a\0b", 3, false, false },
	{ "*", 1, false, false },
	{ "a.b", 3, false, false },
	{ "a\nb", 3, false, false },
	{ long63, 63, true, true },
};

START_TEST(label_is_taken_or_refused_with_a_reason)
{
	const char *why = NULL;
	int rc = hf_agent_label_check(labels[_i].text, labels[_i].len, &why);

	ck_assert_int_eq(rc, labels[_i].agent ? 0 : HF_ENAME);
	ck_assert_int_eq(why != NULL, !labels[_i].agent);
	why = NULL;
	rc = hf_agent_owner_check(labels[_i].text, labels[_i].len, &why);
	ck_assert_int_eq(rc, labels[_i].owner ? 0 : HF_ENAME);
	ck_assert_int_eq(why != NULL, !labels[_i].owner);
	ck_assert_int_eq(hf_agent_owner_check(labels[_i].text, labels[_i].len, NULL), rc);
}
END_TEST

START_TEST(label_of_64_octets_is_refused)
{
	char text[64];

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(hf_agent_label_check(text, sizeof(text), NULL), HF_ENAME);
}
END_TEST

Suite *agent_names_suite(void)
{
	Suite *s = suite_create("agent_names");
	TCase *tc = tcase_create("names");

	tcase_add_loop_test(tc, agent_has_three_names, 0, N(rows));
	tcase_add_test(tc, one_name_at_a_time);
	tcase_add_test(tc, label_that_the_name_does_not_need_is_not_looked_at);
	tcase_add_test(tc, only_the_name_that_is_too_long_is_refused);
	tcase_add_loop_test(tc, names_of_sound_labels_are_under_the_suffix_and_told_apart, 0, 5);
	suite_add_tcase(s, tc);
	tc = tcase_create("labels");
	tcase_add_loop_test(tc, label_is_taken_or_refused_with_a_reason, 0, N(labels));
	tcase_add_test(tc, label_of_64_octets_is_refused);
	suite_add_tcase(s, tc);
	return s;
}
