/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/config/config_kit.h"

Suite *keys_diff_suite(void);

static char told[2000];

static void note(const struct hf_config_change *change, void *arg)
{
	size_t n = strlen(told);

	ck_assert_ptr_eq(arg, told);
	snprintf(told + n, sizeof(told) - n, "%s%s: %s -> %s%s", n ? "\n" : "", change->path,
	    change->before ? change->before : "-", change->after ? change->after : "-",
	    change->restart ? " (restart)" : "");
}

static const struct {
	const char *before;
	const char *after;
	const char *want;
} rows[] = {
	{ "", "", "" },
	{ "", "ttl: 30\n", "" },
	{ "", "sources: [ {} ]\n", "" },
	{ "guard: { grace: 600s }\n", "guard: { grace: 10m }\n", "" },
	{ "", "ttl: 7\n", "ttl: 30 -> 7" },
	{ "", "store: /x\nzone: /y\nlog: { level: debug }\n",
	    "store: /var/lib/holdfast/store.db -> /x (restart)\nzone: /var/lib/holdfast/zone -> /y (restart)\n"
	    "log.level: info -> debug" },
	{ "", "control-group: a b\n", "control-group: - -> \"a b\"" },
	{ "control-group: a\n", "control-group: b\n", "control-group: a -> b" },
	{ "status: { listen: 127.0.0.1@1 }\n", "", "status.listen: 127.0.0.1@1 -> -" },
	{ "dns: { allow: [] }\n", "dns: { allow: 10.0.0.0/8 }\n", "dns.allow: [] -> [10.0.0.0/8]" },
	{ "", "sources: [ { owners: [me, bob] } ]\n", "sources[main].owners: [me] -> [me, bob]" },
	{ "", "sources: [ { retry: { cap: 20s } } ]\n", "sources[main].retry.cap: 10s -> 20s" },
	{ "sources: [ { name: a }, { name: b } ]\n",
	    "sources: [ { name: b, suffix: x }, { name: c } ]\n",
	    "sources[a]: a -> -\nsources[b].suffix: auto -> x\nsources[c]: - -> c" },
	{ "sources: [ { name: a }, { name: b } ]\n", "sources: [ { name: b }, { name: a } ]\n",
	    "sources: another order -> this order" },
	{ "sources: [ { name: a }, { name: b }, { name: c } ]\n",
	    "sources: [ { name: a }, { name: c } ]\n", "sources[b]: b -> -" },
	{ "sources: []\n", "", "sources[main]: - -> main" },
	{ "sources: [ { proxy: \"http://u:s3cret@p\", headers: [\"A: s3cret\"] } ]\n",
	    "sources: [ { proxy: \"http://q\" } ]\n",
	    "sources[main].proxy: (hidden) -> (hidden)\nsources[main].headers: (hidden) -> -" },
};

START_TEST(each_difference_is_told_by_its_path)
{
	struct hf_config *a = config_of(rows[_i].before), *b = config_of(rows[_i].after);
	int lines = 0;

	*told = '\0';
	for (const char *p = rows[_i].want; *p; p++)
		lines += *p == '\n' || p == rows[_i].want;
	ck_assert_int_eq(hf_config_diff(a, b, note, told), lines);
	ck_assert_str_eq(told, rows[_i].want);
	hf_config_free(a);
	hf_config_free(b);
}
END_TEST

Suite *keys_diff_suite(void)
{
	Suite *s = suite_create("keys_diff");
	TCase *tc = tcase_create("diff");

	tcase_add_loop_test(tc, each_difference_is_told_by_its_path, 0, N(rows));
	suite_add_tcase(s, tc);
	return s;
}
