/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/glob.h"
#include "tests/unit/prng.h"

Suite *glob_suite(void);

static const struct {
	const char *pattern, *text;
	bool match;
} rows[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "*", "", true },
	{ "*", "dev.coder", true },
	{ "gpu.*", "gpu.dev.me.coder", true },
	{ "gpu.*", "main.dev.me.coder", false },
	{ "*.me.*", "gpu.dev.me.coder", true },
	{ "*.me", "gpu.dev.me.coder", false },
	{ "GPU.*", "gpu.dev.me.coder", true },
	{ "d?v.coder", "dev.coder", true },
	{ "d?v.coder", "dv.coder", false },
	{ "[a-d]ev", "dev", true },
	{ "[!a-d]ev", "dev", false },
	{ "[^x]ev", "dev", true },
	{ "[]x]", "]", true },
	{ "[a-", "[a-", true },
	{ "[D-F]ev", "eev", true },
	{ "\\*", "*", true },
	{ "\\*", "a", false },
	{ "\\", "\\", true },
	{ "a*b*c", "aXbYbZc", true },
	{ "a*b*c", "aXbYbZ", false },
	{ "**a", "bba", true },
	{ "*a", "aa", true },
};

START_TEST(a_pattern_matches_as_in_a_shell)
{
	ck_assert_msg(hf_glob_match(rows[_i].pattern, rows[_i].text) == rows[_i].match, "'%s' '%s'",
	    rows[_i].pattern, rows[_i].text);
}
END_TEST

START_TEST(it_says_what_fnmatch_says)
{
	static const char bytes[] = "ab*?[]-!";
	struct prng r = { 42 };

	for (int n = 0; n < 200000; n++) {
		char pattern[9], text[9];
		size_t p = prng_below(&r, 9), t = prng_below(&r, 9);

		for (size_t i = 0; i < p; i++)
			pattern[i] = bytes[prng_below(&r, 8)];
		for (size_t i = 0; i < t; i++)
			text[i] = bytes[prng_below(&r, 2)];
		pattern[p] = text[t] = '\0';
		/* What a set without its end is, each shell decides by itself. */
		if (strchr(pattern, '['))
			continue;
		ck_assert_msg(hf_glob_match(pattern, text) == !fnmatch(pattern, text, FNM_CASEFOLD),
		    "'%s' '%s'", pattern, text);
	}
}
END_TEST

START_TEST(a_hostile_pattern_costs_little)
{
	char pattern[512], text[256];
	clock_t begun;

	for (size_t i = 0; i < 250; i++)
		memcpy(pattern + 2 * i, "*a", 3);
	strcat(pattern, "b");
	memset(text, 'a', 253);
	text[253] = '\0';
	begun = clock();
	for (int i = 0; i < 100; i++)
		ck_assert(!hf_glob_match(pattern, text));
	ck_assert_msg(clock() - begun < CLOCKS_PER_SEC, "%ld us", (long)(clock() - begun));
}
END_TEST

Suite *glob_suite(void)
{
	Suite *s = suite_create("glob");
	TCase *tc = tcase_create("match");

	tcase_add_loop_test(tc, a_pattern_matches_as_in_a_shell, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, it_says_what_fnmatch_says);
	tcase_add_test(tc, a_hostile_pattern_costs_little);
	suite_add_tcase(s, tc);
	return s;
}
