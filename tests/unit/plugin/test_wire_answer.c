/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "plugin/wire_answer.h"
#include "tests/unit/plugin/kit_packet.h"
#include "zone/answer.h"

Suite *wire_answer_suite(void);

enum { AA = 0x0400, TC = 0x0200, RD = 0x0100, AD = 0x0020, CD = 0x0010 };

static const uint8_t suffix[] = "\5coder";
static const uint8_t addrs[128][16] = { { 0xfd, 0x60, 1 }, { 0xfd, 0x60, 2 } };
static const uint8_t soa_rdata[] = "\0\0\0\0\0\1\0\0\0<\0\0\0<\0$\352\0\0\0\0\36";

static struct packet asked;
static struct hf_wire_query query;
static uint8_t out[HF_WIRE_TCP_MAX];
static size_t out_len;

static void ask(const char *name, unsigned type, bool with_opt)
{
	packet_begin(&asked, name, type);
	if (with_opt)
		packet_opt(&asked, 1232, 0, 0x8000, "", 0);
	hf_wire_query_parse(asked.b, asked.len, &query);
	ck_assert_int_eq(query.verdict, HF_WIRE_ASK);
}

static struct hf_answer positive(uint16_t n)
{
	return (struct hf_answer){ .ours = true,
		.ede = HF_EDE_NONE,
		.has_answer = true,
		.answer = {
		    .type = HF_TYPE_AAAA, .ttl_s = 30, .n = n, .rdlen = 16, .rdata = addrs[0] } };
}

static struct hf_answer negative(uint8_t rcode)
{
	return (struct hf_answer){ .ours = true,
		.rcode = rcode,
		.ede = HF_EDE_NONE,
		.has_soa = true,
		.soa = { .owner = suffix,
		    .owner_len = sizeof(suffix),
		    .type = HF_TYPE_SOA,
		    .ttl_s = 30,
		    .n = 1,
		    .rdlen = sizeof(soa_rdata) - 1,
		    .rdata = soa_rdata } };
}

/* The reply, whose header and echoed question are checked at once. */
static void put(const struct hf_answer *a, size_t max)
{
	memset(out, 0xee, sizeof(out));
	out_len = hf_wire_answer_put(&query, a, max, out);
	ck_assert_uint_le(out_len, max);
	ck_assert_uint_eq(out[out_len], 0xee);
	ck_assert_uint_eq(hf_be16(out), 0xbeef);
	ck_assert_uint_eq(hf_be16(out + 4), 1);
	ck_assert_mem_eq(out + 12, query.question, query.question_len);
}

static unsigned flags(void)
{
	return hf_be16(out + 2);
}

START_TEST(the_question_and_its_case_come_back_and_owners_point_to_it)
{
	struct hf_answer a = positive(2);
	const uint8_t *rr;

	ask("MaIn.dEv.me.CODER", HF_TYPE_AAAA, false);
	put(&a, 512);
	ck_assert_uint_eq(flags(), 0x8000 | AA | RD);
	ck_assert_uint_eq(hf_be16(out + 6), 2);
	ck_assert_uint_eq(hf_be16(out + 8) | hf_be16(out + 10), 0);
	rr = out + 12 + query.question_len;
	ck_assert_mem_eq(rr, "\xc0\x0c\0\x1c\0\1\0\0\0\x1e\0\x10", 12);
	ck_assert_mem_eq(rr + 12, addrs[0], 16);
	ck_assert_mem_eq(rr + 28 + 12, addrs[1], 16);
	ck_assert_uint_eq(out_len, 12 + query.question_len + 2 * 28);
}
END_TEST

START_TEST(a_negative_answer_has_one_soa_whose_owner_is_the_end_of_the_question)
{
	struct hf_answer a = negative(HF_RCODE_NXDOMAIN);
	const uint8_t *rr;

	ask("x.Y.CoDeR", HF_TYPE_AAAA, false);
	put(&a, 512);
	ck_assert_uint_eq(flags() & 0xf, HF_RCODE_NXDOMAIN);
	ck_assert_uint_eq(hf_be16(out + 6), 0);
	ck_assert_uint_eq(hf_be16(out + 8), 1);
	rr = out + 12 + query.question_len;
	ck_assert_uint_eq(hf_be16(rr), 0xc000 | (12 + 4));
	ck_assert_mem_eq(out + 12 + 4, "\5CoDeR", 7);
	ck_assert_uint_eq(hf_be16(rr + 2), HF_TYPE_SOA);
}
END_TEST

