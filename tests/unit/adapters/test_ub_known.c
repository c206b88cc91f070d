/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "adapters/dns_client.h"
#include "adapters/unbound/ub_known.h"

enum { A = 1, PTR = 12, TXT = 16, AAAA = 28, TLSA = 52 };

/* As unbound writes it: an empty line after each record. */
static const char listing[] = "a.coder.\t30\tIN\tAAAA\tfd60:627a:a42b::1\n\n"
			      "a.coder.\t20\tIN\tAAAA\tfd60:627a:a42b::2\n\n"
			      "T.coder.\t300\tIN\tTXT\t\"a b\"\n\n"
			      "l.coder.\t300\tIN\tTLSA\t3 1 1 00\n\n"
			      "c.coder.\t300\tIN\tCNAME\tx.example.\n\n"
			      "c.coder.\t30\tIN\tAAAA\tfd60:627a:a42b::3\n\n"
			      "1.0.0.127.in-addr.arpa.\t300\tIN\tPTR\tlocalhost.\n\n"
			      "odd line\n\n"
			      "x\\.y.coder.\t300\tIN\tA\t192.0.2.1\n\n";

static const struct {
	const char *name;
	uint16_t type;
	bool aa;
	size_t n_records, n_addrs;
	bool has_target;
	uint32_t ttl_s;
} rows[] = {
	{ "a.coder", AAAA, true, 2, 2, false, 20 },
	{ "a.coder", TXT, true, 0, 0, false, 20 },
	{ "t.coder", AAAA, true, 0, 0, false, 300 },
	{ "t.coder", TXT, true, 1, 0, false, 300 },
	{ "l.coder", AAAA, true, 0, 0, false, 300 },
	{ "l.coder", A, true, 1, 0, false, 300 }, /* any other type stands for all */
	{ "c.coder", AAAA, true, 1, 0, true, 30 },
	{ "c.coder", TXT, true, 1, 0, true, 30 },
	{ "1.0.0.127.in-addr.arpa", PTR, true, 1, 0, true, 300 },
	{ "b.coder", AAAA, false, 0, 0, false, 0 },
	{ "coder", AAAA, false, 0, 0, false, 0 },
};

static struct hf_name name_of(const char *text)
{
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return name;
}

START_TEST(it_answers_as_unbound_would)
{
	struct hf_name name = name_of(rows[_i].name);
	struct hf_ub_known *k;
	struct hf_asked asked;

	ck_assert_int_eq(hf_ub_known_new(listing, &k), 0);
	ck_assert(hf_ub_known_answer(k, &name, rows[_i].type, &asked));
	ck_assert_int_eq(asked.code, 0);
	ck_assert_int_eq(asked.aa, rows[_i].aa);
	ck_assert_uint_eq(asked.n_records, rows[_i].n_records);
	ck_assert_uint_eq(asked.n_addrs, rows[_i].n_addrs);
	ck_assert_int_eq(asked.has_target, rows[_i].has_target);
	ck_assert_uint_eq(asked.ttl_s, rows[_i].ttl_s);
	hf_ub_known_free(k);
}
END_TEST

START_TEST(what_was_touched_has_to_be_asked_for)
{
	struct hf_name a = name_of("a.coder"), b = name_of("b.coder"), many;
	struct hf_ub_known *k;
	struct hf_asked asked;
	char text[32];

	ck_assert_int_eq(hf_ub_known_new(listing, &k), 0);
	ck_assert_int_eq(hf_ub_known_touch(k, &a), 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "n%d.coder", i);
		many = name_of(text);
		ck_assert(hf_ub_known_answer(k, &many, AAAA, &asked));
		ck_assert_int_eq(hf_ub_known_touch(k, &many), 0);
		ck_assert_int_eq(hf_ub_known_touch(k, &many), 0);
		ck_assert(!hf_ub_known_answer(k, &many, AAAA, &asked));
	}
	ck_assert(!hf_ub_known_answer(k, &a, AAAA, &asked));
	ck_assert(hf_ub_known_answer(k, &b, AAAA, &asked));
	hf_ub_known_free(k);
}
END_TEST

Suite *ub_known_suite(void);
Suite *ub_known_suite(void)
{
	Suite *s = suite_create("ub_known");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, it_answers_as_unbound_would, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, what_was_touched_has_to_be_asked_for);
	suite_add_tcase(s, tc);
	return s;
}
