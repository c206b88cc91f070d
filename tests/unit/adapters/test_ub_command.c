/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/unbound/ub_command.h"

#include <string.h>

#include <check.h>

#include "adapters/unbound/ub_private.h"
#include "base/error.h"

Suite *ub_command_suite(void);

static const uint8_t addr[16] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b, [15] = 7 };
static struct hf_ub_command c;

static struct hf_name name_of(const char *text)
{
	struct hf_name n;

	ck_assert_int_eq(hf_name_parse(text, &n), 0);
	return n;
}

static void is(const char *want)
{
	ck_assert_uint_eq(c.len, strlen(want));
	ck_assert_mem_eq(c.bytes, want, c.len);
}

START_TEST(lines_are_short_and_end_with_their_mark)
{
	struct hf_name name = name_of("main.dev.me.coder");

	hf_ub_command_begin(&c, "local_datas");
	ck_assert(hf_ub_command_aaaa(&c, &name, 30, addr));
	ck_assert(hf_ub_command_ptr(&c, addr, 30, &name));
	ck_assert_uint_eq(c.n, 2);
	hf_ub_command_end(&c);
	is("UBCT1 local_datas\nmain.dev.me.coder 30 AAAA fd60:627a:a42b::7\n"
	   "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa 30 PTR main.dev.me.coder\n\x04\n");
	hf_ub_command_begin(&c, "local_datas_remove");
	ck_assert(hf_ub_command_remove(&c, &name));
	hf_ub_command_end(&c);
	is("UBCT1 local_datas_remove\nmain.dev.me.coder\n\x04\n");
	hf_ub_command_begin(&c, "local_datas_remove");
	ck_assert(hf_ub_command_remove_aaaa(&c, &name, addr));
	hf_ub_command_end(&c);
	is("UBCT1 local_datas_remove\nmain.dev.me.coder 1 AAAA fd60:627a:a42b::7\n\x04\n");
}
END_TEST

/* It is counted by itself: what a command changes are the other lines. */
START_TEST(a_zone_comes_before_what_is_in_it)
{
	struct hf_name zone = name_of("coder"), name = name_of("canary.coder");

	hf_ub_command_begin(&c, "local_datas");
	ck_assert(hf_ub_command_soa(&c, &zone, 20));
	ck_assert_uint_eq(c.n, 0);
	ck_assert(hf_ub_command_txt(&c, &name, 20, "w0123"));
	ck_assert_uint_eq(c.n, 1);
	ck_assert_uint_eq(c.n_zones, 1);
	hf_ub_command_end(&c);
	is("UBCT1 local_datas\n"
	   "coder 20 SOA holdfast.invalid. nobody.invalid. 1 60 60 2419200 20\n"
	   "canary.coder 20 TXT w0123\n\x04\n");
	hf_ub_command_begin(&c, "local_datas");
	ck_assert_uint_eq(c.n_zones, 0);
}
END_TEST

static const struct {
	const char *reply;
	bool able;
} record_rows[] = {
	{ "error no local data for rr _holdfast-asks.invalid. 1 IN AAAA ::1\n", true },
	{ "error no zone for rr _holdfast-asks.invalid. 1 IN AAAA ::1\n", true },
	{ "ok\n", false },
	{ "", false },
	{ "error cannot parse name _holdfast-asks.invalid. 1 IN AAAA ::1\n", false },
	{ "error cannot parse rr _holdfast-asks.invalid. 1 IN AAAA ::1 at 0: x\n", false },
	{ "error unknown command 'local_data_remove'\n", false },
};

START_TEST(one_that_looks_for_a_record_can_remove_it)
{
	ck_assert_uint_eq(hf_ub_n_abilities, 1);
	ck_assert_uint_eq(hf_ub_abilities[0].bit, HF_UB_RECORDS);
	hf_ub_command_ability(&c, &hf_ub_abilities[0]);
	is("UBCT1 local_data_remove _holdfast-asks.invalid. 1 IN AAAA ::1\n");
	ck_assert_int_eq(hf_ub_abilities[0].is_able(record_rows[_i].reply), record_rows[_i].able);
}
END_TEST

START_TEST(single_commands)
{
	struct hf_name name = name_of("coder");

	hf_ub_command_zone(&c, &name, "static");
	is("UBCT1 local_zone coder static\n");
	hf_ub_command_remove_one(&c, &name);
	is("UBCT1 local_data_remove coder\n");
	hf_ub_command_zone_remove(&c, &name);
	is("UBCT1 local_zone_remove coder\n");
	hf_ub_command_status(&c);
	is("UBCT1 status\n");
}
END_TEST

/* However many lines: never more than a socket takes at once, and never without the mark. */
START_TEST(a_full_command_takes_no_more_and_still_ends)
{
	struct hf_name name = name_of("main.dev.me.coder");
	size_t n = 0;

	hf_ub_command_begin(&c, "local_datas");
	while (hf_ub_command_aaaa(&c, &name, 30, addr))
		ck_assert_uint_lt(n++, 10000);
	ck_assert_uint_eq(c.n, n);
	hf_ub_command_end(&c);
	ck_assert_uint_le(c.len, HF_UB_CONTROL_COMMAND_MAX);
	ck_assert_uint_gt(c.len, HF_UB_CONTROL_COMMAND_MAX - 100);
	ck_assert_mem_eq(c.bytes + c.len - 3, "\n\x04\n", 3);
}
END_TEST

