/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "plugin/wire_query.h"
#include "tests/unit/plugin/kit_packet.h"
#include "zone/answer.h"

Suite *wire_query_suite(void);

/* Each builds the packet of one row. */
static void plain(struct packet *p)
{
	packet_begin(p, "Main.Dev.me.coder", HF_TYPE_AAAA);
}

static void empty(struct packet *p)
{
	p->len = 0;
}

static void eleven_bytes(struct packet *p)
{
	plain(p);
	p->len = 11;
}

static void header_alone(struct packet *p)
{
	plain(p);
	p->len = 12;
}

static void an_answer(struct packet *p)
{
	plain(p);
	p->b[2] |= 0x80;
}

static void notify(struct packet *p)
{
	plain(p);
	p->b[2] |= 4 << 3;
}

static void opcode_15(struct packet *p)
{
	plain(p);
	p->b[2] |= 15 << 3;
}

static void no_question(struct packet *p)
{
	plain(p);
	p->b[5] = 0;
}

static void two_questions(struct packet *p)
{
	plain(p);
	p->b[5] = 2;
	packet_bytes(p, p->b + 12, p->len - 12);
}

static void one_question_said_and_half_there(struct packet *p)
{
	plain(p);
	p->len -= 3;
}

static void cut_in_a_label(struct packet *p)
{
	plain(p);
	p->len = 15;
}

static void pointer_to_itself(struct packet *p)
{
	plain(p);
	p->len = 12;
	packet_u16(p, 0xc00c);
	packet_u16(p, HF_TYPE_AAAA);
	packet_u16(p, HF_CLASS_IN);
}

static void pointer_behind_a_label(struct packet *p)
{
	plain(p);
	p->len = 12;
	packet_bytes(p, "\4main\xc0\x0c", 7);
	packet_u16(p, HF_TYPE_AAAA);
	packet_u16(p, HF_CLASS_IN);
}

static void label_type_01(struct packet *p)
{
	plain(p);
	p->b[12] = 0x41;
}

static void name_of_256(struct packet *p)
{
	plain(p);
	p->len = 12;
	for (int i = 0; i < 127; i++)
		packet_bytes(p, "\1a", 2);
	packet_bytes(p, "\1", 1);
	packet_bytes(p, "", 1);
	packet_u16(p, HF_TYPE_AAAA);
	packet_u16(p, HF_CLASS_IN);
}

static void an_answer_record(struct packet *p)
{
	plain(p);
	p->b[7] = 1;
}

static void an_authority_record(struct packet *p)
{
	plain(p);
	p->b[9] = 1;
}

static void rubbish_at_the_end(struct packet *p)
{
	plain(p);
	packet_bytes(p, "x", 1);
}

static void chaos(struct packet *p)
{
	packet_begin(p, "main.dev.me.coder", HF_TYPE_TXT);
	p->b[p->len - 1] = 3;
}

static void hesiod(struct packet *p)
{
	plain(p);
	p->b[p->len - 1] = 4;
}

static void class_any(struct packet *p)
{
	plain(p);
	p->b[p->len - 1] = 255;
}

static void transfer(struct packet *p)
{
	packet_begin(p, "coder", 252);
}

static void incremental_transfer(struct packet *p)
{
	packet_begin(p, "coder", 251);
}

static void type_0(struct packet *p)
{
	packet_begin(p, "coder", 0);
}

static void type_opt(struct packet *p)
{
	packet_begin(p, "coder", 41);
}

static void type_tkey(struct packet *p)
{
	packet_begin(p, "coder", 249);
}

static void type_any(struct packet *p)
{
	packet_begin(p, "coder", HF_TYPE_ANY);
}

static void type_https(struct packet *p)
{
	packet_begin(p, "coder", HF_TYPE_HTTPS);
}

static void root(struct packet *p)
{
	packet_begin(p, "", 2);
}

static void edns(struct packet *p)
{
	plain(p);
	packet_opt(p, 1232, 0, 0, "", 0);
}

