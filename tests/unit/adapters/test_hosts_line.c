/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "adapters/hosts_line.h"
#include "base/error.h"
#include "tests/unit/adapters/kit_records.h"

#define ADDR "fd60:627a:a42b::7"

static const struct {
	const char *line;
	int want;
} lines[] = {
	{ ADDR " main.dev.me.coder\n", 1 },
	{ ADDR "\tMAIN.dev.me.coder\r\n", 1 },
	{ "  " ADDR " main.dev.me.coder # x", 1 },
	{ "", 0 },
	{ "\n", 0 },
	{ "# " ADDR " a.coder", 0 },
	{ ADDR, HF_EFORMAT },
	{ ADDR " a.coder b.coder", HF_EFORMAT },
	{ "fd00::1 a.coder", HF_EFORMAT },
	{ "127.0.0.1 a.coder", HF_EFORMAT },
	{ ADDR "%eth0 a.coder", HF_EFORMAT },
	{ ADDR " a..coder", HF_EFORMAT },
	{ ADDR " a\\.coder", HF_EFORMAT },
	{ "a.coder " ADDR, HF_EFORMAT },
};

START_TEST(a_line_is_ours_or_not)
{
	struct hf_record r;

	ck_assert_int_eq(
	    hf_hosts_line_parse(lines[_i].line, strlen(lines[_i].line), &r), lines[_i].want);
	if (lines[_i].want == 1) {
		struct hf_record want = record("main.dev.me.coder", ADDR, false);

		ck_assert(hf_name_equal(&r.name, &want.name));
		ck_assert_mem_eq(r.addr, want.addr, 16);
	}
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	struct hf_record r = record("main.dev.me.coder", ADDR, false), again;
	char out[HF_HOSTS_LINE_MAX];
	size_t len = hf_hosts_line_format(&r, _i, out);

	ck_assert_uint_eq(len, strlen(ADDR " main.dev.me.coder\n") + (size_t)_i);
	ck_assert_int_eq(hf_hosts_line_parse(out, len, &again), 1);
	ck_assert(hf_name_equal(&r.name, &again.name));
	ck_assert(out[len - 1] == '\n' && (_i == 0) == (out[len - 2] != '\r'));
}
END_TEST

/* Any byte within a label: nothing but our own letters may come into a file. */
START_TEST(only_names_of_our_letters_fit)
{
	struct hf_record r = { .name = { .len = 9 } };
	bool ours = (_i >= 'a' && _i <= 'z') || (_i >= '0' && _i <= '9') || _i == '-' || _i == '_';

	hf_addr_of_agent(&(struct hf_uuid){ { 0 } }, r.addr);
	memcpy(r.name.wire, "\001x\005coder", 9);
	r.name.wire[1] = (uint8_t)_i;
	ck_assert_int_eq(hf_hosts_line_fits(&r), ours);
	r.addr[0] = 0x20;
	ck_assert(!hf_hosts_line_fits(&r));
}
END_TEST

START_TEST(the_longest_name_has_room)
{
	char label[64], text[300];
	struct hf_record r;
	char out[HF_HOSTS_LINE_MAX + 1];

	memset(label, 'y', 63);
	label[63] = '\0';
	snprintf(text, sizeof(text), "%s.%s.%s.%.61s", label, label, label, label);
	r = record(text, "fd60:627a:a42b:ffff:ffff:ffff:ffff:ffff", false);
	ck_assert(hf_hosts_line_fits(&r));
	out[HF_HOSTS_LINE_MAX] = '!';
	ck_assert_uint_le(hf_hosts_line_format(&r, true, out), HF_HOSTS_LINE_MAX);
	ck_assert_int_eq(out[HF_HOSTS_LINE_MAX], '!');
}
END_TEST

Suite *hosts_line_suite(void);

Suite *hosts_line_suite(void)
{
	Suite *s = suite_create("hosts_line");
	TCase *tc = tcase_create("line");

	tcase_add_loop_test(tc, a_line_is_ours_or_not, 0, (int)(sizeof(lines) / sizeof(lines[0])));
	tcase_add_loop_test(tc, what_is_written_is_read_again, 0, 2);
	tcase_add_loop_test(tc, only_names_of_our_letters_fit, 0, 256);
	tcase_add_test(tc, the_longest_name_has_room);
	suite_add_tcase(s, tc);
	return s;
}
