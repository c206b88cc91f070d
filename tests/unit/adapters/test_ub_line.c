/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "adapters/unbound/ub_line.h"

#define PTR_8 "8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"

enum kind { NOTHING, ADDRESS, POINTER };

static const struct {
	const char *line;
	bool listing; /* else of a start file */
	enum kind kind;
	const char *name;
} rows[] = {
	{ "main.dev.me.coder.\t30\tIN\tAAAA\tfd60:627a:a42b::8\n", true, ADDRESS,
	    "main.dev.me.coder" },
	{ PTR_8 ".\t30\tIN\tPTR\tmain.dev.me.coder.\n", true, POINTER, "main.dev.me.coder" },
	{ "local-data: \"main.dev.me.coder. 30 AAAA fd60:627a:a42b::8\"\n", false, ADDRESS,
	    "main.dev.me.coder" },
	{ "local-data: \"" PTR_8 ". 30 PTR main.dev.me.coder.\"\n", false, POINTER,
	    "main.dev.me.coder" },
	{ "main.dev.me.coder. 30 IN AAAA fd60:627a:a42b::8\n", false, ADDRESS,
	    "main.dev.me.coder" },
	{ PTR_8 ". 30 IN PTR main.dev.me.coder.\n", false, POINTER, "main.dev.me.coder" },
	/* What is not ours, or no record at all. */
	{ "main.dev.me.coder.\t30\tIN\tAAAA\t2001:db8::8\n", true, NOTHING, NULL },
	{ "main.dev.me.coder.\t30\tIN\tA\t192.0.2.1\n", true, NOTHING, NULL },
	{ "1.0.0.127.in-addr.arpa.\t30\tIN\tPTR\tlocalhost.\n", true, NOTHING, NULL },
	{ "0.0.0.0.b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa.\t30\tIN\tPTR\ta.coder.\n", true, NOTHING,
	    NULL },
	{ "coder. 30 IN SOA holdfast.invalid. nobody.invalid. 1 60 60 2419200 30\n", false, NOTHING,
	    NULL },
	{ "local-zone: \"coder.\" static\n", false, NOTHING, NULL },
	{ "server:\n", false, NOTHING, NULL },
	{ "main.dev.me.coder. 30 IN AAAA fd60:627a", false, NOTHING, NULL }, /* cut */
	{ "\n", false, NOTHING, NULL },
	{ "", false, NOTHING, NULL },
};

START_TEST(a_line_is_a_record_of_ours_or_nothing)
{
	struct hf_name name;
	struct hf_record record;
	struct hf_ub_line line;
	bool read = rows[_i].listing ? hf_ub_line_read(rows[_i].line, &line)
				     : hf_ub_line_read_start(rows[_i].line, &line);
	bool address = read && hf_ub_line_record(&line, false, &record),
	     pointer = read && !address && hf_ub_line_record(&line, true, &record);

	ck_assert_int_eq(address, rows[_i].kind == ADDRESS);
	ck_assert_int_eq(pointer, rows[_i].kind == POINTER);
	if (rows[_i].kind == NOTHING)
		return;
	ck_assert_int_eq(hf_name_parse(rows[_i].name, &name), 0);
	ck_assert(hf_name_equal(&record.name, &name));
	ck_assert_int_eq(record.primary, pointer);
	ck_assert_uint_eq(record.addr[0], 0xfd);
	ck_assert_uint_eq(record.addr[15], 8);
}
END_TEST

START_TEST(empty_lines_are_passed_over)
{
	static const char listing[] = "a\n\nb\n";
	const char *at = hf_ub_line_next(listing);

	ck_assert_str_eq(at, "b\n");
	ck_assert_str_eq(hf_ub_line_next(at), "");
}
END_TEST

START_TEST(a_long_word_is_cut_and_no_record)
{
	char text[3 * HF_NAME_TEXT_MAX];
	struct hf_ub_line line;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert(!hf_ub_line_read(text, &line));
	ck_assert(!hf_ub_line_read_start(text, &line));
}
END_TEST

Suite *ub_line_suite(void);
Suite *ub_line_suite(void)
{
	Suite *s = suite_create("ub_line");
	TCase *c = tcase_create("ub_line");

	tcase_add_loop_test(
	    c, a_line_is_a_record_of_ours_or_nothing, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(c, empty_lines_are_passed_over);
	tcase_add_test(c, a_long_word_is_cut_and_no_record);
	suite_add_tcase(s, c);
	return s;
}
