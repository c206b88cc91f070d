/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dns_client_packet.h"

#include <string.h>

#include <check.h>

#include "base/error.h"
#include "tests/unit/adapters/kit_resolver.h"

enum { AAAA = 28, TXT = 16, PTR = 12, CNAME = 5, SOA = 6 };

Suite *dns_client_packet_suite(void);

static const uint8_t addr[16] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b, [15] = 7 };

static struct hf_name name_of(const char *text)
{
	struct hf_name n;

	ck_assert_int_eq(hf_name_parse(text, &n), 0);
	return n;
}

/* An answer without records to the question for that name. */
static size_t answer_to(const char *text, uint16_t type, uint16_t flags, uint8_t *out)
{
	struct hf_name name = name_of(text);
	uint8_t query[HF_DNS_CLIENT_QUERY_MAX];
	struct resolver_question q = { .packet = query,
		.len = hf_dns_client_packet_query(&name, type, 7, true, query) };

	return resolver_answer(&q, flags, out);
}

static int read_answer(
    const uint8_t *packet, size_t len, const char *text, uint16_t type, struct hf_asked *asked)
{
	struct hf_name name = name_of(text);
	bool cut;

	return hf_dns_client_packet_answer(packet, len, &name, type, asked, &cut);
}

START_TEST(an_answer_tells_addresses_ttl_and_flags)
{
	uint8_t packet[RESOLVER_PACKET_MAX];
	struct hf_asked asked;
	size_t len = answer_to("a.coder", AAAA, 0x0400, packet);

	len = resolver_add(packet, len, AAAA, 30, addr, 16);
	len = resolver_add(packet, len, AAAA, 20, addr, 16);
	ck_assert_int_eq(read_answer(packet, len, "A.coder", AAAA, &asked), 0);
	ck_assert_uint_eq(asked.n_records, 2);
	ck_assert_uint_eq(asked.n_addrs, 2);
	ck_assert_mem_eq(asked.addrs[0], addr, 16);
	ck_assert_uint_eq(asked.ttl_s, 20);
	ck_assert(asked.aa && !asked.ad && !asked.has_target && asked.rcode == 0);
	ck_assert_int_eq(asked.ede, -1);
}
END_TEST

START_TEST(more_addresses_than_the_array_has_are_counted)
{
	uint8_t packet[RESOLVER_PACKET_MAX];
	struct hf_asked asked;
	size_t len = answer_to("a.coder", AAAA, 0, packet);

	for (int i = 0; i < HF_DNS_CLIENT_ADDRS_MAX + 3; i++)
		len = resolver_add(packet, len, AAAA, 30, addr, 16);
	ck_assert_int_eq(read_answer(packet, len, "a.coder", AAAA, &asked), 0);
	ck_assert_uint_eq(asked.n_records, HF_DNS_CLIENT_ADDRS_MAX + 3);
	ck_assert_uint_eq(asked.n_addrs, HF_DNS_CLIENT_ADDRS_MAX);
}
END_TEST

START_TEST(an_alias_is_told_whatever_was_asked)
{
	struct hf_name target = name_of("x.example");
	uint8_t packet[RESOLVER_PACKET_MAX];
	struct hf_asked asked;
	size_t len = answer_to("a.coder", AAAA, 0, packet);

	len = resolver_add(packet, len, CNAME, 30, target.wire, target.len);
	ck_assert_int_eq(read_answer(packet, len, "a.coder", AAAA, &asked), 0);
	ck_assert_uint_eq(asked.n_records, 0);
	ck_assert(asked.has_target && hf_name_equal(&asked.target, &target));
}
END_TEST

START_TEST(the_strings_of_a_text_are_one)
{
	uint8_t packet[RESOLVER_PACKET_MAX], big[1024];
	struct hf_asked asked;
	size_t len = answer_to("a.coder", TXT, 0, packet);

	len = resolver_add(packet, len, TXT, 30, "\003abc\002de", 7);
	ck_assert_int_eq(read_answer(packet, len, "a.coder", TXT, &asked), 0);
	ck_assert_uint_eq(asked.text_len, 5);
	ck_assert_mem_eq(asked.text, "abcde", 5);

	memset(big, 255, sizeof(big));
	len = answer_to("a.coder", TXT, 0, packet);
	len = resolver_add(packet, len, TXT, 30, big, sizeof(big));
	ck_assert_int_eq(read_answer(packet, len, "a.coder", TXT, &asked), 0);
	ck_assert_uint_eq(asked.text_len, HF_DNS_CLIENT_TEXT_MAX);
}
END_TEST

