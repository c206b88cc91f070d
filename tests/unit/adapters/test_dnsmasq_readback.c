/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_readback.h"

#include <errno.h>
#include <string.h>

#include <check.h>

#include "tests/unit/adapters/kit_dnsmasq.h"
#include "tests/unit/adapters/kit_records.h"

Suite *dnsmasq_readback_suite(void);

#define ADDR(n) "fd60:627a:a42b::" #n

static struct kit_dnsmasq kit;
static struct hf_dnsmasq_readback *readback;
static unsigned n_done, n_doubts, doubt;
static int code;

static void on_doubt(void *arg, unsigned bucket)
{
	n_doubts++;
	doubt = bucket;
}

static void on_done(void *arg, int c)
{
	n_done++;
	code = c;
	event_base_loopbreak(kit.base);
}

static void setup(void)
{
	struct hf_dnsmasq_readback_opts o = {
		.n_files = HF_HOSTSDIR_FILES, .doubt = on_doubt, .done = on_done
	};

	kit_dnsmasq_open(&kit);
	o.ask = kit.ask;
	o.table = kit.table;
	ck_assert_int_eq(hf_dnsmasq_readback_new(&o, &readback), 0);
}

static void teardown(void)
{
	kit_dnsmasq_end_asking(&kit);
	hf_dnsmasq_readback_free(readback);
	kit_dnsmasq_close(&kit);
}

static void write_one(const char *name, const char *addr, bool primary)
{
	unsigned file = kit_dnsmasq_put(&kit, name, addr, primary);
	char why[100];

	ck_assert_int_eq(hf_host_files_write(kit.files, file, why, sizeof(why)), 0);
}

static enum hf_is ask(const char *name, const char *addr, bool primary, bool absent)
{
	struct hf_expect e = { .record = record(name, addr, primary), .absent = absent };

	n_done = n_doubts = 0;
	ck_assert_int_eq(hf_dnsmasq_readback_begin(readback, &e, 1), 0);
	ck_assert_uint_eq(n_done, 0);
	event_base_dispatch(kit.base);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(n_doubts, e.is == HF_IS_NOT_SO);
	ck_assert(!n_doubts || doubt == hf_record_table_bucket_of(kit.table, e.record.addr));
	return e.is;
}

START_TEST(what_is_answered_is_judged)
{
	write_one("a.coder", ADDR(1), true);
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_SO);
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, true), HF_IS_NOT_SO);
	ck_assert_int_eq(ask("a.coder", ADDR(2), false, true), HF_IS_SO);
	ck_assert_int_eq(ask("b.coder", ADDR(1), false, false), HF_IS_NOT_SO);
	ck_assert_int_eq(ask("b.coder", ADDR(1), false, true), HF_IS_SO);
}
END_TEST

START_TEST(an_address_or_an_alias_of_others_is_foreign)
{
	write_one("a.coder", ADDR(1), true);
	kit.theirs = ADDR(9) " a.coder\n";
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_FOREIGN);
	kit.theirs = NULL;
	kit.alias = "a.coder";
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_FOREIGN);
}
END_TEST

START_TEST(two_addresses_of_ours_are_a_change_under_way)
{
	write_one("a.coder", ADDR(1), true);
	write_one("a.coder", ADDR(2), true);
	ck_assert_int_eq(ask("a.coder", ADDR(2), true, false), HF_IS_SO);
}
END_TEST

START_TEST(a_pointer_to_another_name_of_ours_is_repaired_once)
{
	write_one("a.coder", ADDR(1), true);
	write_one("b.coder", ADDR(1), false);
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_SO);
	kit.theirs = ADDR(1) " b.coder\n";
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_NOT_SO);
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_FOREIGN);
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_FOREIGN);
	kit.theirs = NULL;
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_SO);
	/* And from the beginning. */
	kit.theirs = ADDR(1) " b.coder\n";
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_NOT_SO);
	/* To a name that is not ours it may point. */
	kit.theirs = ADDR(1) " theirs.coder\n";
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_SO);
}
END_TEST

START_TEST(no_answer_says_nothing)
{
	kit.silent = true;
	ck_assert_int_eq(ask("a.coder", ADDR(1), true, false), HF_IS_UNKNOWN);
	ck_assert_int_eq(code, -ETIMEDOUT);
	kit.silent = false;
	ask("a.coder", ADDR(1), true, false);
	ck_assert_int_eq(code, 0);
}
END_TEST

Suite *dnsmasq_readback_suite(void)
{
	Suite *s = suite_create("dnsmasq_readback");
	TCase *tc = tcase_create("readback");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_answered_is_judged);
	tcase_add_test(tc, an_address_or_an_alias_of_others_is_foreign);
	tcase_add_test(tc, two_addresses_of_ours_are_a_change_under_way);
	tcase_add_test(tc, a_pointer_to_another_name_of_ours_is_repaired_once);
	tcase_add_test(tc, no_answer_says_nothing);
	suite_add_tcase(s, tc);
	return s;
}