START_TEST(an_owner_that_is_no_end_of_the_question_is_written_out)
{
	struct hf_answer a = negative(HF_RCODE_NOERROR);
	const uint8_t *rr;

	/* "\5coder" is there as bytes, but not as whole labels. */
	ask("x\5coder", HF_TYPE_A, false);
	put(&a, 512);
	rr = out + 12 + query.question_len;
	ck_assert_mem_eq(rr, suffix, sizeof(suffix));
	ask("abc", HF_TYPE_A, false);
	put(&a, 512);
	ck_assert_mem_eq(out + 12 + query.question_len, suffix, sizeof(suffix));
}
END_TEST

static const struct {
	unsigned asked_flags, want;
} flag_rows[] = {
	{ 0, 0x8000 | AA }, { RD, 0x8000 | AA | RD }, { CD, 0x8000 | AA | CD }, { AD, 0x8000 | AA },
	{ 0x80, 0x8000 | AA },                                   /* RA */
	{ TC | AA, 0x8000 | AA }, { 0x0040 | 0xf, 0x8000 | AA }, /* Z, and an rcode in the query */
};

START_TEST(rd_and_cd_are_copied_and_nothing_else)
{
	struct hf_answer a = positive(1);

	ask("a.coder", HF_TYPE_AAAA, true);
	hf_be16_put(asked.b + 2, (uint16_t)flag_rows[_i].asked_flags);
	hf_wire_query_parse(asked.b, asked.len, &query);
	put(&a, 512);
	ck_assert_uint_eq(flags(), flag_rows[_i].want);
}
END_TEST

START_TEST(opt_is_answered_with_1232_and_do_and_ede_where_there_is_one)
{
	struct hf_answer a = positive(1);
	static const uint8_t opt[] = "\0\0\x29\4\xd0\0\0\x80\0\0\0";
	static const uint8_t opt_ede[] = "\0\0\x29\4\xd0\0\0\x80\0\0\6\0\xf\0\2\0\3";

	ask("a.coder", HF_TYPE_AAAA, true);
	put(&a, 512);
	ck_assert_uint_eq(hf_be16(out + 10), 1);
	ck_assert_mem_eq(out + out_len - 11, opt, 11);
	a.ede = HF_EDE_STALE;
	put(&a, 512);
	ck_assert_uint_eq(hf_be16(out + 10), 1);
	ck_assert_mem_eq(out + out_len - 17, opt_ede, 17);
}
END_TEST

START_TEST(no_opt_and_no_ede_unless_asked)
{
	struct hf_answer a = positive(1);

	a.ede = HF_EDE_STALE;
	ask("a.coder", HF_TYPE_AAAA, false);
	put(&a, 512);
	ck_assert_uint_eq(hf_be16(out + 10), 0);
	ck_assert_uint_eq(out_len, 12 + query.question_len + 28);
}
END_TEST

START_TEST(what_does_not_fit_sets_tc_and_leaves_whole_records)
{
	struct hf_answer a = positive(100);
	size_t per = 28, fixed;

	a.ede = HF_EDE_STALE;
	ask("a.coder", HF_TYPE_AAAA, true);
	fixed = 12 + query.question_len + 17;
	for (size_t max = HF_WIRE_REPLY_MIN; max < 1300; max++) {
		put(&a, max);
		ck_assert(flags() & TC);
		ck_assert_uint_eq(hf_be16(out + 6), (max - fixed) / per);
		ck_assert_uint_eq(out_len, fixed + per * hf_be16(out + 6));
	}
	put(&a, HF_WIRE_TCP_MAX);
	ck_assert(!(flags() & TC));
	ck_assert_uint_eq(hf_be16(out + 6), 100);
}
END_TEST

START_TEST(exactly_fitting_is_not_truncated)
{
	struct hf_answer a = positive(128);
	size_t exact;

	ask("a.coder", HF_TYPE_AAAA, true);
	exact = 12 + query.question_len + 11 + (size_t)128 * 28;
	put(&a, exact);
	ck_assert(!(flags() & TC));
	put(&a, exact - 1);
	ck_assert(flags() & TC);
	ck_assert_uint_eq(hf_be16(out + 6), 127);
}
END_TEST

