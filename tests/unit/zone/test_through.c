/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer publishes, as a question meets it: writer, folder, reader and answer function
 * together.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/answer_check.h"
#include "tests/unit/zone/writer_kit.h"
#include "zone/answer.h"
#include "zone/reader.h"

Suite *through_suite(void);

enum { ROUNDS = 300 };

static struct hf_zone *z;
static struct hf_zone_reader *r;
static struct hf_answer a;

static void setup(void)
{
	kit_setup();
	ck_assert_int_eq(hf_zone_open(kit.folder, &kit.clock.clock, &z), 0);
	ck_assert_int_eq(hf_zone_reader_new(z, &r), 0);
}

static void teardown(void)
{
	hf_zone_reader_free(r);
	hf_zone_close(z);
	kit_teardown();
}

/* Publishes, waits until it is out, and has the reader take it up. */
static void show(void)
{
	struct hf_zone_stamp stamp;
	int rc = kit_publish();

	ck_assert_int_ge(rc, 0);
	while (hf_zone_writer_published(kit.writer) != kit.generation)
		ck_assert_int_ge(kit_take_fold(), 0);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ck_assert(hf_zone_reader_stamp(r, &stamp));
	ck_assert_uint_eq(stamp.generation, kit.generation);
}

static void ask_name(const struct hf_name *name, uint16_t type)
{
	struct hf_question q = { .name = name, .type = type, .class = HF_CLASS_IN };

	hf_answer(r, &q, &a);
	ck_assert(a.ours);
	hf_answer_check(&q, &a);
}

/* The number of the address that a name has; 0: NODATA; -1: NXDOMAIN. */
static int ask(const char *text)
{
	struct hf_name name = kit_name(text);

	ask_name(&name, HF_TYPE_AAAA);
	if (a.has_answer)
		return a.answer.rdata[15];
	ck_assert_uint_ne(a.rcode, HF_RCODE_SERVFAIL);
	return a.rcode == HF_RCODE_NXDOMAIN ? -1 : 0;
}

/* Whether address n's PTR tells that name; NULL: that there is none. */
static bool ptr_is(unsigned n, const char *text)
{
	struct hf_name ptr, want;
	uint8_t addr[16];

	kit_addr(n, addr);
	hf_ptr_name(addr, &ptr);
	ask_name(&ptr, HF_TYPE_PTR);
	if (!text)
		return a.rcode == HF_RCODE_NXDOMAIN;
	want = kit_name(text);
	return a.has_answer && a.answer.rdlen == want.len &&
	       !memcmp(a.answer.rdata, want.wire, want.len);
}

START_TEST(an_agent_answers_by_all_its_names)
{
	ck_assert_int_eq(kit_try_set("main.dev.me.coder", 1, HF_REC_PRIMARY), 0);
	ck_assert_int_eq(kit_try_set("main.dev.alice.coder", 1, 0), 0);
	ck_assert_int_eq(kit_try_set("dev.coder", 1, 0), 0);
	show();
	ck_assert_int_eq(ask("main.dev.me.coder"), 1);
	ck_assert_int_eq(ask("main.dev.alice.coder"), 1);
	ck_assert_int_eq(ask("dev.coder"), 1);
	ck_assert_int_eq(ask("coder"), 0);
	ck_assert_int_eq(ask("me.coder"), 0);
	ck_assert_int_eq(ask("dev.me.coder"), 0);
	ck_assert_int_eq(ask("dev.alice.coder"), 0);
	ck_assert_int_eq(ask("x.main.dev.me.coder"), -1);
	ck_assert_int_eq(ask("x.dev.coder"), -1);
	ck_assert(ptr_is(1, "main.dev.me.coder"));
	ck_assert(ptr_is(2, NULL));
}
END_TEST

START_TEST(an_empty_non_terminal_ends_with_its_last_child)
{
	kit_set("a.w.me.coder", 1);
	kit_set("b.w.me.coder", 2);
	show();
	kit_del("a.w.me.coder");
	show();
	ck_assert_int_eq(ask("a.w.me.coder"), -1);
	ck_assert_int_eq(ask("w.me.coder"), 0);
	kit_del("b.w.me.coder");
	show();
	ck_assert_int_eq(ask("w.me.coder"), -1);
	ck_assert_int_eq(ask("me.coder"), -1);
	ck_assert_int_eq(ask("coder"), 0);
	ck_assert(ptr_is(2, NULL));
}
END_TEST

START_TEST(a_workspace_may_have_the_name_of_an_owner)
{
	kit_set("main.dev.alice.coder", 1);
	ck_assert_int_eq(kit_try_set("alice.coder", 2, HF_REC_PRIMARY), 0);
	show();
	ck_assert_int_eq(ask("alice.coder"), 2);
	kit_del("alice.coder");
	show();
	ck_assert_int_eq(ask("alice.coder"), 0);
	ck_assert_int_eq(ask("main.dev.alice.coder"), 1);
}
END_TEST

