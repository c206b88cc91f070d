/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_version.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "tests/unit/adapters/kit_resolver.h"

Suite *dnsmasq_version_suite(void);

enum { TXT = 16 };

static struct event_base *base;
static struct resolver server;
static struct hf_dnsmasq_version *version;
static char got[HF_DNSMASQ_VERSION_MAX];
static unsigned n_got;
static enum answers { GOOD, LATE, SILENT, OTHER_ID, SHORT, HOSTILE } answers;

static size_t answer(const struct resolver_question *q, uint8_t *out, void *arg)
{
	static const uint8_t good[] = "\x0c"
				      "dnsmasq-2.90";
	static const uint8_t hostile[] = "\x05"
					 "a\nb\x1b\xff";
	size_t len = resolver_answer(q, 0x0400, out);

	if (answers == SILENT || (answers == LATE && q->nth < 3))
		return 0;
	if (answers == SHORT)
		return 5;
	if (answers == OTHER_ID)
		out[0] ^= 1;
	if (answers == HOSTILE)
		return resolver_add(out, len, TXT, 0, hostile, sizeof(hostile) - 1);
	return resolver_add(out, len, TXT, 0, good, sizeof(good) - 1);
}

static void on_version(const char *text, void *arg)
{
	n_got++;
	snprintf(got, sizeof(got), "%s", text);
	hf_dnsmasq_version_free(version); /* it may be done here */
	version = NULL;
	event_base_loopbreak(base);
}

static const struct {
	enum answers answers;
	const char *text;
	unsigned number;
} rows[] = { { GOOD, "dnsmasq-2.90", 290 }, { LATE, "dnsmasq-2.90", 290 }, { SILENT, "", 0 },
	{ OTHER_ID, "", 0 }, { SHORT, "", 0 }, { HOSTILE, "a?b??", 0 } };

START_TEST(what_it_says_of_itself)
{
	n_got = 0;
	answers = rows[_i].answers;
	base = event_base_new();
	resolver_open(&server, base, answer, NULL);
	ck_assert_int_eq(hf_dnsmasq_version_ask(
			     base, &server.at, "version.bind.", 20, on_version, NULL, &version),
	    0);
	ck_assert_uint_eq(n_got, 0);
	event_base_dispatch(base);
	ck_assert_uint_eq(n_got, 1);
	ck_assert_str_eq(got, rows[_i].text);
	ck_assert_uint_eq(hf_dnsmasq_version_number(got), rows[_i].number);
	resolver_close(&server);
	event_base_free(base);
}
END_TEST

START_TEST(numbers_of_versions)
{
	ck_assert_uint_eq(hf_dnsmasq_version_number("dnsmasq-2.88"), 288);
	ck_assert_uint_eq(hf_dnsmasq_version_number("dnsmasq-2.9"), 209);
	ck_assert_uint_eq(hf_dnsmasq_version_number("dnsmasq-2.92rc1"), 292);
	ck_assert_uint_eq(hf_dnsmasq_version_number("dnsmasq-pi-hole-v2.90"), 0);
	ck_assert_uint_eq(hf_dnsmasq_version_number("unbound 1.17.1"), 0);
}
END_TEST

Suite *dnsmasq_version_suite(void)
{
	Suite *s = suite_create("dnsmasq_version");
	TCase *tc = tcase_create("version");

	tcase_add_loop_test(tc, what_it_says_of_itself, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, numbers_of_versions);
	suite_add_tcase(s, tc);
	return s;
}
