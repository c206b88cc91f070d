/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

Suite *fault_suite(void);

static struct hf_fake_clock now;
static struct hf_fault fault;
static int fd;
static char got[4096];

static void setup(void)
{
	memset(&fault, 0, sizeof(fault));
	hf_fake_clock_init(&now, 5000, 1000000000000);
	fd = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	hf_log_init(fd, HF_LOG_INFO, HF_LOG_TEXT, &now.clock);
}

static void teardown(void)
{
	close(fd);
}

/* The texts of what was logged since the last call, without their time. */
static const char *logged(void)
{
	static char texts[4096];
	ssize_t n = pread(fd, got, sizeof(got) - 1, 0);

	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	texts[0] = '\0';
	for (char *save, *at = strtok_r(got, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		snprintf(texts + strlen(texts), sizeof(texts) - strlen(texts), "%s\n",
		    strchr(at, ' ') + 1);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	lseek(fd, 0, SEEK_SET);
	return texts;
}

static int refused(int code)
{
	return hf_fault_set(&fault, &now.clock, HF_LOG_WARN, "source 'main': refused (%d)", code);
}

START_TEST(fault_is_logged_at_begin_change_and_end_only)
{
	ck_assert_int_eq(refused(1), 1);
	ck_assert_str_eq(logged(), "warn: source 'main': refused (1)\n");
	for (int i = 0; i < 100; i++) {
		hf_fake_clock_add(&now, 1000);
		ck_assert_int_eq(refused(1), 0);
	}
	ck_assert_str_eq(logged(), "");
	ck_assert_int_eq(refused(2), 1);
	ck_assert_int_eq(refused(2), 0);
	ck_assert_str_eq(logged(), "warn: source 'main': refused (2)\n");
	ck_assert_uint_eq(fault.times, 103);
	ck_assert_int_eq(fault.since_boot_ms, 5000);
	ck_assert_int_eq(fault.since_wall_ms, 1000000000000);
	hf_fault_clear(&fault, &now.clock, "source 'main':");
	ck_assert_str_eq(logged(), "info: source 'main': again well after 103 failures in 100 s\n");
	ck_assert_uint_eq(fault.times, 0);
	hf_fault_clear(&fault, &now.clock, "source 'main':");
	ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(fault_that_comes_again_begins_anew)
{
	refused(1);
	hf_fault_clear(&fault, &now.clock, "it is");
	ck_assert_str_eq(logged(),
	    "warn: source 'main': refused (1)\ninfo: it is again well after 1 failure in 0 s\n");
	hf_fake_clock_add(&now, 7000);
	ck_assert_int_eq(refused(1), 1);
	ck_assert_str_eq(logged(), "warn: source 'main': refused (1)\n");
	ck_assert_int_eq(fault.since_boot_ms, 12000);
	ck_assert_uint_eq(fault.times, 1);
}
END_TEST

START_TEST(age_does_not_follow_the_wall_clock)
{
	refused(1);
	logged();
	now.boot += 3000;
	now.wall -= 315360000000; /* ten years back */
	hf_fault_clear(&fault, &now.clock, "it is");
	ck_assert_str_eq(logged(), "info: it is again well after 1 failure in 3 s\n");
}
END_TEST

START_TEST(long_and_empty_texts_are_faults_too)
{
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(hf_fault_set(&fault, &now.clock, HF_LOG_WARN, "%s", text), 1);
	ck_assert_int_eq(hf_fault_set(&fault, &now.clock, HF_LOG_WARN, "%s", text), 0);
	ck_assert_uint_eq(strlen(fault.text), sizeof(fault.text) - 1);
	memset(&fault, 0, sizeof(fault));
	logged();
	ck_assert_int_eq(hf_fault_set(&fault, &now.clock, HF_LOG_ERROR, "%s", ""), 1);
	ck_assert_int_eq(hf_fault_set(&fault, &now.clock, HF_LOG_ERROR, "%s", ""), 0);
	ck_assert_str_eq(logged(), "error: failed\n");
	ck_assert_uint_eq(fault.times, 2);
}
END_TEST

Suite *fault_suite(void)
{
	Suite *s = suite_create("fault");
	TCase *tc = tcase_create("fault");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, fault_is_logged_at_begin_change_and_end_only);
	tcase_add_test(tc, fault_that_comes_again_begins_anew);
	tcase_add_test(tc, age_does_not_follow_the_wall_clock);
	tcase_add_test(tc, long_and_empty_texts_are_faults_too);
	suite_add_tcase(s, tc);
	return s;
}