START_TEST(a_withdrawn_name_is_as_if_it_were_not_there)
{
	ck_assert_int_eq(kit_try_set("main.dev.alice.coder", 1, HF_REC_PRIMARY), 0);
	ck_assert_int_eq(kit_try_set("alice.coder", 2, HF_REC_PRIMARY | HF_REC_WITHDRAWN), 0);
	ck_assert_int_eq(kit_try_set("dev.coder", 3, HF_REC_PRIMARY | HF_REC_WITHDRAWN), 0);
	show();
	ck_assert_int_eq(ask("alice.coder"), 0);
	ck_assert_int_eq(ask("dev.coder"), -1);
	ck_assert(ptr_is(2, NULL));
	ck_assert(ptr_is(3, NULL));
	ck_assert_int_eq(kit_try_set("dev.coder", 3, HF_REC_PRIMARY), 0);
	show();
	ck_assert_int_eq(ask("dev.coder"), 3);
	ck_assert(ptr_is(3, "dev.coder"));
}
END_TEST

START_TEST(an_empty_zone_that_is_not_ready_is_servfail)
{
	struct hf_name name = kit_name("main.dev.me.coder");

	kit.meta.ready = false;
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
	show();
	ask_name(&name, HF_TYPE_AAAA);
	ck_assert_uint_eq(a.rcode, HF_RCODE_SERVFAIL);
	ck_assert_int_eq(a.ede, HF_EDE_NOT_READY);
	kit.meta.ready = true;
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
	show();
	ask_name(&name, HF_TYPE_AAAA);
	ck_assert_uint_eq(a.rcode, HF_RCODE_NXDOMAIN);
}
END_TEST

START_TEST(the_soa_tells_the_generation)
{
	struct hf_name name = kit_name("coder");

	kit.generation = 1700000000;
	kit_set("a.coder", 1);
	show();
	ask_name(&name, HF_TYPE_SOA);
	ck_assert(a.has_answer);
	ck_assert_mem_eq(a.answer.rdata + a.answer.rdlen - 20, "\x65\x53\xf1\x01", 4);
}
END_TEST

/* --- random changes, and the answers that a list of the names gives --- */

static const char *const labels[] = { "a", "b", "me" };
enum { N_LABELS = 3, N_POOL = 3 + 9 + 27 }; /* all names of one to three labels */

static char pool[N_POOL][32];
static int number[N_POOL]; /* of its address; 0: not there */

static void make_pool(void)
{
	int n = 0;

	memset(number, 0, sizeof(number));
	for (int i = 0; i < N_LABELS; i++) {
		snprintf(pool[n++], sizeof(pool[0]), "%s.coder", labels[i]);
		for (int j = 0; j < N_LABELS; j++) {
			snprintf(pool[n++], sizeof(pool[0]), "%s.%s.coder", labels[j], labels[i]);
			for (int k = 0; k < N_LABELS; k++)
				snprintf(pool[n++], sizeof(pool[0]), "%s.%s.%s.coder", labels[k],
				    labels[j], labels[i]);
		}
	}
	ck_assert_int_eq(n, N_POOL);
}

static int expected(int i)
{
	struct hf_name name = kit_name(pool[i]);

	if (number[i])
		return number[i];
	for (int k = 0; k < N_POOL; k++) {
		struct hf_name other = kit_name(pool[k]);

		if (number[k] && hf_name_is_under(&other, &name))
			return 0;
	}
	return -1;
}

/*
 * Each name has one of two addresses that no other has; so exactly one of the two may have a PTR,
 * to it.
 */
static unsigned address_of(int i, unsigned which)
{
	return 1 + (unsigned)i + which * N_POOL;
}

static void check_ptrs(int i)
{
	for (unsigned which = 0; which < 2; which++) {
		unsigned n = address_of(i, which);

		ck_assert(ptr_is(n, number[i] == (int)n ? pool[i] : NULL));
	}
}

START_TEST(after_any_changes_each_name_answers_as_the_list_of_names_says)
{
	unsigned seed = 4711u + (unsigned)_i;

	make_pool();
	for (int round = 0; round < ROUNDS; round++) {
		for (int n = rand_r(&seed) % 6; n >= 0; n--) {
			int i = rand_r(&seed) % N_POOL;

			number[i] = rand_r(&seed) % 3 ? (int)address_of(i, rand_r(&seed) % 2) : 0;
			if (number[i])
				kit_set(pool[i], (unsigned)number[i]);
			else
				kit_del(pool[i]);
		}
		/* Time for a fold now and then; it is taken up while names go on changing. */
		hf_fake_clock_add(&kit.clock, rand_r(&seed) % KIT_EVERY_MS);
		ck_assert_int_ge(hf_zone_writer_work(kit.writer), 0);
		show();
		for (int i = 0; i < N_POOL; i++) {
			ck_assert_msg(ask(pool[i]) == expected(i), "%s in round %d: %d, not %d",
			    pool[i], round, ask(pool[i]), expected(i));
			check_ptrs(i);
		}
	}
}
END_TEST

Suite *through_suite(void)
{
	Suite *s = suite_create("through");
	TCase *tc = tcase_create("writer to answer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_agent_answers_by_all_its_names);
	tcase_add_test(tc, an_empty_non_terminal_ends_with_its_last_child);
	tcase_add_test(tc, a_workspace_may_have_the_name_of_an_owner);
	tcase_add_test(tc, a_withdrawn_name_is_as_if_it_were_not_there);
	tcase_add_test(tc, an_empty_zone_that_is_not_ready_is_servfail);
	tcase_add_test(tc, the_soa_tells_the_generation);
	tcase_add_loop_test(
	    tc, after_any_changes_each_name_answers_as_the_list_of_names_says, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
