/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "config/key.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *keys_print_suite(void);

static const char *const files[] = {
	"",
	"sources: []\n",
	"sources: [ {}, { name: b } ]\n",
	"ttl: 7\nprovenance: on\nnot-ready: nxdomain\npulse-interval: 1500ms\ncontrol-group: a\nread-group: \"b c\"\n",
	"store: \"/a b/\\\"c\\\\.db\"\nzone: '/x: #y'\n",
	"sources:\n"
	"  - name: \"null\"\n    url: http://[::1]:3000/x\n    token-file: \"/t \\xe9\"\n    owners: [me, \"null\", a-b]\n"
	"    suffix: Dev.Example.Com\n    sentinel: true\n    allow-http: true\n    snapshot-interval: 90s\n"
	"    ca-file: /a\n    client-cert: /b\n    client-key: /c\n    proxy: \"socks5h://u:p@[::1]:1\"\n"
	"    headers: [\"A: b, c\", \"D: \\\"e\\\" [f]\"]\n    header-command: [/bin/x, \"-a b\", \"#\", \"- c\", \"%\"]\n"
	"    max-message: 5000\n    timeouts: { head: 1ms, resolve: 1h }\n    retry: { floor: 1ms, cap: 1d }\n"
	"  - name: other\n    owners: all\n",
	"hold: { policy: max-age, max-age: 36h }\nguard: { max-removal: 0%, min-workspaces: 1 }\n",
	("dns: { listen: [0.0.0.0@53, \"::@53\"], threads: 8, allow: [] }\nstatus: { listen: \"::1@9\" }\n"
	 "log: { level: debug, format: json }\n"),
};

START_TEST(what_is_printed_loads_to_the_same)
{
	struct hf_config *a = config_of(files[_i]), *b;
	char *first = dump_of(a), *second;

	b = config_of(first);
	second = dump_of(b);
	ck_assert_str_eq(first, second);
	/* And by value, not only by how it is written. */
	ck_assert_int_eq(hf_config_diff(a, b, NULL, NULL), 0);
	free(first);
	free(second);
	hf_config_free(a);
	hf_config_free(b);
}
END_TEST

static const struct {
	const char *value;
	const char *want;
} quotes[] = {
	{ "abc", "abc" },
	{ "/a/b.c", "/a/b.c" },
	{ "a b", "\"a b\"" },
	{ "null", "\"null\"" },
	{ "NULL", "\"NULL\"" },
	{ "~", "\"~\"" },
	{ "a:b", "\"a:b\"" },
	{ "https://x/y", "https://x/y" },
	{ "https://x:1/", "\"https://x:1/\"" },
	{ "-", "\"-\"" },
	{ "a\"b\\", "\"a\\\"b\\\\\"" },
	{ "50%", "50%" },
	{ "%a", "\"%a\"" },
	{ "#x", "\"#x\"" },
	{ "x,y", "\"x,y\"" },
	{ "x://", "x://" },
	{ "a b://c", "\"a b://c\"" },
	{ "", "\"\"" },
};

START_TEST(text_is_quoted_where_yaml_needs_it)
{
	struct hf_key key = { .kind = HF_KEY_VALUE, .type = &hf_type_string };
	const char *value = quotes[_i].value;
	char *text = hf_key_text(&key, &value);

	ck_assert_str_eq(text, quotes[_i].want);
	free(text);
}
END_TEST

START_TEST(the_printed_form_is_for_people)
{
	struct hf_config *c = config_of("sources: [ { name: a, owners: [x, y] }, { name: b } ]\n");
	char *text = dump_of(c);

	ck_assert_int_eq(strncmp(text, "store: /var/lib/holdfast/store.db\nzone: ", 39), 0);
	ck_assert_ptr_nonnull(
	    strstr(text, "\nsources:\n  - name: a\n    owners: [x, y]\n    suffix: auto\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n    retry:\n      floor: 50ms\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n  - name: b\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n  listen: [127.0.0.1@5453, \"::1@5453\"]\n"));
	/* Nothing is said of what was not given and has no default. */
	ck_assert_ptr_null(strstr(text, "url"));
	ck_assert_ptr_null(strstr(text, "status"));
	free(text);
	hf_config_free(c);
}
END_TEST

Suite *keys_print_suite(void)
{
	Suite *s = suite_create("keys_print");
	TCase *tc = tcase_create("print");

	tcase_add_loop_test(tc, what_is_printed_loads_to_the_same, 0, N(files));
	tcase_add_loop_test(tc, text_is_quoted_where_yaml_needs_it, 0, N(quotes));
	tcase_add_test(tc, the_printed_form_is_for_people);
	suite_add_tcase(s, tc);
	return s;
}
