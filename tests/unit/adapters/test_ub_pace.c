/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_pace.h"

#include <check.h>

Suite *ub_pace_suite(void);

static const struct {
	size_t now, n;
	int64_t took_us;
	size_t want;
} rows[] = {
	{ 20, 20, 4000, 20 }, /* as it should be */
	{ 20, 20, 1000, 31 }, /* quick: half as much more, no matter how quick */
	{ 20, 20, 1, 31 },
	{ 80, 80, 1000, 100 }, /* the cap */
	{ 80, 80, 8000, 40 },  /* too long: what would fit */
	{ 80, 80, 20000, 40 }, /* far too long: half of it */
	{ 80, 10, 20000, 5 },  /* half of what it was, not of what it might have been */
	{ 80, 2, 100, 80 },    /* few lines say little */
	{ 1, 1, 500000, 1 },   /* never none */
	{ 20, 20, 0, 31 },
};

START_TEST(a_command_is_sized_to_its_time)
{
	struct hf_ub_pace p;

	hf_ub_pace_init(&p, rows[_i].now, 100);
	hf_ub_pace_took(&p, rows[_i].n, rows[_i].took_us);
	ck_assert_uint_eq(p.now, rows[_i].want);
}
END_TEST

START_TEST(the_pause_is_a_third_and_has_an_end)
{
	struct hf_ub_pace p;

	hf_ub_pace_init(&p, 20, 100);
	ck_assert_uint_eq(hf_ub_pace_took(&p, 20, 3000), 1000);
	ck_assert_uint_eq(hf_ub_pace_took(&p, 20, 60000000), 1000000);
}
END_TEST

Suite *ub_pace_suite(void)
{
	Suite *s = suite_create("ub_pace");
	TCase *tc = tcase_create("pace");

	tcase_add_loop_test(tc, a_command_is_sized_to_its_time, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, the_pause_is_a_third_and_has_an_end);
	suite_add_tcase(s, tc);
	return s;
}
