/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/stream/wire/control_limit.h"
#include "bridge/stream/wire/sendq.h"
#include "tests/unit/prng.h"

Suite *sendq_suite(void);

START_TEST(what_is_lent_stays_where_it_is)
{
	struct hf_sendq q;
	const uint8_t *first, *again;

	hf_sendq_init(&q, 100000);
	ck_assert_int_eq(hf_sendq_add(&q, "abc", 3), 0);
	ck_assert_uint_eq(hf_sendq_peek(&q, &first), 3);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(hf_sendq_add(&q, "0123456789", 10), 0);
	/* A write that must be tried again: the same place, and no fewer bytes. */
	ck_assert_uint_eq(hf_sendq_peek(&q, &again), 3);
	ck_assert_ptr_eq(first, again);
	hf_sendq_sent(&q, 1);
	ck_assert_uint_eq(hf_sendq_peek(&q, &again), 2);
	ck_assert_ptr_eq(first + 1, again);
	hf_sendq_sent(&q, 2);
	ck_assert_uint_eq(hf_sendq_len(&q), 10000);
	ck_assert_uint_eq(hf_sendq_peek(&q, &again), 10000);
	ck_assert_mem_eq(again, "01234567890", 11);
	hf_sendq_sent(&q, 10000);
	ck_assert_uint_eq(hf_sendq_peek(&q, &again), 0);
	hf_sendq_done(&q);
}
END_TEST

START_TEST(nothing_is_added_over_the_limit)
{
	struct hf_sendq q;
	const uint8_t *bytes;

	hf_sendq_init(&q, 10);
	ck_assert_int_eq(hf_sendq_add(&q, "0123456", 7), 0);
	ck_assert_int_eq(hf_sendq_add(&q, "0123", 4), HF_ELIMIT);
	ck_assert_int_eq(hf_sendq_add(&q, "012", 3), 0);
	ck_assert_int_eq(hf_sendq_add(&q, "", 0), 0);
	ck_assert_int_eq(hf_sendq_add(&q, "0", 1), HF_ELIMIT);
	ck_assert_uint_eq(hf_sendq_peek(&q, &bytes), 10);
	hf_sendq_sent(&q, 4);
	ck_assert_int_eq(hf_sendq_add(&q, "01234", 5), HF_ELIMIT);
	ck_assert_int_eq(hf_sendq_add(&q, "0123", 4), 0);
	hf_sendq_done(&q);
}
END_TEST

START_TEST(bytes_come_out_in_order)
{
	struct prng p = { .state = (uint64_t)_i };
	struct hf_sendq q;
	uint8_t in = 0, want = 0;

	hf_sendq_init(&q, 3000);
	for (int round = 0; round < 3000; round++) {
		uint8_t piece[300];
		const uint8_t *bytes;
		size_t n = prng_below(&p, sizeof(piece));

		for (size_t i = 0; i < n; i++)
			piece[i] = (uint8_t)(in + i);
		if (!hf_sendq_add(&q, piece, n))
			in = (uint8_t)(in + n);
		n = hf_sendq_peek(&q, &bytes);
		n = n ? prng_below(&p, n + 1) : 0;
		for (size_t i = 0; i < n; i++)
			ck_assert_uint_eq(bytes[i], want++);
		if (n)
			hf_sendq_sent(&q, n);
	}
	hf_sendq_done(&q);
}
END_TEST

START_TEST(flood_is_too_many_in_too_short_a_time)
{
	struct hf_control_limit f = { 0 };

	for (int i = 0; i < 5; i++)
		ck_assert(!hf_control_limit_hit(&f, 1000 + i, 5, 100));
	ck_assert(hf_control_limit_hit(&f, 1099, 5, 100));
	hf_control_limit_reset(&f);
	ck_assert(!hf_control_limit_hit(&f, 1099, 5, 100));
	/* Slow ones never add up. */
	for (int i = 0; i < 1000; i++)
		ck_assert(!hf_control_limit_hit(&f, 2000 + 20 * i, 5, 100));
}
END_TEST

Suite *sendq_suite(void)
{
	Suite *s = suite_create("sendq");
	TCase *tc = tcase_create("sendq");

	tcase_add_test(tc, what_is_lent_stays_where_it_is);
	tcase_add_test(tc, nothing_is_added_over_the_limit);
	tcase_add_loop_test(tc, bytes_come_out_in_order, 0, 4);
	tcase_add_test(tc, flood_is_too_many_in_too_short_a_time);
	suite_add_tcase(s, tc);
	return s;
}
