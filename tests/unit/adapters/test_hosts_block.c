/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts/hosts_block.h"
#include "adapters/hosts/hosts_foreign.h"
#include "base/error.h"
#include "tests/unit/adapters/kit_records.h"

#define ADDR(n) "fd60:627a:a42b::" #n
#define BEGIN "# BEGIN HOLDFAST: rewritten down to END, do not edit\n"
#define JOINED "# BEGIN HOLDFAST (joined): rewritten down to END, do not edit\n"
#define END "# END HOLDFAST\n"
#define OURS ADDR(1) " a.coder\n"

/* A file before, with our one record, and when that is taken again (NULL: as before). */
static const struct {
	const char *before, *with, *after;
} rows[] = {
	{ "", BEGIN OURS END, NULL },
	{ "x\n", "x\n" BEGIN OURS END, NULL },
	{ "x", "x\n" JOINED OURS END, NULL },
	{ "\n\n", "\n\n" BEGIN OURS END, NULL },
	{ "x\n" BEGIN END "y\n", "x\n" BEGIN OURS END "y\n", "x\ny\n" },
	{ "x\n" BEGIN "theirs\n# note\n" ADDR(2) " old.coder\n" END "y",
	    "x\n" BEGIN OURS END "theirs\ny", "x\ntheirs\ny" },
	{ "x\n" JOINED OURS END "later\n", "x\n" BEGIN OURS END "later\n", "x\nlater\n" },
};

static struct hf_record_table *one_record(void)
{
	struct hf_record r = record("a.coder", ADDR(1), true);
	struct hf_record_table *t;

	ck_assert_int_eq(hf_record_table_new(1, &t), 0);
	ck_assert_int_eq(hf_record_table_put(t, &r), 1);
	return t;
}

static char *build(const char *text, const struct hf_record_table *t)
{
	struct hf_hosts_block block;
	char why[200], *out;
	size_t len;

	ck_assert_int_eq(hf_hosts_block_find(text, strlen(text), &block, why, sizeof(why)), 0);
	ck_assert_int_eq(hf_hosts_block_build(text, strlen(text), &block, t, false, &out, &len), 0);
	out = realloc(out, len + 1);
	out[len] = '\0';
	return out;
}

START_TEST(the_block_comes_and_goes)
{
	struct hf_record_table *t = one_record();
	char *with = build(rows[_i].before, t), *again = build(with, t), *after;

	ck_assert_str_eq(with, rows[_i].with);
	ck_assert_str_eq(again, with);
	hf_record_table_clear(t);
	after = build(with, t);
	ck_assert_str_eq(after, rows[_i].after ? rows[_i].after : rows[_i].before);
	free(with);
	free(again);
	free(after);
	hf_record_table_free(t);
}
END_TEST

START_TEST(crlf_stays_crlf)
{
	struct hf_record_table *t = one_record();
	char *with = build("x\r\ny", t), *after;

	ck_assert_ptr_nonnull(strstr(with, "y\r\n# BEGIN"));
	ck_assert_ptr_nonnull(strstr(with, OURS) ? NULL : strstr(with, ADDR(1) " a.coder\r\n"));
	hf_record_table_clear(t);
	after = build(with, t);
	ck_assert_str_eq(after, "x\r\ny");
	free(with);
	free(after);
	hf_record_table_free(t);
}
END_TEST

START_TEST(a_block_without_names_stays_where_it_says_that_there_are_none)
{
	static const char *const texts[] = { "", "x\n", "x", "x\n" BEGIN OURS END "y\n" };
	static const char *const wants[] = { BEGIN END, "x\n" BEGIN END, "x\n" JOINED END,
		"x\n" BEGIN END "y\n" };
	struct hf_record_table *t;
	struct hf_hosts_block block;
	char why[200], *out;
	size_t len;

	ck_assert_int_eq(hf_record_table_new(1, &t), 0);
	ck_assert_int_eq(
	    hf_hosts_block_find(texts[_i], strlen(texts[_i]), &block, why, sizeof(why)), 0);
	ck_assert_int_eq(
	    hf_hosts_block_build(texts[_i], strlen(texts[_i]), &block, t, true, &out, &len), 0);
	ck_assert_uint_eq(len, strlen(wants[_i]));
	ck_assert_mem_eq(out, wants[_i], len);
	free(out);
	hf_record_table_free(t);
}
END_TEST

