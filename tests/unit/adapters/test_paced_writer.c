/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/paced_writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "base/error.h"
#include "tests/unit/adapters/kit_dnsmasq.h"
#include "tests/unit/adapters/kit_records.h"

Suite *paced_writer_suite(void);

#define ADDR(n) "fd60:627a:a42b::" #n

static struct kit_dnsmasq kit;
static struct hf_paced_writer *pump;
static unsigned n_drained, n_writes;
static int code, write_code;
static bool silent;
static char said[512];

static int on_write(void *arg, unsigned file, char *ret_why, size_t why_size)
{
	n_writes++;
	if (!write_code)
		return kit_dnsmasq_write(arg, file, ret_why, why_size);
	snprintf(ret_why, why_size, "no room");
	return write_code;
}

static void on_drained(void *arg, int c, const char *why, bool s)
{
	n_drained++;
	code = c;
	silent = s;
	snprintf(said, sizeof(said), "%s", why);
	event_base_loopbreak(kit.base);
}

static void setup(void)
{
	struct hf_paced_writer_opts o = {
		.n_files = HF_HOSTSDIR_FILES,
		.patience_ms = 60,
		.gone_ms = 30,
		.step_max = 8,
		.arg = &kit,
		.write = on_write,
		.drained = on_drained,
	};

	n_drained = n_writes = 0;
	code = write_code = 0;
	kit_dnsmasq_open(&kit);
	o.base = kit.base;
	o.ask = kit.ask;
	o.table = kit.table;
	ck_assert_int_eq(hf_paced_writer_new(&o, &pump), 0);
}

static void teardown(void)
{
	kit_dnsmasq_end_asking(&kit);
	hf_paced_writer_free(pump);
	kit_dnsmasq_close(&kit);
}

static void go(void)
{
	hf_paced_writer_go(pump);
	hf_paced_writer_go(pump); /* one more wish for the same */
	ck_assert_uint_eq(n_drained, 0);
	event_base_dispatch(kit.base);
	ck_assert_uint_eq(n_drained, 1);
	n_drained = 0;
}

static void put(const char *name, const char *addr)
{
	hf_paced_writer_dirty(pump, kit_dnsmasq_put(&kit, name, addr, true));
}

static void take(const char *name)
{
	struct hf_record r = record(name, ADDR(1), true);
	struct hf_record_entry *e = hf_record_table_find(kit.table, &r.name);

	hf_paced_writer_gone(pump, e);
	hf_paced_writer_dirty(pump, e->bucket);
	hf_record_table_del(kit.table, e);
}

START_TEST(what_is_noted_is_written_once_and_answered)
{
	char name[32], addr[32];

	for (int i = 1; i <= 40; i++) {
		snprintf(name, sizeof(name), "a%d.coder", i);
		snprintf(addr, sizeof(addr), "fd60:627a:a42b::%x", i);
		put(name, addr);
		put(name, addr);
	}
	ck_assert(hf_paced_writer_any(pump));
	go();
	ck_assert_int_eq(code, 0);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 40);
	ck_assert_uint_le(n_writes, 40);
	ck_assert(!hf_paced_writer_any(pump) && !silent);
	take("a7.coder");
	go();
	ck_assert_int_eq(code, 0);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 39);
}
END_TEST

START_TEST(a_server_that_reads_nothing_is_noticed)
{
	struct hf_record stuck;
	bool taken;

	kit.stuck = true;
	put("a.coder", ADDR(1));
	go();
	ck_assert_int_eq(code, HF_ENOTREADY);
	ck_assert_ptr_nonnull(strstr(said, "without 'a.coder'"));
	ck_assert(hf_paced_writer_stuck(pump, &stuck, &taken) && !taken);
	/* It is asked again before anything else, and then all is well. */
	go();
	ck_assert_int_eq(code, HF_ENOTREADY);
	kit.stuck = false;
	go();
	ck_assert_int_eq(code, 0);
	ck_assert(!hf_paced_writer_stuck(pump, &stuck, &taken));
	ck_assert_uint_eq(n_writes, 1);
}
END_TEST

START_TEST(a_taken_name_that_stays_is_forgotten_when_the_server_is_trusted)
{
	struct hf_record stuck, want = record("a.coder", ADDR(1), false);
	bool taken;

	put("a.coder", ADDR(1));
	go();
	kit.theirs = ADDR(1) " a.coder\n";
	take("a.coder");
	go();
	ck_assert_int_eq(code, HF_ENOTREADY);
	ck_assert_ptr_nonnull(strstr(said, "still with 'a.coder'"));
	ck_assert(hf_paced_writer_stuck(pump, &stuck, &taken) && taken);
	ck_assert(hf_name_equal(&stuck.name, &want.name) && !memcmp(stuck.addr, want.addr, 16));
	hf_paced_writer_trust(pump, true);
	ck_assert(!hf_paced_writer_stuck(pump, &stuck, &taken));
	go();
	ck_assert_int_eq(code, 0);
	put("b.coder", ADDR(2));
	take("b.coder");
	go();
	ck_assert_int_eq(code, 0);
}
END_TEST

START_TEST(what_cannot_be_written_stays_noted)
{
	write_code = -ENOSPC;
	put("a.coder", ADDR(1));
	go();
	ck_assert(code == -ENOSPC && !strcmp(said, "no room") && hf_paced_writer_any(pump));
	write_code = 0;
	go();
	ck_assert(!code && !hf_paced_writer_any(pump));
	/* What is not ours is not tried again before somebody wants it anew. */
	write_code = HF_EREFUSED;
	put("b.coder", ADDR(2));
	go();
	ck_assert(code == HF_EREFUSED && !hf_paced_writer_any(pump));
}
END_TEST

START_TEST(without_a_server_all_is_written)
{
	resolver_close(&kit.server);
	for (int i = 1; i <= 9; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "fd60:627a:a42b::%x", i);
		put("a.coder", addr);
	}
	go();
	ck_assert(!code && silent);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 9);
	memset(&kit.server, 0, sizeof(kit.server));
	resolver_open(&kit.server, kit.base, NULL, NULL); /* for the end */
}
END_TEST

START_TEST(a_server_that_does_not_answer_ends_it)
{
	kit.silent = true;
	put("a.coder", ADDR(1));
	go();
	ck_assert_int_eq(code, -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(said, "does not answer"));
}
END_TEST

Suite *paced_writer_suite(void)
{
	Suite *s = suite_create("paced_writer");
	TCase *tc = tcase_create("writer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_noted_is_written_once_and_answered);
	tcase_add_test(tc, a_server_that_reads_nothing_is_noticed);
	tcase_add_test(tc, a_taken_name_that_stays_is_forgotten_when_the_server_is_trusted);
	tcase_add_test(tc, what_cannot_be_written_stays_noted);
	tcase_add_test(tc, without_a_server_all_is_written);
	tcase_add_test(tc, a_server_that_does_not_answer_ends_it);
	suite_add_tcase(s, tc);
	return s;
}
