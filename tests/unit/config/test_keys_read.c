/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config/config_kit.h"

Suite *keys_read_suite(void);

static const struct {
	const char *yaml;
	const char *want;
} rows[] = {
	{ "sources:\n  - tokn-file: /x\n",
	    "t.yaml:2:5: sources[0].tokn-file: unknown key; did you mean 'token-file'?" },
	{ "sources:\n  - token_file: /x\n",
	    "t.yaml:2:5: sources[0].token_file: unknown key; did you mean 'token-file'?" },
	{ "sources: [ { retry: { flor: 1s } } ]\n",
	    "t.yaml:1:23: sources[0].retry.flor: unknown key; did you mean 'floor'?" },
	{ "ttl: 90\n", "t.yaml:1:6: ttl: 90 is out of range; expected 1 to 30 (seconds)" },
	{ "ttl: 30s\n", "t.yaml:1:6: ttl: '30s' is not a number; expected 1 to 30 (seconds)" },
	{ "grace: 10m\n", "t.yaml:1:1: grace: unknown key; did you mean 'guard.grace'?" },
	{ "url: https://x\n", "t.yaml:1:1: url: unknown key; did you mean 'sources[].url'?" },
	{ "floor: 1s\n", "t.yaml:1:1: floor: unknown key; did you mean 'sources[].retry.floor'?" },
	{ "frobnicate: 1\n", "t.yaml:1:1: frobnicate: unknown key" },
	{ "\"a\xc3\xbc\": 1\n", "t.yaml:1:1: a??: unknown key" },
	{ "ttl:\n",
	    "t.yaml:1:5: ttl: has no value; expected 1 to 30 (seconds) (leave the key out for its default)" },
	{ "ttl: [1]\n", "t.yaml:1:6: ttl: is a list; expected 1 to 30 (seconds)" },
	{ "ttl: { a: 1 }\n", "t.yaml:1:6: ttl: is keys of its own; expected 1 to 30 (seconds)" },
	{ "guard: 5\n",
	    "t.yaml:1:8: guard: is a single value; expected keys of its own ('key: value')" },
	{ "guard:\n",
	    "t.yaml:1:7: guard: has no value; expected keys of its own ('key: value') (leave the key out for its default)" },
	{ "sources: { url: https://x }\n",
	    "t.yaml:1:10: sources: is keys of its own; expected a list ('- ' before each)" },
	{ "sources: x\n",
	    "t.yaml:1:10: sources: is a single value; expected a list ('- ' before each)" },
	{ "sources: [ x, { name: main } ]\n",
	    "t.yaml:1:12: sources[0]: is a single value; expected keys of its own ('key: value')\n"
	    "t.yaml:1:23: sources[1].name: 'main' is also that of sources[0]; each needs its own" },
	{ "[]\n", "t.yaml:1:1: is a list; expected keys of its own ('key: value')" },
	{ "x\n", "t.yaml:1:1: is a single value; expected keys of its own ('key: value')" },
	{ "not-ready: nxdomian\n",
	    "t.yaml:1:12: not-ready: 'nxdomian' is not a known word; expected servfail or nxdomain" },
	{ "sources: [ { sentinel: yes } ]\n",
	    "t.yaml:1:24: sources[0].sentinel: 'yes' is not a truth value; expected true or false" },
	{ "sources: [ { suffix: local } ]\n",
	    "t.yaml:1:22: sources[0].suffix: 'local' cannot be used: " },
	{ "sources: [ { owners: [] } ]\n",
	    "t.yaml:1:22: sources[0].owners: is an empty list; expected at least one" },
	{ "sources: [ { owners: [a, '*', { b: c }] } ]\n",
	    "t.yaml:1:26: sources[0].owners[1]: '*' is not an owner; expected me, all, the name of a user, or a user id\n"
	    "t.yaml:1:31: sources[0].owners[2]: is keys of its own; expected me, all, the name of a user, or a user id" },
	{ "sources:\n  - name: a\n  - name: b\n  - name: A\n",
	    "t.yaml:4:11: sources[2].name: 'A' is also that of sources[0]; each needs its own" },
	{ "sources:\n  - suffix: a\n  - suffix: a\n",
	    "t.yaml:3:5: sources[1].name: 'main' is also that of sources[0]; each needs its own" },
	{ "dns: { listen: 127.0.0.1 }\n",
	    "t.yaml:1:16: dns.listen: '127.0.0.1' is not an address with a port; expected ADDRESS@PORT, such as 127.0.0.1@5453 or \"::1@5453\"" },
	{ "ttl: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	    "t.yaml:1:6: ttl: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is not a number" },
};

START_TEST(what_is_wrong_is_told_with_place_and_expectation)
{
	const char *said = errors_of(rows[_i].yaml, 0);

	/* Some rows leave the end to another test. */
	ck_assert_msg(!strncmp(said, rows[_i].want, strlen(rows[_i].want)), "said\n%s\nwanted\n%s",
	    said, rows[_i].want);
	ck_assert_int_eq(strchr(said, '\n') != NULL, strchr(rows[_i].want, '\n') != NULL);
}
END_TEST

static const char *const secrets[] = {
	"sources: [ { token-file: s3cret } ]\n",
	"sources: [ { url: \"https://me:s3cret@x\" } ]\n",
	"sources: [ { url: s3cret } ]\n",
	"sources: [ { client-key: s3cret } ]\n",
	"sources: [ { proxy: \"u:s3cret@proxy\" } ]\n",
	"sources: [ { headers: [\"s3cret\", \"Host: s3cret\"] } ]\n",
};

START_TEST(a_secret_in_the_wrong_place_is_not_repeated)
{
	const char *said = errors_of(secrets[_i], 0);

	ck_assert_str_ne(said, "");
	ck_assert_ptr_null(strstr(said, "s3cret"));
	ck_assert_ptr_nonnull(strstr(said, "the value"));
}
END_TEST

START_TEST(all_errors_of_a_file_are_told_at_once_in_its_order)
{
	const char *said = errors_of(
	    "hold: { policy: max-age }\nttl: 0\nguard: { grace: 5 }\nttl: 1\nzone: x\n", 0);
	const char *const want[] = { "t.yaml:1:17: hold.policy", "t.yaml:2:6: ttl",
		"t.yaml:3:17: guard.grace", "t.yaml:4:1: ttl: given twice", "t.yaml:5:7: zone" };

	for (size_t i = 0; i < N(want); i++) {
		ck_assert_msg(!strncmp(said, want[i], strlen(want[i])), "%s", said);
		said = strchr(said, '\n') ? strchr(said, '\n') + 1 : "";
	}
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(what_a_bad_value_goes_with_is_not_told_too)
{
	const char *said =
	    errors_of("hold: { policy: max-age, max-age: x }\nsources:\n  - client-cert: /x\n"
		      "    client-kye: /y\n",
		0);

	ck_assert_ptr_null(strstr(said, "beside"));
	ck_assert_ptr_nonnull(strstr(said, "1:35: hold.max-age: 'x' is not a duration"));
	ck_assert_ptr_nonnull(strstr(said, "4:5: sources[0].client-kye"));
}
END_TEST

START_TEST(more_than_twenty_errors_are_counted)
{
	char yaml[1000] = "";
	struct hf_config_errors e;
	struct hf_config *c;

	for (int i = 0; i < 33; i++)
		snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "nonsense%d: 1\n", i);
	ck_assert_int_lt(hf_config_parse("t", yaml, strlen(yaml), 0, &c, &e), 0);
	ck_assert_uint_eq(e.n, HF_CONFIG_ERRORS_MAX);
	ck_assert_uint_eq(e.more, 13);
}
END_TEST

START_TEST(lists_have_a_limit)
{
	char *yaml = NULL;
	size_t size;
	FILE *out = open_memstream(&yaml, &size);

	fputs("sources:\n", out);
	for (int i = 0; i < 66; i++)
		fprintf(out, "  - name: s%d\n", i);
	fclose(out);
	ck_assert_str_eq(
	    errors_of(yaml, 0), "t.yaml:66:5: sources[64]: too many; expected at most 64");
	free(yaml);
}
END_TEST

START_TEST(one_value_needs_no_brackets)
{
	struct hf_config *c = config_of("sources: [ { owners: bob, header-command: /bin/x } ]\n"
					"dns: { listen: 127.0.0.1@1, allow: 10.0.0.0/8 }\n");

	ck_assert_uint_eq(c->sources.at[0].owners.n, 1);
	ck_assert_str_eq(c->sources.at[0].owners.at[0], "bob");
	ck_assert_uint_eq(c->sources.at[0].header_command.n, 1);
	ck_assert_uint_eq(c->dns.listen.n, 1);
	ck_assert_uint_eq(c->dns.allow.n, 1);
	hf_config_free(c);
}
END_TEST

START_TEST(words_of_yaml_are_texts_here)
{
	struct hf_config *c =
	    config_of("provenance: off\nsources: [ { owners: [no, \"null\", 1e3] } ]\n");

	ck_assert_int_eq(c->provenance, HF_PROVENANCE_OFF);
	ck_assert_str_eq(c->sources.at[0].owners.at[0], "no");
	ck_assert_str_eq(c->sources.at[0].owners.at[1], "null");
	ck_assert_str_eq(c->sources.at[0].owners.at[2], "1e3");
	hf_config_free(c);
}
END_TEST

Suite *keys_read_suite(void)
{
	Suite *s = suite_create("keys_read");
	TCase *tc = tcase_create("read");

	tcase_add_loop_test(tc, what_is_wrong_is_told_with_place_and_expectation, 0, N(rows));
	tcase_add_loop_test(tc, a_secret_in_the_wrong_place_is_not_repeated, 0, N(secrets));
	tcase_add_test(tc, all_errors_of_a_file_are_told_at_once_in_its_order);
	tcase_add_test(tc, what_a_bad_value_goes_with_is_not_told_too);
	tcase_add_test(tc, more_than_twenty_errors_are_counted);
	tcase_add_test(tc, lists_have_a_limit);
	tcase_add_test(tc, one_value_needs_no_brackets);
	tcase_add_test(tc, words_of_yaml_are_texts_here);
	suite_add_tcase(s, tc);
	return s;
}
