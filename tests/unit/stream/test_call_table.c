/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of one connection: found by their number, and which of them is next.
 */
#include <check.h>
#include <string.h>

#include "bridge/stream/wire/call_table.h"

Suite *call_table_suite(void);

static const struct hf_stream_limits limits = HF_STREAM_LIMITS_DEFAULT;
static struct hf_budget budget = { .max = 1 << 20 };
static struct hf_arena arena;
static struct hf_call_table t;

static void setup(void)
{
	ck_assert_int_eq(hf_arena_init(&arena, hf_update_decoder_arena_size(&limits)), 0);
	ck_assert_int_eq(hf_call_table_init(&t, 8), 0);
}

static void teardown(void)
{
	hf_call_table_done(&t);
	hf_call_table_done(&t);
	hf_arena_done(&arena);
}

static struct hf_call *add(uint32_t id)
{
	static const struct hf_uuid owner = { .b = { 1 } };
	struct hf_call *c;

	ck_assert_int_eq(hf_call_new(&limits, &budget, &arena, &owner, &c), 0);
	c->id = id;
	hf_call_table_add(&t, c);
	return c;
}

START_TEST(each_is_found_by_its_number)
{
	static const uint32_t ids[] = { 1, 3, 5, 9, 4000000001 };
	struct hf_call *calls[5];

	ck_assert_ptr_null(hf_call_table_find(&t, 1));
	for (size_t i = 0; i < 5; i++)
		calls[i] = add(ids[i]);
	for (size_t i = 0; i < 5; i++)
		ck_assert_ptr_eq(hf_call_table_find(&t, ids[i]), calls[i]);
	ck_assert_ptr_null(hf_call_table_find(&t, 0));
	ck_assert_ptr_null(hf_call_table_find(&t, 7));
	ck_assert_ptr_null(hf_call_table_find(&t, UINT32_MAX));
}
END_TEST

START_TEST(one_that_is_forgotten_leaves_the_others)
{
	static const uint32_t ids[] = { 1, 3, 5 };
	struct hf_call *calls[3];

	for (size_t i = 0; i < 3; i++)
		calls[i] = add(ids[i]);
	hf_call_table_forget(&t, calls[_i]);
	ck_assert_uint_eq(t.n, 2);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_eq(hf_call_table_find(&t, ids[i]), i == _i ? NULL : calls[i]);
	/* Its place is free again. */
	for (uint32_t id = 7; t.n < 8; id += 2)
		add(id);
	ck_assert_ptr_nonnull(hf_call_table_find(&t, 17));
}
END_TEST

START_TEST(ready_is_the_first_that_goes_on_and_has_something)
{
	struct hf_call *a = add(1), *b = add(3), *c = add(5);

	ck_assert_ptr_null(hf_call_table_ready(&t));
	ck_assert_int_eq(hf_call_keep(b, (const uint8_t *)"x", 1), 0);
	c->fin = true;
	ck_assert_ptr_eq(hf_call_table_ready(&t), b);
	b->paused = true;
	ck_assert_ptr_eq(hf_call_table_ready(&t), c);
	c->paused = true;
	ck_assert_ptr_null(hf_call_table_ready(&t));
	a->fin = true;
	b->paused = false;
	ck_assert_ptr_eq(hf_call_table_ready(&t), a);
}
END_TEST

START_TEST(the_oldest_that_is_over_is_told_when_there_are_too_many)
{
	struct hf_call *b;

	add(1);
	b = add(3);
	for (uint32_t id = 5; id < 11; id += 2)
		add(id)->over = true;
	b->over = true;
	ck_assert_ptr_null(hf_call_table_oldest_over(&t, 4));
	ck_assert_ptr_eq(hf_call_table_oldest_over(&t, 3), b);
	ck_assert_ptr_eq(hf_call_table_oldest_over(&t, 0), b);
	hf_call_table_forget(&t, b);
	ck_assert_uint_eq(hf_call_table_oldest_over(&t, 2)->id, 5);
	ck_assert_ptr_null(hf_call_table_oldest_over(&t, 3));
}
END_TEST

START_TEST(there_may_be_none)
{
	struct hf_call_table none;

	ck_assert_int_eq(hf_call_table_init(&none, 0), 0);
	ck_assert_ptr_null(hf_call_table_find(&none, 1));
	ck_assert_ptr_null(hf_call_table_ready(&none));
	ck_assert_ptr_null(hf_call_table_oldest_over(&none, 0));
	hf_call_table_done(&none);
}
END_TEST

Suite *call_table_suite(void)
{
	Suite *s = suite_create("call_table");
	TCase *tc = tcase_create("call_table");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_is_found_by_its_number);
	tcase_add_loop_test(tc, one_that_is_forgotten_leaves_the_others, 0, 3);
	tcase_add_test(tc, ready_is_the_first_that_goes_on_and_has_something);
	tcase_add_test(tc, the_oldest_that_is_over_is_told_when_there_are_too_many);
	tcase_add_test(tc, there_may_be_none);
	suite_add_tcase(s, tc);
	return s;
}