START_TEST(that_the_file_was_empty_is_known_from_the_mark)
{
	struct hf_hosts_block block = { .was_empty = true }, again;
	struct hf_record_table *t = one_record();
	char why[200], *out;
	size_t len;

	ck_assert_int_eq(hf_hosts_block_build("", 0, &block, t, false, &out, &len), 0);
	ck_assert_int_eq(hf_hosts_block_find(out, len, &again, why, sizeof(why)), 0);
	ck_assert(again.was_empty && again.start == 0 && again.end == len);
	free(out);
	hf_record_table_free(t);
}
END_TEST

static const char *const broken[] = { BEGIN, END, BEGIN BEGIN END, BEGIN END END, END BEGIN,
	BEGIN END "x\n" BEGIN END, BEGIN END BEGIN };

START_TEST(a_broken_block_is_refused)
{
	struct hf_hosts_block block;
	char why[200] = "";

	ck_assert_int_eq(
	    hf_hosts_block_find(broken[_i], strlen(broken[_i]), &block, why, sizeof(why)),
	    HF_EREFUSED);
	ck_assert_ptr_nonnull(strstr(why, "line "));
}
END_TEST

static const struct {
	const char *name;
	bool theirs;
} names[] = {
	{ "a.coder", true },  /* with our address */
	{ "b.coder", true },  /* of an IPv4 address */
	{ "c.coder", true },  /* in capitals, with a dot, at the end of a line */
	{ "d.coder", false }, /* in a comment */
	{ "e.coder", true },  /* of two addresses, one of them ours */
	{ "f.coder", false }, /* within our block */
	{ "g.coder", true },  /* behind it */
	{ "h.coder", true },  /* after a word that is no name */
};

START_TEST(names_of_others_are_known)
{
	static const char text[] =
	    ADDR(1) " a.coder\n10.0.0.1 x b.coder\t C.Coder. # d.coder\n" ADDR(
		1) " e.coder\n::2 e.coder\n" BEGIN "::3 f.coder\n" END
		   "::4 g.coder\n::5 \\\"%$ h.coder";
	struct hf_record r = record(names[_i].name, ADDR(1), true);
	struct hf_hosts_foreign *foreign;
	struct hf_hosts_block block;
	char why[200];

	ck_assert_int_eq(hf_hosts_block_find(text, sizeof(text) - 1, &block, why, sizeof(why)), 0);
	ck_assert_int_eq(hf_hosts_foreign_new(text, sizeof(text) - 1, &block, &foreign), 0);
	ck_assert_int_eq(hf_hosts_foreign_has(foreign, &r.name), names[_i].theirs);
	hf_hosts_foreign_free(foreign);
}
END_TEST

Suite *hosts_block_suite(void);

Suite *hosts_block_suite(void)
{
	Suite *s = suite_create("hosts_block");
	TCase *tc = tcase_create("block");

	tcase_add_loop_test(tc, the_block_comes_and_goes, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_loop_test(
	    tc, a_block_without_names_stays_where_it_says_that_there_are_none, 0, 4);
	tcase_add_test(tc, that_the_file_was_empty_is_known_from_the_mark);
	tcase_add_test(tc, crlf_stays_crlf);
	tcase_add_loop_test(
	    tc, a_broken_block_is_refused, 0, (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_loop_test(
	    tc, names_of_others_are_known, 0, (int)(sizeof(names) / sizeof(names[0])));
	suite_add_tcase(s, tc);
	return s;
}
