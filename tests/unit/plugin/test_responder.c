/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "base/clock.h"
#include "plugin/dns/responder.h"
#include "plugin/wire_query.h"
#include "tests/support/zone_build.h"
#include "tests/unit/plugin/kit_packet.h"
#include "zone/reader.h"

Suite *responder_suite(void);

static struct hf_zone_build build;
static struct hf_zone *zone;
static struct hf_counters counters[2];
static struct hf_responder responder;
static uint8_t out[HF_WIRE_TCP_MAX];
static size_t out_len;

static void setup(void)
{
	hf_zone_build_open(&build);
	hf_zone_build_base(&build);
	hf_zone_build_name(&build, "main.dev.me.coder", 7, 0);
	hf_zone_build_end(&build);
	hf_zone_build_publish(&build);
	ck_assert_int_eq(hf_zone_open(build.dir, &hf_clock_system, &zone), 0);
	memset(counters, 0, sizeof(counters));
	memset(&responder, 0, sizeof(responder));
	ck_assert_int_eq(hf_zone_reader_new(zone, &responder.reader), 0);
	ck_assert_int_eq(hf_zone_reader_load(responder.reader), 0);
	responder.own = &counters[1];
	responder.all = counters;
	responder.n_all = 2;
}

static void teardown(void)
{
	hf_zone_reader_free(responder.reader);
	hf_zone_close(zone);
	hf_zone_build_close(&build);
}

static unsigned reply_to(const struct packet *p, bool allowed, bool loopback)
{
	struct hf_peer peer = { .allowed = allowed, .loopback = loopback };
	struct hf_job job;

	hf_responder_read(p->b, p->len, peer, &job);
	hf_responder_warm(&responder, &job, 1);
	out_len = hf_responder_reply(&responder, &job, HF_OVER_UDP, out, HF_WIRE_UDP_MAX);
	return out_len ? out[3] & 0xf : UINT32_MAX;
}

static uint64_t counted(enum hf_counter which)
{
	return counters[1].n[which];
}

START_TEST(a_known_name_is_answered_and_counted)
{
	struct packet p;

	packet_begin(&p, "main.dev.me.coder", HF_TYPE_AAAA);
	ck_assert_uint_eq(reply_to(&p, true, true), HF_RCODE_NOERROR);
	ck_assert_uint_eq(out[7], 1);
	ck_assert_uint_eq(counted(HF_COUNT_ANSWERS), 1);
	ck_assert_uint_eq(counted(HF_COUNT_NEGATIVE), 0);
	/* The folder has no pulse. */
	ck_assert_uint_eq(counted(HF_COUNT_STALE), 1);
}
END_TEST

START_TEST(who_may_not_ask_learns_nothing)
{
	struct packet p;

	packet_begin(&p, "main.dev.me.coder", HF_TYPE_AAAA);
	ck_assert_uint_eq(reply_to(&p, false, false), HF_RCODE_REFUSED);
	ck_assert_uint_eq(out_len, p.len);
	ck_assert_uint_eq(counted(HF_COUNT_REFUSED), 1);
	p.b[5] = 2;
	ck_assert_uint_eq(reply_to(&p, false, false), HF_RCODE_REFUSED);
	p.b[2] |= 0x80;
	ck_assert_uint_eq(reply_to(&p, false, false), UINT32_MAX);
}
END_TEST

START_TEST(what_is_foreign_or_wrong_is_counted_as_such)
{
	struct packet p;

	packet_begin(&p, "example.com", HF_TYPE_AAAA);
	ck_assert_uint_eq(reply_to(&p, true, true), HF_RCODE_REFUSED);
	ck_assert_uint_eq(counted(HF_COUNT_REFUSED), 1);
	p.len -= 1;
	ck_assert_uint_eq(reply_to(&p, true, true), HF_RCODE_FORMERR);
	p.len = 3;
	ck_assert_uint_eq(reply_to(&p, true, true), UINT32_MAX);
	ck_assert_uint_eq(counted(HF_COUNT_ERRORS), 2);
	ck_assert_uint_eq(counted(HF_COUNT_ANSWERS), 0);
}
END_TEST

START_TEST(counters_are_the_sum_of_all_threads)
{
	static const char want[] =
	    "\021name=holdfast-dns\012answers=45\012negative=0\010stale=45\011refused=0\010errors=0";
	struct packet p;

	counters[0].n[HF_COUNT_ANSWERS] = 42;
	counters[0].n[HF_COUNT_STALE] = 42;
	counters[1].n[HF_COUNT_ANSWERS] = 3;
	counters[1].n[HF_COUNT_STALE] = 3;
	packet_begin(&p, "_HOLDFAST-counters.coder", HF_TYPE_TXT);
	ck_assert_uint_eq(reply_to(&p, true, true), HF_RCODE_NOERROR);
	ck_assert_mem_eq(out + out_len - (sizeof(want) - 1), want, sizeof(want) - 1);
	/* Asking does not count. */
	ck_assert_uint_eq(counted(HF_COUNT_ANSWERS), 3);
}
END_TEST

static const struct {
	const char *name;
	unsigned type;
	bool loopback;
} no_counters[] = {
	{ "_holdfast-counters.coder", HF_TYPE_TXT, false },
	{ "_holdfast-counters.coder", HF_TYPE_AAAA, true },
	{ "_holdfast-counters.me.coder", HF_TYPE_TXT, true },
	{ "x._holdfast-counters.coder", HF_TYPE_TXT, true },
	{ "_holdfast-counter.coder", HF_TYPE_TXT, true },
};

START_TEST(counters_are_nowhere_else)
{
	struct packet p;

	packet_begin(&p, no_counters[_i].name, no_counters[_i].type);
	ck_assert_uint_eq(reply_to(&p, true, no_counters[_i].loopback), HF_RCODE_NXDOMAIN);
}
END_TEST

Suite *responder_suite(void)
{
	Suite *s = suite_create("responder");
	TCase *tc = tcase_create("reply");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_known_name_is_answered_and_counted);
	tcase_add_test(tc, who_may_not_ask_learns_nothing);
	tcase_add_test(tc, what_is_foreign_or_wrong_is_counted_as_such);
	tcase_add_test(tc, counters_are_the_sum_of_all_threads);
	tcase_add_loop_test(
	    tc, counters_are_nowhere_else, 0, sizeof(no_counters) / sizeof(no_counters[0]));
	suite_add_tcase(s, tc);
	return s;
}
