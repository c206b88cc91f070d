/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "base/clock.h"

Suite *clock_suite(void);

static int64_t now_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(system_clocks_are_boottime_and_realtime)
{
	int64_t boot_before = now_ms(CLOCK_BOOTTIME), wall_before = now_ms(CLOCK_REALTIME);
	int64_t boot = hf_boot_ms(&hf_clock_system), wall = hf_wall_ms(&hf_clock_system);

	ck_assert_int_ge(boot, boot_before);
	ck_assert_int_le(boot, now_ms(CLOCK_BOOTTIME));
	ck_assert_int_ge(wall, wall_before);
	ck_assert_int_le(wall, now_ms(CLOCK_REALTIME));
}
END_TEST

START_TEST(fake_clock_stands_still_until_it_is_moved)
{
	struct hf_fake_clock f;

	hf_fake_clock_init(&f, 1000, -5);
	ck_assert_int_eq(hf_boot_ms(&f.clock), 1000);
	ck_assert_int_eq(hf_wall_ms(&f.clock), -5);
	hf_fake_clock_add(&f, 2592000000);
	ck_assert_int_eq(hf_boot_ms(&f.clock), 2592001000);
	ck_assert_int_eq(hf_wall_ms(&f.clock), 2591999995);
	f.wall = 7; /* somebody sets the wall clock; boottime goes on */
	ck_assert_int_eq(hf_wall_ms(&f.clock), 7);
	ck_assert_int_eq(hf_boot_ms(&f.clock), 2592001000);
}
END_TEST

START_TEST(boot_id_is_that_of_the_kernel)
{
	char want[64], got[64];
	uint8_t id[16], again[16];
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(want, sizeof(want), f));
	fclose(f);
	want[strcspn(want, "\n")] = '\0';
	ck_assert_int_eq(hf_boot_id(id), 0);
	ck_assert_int_eq(hf_boot_id(again), 0);
	ck_assert(!memcmp(id, again, sizeof(id)));
	snprintf(got, sizeof(got),
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[0], id[1],
	    id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12], id[13],
	    id[14], id[15]);
	ck_assert_str_eq(got, want);
}
END_TEST

START_TEST(wall_clock_is_synchronised_if_the_kernel_or_else_timesyncd_says_so)
{
	static const char there[] = "/proc/self/stat", missing[] = "/proc/self/no-such-file";

	ck_assert(hf_wall_synced_by(TIME_OK, missing));
	ck_assert(hf_wall_synced_by(TIME_INS, missing));
	/* What the kernel says counts, whatever was true earlier. */
	ck_assert(!hf_wall_synced_by(TIME_ERROR, there));
	/* It may not be asked. */
	ck_assert(hf_wall_synced_by(-1, there));
	ck_assert(!hf_wall_synced_by(-1, missing));
}
END_TEST

Suite *clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clocks");

	tcase_add_test(tc, system_clocks_are_boottime_and_realtime);
	tcase_add_test(tc, fake_clock_stands_still_until_it_is_moved);
	tcase_add_test(tc, boot_id_is_that_of_the_kernel);
	tcase_add_test(tc, wall_clock_is_synchronised_if_the_kernel_or_else_timesyncd_says_so);
	suite_add_tcase(s, tc);
	return s;
}
