/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "config/key.h"
#include "config/type.h"
#include "tests/unit/config/config_kit.h"

Suite *type_number_suite(void);

static const char *const words[] = { "off", "loopback", "on", NULL };

/* clang-format off */
#define DURATION { .type = &hf_type_duration, .min = 50, .max = 86400000 }
#define WIDE { .type = &hf_type_duration, .min = 0, .max = INT64_MAX, .def = "0s" }
#define SIZE { .type = &hf_type_size, .min = 4096, .max = 1 << 30 }
#define INT { .type = &hf_type_int, .min = 1, .max = 30 }
#define PERCENT { .type = &hf_type_percent, .min = 0, .max = 100 }
#define FLAG { .type = &hf_type_flag }
#define ENUM { .type = &hf_type_enum, .words = words }
/* clang-format on */

static const struct {
	struct hf_key key;
	const char *text;
	const char *want;
} rows[] = {
	{ FLAG, "true", "true" },
	{ FLAG, "false", "false" },
	{ FLAG, "yes", "format" },
	{ FLAG, "", "format" },
	{ FLAG, "True", "format" },
	{ INT, "1", "1" },
	{ INT, "30", "30" },
	{ INT, "0", "range" },
	{ INT, "31", "range" },
	{ INT, "-1", "format" },
	{ INT, "+1", "format" },
	{ INT, "0x10", "format" },
	{ INT, " 1", "format" },
	{ INT, "1 ", "format" },
	{ INT, "", "format" },
	{ INT, "1.5", "format" },
	{ INT, "1s", "format" },
	{ INT, "99999999999999999999999999", "range" },
	{ INT, "007", "7" },
	{ DURATION, "50ms", "50ms" },
	{ DURATION, "49ms", "range" },
	{ DURATION, "1d", "1d" },
	{ DURATION, "24h", "1d" },
	{ DURATION, "1d1ms", "range" },
	{ DURATION, "90s", "90s" },
	{ DURATION, "120s", "2m" },
	{ DURATION, "1h30m", "90m" },
	{ DURATION, "1H30M", "90m" },
	{ DURATION, "30m1h", "format" },
	{ DURATION, "1h1h", "format" },
	{ DURATION, "1h30", "format" },
	{ DURATION, "10", "format" },
	{ DURATION, "s", "format" },
	{ DURATION, "1.5s", "format" },
	{ DURATION, "-1s", "format" },
	{ DURATION, "1 s", "format" },
	{ DURATION, "1w", "format" },
	{ DURATION, "1msx", "format" },
	{ DURATION, "", "format" },
	{ DURATION, "999999999999999999d", "range" },
	{ DURATION, "99999999999999999999999999s", "range" },
	{ DURATION, "1s500ms", "1500ms" },
	{ WIDE, "0s", "0ms" },
	{ WIDE, "106751991167d", "106751991167d" },
	{ WIDE, "106751991168d", "range" },
	{ WIDE, "106751991167d24h", "range" },
	{ SIZE, "4096", "4KiB" },
	{ SIZE, "4097", "4097" },
	{ SIZE, "64MiB", "64MiB" },
	{ SIZE, "1gib", "1GiB" },
	{ SIZE, "4095", "range" },
	{ SIZE, "1025MiB", "range" },
	{ SIZE, "64MB", "format" },
	{ SIZE, "64M", "format" },
	{ SIZE, "", "format" },
	{ SIZE, "9999999999999999999GiB", "range" },
	{ PERCENT, "0%", "0%" },
	{ PERCENT, "100%", "100%" },
	{ PERCENT, "101%", "range" },
	{ PERCENT, "50", "format" },
	{ PERCENT, "50 %", "format" },
	{ PERCENT, "%", "format" },
	{ PERCENT, "50%%", "format" },
	{ ENUM, "off", "off" },
	{ ENUM, "on", "on" },
	{ ENUM, "ON", "format" },
	{ ENUM, "", "format" },
	{ ENUM, "of", "format" },
};

START_TEST(numbers_and_words_are_read_exactly)
{
	ck_assert_str_eq(through(rows[_i].key.type, &rows[_i].key, rows[_i].text), rows[_i].want);
}
END_TEST

static const struct {
	struct hf_key key;
	const char *want;
} expects[] = {
	{ FLAG, "true or false" },
	{ INT, "1 to 30" },
	{ { .type = &hf_type_int, .min = 1, .max = 30, .unit = "seconds" }, "1 to 30 (seconds)" },
	{ DURATION, "a duration with its unit, 50ms to 1d" },
	{ SIZE, "a size, 4KiB to 1GiB" },
	{ PERCENT, "0% to 100%" },
	{ ENUM, "off, loopback or on" },
};

START_TEST(what_is_expected_names_the_range)
{
	char text[HF_EXPECT_MAX];

	expects[_i].key.type->expect(&expects[_i].key, text);
	ck_assert_str_eq(text, expects[_i].want);
}
END_TEST

Suite *type_number_suite(void)
{
	Suite *s = suite_create("type_number");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, numbers_and_words_are_read_exactly, 0, N(rows));
	tcase_add_loop_test(tc, what_is_expected_names_the_range, 0, N(expects));
	suite_add_tcase(s, tc);
	return s;
}
