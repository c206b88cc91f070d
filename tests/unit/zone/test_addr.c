/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/prng.h"
#include "zone/addr.h"

Suite *addr_suite(void);

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define REVERSE "b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"

enum { ROUNDS = 500, SEEDS = 4 };

/* --- ids --- */

static const struct {
	const char *text;
	const char *want; /* NULL: refused */
} ids[] = {
	{ "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff" },
	{ "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff" },
	{ "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000" },
	{ "", NULL },
	{ "00112233-4455-6677-8899-aabbccddeef", NULL },
	{ "00112233-4455-6677-8899-aabbccddeeff0", NULL },
	{ "00112233-4455-6677-8899-aabbccddeeff ", NULL },
	{ "00112233445566778899aabbccddeeff", NULL },
	{ "0011223344-55-6677-8899-aabbccddeeff", NULL },
	{ "00112233-4455-6677-8899-aabbccddeefg", NULL },
	{ "00112233-4455-6677-8899-aabbccddee/f", NULL },
	{ "00112233-4455-6677-8899-aabbccddee:f", NULL },
	{ "00112233-4455-6677-8899-aabbccddee@f", NULL },
	{ "00112233-4455-6677-8899-aabbccddee`f", NULL },
	{ "00112233_4455-6677-8899-aabbccddeeff", NULL },
	{ "00112233-4455-6677-8899-aabbccddee\xb1"
	  "f",
	    NULL },
	{ "{0112233-4455-6677-8899-aabbccddeef}", NULL },
	{ "------------------------------------", NULL },
};

START_TEST(id_is_read_in_its_one_form)
{
	struct hf_uuid id = { "untouched bytes" };
	struct hf_uuid before = id;
	char out[HF_UUID_TEXT_MAX];
	int rc = hf_uuid_parse(ids[_i].text, &id);

	if (!ids[_i].want) {
		ck_assert_int_eq(rc, HF_EFORMAT);
		ck_assert(hf_uuid_equal(&id, &before));
		return;
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_str_eq(hf_uuid_text(&id, out), ids[_i].want);
}
END_TEST

START_TEST(id_comes_back_from_its_text)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		char text[HF_UUID_TEXT_MAX];
		struct hf_uuid a, b;

		prng_bytes(&p, a.b, sizeof(a.b));
		ck_assert_uint_eq(strlen(hf_uuid_text(&a, text)), HF_UUID_TEXT_MAX - 1);
		ck_assert_int_eq(hf_uuid_parse(text, &b), 0);
		ck_assert(hf_uuid_equal(&a, &b));
		ck_assert(!hf_uuid_is_zero(&a));
		b.b[prng_below(&p, 16)] ^= 0x80;
		ck_assert(!hf_uuid_equal(&a, &b));
	}
}
END_TEST

START_TEST(id_of_zeros_is_told_by_every_byte)
{
	for (size_t i = 0; i < 16; i++) {
		struct hf_uuid id = { { 0 } };

		ck_assert(hf_uuid_is_zero(&id));
		id.b[i] = 1;
		ck_assert(!hf_uuid_is_zero(&id));
	}
}
END_TEST

/* --- addresses --- */

static const struct {
	const char *id;
	const char *addr;
} agents[] = {
	{ "00112233-4455-6677-8899-aabbccddeeff", "fd60:627a:a42b:6677:8899:aabb:ccdd:eeff" },
	{ "ffffffff-ffff-4000-8000-000000000001", "fd60:627a:a42b:4000:8000::1" },
	{ "00000000-0000-0000-0000-000000000053", "fd60:627a:a42b::53" },
};

START_TEST(address_is_the_agent_id_behind_the_prefix)
{
	struct hf_uuid id;
	uint8_t addr[16];
	char text[HF_ADDR_TEXT_MAX];

	ck_assert_int_eq(hf_uuid_parse(agents[_i].id, &id), 0);
	hf_addr_of_agent(&id, addr);
	ck_assert(hf_addr_is_ours(addr));
	ck_assert_str_eq(hf_addr_text(addr, text), agents[_i].addr);
}
END_TEST

