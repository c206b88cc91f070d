/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "adapters/dnsmasq/paced_writer.h"
#include "base/error.h"
#include "tests/unit/adapters/kit_dnsmasq.h"
#include "tests/unit/adapters/kit_records.h"

Suite *dnsmasq_batch_suite(void);

#define ADDR(n) "fd60:627a:a42b::" #n

static struct kit_dnsmasq kit;
static struct hf_paced_writer *pump;
static struct hf_dnsmasq_batch *batch;
static unsigned n_done;
static struct hf_receipt receipt;
static struct hf_change changes[4];
static struct hf_batch given;

static void on_drained(void *arg, int code, const char *why, bool silent)
{
	ck_assert(hf_dnsmasq_batch_drained(batch, code, why));
}

static void on_done(void *arg)
{
	n_done++;
	event_base_loopbreak(kit.base);
}

static void make_pump(void)
{
	struct hf_paced_writer_opts o = {
		.base = kit.base,
		.ask = kit.ask,
		.table = kit.table,
		.n_files = HF_HOSTSDIR_FILES,
		.patience_ms = 60,
		.gone_ms = 20,
		.step_max = 8,
		.arg = &kit,
		.write = kit_dnsmasq_write,
		.drained = on_drained,
	};

	ck_assert_int_eq(hf_paced_writer_new(&o, &pump), 0);
}

static void setup(void)
{
	struct hf_dnsmasq_batch_opts o = {
		.patience_ms = 60, .arg = &kit, .write = kit_dnsmasq_write, .done = on_done
	};
	struct hf_name suffix;

	kit_dnsmasq_open(&kit);
	make_pump();
	o.base = kit.base;
	o.ask = kit.ask;
	o.files = kit.files;
	o.pump = pump;
	ck_assert_int_eq(hf_dnsmasq_batch_new(&o, &batch), 0);
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	hf_dnsmasq_batch_suffix(batch, &suffix);
}

static void teardown(void)
{
	kit_dnsmasq_end_asking(&kit);
	hf_dnsmasq_batch_free(batch);
	hf_paced_writer_free(pump);
	kit_dnsmasq_close(&kit);
}

static void add(enum hf_change_op op, const char *name, const char *addr, const char *was)
{
	struct hf_change *c = &changes[given.n++];

	*c = (struct hf_change){ .op = op, .record = record(name, addr, true), .had = was };
	if (was)
		memcpy(c->was, record(name, was, true).addr, 16);
}

/* A batch of what was added, until its receipt is there. */
static void apply(bool leaves)
{
	given.at = changes;
	n_done = 0;
	hf_dnsmasq_batch_take(batch, &given);
	hf_dnsmasq_batch_loaded(batch, 0, "", leaves);
	if (!n_done)
		event_base_dispatch(kit.base);
	ck_assert_uint_eq(n_done, 1);
	hf_dnsmasq_batch_receipt(batch, &receipt);
	given.n = 0;
	/* No probe is left, however it ends. */
	for (unsigned i = 0; i < HF_HOSTSDIR_FILES; i++)
		for (struct hf_record_entry *e = hf_record_table_bucket(kit.table, i); e;
		     e = e->next)
			ck_assert_int_ne(e->name->wire[1], '_');
}

static void put(const char *name, const char *addr)
{
	add(HF_CHANGE_PUT, name, addr, NULL);
	apply(false);
	ck_assert(!receipt.code && !receipt.fates);
}

static void expect_fates(size_t n, uint8_t first, uint8_t second)
{
	ck_assert_msg(!receipt.code, "%s", receipt.text);
	ck_assert_uint_eq(receipt.n_done, n);
	ck_assert_uint_eq(receipt.fates ? receipt.fates[0] : HF_FATE_DONE, first);
	if (n > 1)
		ck_assert_uint_eq(receipt.fates ? receipt.fates[1] : HF_FATE_DONE, second);
}

START_TEST(what_comes_is_there_and_what_goes_is_not)
{
	put("a.coder", ADDR(1));
	put("b.coder", ADDR(2));
	add(HF_CHANGE_TAKE, "a.coder", ADDR(1), NULL);
	add(HF_CHANGE_PUT, "b.coder", ADDR(3), ADDR(2));
	apply(false);
	expect_fates(2, HF_FATE_DONE, HF_FATE_DONE);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 1);
	ck_assert(kit_dnsmasq_has(&kit, "b.coder", ADDR(3)));
	add(HF_CHANGE_PUT, "b.coder", "2001:db8::1", NULL);
	apply(false);
	expect_fates(1, HF_FATE_UNFIT, 0);
}
END_TEST

START_TEST(it_waits_for_the_files_and_fails_with_them)
{
	add(HF_CHANGE_PUT, "a.coder", ADDR(1), NULL);
	given.at = changes;
	n_done = 0;
	hf_dnsmasq_batch_take(batch, &given);
	ck_assert_uint_eq(n_done, 0);
	hf_dnsmasq_batch_loaded(batch, -EACCES, "no way", false);
	ck_assert_uint_eq(n_done, 1);
	hf_dnsmasq_batch_receipt(batch, &receipt);
	ck_assert(receipt.code == -EACCES && !receipt.n_done && !strcmp(receipt.text, "no way"));
	/* Nobody's: no batch is under way. */
	hf_dnsmasq_batch_loaded(batch, 0, "", false);
	ck_assert(!hf_dnsmasq_batch_drained(batch, 0, ""));
	ck_assert_uint_eq(n_done, 1);
	given.n = 0;
}
END_TEST

