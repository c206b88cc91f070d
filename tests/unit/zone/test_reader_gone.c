/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is gone when a reader comes to open it: the bridge has published something newer
 * between the reader's look at `current` and its open. Here that is done in the very moment, as
 * often as a test wants.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/zone_build.h"
#include "zone/reader.h"

Suite *reader_gone_suite(void);

enum {
	BIG = 30000,      /* names of a base that a thread which answers does not load itself */
	FAST = 200,       /* so often in a row no reader loses by chance */
	IN_TURN_MOST = 10 /* opens in one look of a thread that answers */
};

static struct hf_zone_build b;
static struct hf_fake_clock now;
static struct hf_zone *z;
static struct hf_zone_reader *r;

static atomic_int races;   /* how many opens come too late from now on */
static atomic_int n_opens; /* of files of the zone, by a reader */
static atomic_bool is_publishing;
static uint32_t last_k;
static void (*publish)(uint32_t k); /* something newer, and what it replaces goes */

/* --- the very moment --- */

static void come_too_late(const char *name)
{
	/* no two have the same content: what a reader has it does not open */
	static uint32_t k = 1000;

	if (atomic_load(&is_publishing) ||
	    (strncmp(name, "base-", 5) != 0 && strncmp(name, "delta-", 6) != 0))
		return;
	atomic_fetch_add(&n_opens, 1);
	if (atomic_load(&races) <= 0)
		return;
	atomic_fetch_sub(&races, 1);
	atomic_store(&is_publishing, true);
	publish(last_k = ++k);
	atomic_store(&is_publishing, false);
}

#define WRAP_OPENAT(name)                                                                          \
	int __real_##name(int dirfd, const char *path, int flags, ...);                            \
	int __wrap_##name(int dirfd, const char *path, int flags, ...);                            \
	int __wrap_##name(int dirfd, const char *path, int flags, ...)                             \
	{                                                                                          \
		mode_t mode = 0;                                                                   \
		va_list ap;                                                                        \
                                                                                                   \
		if (flags & O_CREAT) {                                                             \
			va_start(ap, flags);                                                       \
			mode = va_arg(ap, mode_t);                                                 \
			va_end(ap);                                                                \
		}                                                                                  \
		come_too_late(path);                                                               \
		return __real_##name(dirfd, path, flags, mode);                                    \
	}
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

/* What _FORTIFY_SOURCE makes of it, with clang and a newer glibc. */
#define WRAP_OPENAT_2(name)                                                                        \
	int __real_##name(int dirfd, const char *path, int flags);                                 \
	int __wrap_##name(int dirfd, const char *path, int flags);                                 \
	int __wrap_##name(int dirfd, const char *path, int flags)                                  \
	{                                                                                          \
		come_too_late(path);                                                               \
		return __real_##name(dirfd, path, flags);                                          \
	}
WRAP_OPENAT_2(__openat_2)
WRAP_OPENAT_2(__openat64_2)

static void publish_base(uint32_t k)
{
	char last[HF_FMT_FILE_NAME_MAX];

	snprintf(last, sizeof(last), "%s", b.current.base.name);
	hf_zone_build_base(&b);
	hf_zone_build_name(&b, "a.coder", k, 0);
	hf_zone_build_end(&b);
	hf_zone_build_no_delta(&b);
	hf_zone_build_publish(&b);
	unlinkat(b.dirfd, last, 0);
}

static void publish_delta(uint32_t k)
{
	char last[HF_FMT_FILE_NAME_MAX];

	snprintf(last, sizeof(last), "%s", b.current.delta.name);
	hf_zone_build_delta(&b);
	hf_zone_build_name(&b, "a.coder", k, 0);
	hf_zone_build_end(&b);
	hf_zone_build_publish(&b);
	unlinkat(b.dirfd, last, 0);
}

static void race(int n, void (*by)(uint32_t k))
{
	publish = by;
	atomic_store(&n_opens, 0);
	atomic_store(&races, n);
}

/* --- */

static void setup(void)
{
	race(0, NULL);
	atomic_store(&is_publishing, true);
	hf_zone_build_open(&b);
	publish_base(1);
	atomic_store(&is_publishing, false);
	hf_fake_clock_init(&now, 1000000, 1700000000000);
	ck_assert_int_eq(hf_zone_open(b.dir, &now.clock, &z), 0);
	ck_assert_int_eq(hf_zone_reader_new(z, &r), 0);
}

