/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/config_errors.h"
#include "config/yaml_tree.h"
#include "tests/unit/config/config_kit.h"

Suite *yaml_tree_suite(void);

/* "line:column: text" of the first error, or "". Static. */
static const char *refusal(const char *bytes, size_t len)
{
	static char text[700];
	struct hf_config_errors e;
	struct hf_node *root = NULL;
	int rc;

	hf_config_errors_init(&e, "t");
	rc = hf_yaml_tree_parse(bytes, len, &e, &root);
	ck_assert_msg(rc == 0 || rc == HF_ECONFIG, "%d", rc);
	ck_assert(rc == 0 || !root);
	hf_yaml_tree_free(root);
	*text = '\0';
	if (e.n)
		snprintf(
		    text, sizeof(text), "%u:%u: %s", e.at[0].line, e.at[0].column, e.at[0].text);
	return text;
}

#define B(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t len;
	const char *want;
} rows[] = {
	{ B("a: 1\nb: &x 2\n"), "2:4: anchors (&name) are not supported" },
	{ B("a: &x [1]\n"), "1:4: anchors (&name) are not supported" },
	{ B("a: &x { b: 1 }\n"), "1:4: anchors (&name) are not supported" },
	{ B("a: *x\n"), "1:4: aliases (*name) are not supported" },
	{ B("*x : 1\n"), "1:1: aliases (*name) are not supported" },
	{ B("a: !!str 1\n"), "1:4: tags (!name) are not supported" },
	{ B("a: !x [1]\n"), "1:4: tags (!name) are not supported" },
	{ B("!!map\na: 1\n"), "1:1: tags (!name) are not supported" },
	{ B("a: ! 1\n"), "1:4: tags (!name) are not supported" },
	{ B("a: 1\n---\nb: 1\n"), "2:1: a second document (---) is not supported" },
	{ B("? [a]\n: 1\n"), "1:3: a key must be a text" },
	{ B("? {a: 1}\n: 1\n"), "1:3: a key must be a text" },
	{ B("a: 1\na: 2\n"), "2:1: given twice; the first one is in line 1" },
	{ B("a: 1\n\0b: 1\n"), "2:1: a control character (0x00) is in the file" },
	{ B("a: \x1b[1m\n"), "1:4: a control character (0x1b) is in the file" },
	{ B("a: \x7f\n"), "1:4: a control character (0x7f) is in the file" },
	{ B("a: \"x\\0y\"\n"), "1:4: control characters in a text are not supported" },
	{ B("a: \"x\\ny\"\n"), "1:4: control characters in a text are not supported" },
	{ B("a: \"x\\x85y\"\n"), "1:4: control characters in a text are not supported" },
	{ B("a: |\n  x\n"), "1:4: control characters in a text are not supported" },
	{ B("\"a\\tb\": x\n"), "1:1: control characters in a text are not supported" },
	{ B("a: [1\n"),
	    "2:1: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins in line 1)" },
	{ B("a: b: c\n"), "1:5: not valid YAML: mapping values are not allowed in this context" },
	{ B("a: 1\n b: 2\n"),
	    "2:3: not valid YAML: mapping values are not allowed in this context" },
	{ B("a: 1\n\tb: 2\n"),
	    "2:1: not valid YAML: found a tab character that violates indentation (while scanning a plain scalar that begins in line 1)" },
	{ B("a: @b\n"),
	    "1:4: not valid YAML: found character that cannot start any token (while scanning for the next token that begins in line 1)" },
	{ B("\xff\xfe"), "1:1: not valid YAML: invalid leading UTF-8 octet" },
	{ B("a: \xc3"), "1:1: not valid YAML: incomplete UTF-8 octet sequence" },
	{ B("[[[[[[[[[[[[[1]]]]]]]]]]]]]"), "1:14: nested too deeply" },
	{ B("[[[[[[[[[[[[1]]]]]]]]]]]]"), "" },
	{ B("{a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}}}}}"),
	    "1:53: nested too deeply" },
	{ B("a: \"\\xe9\"\n"), "" },
	{ B("a: \xc3\xa9\r\nb: 1\r\n"), "" },
	{ B("%YAML 1.1\n---\na: 1\n...\n"), "" },
	{ B("\xef\xbb\xbf"
	    "a: 1\n"),
	    "" },
	{ B(""), "" },
	{ B("---\n"), "" },
	{ B("# nothing\n"), "" },
};

START_TEST(only_the_plain_part_of_yaml_is_taken)
{
	ck_assert_str_eq(refusal(rows[_i].bytes, rows[_i].len), rows[_i].want);
}
END_TEST

