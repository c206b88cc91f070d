/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_clash.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "adapters/dns_client.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/adapters/kit_resolver.h"

enum { A = 1, CNAME = 5, AAAA = 28, NXDOMAIN = 3 };

Suite *dnsmasq_clash_suite(void);

#define OURS "fd60:627a:a42b::7"
#define FORMER "fd60:627a:a42b::8"
#define OTHERS "2001:db8::1"

static struct event_base *base;
static struct resolver server;
static struct hf_dns_client *ask;
static struct hf_dnsmasq_clash *clash;
static uint8_t addr[16]; /* what is answered to AAAA */
static enum answers { NOTHING, NAME_ONLY, AN_ADDR, AN_ALIAS, AN_A, SILENCE } answers;
static unsigned n_done;
static uint8_t fate;
static struct hf_change change;
static struct hf_batch batch = { .at = &change, .n = 1 };

static bool asks_all(void *arg, const struct hf_change *c)
{
	return true;
}

static void on_done(void *arg)
{
	n_done++;
	event_base_loopbreak(base);
}

static uint16_t type_of(const struct resolver_question *q)
{
	const uint8_t *at = q->packet + 12;

	while (*at)
		at += 1 + *at;
	return (uint16_t)(at[1] << 8 | at[2]);
}

static size_t answer(const struct resolver_question *q, uint8_t *out, void *arg)
{
	static const uint8_t target[] = { 1, 'x', 0 }, v4[4] = { 10, 0, 0, 1 };
	size_t len = resolver_answer(q, answers == NOTHING ? 0x0400 | NXDOMAIN : 0x0400, out);
	bool six = type_of(q) == AAAA;

	if (answers == SILENCE)
		return 0;
	if (answers == AN_ADDR && six)
		return resolver_add(out, len, AAAA, 30, addr, 16);
	if (answers == AN_ALIAS)
		return resolver_add(out, len, CNAME, 30, target, sizeof(target));
	if (answers == AN_A && !six)
		return resolver_add(out, len, A, 30, v4, sizeof(v4));
	return len;
}

static void setup(void)
{
	struct hf_dns_client_opts o = { .server = &server.at, .timeout_ms = 20 };
	struct hf_dnsmasq_clash_opts c = { .asks = asks_all, .done = on_done };

	n_done = 0;
	base = event_base_new();
	resolver_open(&server, base, answer, NULL);
	ck_assert_int_eq(hf_dns_client_new(base, &o, &ask), 0);
	c.ask = ask;
	ck_assert_int_eq(hf_dnsmasq_clash_new(&c, &clash), 0);
}

static void teardown(void)
{
	hf_dns_client_free(ask);
	hf_dnsmasq_clash_free(clash);
	resolver_close(&server);
	event_base_free(base);
}

static void wait_done(int n)
{
	ck_assert_int_eq(n, 1);
	n_done = 0;
	event_base_dispatch(base);
	ck_assert_uint_eq(n_done, 1);
}

static void make_change(enum hf_change_op op, const char *was)
{
	change = (struct hf_change){ .op = op, .record = record("a.coder", OURS, true) };
	change.had = was != NULL;
	if (was)
		memcpy(change.was, record("a.coder", was, true).addr, 16);
	fate = HF_FATE_DONE;
}

static const struct {
	const char *what;
	enum hf_change_op op;
	const char *was; /* NULL: not had */
	enum answers answers;
	const char *addr;
	bool clash, doubt;
} rows[] = {
	{ "a new name", HF_CHANGE_PUT, NULL, NOTHING, OURS, false, false },
	{ "a name without addresses", HF_CHANGE_PUT, NULL, NAME_ONLY, OURS, false, false },
	{ "another address", HF_CHANGE_PUT, NULL, AN_ADDR, OTHERS, true, false },
	{ "the same address", HF_CHANGE_PUT, NULL, AN_ADDR, OURS, false, true },
	{ "what it is known to have", HF_CHANGE_PUT, OURS, AN_ADDR, OURS, false, false },
	{ "what we had there", HF_CHANGE_PUT, FORMER, AN_ADDR, FORMER, false, false },
	{ "not what we had there", HF_CHANGE_PUT, FORMER, AN_ADDR, OTHERS, true, false },
	{ "an alias", HF_CHANGE_PUT, NULL, AN_ALIAS, OURS, true, false },
	{ "an IPv4 address", HF_CHANGE_PUT, NULL, AN_A, OURS, true, false },
	{ "nobody answers", HF_CHANGE_PUT, NULL, SILENCE, OURS, false, false },
	{ "it went", HF_CHANGE_TAKE, NULL, NOTHING, OURS, false, false },
	{ "it does not go", HF_CHANGE_TAKE, NULL, AN_ADDR, OURS, false, true },
	{ "others have another", HF_CHANGE_TAKE, NULL, AN_ADDR, OTHERS, false, false },
};