START_TEST(address_depends_on_the_last_ten_bytes_alone)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		struct hf_uuid a, b;
		uint8_t addr_a[16], addr_b[16], back[16];
		char text[HF_ADDR_TEXT_MAX];
		size_t at = prng_below(&p, 16);

		prng_bytes(&p, a.b, sizeof(a.b));
		b = a;
		b.b[at] ^= (uint8_t)(1 + prng_below(&p, 255));
		hf_addr_of_agent(&a, addr_a);
		hf_addr_of_agent(&b, addr_b);
		ck_assert_int_eq(!memcmp(addr_a, addr_b, 16), at < 6);
		ck_assert(!memcmp(addr_a + 6, a.b + 6, 10));
		ck_assert(hf_addr_is_ours(addr_a));
		ck_assert_int_eq(inet_pton(AF_INET6, hf_addr_text(addr_a, text), back), 1);
		ck_assert(!memcmp(addr_a, back, 16));
	}
}
END_TEST

START_TEST(ours_is_the_48_and_nothing_else)
{
	static const struct {
		const char *text;
		bool ours;
	} rows[] = {
		{ "fd60:627a:a42b::", true },
		{ "fd60:627a:a42b:ffff:ffff:ffff:ffff:ffff", true },
		{ "fd60:627a:a42a:ffff:ffff:ffff:ffff:ffff", false },
		{ "fd60:627a:a42c::", false },
		{ "fd61:627a:a42b::1", false },
		{ "::1", false },
		{ "::ffff:192.0.2.1", false },
	};

	for (size_t i = 0; i < N(rows); i++) {
		uint8_t addr[16];
		char text[HF_ADDR_TEXT_MAX];

		ck_assert_int_eq(inet_pton(AF_INET6, rows[i].text, addr), 1);
		ck_assert_int_eq(hf_addr_is_ours(addr), rows[i].ours);
		ck_assert_str_eq(hf_addr_text(addr, text), rows[i].text);
	}
}
END_TEST

START_TEST(longest_address_fits)
{
	uint8_t addr[16];
	char text[HF_ADDR_TEXT_MAX];

	memset(addr, 0xfe, sizeof(addr));
	ck_assert_str_eq(hf_addr_text(addr, text), "fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe");
}
END_TEST

/* --- PTR names --- */