/* `n` times `piece`, with its number in it, between head and tail. */
static char *repeated(
    const char *head, const char *piece, unsigned n, const char *tail, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	fputs(head, out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s%u,", piece, i);
	fputs(tail, out);
	fclose(out);
	return text;
}

static const struct {
	const char *head;
	const char *piece;
	unsigned n;
	const char *tail;
	const char *want; /* what the refusal ends with */
} large[] = {
	{ "[", "", HF_YAML_TREE_NODES_MAX - 1, "]", "" },
	{ "[", "", HF_YAML_TREE_NODES_MAX, "]", "too many values in the file" },
	{ "{", "k", HF_YAML_TREE_KEYS_MAX, "}", "" },
	{ "{", "k", HF_YAML_TREE_KEYS_MAX + 1, "}", "more than 200 keys in one map" },
	{ "# ", "xxxxxxxxxxxxxxxxxxxxxxxx", 60000, "", "larger than 1048576 bytes" },
};

START_TEST(a_file_has_limits)
{
	size_t len, n = strlen(large[_i].want);
	char *text = repeated(large[_i].head, large[_i].piece, large[_i].n, large[_i].tail, &len);
	const char *said = refusal(text, len);

	ck_assert_msg(
	    strlen(said) >= n && !strcmp(said + strlen(said) - n, large[_i].want) && !*said == !n,
	    "%s", said);
	free(text);
}
END_TEST

START_TEST(nodes_know_their_place)
{
	static const char yaml[] = "a:\n  - b: x\n    c: [1, \"2\"]\nd: ~\n";
	struct hf_config_errors e;
	struct hf_node *root = NULL;
	const struct hf_node *n;

	hf_config_errors_init(&e, "t");
	ck_assert_int_eq(hf_yaml_tree_parse(yaml, strlen(yaml), &e, &root), 0);
	n = hf_yaml_tree_find(root, "a[0].c[1]");
	ck_assert_str_eq(n->text, "2");
	ck_assert(n->quoted);
	ck_assert_uint_eq(n->line, 3);
	ck_assert_uint_eq(n->column, 12);
	n = hf_yaml_tree_find(root, "a[0].c");
	ck_assert_int_eq(n->kind, HF_NODE_LIST);
	ck_assert_uint_eq(n->key_line, 3);
	ck_assert_uint_eq(n->key_column, 5);
	/* What is not there is where it should have been. */
	ck_assert_ptr_eq(hf_yaml_tree_find(root, "a[0].c[7]"), n);
	ck_assert_ptr_eq(hf_yaml_tree_find(root, "a[0].zz.y[1]"), hf_yaml_tree_find(root, "a[0]"));
	ck_assert_ptr_eq(hf_yaml_tree_find(root, "nope"), root);
	ck_assert_ptr_eq(hf_yaml_tree_find(root, ""), root);
	ck_assert_ptr_eq(hf_yaml_tree_find(root, "a[0"), hf_yaml_tree_find(root, "a[0]"));
	ck_assert_ptr_null(hf_yaml_tree_find(NULL, "a"));
	ck_assert(hf_yaml_tree_is_null(hf_yaml_tree_find(root, "d")));
	ck_assert(!hf_yaml_tree_is_null(root));
	hf_yaml_tree_free(root);
}
END_TEST

START_TEST(of_a_key_given_twice_the_first_stays)
{
	static const char yaml[] = "a: 1\nb: 2\na: [3]\na: 4\nc: 5\n";
	struct hf_config_errors e;
	struct hf_node *root = NULL;

	hf_config_errors_init(&e, "t");
	ck_assert_int_eq(hf_yaml_tree_parse(yaml, strlen(yaml), &e, &root), 0);
	ck_assert_uint_eq(e.n, 2);
	ck_assert_str_eq(hf_yaml_tree_get(root, "a")->text, "1");
	ck_assert_str_eq(hf_yaml_tree_get(root, "c")->text, "5");
	ck_assert_ptr_null(root->first->next->next->next);
	hf_yaml_tree_free(root);
}
END_TEST

static const struct {
	const char *yaml;
	bool null;
} nulls[] = { { "a:\n", true }, { "a: ~\n", true }, { "a: null\n", true }, { "a: Null\n", true },
	{ "a: \"\"\n", false }, { "a: 'null'\n", false }, { "a: nul\n", false },
	{ "a: []\n", false } };

START_TEST(nothing_is_nothing_unless_it_is_quoted)
{
	struct hf_config_errors e;
	struct hf_node *root = NULL;

	hf_config_errors_init(&e, "t");
	ck_assert_int_eq(hf_yaml_tree_parse(nulls[_i].yaml, strlen(nulls[_i].yaml), &e, &root), 0);
	ck_assert_int_eq(hf_yaml_tree_is_null(root->first), nulls[_i].null);
	hf_yaml_tree_free(root);
}
END_TEST

Suite *yaml_tree_suite(void)
{
	Suite *s = suite_create("yaml_tree");
	TCase *tc = tcase_create("yaml");

	tcase_add_loop_test(tc, only_the_plain_part_of_yaml_is_taken, 0, N(rows));
	tcase_add_loop_test(tc, a_file_has_limits, 0, N(large));
	tcase_add_test(tc, nodes_know_their_place);
	tcase_add_test(tc, of_a_key_given_twice_the_first_stays);
	tcase_add_loop_test(tc, nothing_is_nothing_unless_it_is_quoted, 0, N(nulls));
	suite_add_tcase(s, tc);
	return s;
}