static void teardown(void)
{
	hf_zone_reader_free(r);
	hf_zone_close(z);
	hf_zone_build_close(&b);
}

static bool refresh_after(int64_t ms)
{
	hf_fake_clock_add(&now, ms);
	return hf_zone_reader_refresh(r);
}

static int number_of(const char *text)
{
	struct hf_zone_entry e;
	struct hf_name name;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	return hf_zone_reader_find(r, name.wire, name.len, &e) == 1
		   ? e.addrs[0][15] + 256 * e.addrs[0][14]
		   : -1;
}

static const char *trouble(void)
{
	static char text[512];

	hf_zone_trouble(z, text, sizeof(text));
	return text;
}

START_TEST(the_first_look_goes_on_as_long_as_what_is_published_moves_on)
{
	race(FAST, publish_base);
	ck_assert(refresh_after(0));
	ck_assert_int_eq(atomic_load(&n_opens), FAST + 1);
	ck_assert_int_eq(number_of("a.coder"), (int)last_k);
	ck_assert_str_eq(trouble(), "");
}
END_TEST

START_TEST(so_does_one_that_waits)
{
	ck_assert(refresh_after(0));
	publish_base(7);
	race(FAST, publish_base);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ck_assert_int_eq(atomic_load(&n_opens), FAST + 1);
	ck_assert_str_eq(trouble(), "");
}
END_TEST

/* The zone's thread has all the time in the world. */
START_TEST(so_does_the_loader)
{
	ck_assert(refresh_after(0));
	hf_zone_build_many(&b, BIG);
	hf_zone_build_publish(&b);
	race(FAST, publish_base);
	for (int i = 0; i < 20000 && number_of("a.coder") < 1000; i++) {
		refresh_after(10);
		usleep(500);
	}
	ck_assert_int_eq(atomic_load(&n_opens), FAST + 1);
	ck_assert_str_eq(trouble(), "");
}
END_TEST

START_TEST(a_thread_that_answers_does_not_go_on_for_long)
{
	ck_assert(refresh_after(0));
	publish_delta(1);
	race(FAST, publish_delta);
	ck_assert(refresh_after(10));
	ck_assert_int_eq(number_of("a.coder"), 1); /* what it had */
	ck_assert_int_eq(atomic_load(&n_opens), IN_TURN_MOST);
	ck_assert(!hf_zone_reader_source_fresh(r, 0));
	ck_assert_ptr_nonnull(strstr(trouble(), "last good picture stays"));
	race(0, NULL);
	ck_assert(refresh_after(20000));
	ck_assert_str_eq(trouble(), "");
}
END_TEST

/* It has nothing to answer with. */
START_TEST(one_without_a_picture_goes_on)
{
	hf_zone_build_clear(&b);
	ck_assert(!refresh_after(0));
	publish_base(1);
	race(FAST, publish_base);
	ck_assert(refresh_after(1000));
	ck_assert_int_eq(atomic_load(&n_opens), FAST + 1);
}
END_TEST

START_TEST(what_is_named_and_gone_for_good_is_tried_once)
{
	race(0, NULL);
	ck_assert_int_eq(unlinkat(b.dirfd, b.current.base.name, 0), 0);
	ck_assert(!refresh_after(0));
	ck_assert_int_eq(atomic_load(&n_opens), 1);
	ck_assert_ptr_nonnull(strstr(trouble(), b.current.base.name));
	ck_assert_ptr_nonnull(strstr(trouble(), "No such file"));
}
END_TEST

Suite *reader_gone_suite(void)
{
	Suite *s = suite_create("reader_gone");
	TCase *tc = tcase_create("gone");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_look_goes_on_as_long_as_what_is_published_moves_on);
	tcase_add_test(tc, so_does_one_that_waits);
	tcase_add_test(tc, so_does_the_loader);
	tcase_add_test(tc, a_thread_that_answers_does_not_go_on_for_long);
	tcase_add_test(tc, one_without_a_picture_goes_on);
	tcase_add_test(tc, what_is_named_and_gone_for_good_is_tried_once);
	suite_add_tcase(s, tc);
	return s;
}