START_TEST(a_negative_answer_tells_its_soa)
{
	static const uint8_t soa[] = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0, 90, 0,
		0, 0, 25 };
	uint8_t packet[RESOLVER_PACKET_MAX];
	struct hf_asked asked;
	size_t len = answer_to("a.coder", AAAA, 0x0403, packet);

	len = resolver_add(packet, len, SOA, 30, soa, sizeof(soa));
	packet[7] = 0;
	packet[9] = 1;
	ck_assert_int_eq(read_answer(packet, len, "a.coder", AAAA, &asked), 0);
	ck_assert_uint_eq(asked.rcode, 3);
	ck_assert(asked.has_soa);
	ck_assert_uint_eq(asked.negative_ttl_s, 25);
}
END_TEST

static const struct {
	const char *name;
	uint16_t type;
} others[] = { { "b.coder", AAAA }, { "a.coder", TXT }, { "a.coder.example", AAAA } };

START_TEST(the_answer_to_another_question_is_none)
{
	uint8_t packet[RESOLVER_PACKET_MAX];
	struct hf_asked asked = { .ttl_s = 99 };
	size_t len = answer_to(others[_i].name, others[_i].type, 0, packet);

	ck_assert_int_eq(read_answer(packet, len, "a.coder", AAAA, &asked), HF_EPEER);
	ck_assert_uint_eq(asked.ttl_s, 99);
}
END_TEST

START_TEST(a_question_is_no_answer)
{
	struct hf_name name = name_of("a.coder");
	uint8_t query[HF_DNS_CLIENT_QUERY_MAX];
	size_t len = hf_dns_client_packet_query(&name, AAAA, 7, false, query);
	struct hf_asked asked;

	ck_assert_int_eq(query[2], 0);
	ck_assert_int_eq(hf_dns_client_packet_id(query, len), -1);
	ck_assert_int_eq(read_answer(query, len, "a.coder", AAAA, &asked), HF_EPEER);
	query[2] = 0x80;
	ck_assert_int_eq(hf_dns_client_packet_id(query, len), 7);
	ck_assert_int_eq(hf_dns_client_packet_id(query, 11), -1);
	query[2] = 0xa8; /* an UPDATE */
	ck_assert_int_eq(hf_dns_client_packet_id(query, len), -1);
}
END_TEST

/* No cut and no single changed byte of a packet is ever read beyond, or taken for another name. */
START_TEST(no_cut_or_changed_packet_does_harm)
{
	uint8_t packet[RESOLVER_PACKET_MAX], copy[RESOLVER_PACKET_MAX];
	struct hf_name target = name_of("x.example");
	struct hf_asked asked;
	size_t len = answer_to("a.coder", PTR, 0, packet);

	len = resolver_add(packet, len, PTR, 30, target.wire, target.len);
	len = resolver_add(packet, len, AAAA, 30, addr, 16);
	for (size_t n = 0; n < len; n++)
		ck_assert_int_ne(read_answer(packet, n, "a.coder", PTR, &asked), 0);
	for (size_t i = 0; i < len; i++) {
		for (int v = 0; v < 256; v++) {
			memcpy(copy, packet, len);
			copy[i] = (uint8_t)v;
			if (read_answer(copy, len, "a.coder", PTR, &asked) == 0)
				ck_assert_uint_le(asked.n_records, 2);
		}
	}
}
END_TEST

/* By it a zone of ours is known. */
START_TEST(a_soa_tells_its_server)
{
	struct hf_name server = name_of("holdfast.invalid"), person = name_of("nobody.invalid");
	uint8_t packet[RESOLVER_PACKET_MAX], data[2 * HF_NAME_MAX + 20] = { 0 };
	size_t n = server.len + person.len + 20U;
	struct hf_asked asked;
	size_t len = answer_to("coder", SOA, 0x0400, packet);

	memcpy(data, server.wire, server.len);
	memcpy(data + server.len, person.wire, person.len);
	len = resolver_add(packet, len, SOA, 30, data, n);
	ck_assert_int_eq(read_answer(packet, len, "coder", SOA, &asked), 0);
	ck_assert(asked.aa && asked.has_target && hf_name_equal(&asked.target, &server));
}
END_TEST

Suite *dns_client_packet_suite(void)
{
	Suite *s = suite_create("dns_client_packet");
	TCase *tc = tcase_create("answer");

	tcase_add_test(tc, a_soa_tells_its_server);
	tcase_add_test(tc, an_answer_tells_addresses_ttl_and_flags);
	tcase_add_test(tc, more_addresses_than_the_array_has_are_counted);
	tcase_add_test(tc, an_alias_is_told_whatever_was_asked);
	tcase_add_test(tc, the_strings_of_a_text_are_one);
	tcase_add_test(tc, a_negative_answer_tells_its_soa);
	tcase_add_loop_test(tc, the_answer_to_another_question_is_none, 0, 3);
	tcase_add_test(tc, a_question_is_no_answer);
	tcase_add_test(tc, no_cut_or_changed_packet_does_harm);
	suite_add_tcase(s, tc);
	return s;
}