static void edns_with_options(struct packet *p)
{
	plain(p);
	packet_opt(p, 1232, 0, 0, "\0\3\0\0\0\12\0\10abcdefgh", 16);
}

static void edns_version_1(struct packet *p)
{
	plain(p);
	packet_opt(p, 1232, 1, 0, "", 0);
}

static void two_opts(struct packet *p)
{
	edns(p);
	packet_opt(p, 1232, 0, 0, "", 0);
}

static void opt_not_at_the_root(struct packet *p)
{
	plain(p);
	p->b[11]++;
	packet_name(p, "a");
	packet_u16(p, 41);
	packet_bytes(p, "\4\xd0\0\0\0\0\0\0", 8);
}

static void opt_at_a_pointer(struct packet *p)
{
	plain(p);
	p->b[11]++;
	packet_u16(p, 0xc00c);
	packet_u16(p, 41);
	packet_bytes(p, "\4\xd0\0\0\0\0\0\0", 8);
}

static void option_past_the_opt(struct packet *p)
{
	plain(p);
	packet_opt(p, 1232, 0, 0, "\0\12\0\11abcdefgh", 12);
}

static void option_of_three_bytes(struct packet *p)
{
	plain(p);
	packet_opt(p, 1232, 0, 0, "\0\12\0", 3);
}

static void opt_past_the_packet(struct packet *p)
{
	edns(p);
	p->b[p->len - 1] = 1;
}

static void opt_cut(struct packet *p)
{
	edns(p);
	p->len -= 1;
}

static void extra_said_and_missing(struct packet *p)
{
	plain(p);
	p->b[11] = 1;
}

static void ten_thousand_extras(struct packet *p)
{
	edns(p);
	p->b[10] = 0x27;
	p->b[11] = 0x10;
}

static void unknown_extra(struct packet *p)
{
	edns(p);
	p->b[11]++;
	packet_name(p, "some.key");
	packet_u16(p, 250);
	packet_u16(p, 255);
	packet_bytes(p, "\0\0\0\0\0\2xy", 8);
}

#define ROW(build, verdict, rcode)                                                                 \
	{                                                                                          \
#build, build, HF_WIRE_##verdict, HF_RCODE_##rcode                                 \
	}
static const struct {
	const char *label;
	void (*build)(struct packet *p);
	enum hf_wire_verdict verdict;
	uint16_t rcode;
} rows[] = {
	ROW(plain, ASK, NOERROR),
	ROW(empty, DROP, NOERROR),
	ROW(eleven_bytes, DROP, NOERROR),
	ROW(an_answer, DROP, NOERROR),
	ROW(header_alone, ERROR, FORMERR),
	ROW(notify, ERROR, NOTIMP),
	ROW(opcode_15, ERROR, NOTIMP),
	ROW(no_question, ERROR, FORMERR),
	ROW(two_questions, ERROR, FORMERR),
	ROW(one_question_said_and_half_there, ERROR, FORMERR),
	ROW(cut_in_a_label, ERROR, FORMERR),
	ROW(pointer_to_itself, ERROR, FORMERR),
	ROW(pointer_behind_a_label, ERROR, FORMERR),
	ROW(label_type_01, ERROR, FORMERR),
	ROW(name_of_256, ERROR, FORMERR),
	ROW(an_answer_record, ERROR, FORMERR),
	ROW(an_authority_record, ERROR, FORMERR),
	ROW(rubbish_at_the_end, ERROR, FORMERR),
	ROW(chaos, ERROR, REFUSED),
	ROW(hesiod, ERROR, REFUSED),
	ROW(class_any, ERROR, REFUSED),
	ROW(transfer, ERROR, REFUSED),
	ROW(incremental_transfer, ERROR, REFUSED),
	ROW(type_0, ERROR, FORMERR),
	ROW(type_opt, ERROR, FORMERR),
	ROW(type_tkey, ERROR, FORMERR),
	ROW(type_any, ASK, NOERROR),
	ROW(type_https, ASK, NOERROR),
	ROW(root, ASK, NOERROR),
	ROW(edns, ASK, NOERROR),
	ROW(edns_with_options, ASK, NOERROR),
	ROW(edns_version_1, ERROR, BADVERS),
	ROW(two_opts, ERROR, FORMERR),
	ROW(opt_not_at_the_root, ERROR, FORMERR),
	ROW(opt_at_a_pointer, ERROR, FORMERR),
	ROW(option_past_the_opt, ERROR, FORMERR),
	ROW(option_of_three_bytes, ERROR, FORMERR),
	ROW(opt_past_the_packet, ERROR, FORMERR),
	ROW(opt_cut, ERROR, FORMERR),
	ROW(extra_said_and_missing, ERROR, FORMERR),
	ROW(ten_thousand_extras, ERROR, FORMERR),
	ROW(unknown_extra, ASK, NOERROR),
};