START_TEST(a_name_of_others_at_our_address_is_a_clash)
{
	kit.theirs = ADDR(1) " a.coder\n";
	add(HF_CHANGE_PUT, "a.coder", ADDR(1), NULL);
	add(HF_CHANGE_PUT, "b.coder", ADDR(2), NULL);
	apply(false);
	expect_fates(2, HF_FATE_CLASH, HF_FATE_DONE);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 1);
}
END_TEST

/* An answer of old is no line of others: as long as that is not known, the name is ours. */
START_TEST(what_a_server_that_does_not_read_answers_is_no_clash)
{
	put("a.coder", ADDR(1));
	kit.stuck = true;
	hf_record_table_clear(kit.table); /* as if the folder had been replaced */
	add(HF_CHANGE_PUT, "a.coder", ADDR(1), NULL);
	apply(false);
	expect_fates(1, HF_FATE_DONE, 0);
	add(HF_CHANGE_TAKE, "a.coder", ADDR(1), NULL);
	apply(false);
	ck_assert_int_eq(receipt.code, HF_ENOTREADY);
	ck_assert_ptr_nonnull(strstr(receipt.text, "does not read the folder"));
}
END_TEST

START_TEST(a_taken_name_that_others_have_is_a_clash_and_the_rest_goes_on)
{
	put("a.coder", ADDR(1));
	put("b.coder", ADDR(2));
	kit.theirs = ADDR(1) " a.coder\n" ADDR(2) " b.coder\n";
	add(HF_CHANGE_TAKE, "a.coder", ADDR(1), NULL);
	add(HF_CHANGE_TAKE, "b.coder", ADDR(2), NULL);
	add(HF_CHANGE_PUT, "c.coder", ADDR(3), NULL);
	apply(false);
	expect_fates(3, HF_FATE_CLASH, HF_FATE_CLASH);
	ck_assert_uint_eq(receipt.fates[2], HF_FATE_DONE);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 1);
	/* Again, as the feed does with what does not go. */
	add(HF_CHANGE_TAKE, "a.coder", ADDR(1), NULL);
	apply(false);
	expect_fates(1, HF_FATE_CLASH, 0);
}
END_TEST

START_TEST(a_server_that_sees_no_removal_is_no_clash)
{
	put("a.coder", ADDR(1));
	kit.keeps = true;
	add(HF_CHANGE_TAKE, "a.coder", ADDR(1), NULL);
	apply(false);
	ck_assert_int_eq(receipt.code, HF_ENOTREADY);
	ck_assert_ptr_nonnull(strstr(receipt.text, "still with 'a.coder'"));
	kit.keeps = false;
	add(HF_CHANGE_TAKE, "a.coder", ADDR(1), NULL);
	apply(false);
	expect_fates(1, HF_FATE_DONE, 0);
}
END_TEST

START_TEST(a_put_name_that_an_alias_shadows_is_a_clash)
{
	put("a.coder", ADDR(1));
	kit.alias = "a.coder";
	add(HF_CHANGE_PUT, "a.coder", ADDR(2), ADDR(1));
	apply(false);
	expect_fates(1, HF_FATE_CLASH, 0);
	/* What it had is taken by the feed, since it is not wanted. */
	ck_assert(!kit_dnsmasq_has(&kit, "a.coder", ADDR(2)));
	add(HF_CHANGE_TAKE, "a.coder", ADDR(1), NULL);
	add(HF_CHANGE_PUT, "b.coder", ADDR(3), NULL);
	apply(false);
	expect_fates(2, HF_FATE_DONE, HF_FATE_DONE);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 1);
}
END_TEST

START_TEST(when_the_last_suffix_leaves_nothing_stays)
{
	unsigned file;
	char why[100];

	put("a.coder", ADDR(1));
	put("b.coder", ADDR(2));
	/* What no row of the feed has, and what others put back behind our back. */
	file = kit_dnsmasq_put(&kit, "c.coder", ADDR(3), true);
	ck_assert_int_eq(hf_host_files_write(kit.files, file, why, sizeof(why)), 0);
	apply(true);
	expect_fates(0, 0, 0);
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 0);
	ck_assert_uint_eq(hf_record_table_count(kit.table), 0);
}
END_TEST

START_TEST(what_is_below_no_suffix_is_noted)
{
	struct hf_name suffix;

	put("a.coder", ADDR(1));
	put("a.former", ADDR(2));
	ck_assert_int_eq(hf_name_parse("coder", &suffix), 0);
	hf_dnsmasq_batch_sweep(batch, &suffix, 1);
	ck_assert(hf_paced_writer_any(pump));
	put("b.coder", ADDR(3));
	ck_assert_uint_eq(kit_dnsmasq_written(&kit), 2);
}
END_TEST

Suite *dnsmasq_batch_suite(void)
{
	Suite *s = suite_create("dnsmasq_batch");
	TCase *tc = tcase_create("batch");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_comes_is_there_and_what_goes_is_not);
	tcase_add_test(tc, it_waits_for_the_files_and_fails_with_them);
	tcase_add_test(tc, a_name_of_others_at_our_address_is_a_clash);
	tcase_add_test(tc, what_a_server_that_does_not_read_answers_is_no_clash);
	tcase_add_test(tc, a_taken_name_that_others_have_is_a_clash_and_the_rest_goes_on);
	tcase_add_test(tc, a_server_that_sees_no_removal_is_no_clash);
	tcase_add_test(tc, a_put_name_that_an_alias_shadows_is_a_clash);
	tcase_add_test(tc, when_the_last_suffix_leaves_nothing_stays);
	tcase_add_test(tc, what_is_below_no_suffix_is_noted);
	suite_add_tcase(s, tc);
	return s;
}
