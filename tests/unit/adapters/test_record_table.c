/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/record_table.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/prng.h"

#define ADDR(n) "fd60:627a:a42b::" #n

static void put(
    struct hf_record_table *t, const char *name, const char *addr, bool primary, int want)
{
	struct hf_record r = record(name, addr, primary);

	ck_assert_int_eq(hf_record_table_put(t, &r), want);
}

static void expect_text(const struct hf_record_table *t, const char *want)
{
	char *text;
	size_t len;

	ck_assert_int_eq(hf_record_table_text(t, 0, false, &text, &len), 0);
	text[len] = '\0';
	ck_assert_str_eq(text, want);
	free(text);
}

START_TEST(an_address_has_its_primary_name_first)
{
	struct hf_record_table *t;

	ck_assert_int_eq(hf_record_table_new(1, &t), 0);
	put(t, "b.coder", ADDR(2), false, 1);
	put(t, "z.coder", ADDR(1), true, 1);
	put(t, "a.coder", ADDR(1), false, 1);
	put(t, "a.coder", ADDR(1), false, 0);
	expect_text(t, ADDR(1) " z.coder\n" ADDR(1) " a.coder\n" ADDR(2) " b.coder\n");
	put(t, "z.coder", ADDR(1), false, 1);
	put(t, "a.coder", ADDR(1), true, 1);
	expect_text(t, ADDR(1) " a.coder\n" ADDR(1) " z.coder\n" ADDR(2) " b.coder\n");
	hf_record_table_free(t);
}
END_TEST

START_TEST(a_name_may_have_two_addresses_while_it_changes)
{
	struct hf_record r = record("a.coder", ADDR(1), true);
	struct hf_record_table *t;

	ck_assert_int_eq(hf_record_table_new(1, &t), 0);
	put(t, "a.coder", ADDR(1), true, 1);
	put(t, "a.coder", ADDR(2), true, 1);
	put(t, "a.coder", ADDR(3), true, 1);
	ck_assert_uint_eq(hf_record_table_count(t), 3);
	for (int i = 0; i < 2; i++) { /* the first that was put is the one that is found */
		hf_record_table_del(t, hf_record_table_find(t, &r.name));
		ck_assert_uint_eq(hf_record_table_count(t), (size_t)(2 - i));
		ck_assert_ptr_nonnull(hf_record_table_find(t, &r.name));
	}
	hf_record_table_del(t, hf_record_table_find(t, &r.name));
	ck_assert_ptr_null(hf_record_table_find(t, &r.name));
	expect_text(t, "");
	hf_record_table_free(t);
}
END_TEST

static void count_odd(const char *line, size_t len, void *arg)
{
	(*(int *)arg)++;
}

START_TEST(what_is_loaded_is_what_was_written)
{
	static const char text[] = "# x\n" ADDR(1) " z.coder\nodd\n" ADDR(1) " a.coder\n" ADDR(
	    1) " z.coder\n\n" ADDR(2) " b.coder";
	struct hf_record_table *t;
	struct hf_record z = record("z.coder", ADDR(1), true);
	int odd = 0;

	ck_assert_int_eq(hf_record_table_new(1, &t), 0);
	ck_assert_int_eq(hf_record_table_load(t, text, sizeof(text) - 1, count_odd, &odd), 1);
	ck_assert_int_eq(odd, 1);
	ck_assert(hf_record_table_find_addr(t, &z.name, z.addr)->primary);
	expect_text(t, ADDR(1) " z.coder\n" ADDR(1) " a.coder\n" ADDR(2) " b.coder\n");
	hf_record_table_free(t);
}
END_TEST

static int count_one(const struct hf_record *r, void *arg)
{
	(*(size_t *)arg)++;
	return 0;
}

/*
 * Any changes: names, buckets and the count agree, and all names of an address are in one bucket.
 */
static void drop_entry(struct hf_record_entry *e, void *arg)
{
	hf_record_table_del(arg, e);
}

START_TEST(what_is_below_no_suffix_is_found)
{
	struct hf_name suffixes[2];
	struct hf_record_table *t;

	ck_assert_int_eq(hf_record_table_new(1, &t), 0);
	ck_assert_int_eq(hf_name_parse("coder", &suffixes[0]), 0);
	ck_assert_int_eq(hf_name_parse("beta.example", &suffixes[1]), 0);
	put(t, "a.coder", ADDR(1), true, 1);
	put(t, "a.coder", ADDR(2), true, 1);
	put(t, "a.encoder", ADDR(3), true, 1);
	put(t, "b.alpha.example", ADDR(1), false, 1);
	put(t, "b.beta.example", ADDR(1), false, 1);
	hf_record_table_outside(t, suffixes, 2, drop_entry, t);
	expect_text(t, ADDR(1) " a.coder\n" ADDR(1) " b.beta.example\n" ADDR(2) " a.coder\n");
	hf_record_table_outside(t, suffixes, 0, drop_entry, t);
	ck_assert_uint_eq(hf_record_table_count(t), 0);
	hf_record_table_free(t);
}
END_TEST

START_TEST(names_and_buckets_agree)
{
	struct prng p = { .state = (uint64_t)_i };
	struct hf_record_table *t;
	size_t n = 0;

	ck_assert_int_eq(hf_record_table_new(16, &t), 0);
	for (int i = 0; i < 2000; i++) {
		struct hf_record r = record("x.coder", ADDR(1), false);
		struct hf_record_entry *e;

		r.name.wire[1] = (uint8_t)('a' + prng_below(&p, 20));
		r.addr[15] = (uint8_t)prng_below(&p, 30);
		e = hf_record_table_find_addr(t, &r.name, r.addr);
		if (prng_below(&p, 2))
			ck_assert_int_eq(hf_record_table_put(t, &r), !e);
		else if (e)
			hf_record_table_del(t, e);
	}
	for (unsigned b = 0; b < 16; b++) {
		for (struct hf_record_entry *e = hf_record_table_bucket(t, b); e; e = e->next) {
			ck_assert_uint_eq(hf_record_table_bucket_of(t, e->addr), b);
			ck_assert_ptr_eq(hf_record_table_find_addr(t, e->name, e->addr), e);
		}
		hf_record_table_walk(t, b, count_one, &n);
	}
	ck_assert_uint_eq(n, hf_record_table_count(t));
	hf_record_table_clear(t);
	ck_assert_uint_eq(hf_record_table_count(t), 0);
	hf_record_table_free(t);
}
END_TEST

Suite *record_table_suite(void);

Suite *record_table_suite(void)
{
	Suite *s = suite_create("record_table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, an_address_has_its_primary_name_first);
	tcase_add_test(tc, a_name_may_have_two_addresses_while_it_changes);
	tcase_add_test(tc, what_is_loaded_is_what_was_written);
	tcase_add_test(tc, what_is_below_no_suffix_is_found);
	tcase_add_loop_test(tc, names_and_buckets_agree, 1, 6);
	suite_add_tcase(s, tc);
	return s;
}