static const struct {
	uint8_t len;
	const char *wire;
} hostile[] = { { 5, "\003a\nb" }, { 5, "\003a b" },
	{ 5, "\003a\x04"
	     "b" },
	{ 3, "\001*" }, { 5, "\003a.b" }, { 5, "\003a\"b" }, { 5, "\003a;b" }, { 5, "\003a\\b" },
	{ 3, "\001\xff" }, { 4, "\003ab" }, { 2, "\077a" }, { 0, "" }, { 3, "\001\0" },
	{ 1, "a" } };

START_TEST(no_hostile_name_gets_into_a_command)
{
	struct hf_name name = { .len = hostile[_i].len };

	memcpy(name.wire, hostile[_i].wire, hostile[_i].len);
	ck_assert(!hf_ub_command_name_ok(&name));
	hf_ub_command_begin(&c, "local_datas");
	ck_assert(!hf_ub_command_aaaa(&c, &name, 30, addr));
	ck_assert(!hf_ub_command_ptr(&c, addr, 30, &name));
	ck_assert(!hf_ub_command_remove(&c, &name));
	ck_assert_uint_eq(c.n, 0);
	hf_ub_command_end(&c);
	is("UBCT1 local_datas\n\x04\n");
}
END_TEST

static const struct {
	const char *reply;
	long want;
	const char *text;
} replies[] = {
	{ "added 3 datas\n", 3, "" },
	{ "removed 12 datas\n", 12, "" },
	{ "error parsing local-data at line 2\nerror for input line: x\nadded 1 datas\n", 1,
	    "error parsing local-data at line 2" },
	{ "", HF_EFORMAT, "" },
	{ "error unknown command 'local_datas'\n", HF_EFORMAT,
	    "error unknown command 'local_datas'" },
	{ "a\x1b[2J\n", HF_EFORMAT, "a?[2J" },
};

START_TEST(what_unbound_says_about_lines)
{
	char text[64];

	ck_assert_int_eq(
	    hf_ub_command_n_taken(replies[_i].reply, text, sizeof(text)), replies[_i].want);
	ck_assert_str_eq(text, replies[_i].text);
}
END_TEST

START_TEST(what_unbound_says_about_a_command)
{
	char text[16];

	ck_assert_int_eq(hf_ub_command_is_ok("ok\n", text, sizeof(text)), 0);
	ck_assert_int_eq(hf_ub_command_is_ok("", text, sizeof(text)), HF_EREFUSED);
	ck_assert_int_eq(
	    hf_ub_command_is_ok("error syntax error in it all\n", text, sizeof(text)), HF_EREFUSED);
	ck_assert_str_eq(text, "error syntax er");
	ck_assert_uint_eq(hf_ub_command_version("version: 1.17.1\nverbosity: 1\n"), 1017001);
	ck_assert_uint_eq(hf_ub_command_version("version: 1.26.0rc1\n"), 1026000);
	ck_assert_uint_eq(hf_ub_command_version("error\n"), 0);
}
END_TEST

START_TEST(a_listing_shows_whose_a_zone_is)
{
	static const char ours[] = "coder.\t30\tIN\tSOA\ta. b. 1 1 1 1 1\n\n"
				   "_holdfast-canary.coder.\t30\tIN\tTXT\t\"w\"\n\n"
				   "x.decoder.\t30\tIN\tA\t192.0.2.1\n";
	static const char theirs[] = "_holdfast-canary.coder.\t30\tIN\tTXT\t\"w\"\n"
				     "Printer.CODER.\t30\tIN\tA\t192.0.2.1\n";
	struct hf_name zone = name_of("coder");

	ck_assert(hf_ub_list_has_canary(ours, &zone));
	ck_assert(hf_ub_list_is_empty_below(ours, &zone));
	ck_assert(!hf_ub_list_is_empty_below(theirs, &zone));
	ck_assert(!hf_ub_list_has_canary("x.coder.\t30\tIN\tA\t192.0.2.1\n", &zone));
	ck_assert(!hf_ub_list_has_canary("", &zone));
	ck_assert(hf_ub_list_is_empty_below("junk\n\t\t\n\n", &zone));
}
END_TEST

Suite *ub_command_suite(void)
{
	Suite *s = suite_create("ub_command");
	TCase *tc = tcase_create("command");

	tcase_add_test(tc, lines_are_short_and_end_with_their_mark);
	tcase_add_loop_test(tc, one_that_looks_for_a_record_can_remove_it, 0,
	    sizeof(record_rows) / sizeof(record_rows[0]));
	tcase_add_test(tc, a_zone_comes_before_what_is_in_it);
	tcase_add_test(tc, single_commands);
	tcase_add_test(tc, a_full_command_takes_no_more_and_still_ends);
	tcase_add_loop_test(
	    tc, no_hostile_name_gets_into_a_command, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_loop_test(
	    tc, what_unbound_says_about_lines, 0, sizeof(replies) / sizeof(replies[0]));
	tcase_add_test(tc, what_unbound_says_about_a_command);
	tcase_add_test(tc, a_listing_shows_whose_a_zone_is);
	suite_add_tcase(s, tc);
	return s;
}
