/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/feed/feed_kit.h"

Suite *feed_trouble_suite(void);

static struct desk d;
static int fd = -1;

static void setup(void)
{
	FILE *f = tmpfile();

	fd = dup(fileno(f));
	fclose(f);
	desk_init(&d);
	hf_log_init(fd, HF_LOG_INFO, HF_LOG_TEXT, &d.fx.clock.clock);
}

static void teardown(void)
{
	hf_log_init(STDERR_FILENO, HF_LOG_INFO, HF_LOG_TEXT, NULL);
	close(fd);
	desk_done(&d);
}

static unsigned logged(const char *what)
{
	static char text[65536];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	unsigned n = 0;

	text[len < 0 ? 0 : len] = '\0';
	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void one(void)
{
	desk_set(&d, "a.coder", 1, 0);
	desk_commit(&d);
}

START_TEST(twelve_attempts_in_thirty_seconds_and_then_it_has_failed)
{
	static const int64_t at[] = { 0, 50, 150, 350, 750, 1550, 3150, 6350, 11350, 16350, 21350,
		26350 };
	int64_t begun;

	one();
	d.r.fail = -ECONNREFUSED;
	desk_start(&d);
	while (!d.r.n_applies)
		ck_assert(desk_step(&d));
	desk_run(&d, 0);
	begun = hf_boot_ms(&d.fx.clock.clock);
	for (unsigned i = 0; i < 12; i++) {
		desk_run(&d, begun + at[i] - hf_boot_ms(&d.fx.clock.clock));
		ck_assert_uint_eq(d.r.n_applies, i + 1);
		ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
		ck_assert_uint_eq(desk_status(&d).attempts, i + 1);
	}
	ck_assert_uint_eq(
	    logged("re-applying failed (ECONNREFUSED: the resolver is away), retry in 50 ms"), 1);
	desk_run(&d, begun + 29999 - hf_boot_ms(&d.fx.clock.clock));
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_RETRYING);
	desk_run(&d, 1);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_FAILED);
	ck_assert_uint_eq(logged("failed: 12 attempts in 30 s"), 1);
	desk_run(&d, 3600 * 1000);
	ck_assert_uint_eq(logged("attempts in"), 1);
	ck_assert_uint_ge(d.r.n_applies, 12 + 3600 / 5 - 10);
	d.r.fail = 0;
	desk_run(&d, 5001);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_SYNCED);
	ck_assert_uint_eq(desk_status(&d).attempts, 0);
	desk_check(&d);
}
END_TEST

START_TEST(half_a_batch_that_was_done_is_not_done_again)
{
	char name[20];

	for (uint8_t i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "n%02u.coder", i);
		desk_set(&d, name, i, 0);
	}
	desk_commit(&d);
	d.r.next_max = 10;
	desk_start(&d);
	while (d.r.done < 5)
		ck_assert(desk_step(&d));
	d.r.fail = -EPIPE;
	desk_run(&d, 40);
	d.r.fail = 0;
	desk_settle(&d);
	ck_assert_uint_eq(d.r.n_puts, 10);
	desk_check(&d);
}
END_TEST

START_TEST(an_adapter_that_says_nothing_and_does_nothing_is_no_loop)
{
	one();
	desk_start(&d);
	while (!d.r.batch)
		ck_assert(desk_step(&d));
	d.r.lazy = true;
	desk_run(&d, 40);
	ck_assert_uint_eq(desk_status(&d).attempts, 1);
	d.r.lazy = false;
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

START_TEST(a_receipt_of_more_than_was_given_counts_for_what_was_given)
{
	struct hf_receipt receipt = { .n_done = 1000, .text = "" };

	one();
	desk_start(&d);
	while (!d.r.batch)
		ck_assert(desk_step(&d));
	while (d.r.done < d.r.batch->n)
		ck_assert(desk_step(&d));
	d.r.batch = NULL;
	d.host->applied(d.host->arg, &receipt);
	d.host->applied(d.host->arg, &receipt); /* one that nobody asked for */
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

START_TEST(while_the_store_applies_a_change_the_feed_waits_for_it)
{
	struct hf_name_change names[3] = { 0 };
	struct hf_changeset set = { .names = names, .n_names = 3, .wall_s = 1 };

	one();
	desk_start(&d);
	desk_settle(&d);
	desk_set(&d, "b.coder", 2, 0);
	desk_commit(&d);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(hf_name_parse("x.coder", &names[i].name), 0);
		names[i].removed = true;
		names[i].owner = names[i].agent = UINT32_MAX;
	}
	ck_assert_int_eq(hf_store_begin(d.fx.store, &set), 0);
	desk_run(&d, 1000);
	ck_assert_ptr_null(desk_find(&d, "b.coder", false));
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_APPLYING);
	hf_store_abort(d.fx.store);
	/* At once: no time goes by. */
	for (unsigned i = 0; i < 100; i++)
		desk_step(&d);
	desk_check(&d);
	ck_assert_uint_eq(logged("store"), 0);
}
END_TEST

START_TEST(an_adapter_that_never_answers_is_waited_for_and_no_more)
{
	one();
	d.r.deaf = true;
	desk_start(&d);
	desk_run(&d, 60000);
	ck_assert_uint_eq(d.r.n_applies, 1);
	ck_assert_int_eq(desk_status(&d).state, HF_FEED_APPLYING);
	d.r.deaf = false;
	desk_settle(&d);
	desk_check(&d);
}
END_TEST

Suite *feed_trouble_suite(void)
{
	Suite *s = suite_create("feed_trouble");
	TCase *tc = tcase_create("trouble");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, twelve_attempts_in_thirty_seconds_and_then_it_has_failed);
	tcase_add_test(tc, half_a_batch_that_was_done_is_not_done_again);
	tcase_add_test(tc, an_adapter_that_says_nothing_and_does_nothing_is_no_loop);
	tcase_add_test(tc, a_receipt_of_more_than_was_given_counts_for_what_was_given);
	tcase_add_test(tc, while_the_store_applies_a_change_the_feed_waits_for_it);
	tcase_add_test(tc, an_adapter_that_never_answers_is_waited_for_and_no_more);
	suite_add_tcase(s, tc);
	return s;
}
