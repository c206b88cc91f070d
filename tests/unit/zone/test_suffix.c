/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/prng.h"
#include "zone/name.h"
#include "zone/tlds.h"

Suite *suffix_suite(void);

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum { NO = 0, TYPED = 1, ASKED = 2, BOTH = 3 };

/* clang-format off */
static const struct {
	const char *text;
	unsigned who; /* may have it */
} rows[] = {
	{ "coder", BOTH }, { "CODER.", BOTH }, { "workspaces", BOTH }, { "x", BOTH },
	{ "c-o_d3r", BOTH }, { "123a", BOTH }, { "lan-party", BOTH }, { "homeward", BOTH },
	/* What people call their own networks a server cannot choose. */
	{ "test", TYPED }, { "internal", TYPED }, { "example", TYPED }, { "lan", TYPED },
	{ "home", TYPED }, { "Corp.", TYPED }, { "intranet", TYPED }, { "private", TYPED },
	{ "localdomain", TYPED }, { "workgroup", TYPED }, { "alt", TYPED },
	/* Longer ones are the operator's to choose. */
	{ "coder.example.com", TYPED }, { "home.arpa", TYPED }, { "coder.home.arpa", TYPED },
	{ "HOME.ARPA.", TYPED }, { "coder.de", TYPED }, { "coder.corp.local", TYPED },
	{ "ws.test", TYPED },
	/* Countries, and what may become one. */
	{ "de", NO }, { "me", NO }, { "IO", NO }, { "ai.", NO }, { "zz", NO }, { "a1", NO },
	/* Public ones. */
	{ "com", NO }, { "Net", NO }, { "org", NO }, { "dev", NO }, { "app", NO }, { "cloud", NO },
	{ "zip", NO }, { "info", NO }, { "int", NO }, { "edu", NO }, { "gov", NO }, { "mil", NO },
	{ "museum", NO }, { "aaa", NO }, { "zuerich", NO }, { "xn--p1ai", NO }, { "xyz", NO },
	{ "xn--vermgensberatung-pwb", NO },
	/* Names with a meaning of their own. */
	{ ".", NO }, { "arpa", NO }, { "in-addr.arpa", NO }, { "ip6.arpa", NO },
	{ "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", NO }, { "xhome.arpa", NO }, { "e164.arpa", NO },
	{ "resolver.arpa", NO }, { "local", NO }, { "LOCAL.", NO }, { "localhost", NO },
	{ "coder.localhost", NO }, { "invalid", NO }, { "coder.invalid", NO }, { "onion", NO },
	{ "coder.onion", NO }, { "7", NO }, { "coder.1", NO }, { "10.0.0.1", NO },
	{ "_holdfast", NO }, { "_Holdfast-x.coder", NO }, { "coder._holdfast.test", NO },
	/* No names at all. */
	{ "", NO }, { "..", NO }, { ".coder", NO }, { "a..b", NO }, { "co der", NO },
	{ "coder\n", NO }, { "*", NO }, { "*.coder", NO }, { "co\"der", NO }, { "co;der", NO },
	{ "co\\der", NO }, { "c\xc3\xb6" "der", NO },
	{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NO },
};
/* clang-format on */

static void check_one(const char *text, enum hf_suffix_origin origin, bool want)
{
	struct hf_name name = { .len = 77 }, again;
	const char *why = NULL;
	int rc = hf_suffix_check(text, origin, &name, &why);

	ck_assert_msg(rc == (want ? 0 : HF_ESUFFIX), "'%s' gives %s", text, hf_errname(rc));
	if (want) {
		ck_assert_ptr_null(why);
		ck_assert_int_eq(hf_name_parse(text, &again), 0);
		ck_assert(hf_name_equal(&name, &again));
		return;
	}
	ck_assert_uint_eq(name.len, 77);
	ck_assert_ptr_nonnull(why);
	ck_assert_int_eq(hf_suffix_check(text, origin, &name, NULL), HF_ESUFFIX);
}

START_TEST(suffix_is_served_or_refused_with_a_reason)
{
	check_one(rows[_i].text, HF_SUFFIX_TYPED, rows[_i].who & TYPED);
	check_one(rows[_i].text, HF_SUFFIX_ASKED, rows[_i].who & ASKED);
}
END_TEST

START_TEST(every_two_letter_label_alone_is_refused)
{
	for (char a = 'a'; a <= 'z'; a++) {
		for (char b = 'a'; b <= 'z'; b++) {
			const char text[] = { a, b, '\0' };

			check_one(text, HF_SUFFIX_TYPED, false);
			check_one(text, HF_SUFFIX_ASKED, false);
		}
	}
}
END_TEST

START_TEST(what_is_accepted_holds_no_hostile_byte)
{
	struct prng p = { (uint64_t)_i };
	int n_ok = 0;

	for (int i = 0; i < 2000; i++) {
		char text[16], out[HF_NAME_TEXT_MAX];
		size_t len = prng_below(&p, sizeof(text));
		struct hf_name name;

		for (size_t k = 0; k < len; k++)
			text[k] = (char)(prng_below(&p, 12) ? 'a' + prng_below(&p, 26)
							    : 1 + prng_below(&p, 255));
		text[len] = '\0';
		if (hf_suffix_check(text, (enum hf_suffix_origin)(i % 2), &name, NULL))
			continue;
		n_ok++;
		hf_name_text(&name, out);
		ck_assert_uint_eq(
		    strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789-_."), strlen(out));
		ck_assert(i % 2 == HF_SUFFIX_TYPED || !strchr(out, '.'));
	}
	ck_assert_int_gt(n_ok, 100);
}
END_TEST

/* --- the table --- */

START_TEST(table_finds_the_first_the_last_and_neighbours)
{
	static const char *const in[] = { "aaa", "aarp", "zuerich", "com", "community", "comcast",
		"commbank", "company" };

	for (size_t i = 0; i < N(in); i++)
		ck_assert_msg(hf_tld_is_public(in[i], strlen(in[i])), "%s", in[i]);
}
END_TEST

START_TEST(table_matches_whole_labels_only)
{
	ck_assert(!hf_tld_is_public("co", 2));
	ck_assert(!hf_tld_is_public("", 0));
	ck_assert(!hf_tld_is_public("comx", 4));
	ck_assert(!hf_tld_is_public("com\0", 4));
	ck_assert(!hf_tld_is_public("zzzz", 4));
	ck_assert(!hf_tld_is_public("\xff\xff\xff", 3));
	ck_assert(hf_tld_is_public("comx", 3));
}
END_TEST

Suite *suffix_suite(void)
{
	Suite *s = suite_create("suffix");
	TCase *tc = tcase_create("check");

	tcase_add_loop_test(tc, suffix_is_served_or_refused_with_a_reason, 0, N(rows));
	tcase_add_test(tc, every_two_letter_label_alone_is_refused);
	tcase_add_loop_test(tc, what_is_accepted_holds_no_hostile_byte, 0, 5);
	suite_add_tcase(s, tc);
	tc = tcase_create("table");
	tcase_add_test(tc, table_finds_the_first_the_last_and_neighbours);
	tcase_add_test(tc, table_matches_whole_labels_only);
	suite_add_tcase(s, tc);
	return s;
}
