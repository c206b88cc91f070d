/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log_line.h"
#include "tests/unit/prng.h"

Suite *log_line_suite(void);

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define T "2001-09-09T01:46:40.007Z"

static const int64_t wall = 1000000000007;

static size_t line(
    enum hf_log_format format, const char *text, char out[static HF_LOG_LINE_MAX + 1])
{
	size_t len = hf_log_line(out, HF_LOG_WARN, format, wall, text);

	ck_assert_uint_le(len, HF_LOG_LINE_MAX);
	out[len] = '\0';
	return len;
}

static const struct {
	const char *text;
	const char *plain; /* as text, and NULL: as it is */
	const char *json;
} rows[] = {
	{ "all is well", NULL, NULL },
	{ "", NULL, NULL },
	{ "say \"no\" \\ yes", NULL, "say \\\"no\\\" \\\\ yes" },
	{ "b\xc3\xbc"
	  "cher \xe2\x82\xac \xf0\x9f\x98\x80",
	    NULL, NULL },
	{ "a\nb\r\tc", "a\\x0ab\\x0d\\x09c", "a\\u000ab\\u000d\\u0009c" },
	{ "\x1b[2J\x7f\x01", "\\x1b[2J\\x7f\\x01", "\\u001b[2J\\u007f\\u0001" },
	/* C1: one character in UTF-8, a bare byte in Latin 1. */
	{ "\xc2\x9b"
	  "2J \x9b"
	  "2J",
	    "\\u009b2J \\x9b2J", "\\u009b2J \\\\x9b2J" },
	{ "\xc2\xa0", NULL, NULL },
	/* What would turn or break the line for a person who reads it. */
	{ "\xe2\x80\xae"
	  "abc",
	    "\\u202eabc", "\\u202eabc" },
	{ "\xe2\x80\xa8\xe2\x81\xa6\xe2\x80\x8f", "\\u2028\\u2066\\u200f",
	    "\\u2028\\u2066\\u200f" },
	/* Not UTF-8: alone, cut, overlong, surrogate, beyond the last, not even a beginning. */
	{ "\xff\xfe", "\\xff\\xfe", "\\\\xff\\\\xfe" },
	{ "\x80", "\\x80", "\\\\x80" },
	{ "\xe2\x82", "\\xe2\\x82", "\\\\xe2\\\\x82" },
	{ "\xc3(", "\\xc3(", "\\\\xc3(" },
	{ "\xc0\x8a", "\\xc0\\x8a", "\\\\xc0\\\\x8a" },
	{ "\xc1\xbf", "\\xc1\\xbf", "\\\\xc1\\\\xbf" },
	{ "\xe0\x80\x8a", "\\xe0\\x80\\x8a", "\\\\xe0\\\\x80\\\\x8a" },
	{ "\xf0\x80\x80\x8a", "\\xf0\\x80\\x80\\x8a", "\\\\xf0\\\\x80\\\\x80\\\\x8a" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\\\xed\\\\xa0\\\\x80" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80" },
	{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80",
	    "\\\\xf8\\\\x88\\\\x80\\\\x80\\\\x80" },
	{ "\xf4\x8f\xbf\xbf \xed\x9f\xbf \xee\x80\x80", NULL, NULL },
};

START_TEST(text_is_one_line_of_harmless_characters)
{
	const char *want = rows[_i].plain ? rows[_i].plain : rows[_i].text;
	char got[HF_LOG_LINE_MAX + 1], whole[HF_LOG_LINE_MAX];

	line(HF_LOG_TEXT, rows[_i].text, got);
	snprintf(whole, sizeof(whole), T " warn: %s\n", want);
	ck_assert_str_eq(got, whole);
	want = rows[_i].json ? rows[_i].json : rows[_i].text;
	line(HF_LOG_JSON, rows[_i].text, got);
	snprintf(whole, sizeof(whole), "{\"time\":\"" T "\",\"level\":\"warn\",\"text\":\"%s\"}\n",
	    want);
	ck_assert_str_eq(got, whole);
}
END_TEST

static const struct {
	enum hf_log_level level;
	const char *name;
} levels[] = { { HF_LOG_ERROR, "error" }, { HF_LOG_WARN, "warn" }, { HF_LOG_INFO, "info" },
	{ HF_LOG_DEBUG, "debug" } };

START_TEST(level_is_told_by_name)
{
	char got[HF_LOG_LINE_MAX], want[100];
	size_t len = hf_log_line(got, levels[_i].level, HF_LOG_TEXT, wall, "x");

	snprintf(want, sizeof(want), T " %s: x\n", levels[_i].name);
	ck_assert_uint_eq(len, strlen(want));
	ck_assert(!memcmp(got, want, len));
}
END_TEST