static struct hf_name parsed(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

START_TEST(apex_is_the_reverse_of_the_prefix)
{
	struct hf_name apex = parsed(REVERSE), ptr;
	uint8_t addr[16] = { 0 };

	ck_assert(hf_name_equal(&apex, &hf_addr_reverse_apex));
	memcpy(addr, hf_addr_prefix, 6);
	hf_ptr_name(addr, &ptr);
	ck_assert(hf_name_is_under(&ptr, &hf_addr_reverse_apex));
	ck_assert_uint_eq(hf_name_labels(&ptr), 34);
}
END_TEST

#define FULL "f.f.e.e.d.d.c.c.b.b.a.a.9.9.8.8.7.7.6.6." REVERSE

static const struct {
	const char *text;
	enum hf_ptr_kind want;
} ptrs[] = {
	{ FULL, HF_PTR_ADDR },
	{ "F.F.E.E.D.D.C.C.B.B.A.A.9.9.8.8.7.7.6.6.B.2.4.A.A.7.2.6.0.6.D.F.IP6.ARPA", HF_PTR_ADDR },
	{ REVERSE, HF_PTR_APEX },
	{ "6." REVERSE, HF_PTR_PARTIAL },
	{ "f.e.e.d.d.c.c.b.b.a.a.9.9.8.8.7.7.6.6." REVERSE, HF_PTR_PARTIAL },
	{ "0." FULL, HF_PTR_BELOW },
	{ "x." FULL, HF_PTR_BELOW },
	{ "g." REVERSE, HF_PTR_BELOW },
	{ "00." REVERSE, HF_PTR_BELOW },
	{ "1.g.1." REVERSE, HF_PTR_BELOW },
	{ "_holdfast." REVERSE, HF_PTR_BELOW },
	{ "f.f.e.e.d.d.c.c.b.b.a.a.9.9.8.8.7.7.6.g." REVERSE, HF_PTR_BELOW },
	{ "ff.e.e.d.d.c.c.b.b.a.a.9.9.8.8.7.7.6.6.0." REVERSE, HF_PTR_BELOW },
	{ "2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", HF_PTR_OUTSIDE },
	{ "c.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", HF_PTR_OUTSIDE },
	{ "xb.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa", HF_PTR_OUTSIDE },
	{ "ip6.arpa", HF_PTR_OUTSIDE },
	{ "coder", HF_PTR_OUTSIDE },
	{ REVERSE ".coder", HF_PTR_OUTSIDE },
	{ ".", HF_PTR_OUTSIDE },
};

START_TEST(reverse_names_have_five_kinds)
{
	struct hf_name name = parsed(ptrs[_i].text);
	uint8_t addr[16] = { 0xee };
	char text[HF_ADDR_TEXT_MAX];

	ck_assert_int_eq(hf_ptr_parse(&name, addr), ptrs[_i].want);
	if (ptrs[_i].want == HF_PTR_ADDR)
		ck_assert_str_eq(hf_addr_text(addr, text), agents[0].addr);
	else
		ck_assert_uint_eq(addr[0], 0xee);
}
END_TEST

START_TEST(address_comes_back_from_its_ptr_name)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		uint8_t addr[16], back[16];
		char text[HF_NAME_TEXT_MAX];
		struct hf_name name, again;

		prng_bytes(&p, addr, sizeof(addr));
		memcpy(addr, hf_addr_prefix, 6);
		hf_ptr_name(addr, &name);
		ck_assert_int_eq(hf_ptr_parse(&name, back), HF_PTR_ADDR);
		ck_assert(!memcmp(addr, back, 16));
		ck_assert_int_eq(hf_name_parse(hf_name_text(&name, text), &again), 0);
		ck_assert(hf_name_equal(&name, &again));
		/* All that lies between it and the apex is partial. */
		for (int n = 0; n < 19; n++) {
			ck_assert(hf_name_get_parent(&name, &name));
			ck_assert_int_eq(hf_ptr_parse(&name, back), HF_PTR_PARTIAL);
		}
		ck_assert(hf_name_get_parent(&name, &name));
		ck_assert_int_eq(hf_ptr_parse(&name, back), HF_PTR_APEX);
		ck_assert(hf_name_get_parent(&name, &name));
		ck_assert_int_eq(hf_ptr_parse(&name, back), HF_PTR_OUTSIDE);
	}
}
END_TEST

START_TEST(ptr_of_an_address_outside_is_outside)
{
	struct prng p = { (uint64_t)_i };

	for (int i = 0; i < ROUNDS; i++) {
		uint8_t addr[16], back[16];
		struct hf_name name;

		prng_bytes(&p, addr, sizeof(addr));
		memcpy(addr, hf_addr_prefix, 6);
		addr[prng_below(&p, 6)] ^= (uint8_t)(1 << prng_below(&p, 8));
		hf_ptr_name(addr, &name);
		ck_assert_int_eq(hf_ptr_parse(&name, back), HF_PTR_OUTSIDE);
	}
}
END_TEST

Suite *addr_suite(void)
{
	Suite *s = suite_create("addr");
	TCase *tc = tcase_create("id");

	tcase_add_loop_test(tc, id_is_read_in_its_one_form, 0, N(ids));
	tcase_add_loop_test(tc, id_comes_back_from_its_text, 0, SEEDS);
	tcase_add_test(tc, id_of_zeros_is_told_by_every_byte);
	suite_add_tcase(s, tc);
	tc = tcase_create("address");
	tcase_add_loop_test(tc, address_is_the_agent_id_behind_the_prefix, 0, N(agents));
	tcase_add_loop_test(tc, address_depends_on_the_last_ten_bytes_alone, 0, SEEDS);
	tcase_add_test(tc, ours_is_the_48_and_nothing_else);
	tcase_add_test(tc, longest_address_fits);
	suite_add_tcase(s, tc);
	tc = tcase_create("ptr");
	tcase_add_test(tc, apex_is_the_reverse_of_the_prefix);
	tcase_add_loop_test(tc, reverse_names_have_five_kinds, 0, N(ptrs));
	tcase_add_loop_test(tc, address_comes_back_from_its_ptr_name, 0, SEEDS);
	tcase_add_loop_test(tc, ptr_of_an_address_outside_is_outside, 0, SEEDS);
	suite_add_tcase(s, tc);
	return s;
}
