/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "adapters/unbound/ub_private.h"

#define DIGITS "0123456789abcdef"

static const struct {
	const char *seen, *fill_seen;
	bool is_one;
} rows[] = {
	{ "f" DIGITS, "f" DIGITS, true },
	{ "w" DIGITS, "f" DIGITS, true },
	{ "w" DIGITS, "", false }, /* it was written into an unbound that was just reloaded */
	{ "", "f" DIGITS, false },
	{ "w" DIGITS, "f0123456789abcdee", false }, /* of another fill */
	{ "x" DIGITS, "x" DIGITS, false },
	{ "w0123456789abcdeg", "f0123456789abcdeg", false },
	{ "w0123456789abcde", "f0123456789abcde", false },
	{ "", "", false },
};

START_TEST(a_canary_is_believed_with_its_mark)
{
	struct hf_ub_zone zone = { 0 };

	snprintf(zone.seen, sizeof(zone.seen), "%s", rows[_i].seen);
	snprintf(zone.fill_seen, sizeof(zone.fill_seen), "%s", rows[_i].fill_seen);
	ck_assert_int_eq(hf_ub_canary_is_one(&zone), rows[_i].is_one);
}
END_TEST

START_TEST(each_fill_has_another)
{
	struct hf_ub_zone a = { 0 }, b = { 0 };

	hf_ub_canary_new(&a);
	hf_ub_canary_new(&b);
	ck_assert_str_ne(a.canary, b.canary);
	ck_assert(!hf_ub_canary_is_there(&a));
	memcpy(a.seen, a.canary, sizeof(a.seen));
	memcpy(a.fill_seen, a.canary, sizeof(a.seen));
	ck_assert(hf_ub_canary_is_there(&a));
	ck_assert(hf_ub_canary_is_one(&a));
}
END_TEST

/* Others may have put any text there. */
START_TEST(what_is_too_long_is_none)
{
	struct hf_asked asked = { .n_records = 1, .text_len = HF_UB_CANARY_MAX };
	struct hf_ub_zone zone = { 0 };

	memset(asked.text, 'w', sizeof(asked.text));
	hf_ub_canary_keep(&zone, &asked);
	ck_assert_str_eq(zone.seen, "");
	asked.text_len = HF_UB_CANARY_MAX - 1;
	hf_ub_canary_keep(&zone, &asked);
	ck_assert_uint_eq(strlen(zone.seen), HF_UB_CANARY_MAX - 1);
	asked.n_records = 0;
	hf_ub_canary_keep(&zone, &asked);
	ck_assert_str_eq(zone.seen, "");
}
END_TEST

Suite *ub_canary_suite(void);
Suite *ub_canary_suite(void)
{
	Suite *s = suite_create("ub_canary");
	TCase *c = tcase_create("ub_canary");

	tcase_add_loop_test(
	    c, a_canary_is_believed_with_its_mark, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(c, each_fill_has_another);
	tcase_add_test(c, what_is_too_long_is_none);
	suite_add_tcase(s, c);
	return s;
}