START_TEST(what_is_answered_is_judged)
{
	make_change(rows[_i].op, rows[_i].was);
	answers = rows[_i].answers;
	memcpy(addr, record("a.coder", rows[_i].addr, true).addr, 16);
	wait_done(hf_dnsmasq_clash_begin(clash, &batch, &fate));
	ck_assert_msg(fate == (rows[_i].clash ? HF_FATE_CLASH : HF_FATE_DONE), "%s", rows[_i].what);
	ck_assert_msg(hf_dnsmasq_clash_doubts(clash) == rows[_i].doubt, "%s", rows[_i].what);
}
END_TEST

/* With what was in doubt answered as before, and not answered any more. */
START_TEST(a_doubt_is_settled)
{
	make_change(_i & 2 ? HF_CHANGE_TAKE : HF_CHANGE_PUT, NULL);
	memcpy(addr, change.record.addr, 16);
	answers = AN_ADDR;
	wait_done(hf_dnsmasq_clash_begin(clash, &batch, &fate));
	answers = _i & 1 ? AN_ADDR : NOTHING;
	wait_done(hf_dnsmasq_clash_settle(clash));
	ck_assert_int_eq(fate, _i & 1 ? HF_FATE_CLASH : HF_FATE_DONE);
	ck_assert(!hf_dnsmasq_clash_doubts(clash));
	ck_assert_int_eq(hf_dnsmasq_clash_settle(clash), 0);
}
END_TEST

START_TEST(takes_are_settled_after_they_were_written)
{
	make_change(HF_CHANGE_TAKE, NULL);
	memcpy(addr, change.record.addr, 16);
	answers = NOTHING;
	wait_done(hf_dnsmasq_clash_begin(clash, &batch, &fate));
	answers = AN_ADDR;
	wait_done(hf_dnsmasq_clash_settle_takes(clash));
	ck_assert_int_eq(fate, HF_FATE_CLASH);
}
END_TEST

START_TEST(a_put_that_something_shadows_is_a_clash)
{
	const struct hf_record other = record("b.coder", OURS, true);

	make_change(HF_CHANGE_PUT, NULL);
	memcpy(addr, change.record.addr, 16);
	answers = NOTHING;
	wait_done(hf_dnsmasq_clash_begin(clash, &batch, &fate));
	ck_assert_int_eq(hf_dnsmasq_clash_settle_put(clash, &other), 0); /* not of the batch */
	answers = AN_ADDR;
	wait_done(hf_dnsmasq_clash_settle_put(clash, &change.record));
	ck_assert_int_eq(fate, HF_FATE_DONE);
	answers = AN_ALIAS;
	wait_done(hf_dnsmasq_clash_settle_put(clash, &change.record));
	ck_assert_int_eq(fate, HF_FATE_CLASH);
}
END_TEST

Suite *dnsmasq_clash_suite(void)
{
	Suite *s = suite_create("dnsmasq_clash");
	TCase *tc = tcase_create("clash");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, what_is_answered_is_judged, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_loop_test(tc, a_doubt_is_settled, 0, 4);
	tcase_add_test(tc, takes_are_settled_after_they_were_written);
	tcase_add_test(tc, a_put_that_something_shadows_is_a_clash);
	suite_add_tcase(s, tc);
	return s;
}