START_TEST(each_kind_of_packet_gets_its_verdict)
{
	struct packet p;
	struct hf_wire_query q;
	uint8_t *exact;

	rows[_i].build(&p);
	exact = packet_exact(&p, p.len);
	hf_wire_query_parse(exact, p.len, &q);
	ck_assert_msg(q.verdict == rows[_i].verdict, "%s: verdict %d", rows[_i].label, q.verdict);
	if (q.verdict == HF_WIRE_ERROR)
		ck_assert_msg(q.rcode == rows[_i].rcode, "%s: rcode %u", rows[_i].label, q.rcode);
	free(exact);
}
END_TEST

START_TEST(a_question_is_folded_and_lent_as_it_came)
{
	struct packet p;
	struct hf_wire_query q;
	char text[HF_NAME_TEXT_MAX];

	plain(&p);
	hf_wire_query_parse(p.b, p.len, &q);
	ck_assert_str_eq(hf_name_text(&q.name, text), "main.dev.me.coder");
	ck_assert_uint_eq(q.type, HF_TYPE_AAAA);
	ck_assert_uint_eq(q.class, HF_CLASS_IN);
	ck_assert_ptr_eq(q.question, p.b + 12);
	ck_assert_uint_eq(q.question_len, p.len - 12);
	ck_assert(!q.has_opt && !q.dnssec_ok);
	ck_assert_uint_eq(q.udp_size, 512);
}
END_TEST

static const struct {
	unsigned said, want;
} sizes[] = { { 0, 512 }, { 511, 512 }, { 512, 512 }, { 513, 513 }, { 1231, 1231 }, { 1232, 1232 },
	{ 1233, 1232 }, { 4096, 1232 }, { 65535, 1232 } };

START_TEST(the_size_that_the_client_takes_is_kept_within_512_and_1232)
{
	struct packet p;
	struct hf_wire_query q;

	plain(&p);
	packet_opt(&p, sizes[_i].said, 0, 0x8000, "", 0);
	hf_wire_query_parse(p.b, p.len, &q);
	ck_assert(q.has_opt && q.dnssec_ok);
	ck_assert_uint_eq(q.udp_size, sizes[_i].want);
}
END_TEST

START_TEST(a_packet_cut_at_any_byte_is_never_a_question)
{
	struct packet p;
	struct hf_wire_query q;

	edns_with_options(&p);
	for (size_t len = 0; len < p.len; len++) {
		uint8_t *exact = packet_exact(&p, len);

		hf_wire_query_parse(exact, len, &q);
		ck_assert_int_ne(q.verdict, HF_WIRE_ASK);
		free(exact);
	}
}
END_TEST

Suite *wire_query_suite(void)
{
	Suite *s = suite_create("wire_query");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(
	    tc, each_kind_of_packet_gets_its_verdict, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, a_question_is_folded_and_lent_as_it_came);
	tcase_add_loop_test(tc, the_size_that_the_client_takes_is_kept_within_512_and_1232, 0,
	    sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tc, a_packet_cut_at_any_byte_is_never_a_question);
	suite_add_tcase(s, tc);
	return s;
}
