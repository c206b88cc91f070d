/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/hosts/hosts_merge.h"

#define BEGIN "# BEGIN HOLDFAST: rewritten down to END, do not edit\n"
#define END "# END HOLDFAST\n"
#define OLD BEGIN "fd60:627a:a42b::1 a.coder\n" END
#define NEW BEGIN "fd60:627a:a42b::1 a.coder\nfd60:627a:a42b::2 b.coder\n" END

static const struct {
	const char *base, *theirs, *now, *want;
} rows[] = {
	/* nobody but us changed what is there: theirs, to the byte */
	{ "x\n", "x\ny\n", "x\n" NEW, "x\ny\n" },
	{ "x\n" OLD, "x\n" OLD "y\n", "x\n" NEW, "x\n" OLD "y\n" },
	{ "x\n" OLD, "y\nx\n" OLD, "x\n" NEW, "y\nx\n" OLD },
	{ "x\nz\n" OLD, "x\n" OLD, "x\nz\n" NEW, "x\n" OLD },
	{ "x", "x\ny", "x\n# BEGIN HOLDFAST (joined): do not edit\n" END, "x\ny" },
	{ "", "y\n", NEW, "y\n" },
	/* others did as well: by lines, new ones last */
	{ "x\n", "x\ny\n", "x\nz\n" NEW, "x\nz\n" NEW "y\n" },
	{ "x\n", "x\ny", "z\nx", "z\nx\ny" },
	{ "x\ny\n", "x\n", "x\ny\nz\n" NEW, "x\nz\n" NEW },
	{ "x\n" OLD, "w\n" OLD, "x\nz\n" NEW, "z\n" NEW "w\n" },
	/* what is there already is not added again, what is gone not removed again */
	{ "x\n", "x\ny\n", "x\ny\nz\n" NEW, "x\ny\nz\n" NEW },
	{ "x\ny\ny\n", "x\ny\n", "x\ny\nz\n", "x\ny\nz\n" },
	{ "x\n", "x\ny\ny\n", "x\ny\nz\n", "x\ny\nz\ny\n" },
	/* our own lines and marks are no change; others' within the block are */
	{ "x\n" OLD, "x\n" NEW, "x\nz\n" OLD, "x\nz\n" OLD },
	{ "x\n" NEW, "x\n" OLD, "x\nz\n" NEW, "x\nz\n" NEW },
	{ "x\n" OLD, "x\n" BEGIN "10.0.0.1 y\n" END, "x\nz\n" NEW, "x\nz\n" NEW "10.0.0.1 y\n" },
	{ "x\n" OLD, "x\ny\n" OLD, "x\n" BEGIN "10.0.0.1 w\n" END,
	    "x\n" BEGIN "10.0.0.1 w\n" END "y\n" },
	/* broken marks are lines as all others */
	{ "x\n", "x\n" BEGIN "y\n", "x\nz\n", "x\nz\n" BEGIN "y\n" },
};

START_TEST(what_they_changed_comes_into_what_is_there)
{
	const struct hf_text base = { rows[_i].base, strlen(rows[_i].base) },
			     theirs = { rows[_i].theirs, strlen(rows[_i].theirs) },
			     now = { rows[_i].now, strlen(rows[_i].now) };
	char *out;
	size_t len;

	ck_assert_int_eq(hf_hosts_merge(&base, &theirs, &now, &out, &len), 0);
	out = realloc(out, len + 1);
	out[len] = '\0';
	ck_assert_str_eq(out, rows[_i].want);
	free(out);
}
END_TEST

Suite *hosts_merge_suite(void);
Suite *hosts_merge_suite(void)
{
	Suite *s = suite_create("hosts_merge");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(
	    tc, what_they_changed_comes_into_what_is_there, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, tc);
	return s;
}