START_TEST(not_ours_is_refused_without_aa)
{
	struct hf_answer a = { .ours = false };

	ask("example.com", HF_TYPE_AAAA, true);
	put(&a, 512);
	ck_assert_uint_eq(flags(), 0x8000 | RD | HF_RCODE_REFUSED);
	ck_assert_uint_eq(hf_be16(out + 6) | hf_be16(out + 8), 0);
	ck_assert_uint_eq(hf_be16(out + 10), 1);
}
END_TEST

START_TEST(not_ready_is_servfail_with_its_ede)
{
	struct hf_answer a = { .ours = true, .rcode = HF_RCODE_SERVFAIL, .ede = HF_EDE_NOT_READY };

	ask("a.coder", HF_TYPE_AAAA, true);
	put(&a, 512);
	ck_assert_uint_eq(flags() & 0xf, HF_RCODE_SERVFAIL);
	ck_assert_mem_eq(out + out_len - 6, "\0\xf\0\2\0\xe", 6);
}
END_TEST

START_TEST(an_unread_question_is_not_echoed)
{
	packet_begin(&asked, "a.coder", HF_TYPE_AAAA);
	asked.b[2] |= 15 << 3;
	hf_wire_query_parse(asked.b, asked.len, &query);
	ck_assert_uint_eq(hf_wire_answer_put_error(&query, query.rcode, out), 12);
	ck_assert_mem_eq(out, "\xbe\xef\xf9\x04\0\0\0\0\0\0\0\0", 12);
}
END_TEST

START_TEST(badvers_is_rcode_0_and_extended_1_with_version_0)
{
	packet_begin(&asked, "a.coder", HF_TYPE_AAAA);
	packet_opt(&asked, 4096, 1, 0, "", 0);
	hf_wire_query_parse(asked.b, asked.len, &query);
	ck_assert_uint_eq(query.rcode, HF_RCODE_BADVERS);
	out_len = hf_wire_answer_put_error(&query, query.rcode, out);
	ck_assert_uint_eq(flags() & 0xf, 0);
	ck_assert_mem_eq(out + out_len - 11, "\0\0\x29\4\xd0\1\0\0\0\0\0", 11);
}
END_TEST

START_TEST(the_longest_name_fits_into_the_least_reply)
{
	struct hf_answer a = negative(HF_RCODE_NXDOMAIN);

	packet_begin(&asked, "", HF_TYPE_A);
	asked.len = 12;
	for (int i = 0; i < 127; i++)
		packet_bytes(&asked, "\1a", 2);
	packet_bytes(&asked, "", 1);
	packet_u16(&asked, HF_TYPE_A);
	packet_u16(&asked, HF_CLASS_IN);
	packet_opt(&asked, 512, 0, 0, "", 0);
	hf_wire_query_parse(asked.b, asked.len, &query);
	ck_assert_int_eq(query.verdict, HF_WIRE_ASK);
	a.ede = HF_EDE_STALE_NXDOMAIN;
	put(&a, HF_WIRE_REPLY_MIN);
	ck_assert_uint_eq(out_len, HF_WIRE_REPLY_MIN);
	ck_assert(flags() & TC);
}
END_TEST

Suite *wire_answer_suite(void)
{
	Suite *s = suite_create("wire_answer");
	TCase *tc = tcase_create("reply");

	tcase_add_test(tc, the_question_and_its_case_come_back_and_owners_point_to_it);
	tcase_add_test(tc, a_negative_answer_has_one_soa_whose_owner_is_the_end_of_the_question);
	tcase_add_test(tc, an_owner_that_is_no_end_of_the_question_is_written_out);
	tcase_add_loop_test(
	    tc, rd_and_cd_are_copied_and_nothing_else, 0, sizeof(flag_rows) / sizeof(flag_rows[0]));
	tcase_add_test(tc, opt_is_answered_with_1232_and_do_and_ede_where_there_is_one);
	tcase_add_test(tc, no_opt_and_no_ede_unless_asked);
	tcase_add_test(tc, what_does_not_fit_sets_tc_and_leaves_whole_records);
	tcase_add_test(tc, exactly_fitting_is_not_truncated);
	tcase_add_test(tc, not_ours_is_refused_without_aa);
	tcase_add_test(tc, not_ready_is_servfail_with_its_ede);
	tcase_add_test(tc, an_unread_question_is_not_echoed);
	tcase_add_test(tc, badvers_is_rcode_0_and_extended_1_with_version_0);
	tcase_add_test(tc, the_longest_name_fits_into_the_least_reply);
	suite_add_tcase(s, tc);
	return s;
}
