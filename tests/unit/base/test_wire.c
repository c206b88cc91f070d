/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/wire.h"
#include "tests/unit/prng.h"

Suite *wire_suite(void);

START_TEST(fields_are_little_endian)
{
	static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
		0x0b, 0x0c, 0x0d, 0x0e, 0xff };
	struct hf_rd r = hf_rd(bytes, sizeof(bytes));

	ck_assert_uint_eq(hf_rd_u8(&r), 0x01);
	ck_assert_uint_eq(hf_rd_u16(&r), 0x0302);
	ck_assert_uint_eq(hf_rd_u32(&r), 0x07060504);
	ck_assert_uint_eq(hf_rd_left(&r), 8);
	ck_assert_uint_eq(hf_rd_u64(&r), 0xff0e0d0c0b0a0908);
	ck_assert_uint_eq(hf_rd_left(&r), 0);
	ck_assert_int_eq(r.error, 0);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct prng p = { (uint64_t)_i };
	uint64_t v = prng_next(&p);
	uint8_t bytes[18];
	struct hf_wr w = hf_wr(bytes, sizeof(bytes));
	struct hf_rd r = hf_rd(bytes, sizeof(bytes));

	hf_wr_u8(&w, (uint8_t)v);
	hf_wr_u16(&w, (uint16_t)v);
	hf_wr_u32(&w, (uint32_t)v);
	hf_wr_u64(&w, v);
	hf_wr_bytes(&w, "abc", 3);
	ck_assert_int_eq(w.error, 0);
	ck_assert_uint_eq(hf_wr_len(&w), sizeof(bytes));
	ck_assert_uint_eq(hf_rd_u8(&r), (uint8_t)v);
	ck_assert_uint_eq(hf_rd_u16(&r), (uint16_t)v);
	ck_assert_uint_eq(hf_rd_u32(&r), (uint32_t)v);
	ck_assert_uint_eq(hf_rd_u64(&r), v);
	ck_assert(!memcmp(hf_rd_bytes(&r, 3), "abc", 3));
	ck_assert_int_eq(r.error, 0);
}
END_TEST

START_TEST(read_past_the_end_sticks)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct hf_rd r = hf_rd(bytes, sizeof(bytes));

	ck_assert_uint_eq(hf_rd_u8(&r), 1);
	ck_assert_uint_eq(hf_rd_u32(&r), 0);
	ck_assert_int_eq(r.error, HF_EFORMAT);
	/* Two bytes were there, but a field is whole or not at all, and so is what follows. */
	ck_assert_uint_eq(hf_rd_left(&r), 0);
	ck_assert_uint_eq(hf_rd_u8(&r), 0);
	ck_assert_ptr_null(hf_rd_bytes(&r, 1));
	ck_assert_ptr_null(hf_rd_bytes(&r, 0));
	ck_assert_int_eq(r.error, HF_EFORMAT);
}
END_TEST

START_TEST(a_loop_over_what_is_left_ends_at_cut_bytes)
{
	uint8_t bytes[7] = { 0 };
	struct hf_rd r = hf_rd(bytes, sizeof(bytes));
	int n = 0;

	while (hf_rd_left(&r) && n < 100) {
		hf_rd_u16(&r);
		n++;
	}
	ck_assert_int_eq(n, 4);
	ck_assert_int_eq(r.error, HF_EFORMAT);
}
END_TEST

START_TEST(a_length_as_large_as_can_be_is_past_the_end)
{
	uint8_t bytes[4] = { 0 };
	struct hf_rd r = hf_rd(bytes, sizeof(bytes));
	struct hf_wr w = hf_wr(bytes, sizeof(bytes));

	hf_rd_u8(&r);
	ck_assert_ptr_null(hf_rd_bytes(&r, SIZE_MAX));
	ck_assert_int_eq(r.error, HF_EFORMAT);
	hf_wr_u8(&w, 1);
	hf_wr_bytes(&w, bytes, SIZE_MAX);
	ck_assert_int_eq(w.error, HF_ELIMIT);
}
END_TEST

START_TEST(no_bytes_are_fine_until_one_is_asked_for)
{
	struct hf_rd r = hf_rd(NULL, 0);
	struct hf_wr w = hf_wr(NULL, 0);

	ck_assert_uint_eq(hf_rd_left(&r), 0);
	ck_assert_ptr_nonnull(hf_rd_bytes(&r, 0));
	ck_assert_int_eq(r.error, 0);
	ck_assert_uint_eq(hf_rd_u8(&r), 0);
	ck_assert_int_eq(r.error, HF_EFORMAT);
	hf_wr_bytes(&w, NULL, 0);
	ck_assert_int_eq(w.error, 0);
	ck_assert_uint_eq(hf_wr_len(&w), 0);
	hf_wr_u8(&w, 1);
	ck_assert_int_eq(w.error, HF_ELIMIT);
}
END_TEST

START_TEST(write_past_the_end_sticks_and_touches_nothing)
{
	uint8_t bytes[8];
	struct hf_wr w = hf_wr(bytes, 5);

	memset(bytes, 0xee, sizeof(bytes));
	hf_wr_u32(&w, 0);
	hf_wr_u16(&w, 0);
	ck_assert_int_eq(w.error, HF_ELIMIT);
	hf_wr_u8(&w, 0); /* there would be room, but something before it is missing */
	ck_assert_int_eq(w.error, HF_ELIMIT);
	ck_assert_uint_eq(hf_wr_len(&w), 4);
	ck_assert_uint_eq(bytes[4], 0xee);
	ck_assert_uint_eq(bytes[5], 0xee);
}
END_TEST

Suite *wire_suite(void)
{
	Suite *s = suite_create("wire");
	TCase *tc = tcase_create("fields");

	tcase_add_test(tc, fields_are_little_endian);
	tcase_add_loop_test(tc, what_was_written_is_read, 0, 20);
	tcase_add_test(tc, read_past_the_end_sticks);
	tcase_add_test(tc, a_loop_over_what_is_left_ends_at_cut_bytes);
	tcase_add_test(tc, a_length_as_large_as_can_be_is_past_the_end);
	tcase_add_test(tc, no_bytes_are_fine_until_one_is_asked_for);
	tcase_add_test(tc, write_past_the_end_sticks_and_touches_nothing);
	suite_add_tcase(s, tc);
	return s;
}
