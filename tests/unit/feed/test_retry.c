/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bridge/feed/retry.h"

Suite *retry_suite(void);

/* The table, to the letter. */
static const uint32_t waits[] = { 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000,
	5000 };
enum { N = sizeof(waits) / sizeof(waits[0]) };

static struct hf_fake_clock clock_;
static struct hf_retry retry;
static int fd = -1;

static void setup(void)
{
	FILE *f = tmpfile();

	fd = dup(fileno(f));
	fclose(f);
	hf_fake_clock_init(&clock_, 1000000, 1700000000000);
	hf_log_init(fd, HF_LOG_DEBUG, HF_LOG_TEXT, &clock_.clock);
	retry = (struct hf_retry){ .who = "adapter 'x'",
		.clock = &clock_.clock,
		.wait = { .floor_ms = 50, .cap_ms = 5000 },
		.failed_ms = 30000 };
}

static void teardown(void)
{
	hf_log_init(STDERR_FILENO, HF_LOG_INFO, HF_LOG_TEXT, NULL);
	close(fd);
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

START_TEST(waits_double_to_five_seconds_and_stay_there)
{
	for (unsigned i = 0; i < N; i++)
		ck_assert_uint_eq(hf_retry_fail(&retry, -ECONNREFUSED, "x"), waits[i]);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_uint_eq(hf_retry_fail(&retry, -ECONNREFUSED, "x"), 5000);
	ck_assert_uint_eq(retry.attempts, N + 1000);
	hf_retry_ok(&retry);
	ck_assert_uint_eq(hf_retry_fail(&retry, -ECONNREFUSED, "x"), 50);
}
END_TEST

START_TEST(after_30_seconds_and_12_attempts_it_has_failed_and_says_so_once)
{
	unsigned attempts = 0;

	for (int64_t ms = 0; ms < 120000; ms += 10) {
		if (hf_retry_wait(&retry) == 0 && retry.next_at <= hf_boot_ms(&clock_.clock)) {
			hf_retry_fail(&retry, -ECONNREFUSED, "no socket");
			attempts++;
		}
		hf_retry_look(&retry);
		ck_assert_int_eq(retry.failed, ms >= 30000);
		if (ms < 30000)
			ck_assert_int_eq(hf_retry_look(&retry), 30000 - ms);
		if (ms == 30000)
			ck_assert_uint_eq(attempts, 12);
		hf_fake_clock_add(&clock_, 10);
	}
	ck_assert_uint_eq(
	    logged(" failed: 12 attempts in 30 s, the last: ECONNREFUSED: no socket"), 1);
	ck_assert_uint_eq(logged("failed: "), 1);
	ck_assert_uint_eq(
	    logged("attempt 1 failed (ECONNREFUSED: no socket), the next in 50 ms"), 1);
	ck_assert_uint_eq(
	    logged("attempt 12 failed (ECONNREFUSED: no socket), the next in 5000 ms"), 1);
	hf_retry_ok(&retry);
	hf_retry_ok(&retry);
	ck_assert_uint_eq(logged("works again after"), 1);
	ck_assert_str_eq(retry.error, "");
	ck_assert_int_eq(hf_retry_look(&retry), -1);
}
END_TEST

START_TEST(a_short_failure_is_not_spoken_of)
{
	hf_log_set_level(HF_LOG_INFO);
	hf_retry_fail(&retry, -ECONNREFUSED, "");
	ck_assert_str_eq(retry.error, "ECONNREFUSED");
	ck_assert_int_eq(hf_retry_wait(&retry), 50);
	hf_fake_clock_add(&clock_, 49);
	ck_assert_int_eq(hf_retry_wait(&retry), 1);
	hf_fake_clock_add(&clock_, 1);
	ck_assert_int_eq(hf_retry_wait(&retry), 0);
	hf_retry_ok(&retry);
	ck_assert_uint_eq(logged("adapter"), 0);
}
END_TEST

Suite *retry_suite(void)
{
	Suite *s = suite_create("retry");
	TCase *tc = tcase_create("retry");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, waits_double_to_five_seconds_and_stay_there);
	tcase_add_test(tc, after_30_seconds_and_12_attempts_it_has_failed_and_says_so_once);
	tcase_add_test(tc, a_short_failure_is_not_spoken_of);
	suite_add_tcase(s, tc);
	return s;
}
