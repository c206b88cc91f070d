/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/hex.h"

Suite *hex_suite(void);

START_TEST(every_byte_comes_back)
{
	uint8_t bytes[256], again[256];
	char text[2 * 256 + 1];

	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	hf_hex_put(bytes, sizeof(bytes), text);
	ck_assert_uint_eq(strlen(text), 512);
	ck_assert_mem_eq(text, "000102", 6);
	ck_assert_mem_eq(text + 506, "fdfeff", 6);
	ck_assert_int_eq(hf_hex_get(text, sizeof(again), again), 0);
	ck_assert_mem_eq(again, bytes, sizeof(bytes));
}
END_TEST

START_TEST(nothing_is_an_empty_text)
{
	char text[1] = { 'x' };

	hf_hex_put((const uint8_t *)"", 0, text);
	ck_assert_int_eq(text[0], '\0');
	ck_assert_int_eq(hf_hex_get("", 0, NULL), 0);
}
END_TEST

START_TEST(a_digit_has_its_value)
{
	for (int c = -128; c < 128; c++) {
		static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
		const char *at = c ? strchr(lower, c) : NULL;
		int want = at ? (int)(at - lower) : -1;

		at = c ? strchr(upper, c) : NULL;
		want = at ? (int)(at - upper) : want;
		ck_assert_msg(hf_hex_value((char)c) == want, "character %d", c);
	}
}
END_TEST

static const char *const refused[] = { "", "0", "0a1", "0a1g", "g000", "0A1b", "0a1B", "0a 1",
	"0x0a" };

START_TEST(what_is_not_two_bytes_is_refused)
{
	uint8_t bytes[2];

	ck_assert_int_eq(hf_hex_get(refused[_i], sizeof(bytes), bytes), HF_EFORMAT);
}
END_TEST

START_TEST(what_follows_is_not_read)
{
	static const char text[4] = { 'f', 'f', '0', '1' }; /* no NUL */
	uint8_t bytes[2];

	ck_assert_int_eq(hf_hex_get(text, sizeof(bytes), bytes), 0);
	ck_assert_uint_eq(bytes[0], 0xff);
	ck_assert_uint_eq(bytes[1], 1);
	ck_assert_int_eq(hf_hex_get("00zz", 1, bytes), 0);
}
END_TEST

Suite *hex_suite(void)
{
	Suite *s = suite_create("hex");
	TCase *tc = tcase_create("hex");

	tcase_add_test(tc, every_byte_comes_back);
	tcase_add_test(tc, nothing_is_an_empty_text);
	tcase_add_test(tc, a_digit_has_its_value);
	tcase_add_loop_test(
	    tc, what_is_not_two_bytes_is_refused, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, what_follows_is_not_read);
	suite_add_tcase(s, tc);
	return s;
}