static const struct {
	int64_t wall_ms;
	const char *want;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000Z" },
	{ 1709210096999, "2024-02-29T12:34:56.999Z" },
	{ 4102444800000, "2100-01-01T00:00:00.000Z" },
	/* A clock that somebody set into the past. */
	{ -1, "1969-12-31T23:59:59.999Z" },
	{ -1000, "1969-12-31T23:59:59.000Z" },
	{ INT64_MAX, "292278994-08-17T07:12:55.807Z" },
};

START_TEST(time_is_rfc3339_in_utc)
{
	char got[HF_LOG_LINE_MAX];

	setenv("TZ", "Asia/Tokyo", 1);
	hf_log_line(got, HF_LOG_INFO, HF_LOG_TEXT, times[_i].wall_ms, "x");
	ck_assert_msg(!strncmp(got, times[_i].want, strlen(times[_i].want)), "%.40s", got);
}
END_TEST

static const char *const fillers[] = { "x", "\n", "\"", "\xff", "\xc2\x9b", "\xf0\x9f\x98\x80" };

START_TEST(text_that_is_too_long_is_cut_and_shows_it)
{
	char text[3 * HF_LOG_LINE_MAX] = "", got[HF_LOG_LINE_MAX + 1];
	size_t n = strlen(fillers[_i]), len;

	for (size_t at = 0; at + n < sizeof(text); at += n)
		memcpy(text + at, fillers[_i], n);
	len = line(HF_LOG_TEXT, text, got);
	ck_assert_uint_gt(len, HF_LOG_LINE_MAX - 20);
	ck_assert_str_eq(got + len - 4, "...\n");
	len = line(HF_LOG_JSON, text, got);
	ck_assert_uint_gt(len, HF_LOG_LINE_MAX - 20);
	ck_assert_str_eq(got + len - 6, "...\"}\n");
}
END_TEST

START_TEST(text_that_just_fits_is_not_cut)
{
	char text[HF_LOG_LINE_MAX] = "", got[HF_LOG_LINE_MAX + 1];
	size_t head = strlen(T " warn: "), max = HF_LOG_LINE_MAX - 6 - head;

	memset(text, 'x', max);
	ck_assert_uint_eq(line(HF_LOG_TEXT, text, got), head + max + 1);
	ck_assert_ptr_null(strchr(got + head, '.'));
	text[max] = 'x';
	ck_assert_uint_eq(line(HF_LOG_TEXT, text, got), head + max + 4);
	ck_assert_ptr_nonnull(strstr(got + head, "x...\n"));
}
END_TEST

/* The end of the JSON string that begins at s; NULL if there is none or an escape is none. */
static const char *json_string_end(const char *s)
{
	for (; *s && *s != '"'; s++) {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s != '\\')
			continue;
		s++;
		if (*s == 'u' && strspn(s + 1, "0123456789abcdef") >= 4)
			s += 4;
		else if (*s != '"' && *s != '\\')
			return NULL;
	}
	return *s ? s : NULL;
}

START_TEST(random_bytes_make_one_line_and_one_json_string)
{
	static const char head[] = "{\"time\":\"" T "\",\"level\":\"warn\",\"text\":\"";
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < 300; i++) {
		char text[3000], got[HF_LOG_LINE_MAX + 1];
		size_t n = prng_below(&p, sizeof(text)), len;

		prng_bytes(&p, text, n);
		text[n] = '\0';
		len = line(HF_LOG_TEXT, text, got);
		for (size_t k = 0; k + 1 < len; k++)
			ck_assert_uint_ge((unsigned char)got[k], 0x20);
		ck_assert_int_eq(got[len - 1], '\n');
		line(HF_LOG_JSON, text, got);
		ck_assert(!strncmp(got, head, strlen(head)));
		ck_assert_ptr_nonnull(json_string_end(got + strlen(head)));
		ck_assert_str_eq(json_string_end(got + strlen(head)), "\"}\n");
	}
}
END_TEST

Suite *log_line_suite(void)
{
	Suite *s = suite_create("log_line");
	TCase *tc = tcase_create("line");

	tcase_add_loop_test(tc, text_is_one_line_of_harmless_characters, 0, N(rows));
	tcase_add_loop_test(tc, level_is_told_by_name, 0, N(levels));
	tcase_add_loop_test(tc, time_is_rfc3339_in_utc, 0, N(times));
	tcase_add_loop_test(tc, text_that_is_too_long_is_cut_and_shows_it, 0, N(fillers));
	tcase_add_test(tc, text_that_just_fits_is_not_cut);
	tcase_add_loop_test(tc, random_bytes_make_one_line_and_one_json_string, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
