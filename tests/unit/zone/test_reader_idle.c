/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader is never more than a second behind what is published, asked or not, and never gives an
 * old picture as fresh.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/zone_build.h"
#include "zone/loader.h"
#include "zone/folder_watch.h"

Suite *reader_idle_suite(void);

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

enum { BIG = 30000 }; /* names of a base that a thread which answers does not load itself */

static struct hf_zone_build b;
static struct hf_fake_clock now;
static struct hf_zone *z;
static struct hf_zone_reader *r;

/*
 * Somebody else has the turn to look: what a thread that answers meets while that one is held up.
 */
static atomic_bool turn_is_taken;

int __real_pthread_mutex_trylock(pthread_mutex_t *m);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *m);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *m)
{
	return atomic_load(&turn_is_taken) ? EBUSY : __real_pthread_mutex_trylock(m);
}

static void open_zone(const struct hf_clock *clock)
{
	ck_assert_int_eq(hf_zone_open(b.dir, clock, &z), 0);
	ck_assert_int_eq(hf_zone_reader_new(z, &r), 0);
}

static void close_zone(void)
{
	hf_zone_reader_free(r);
	hf_zone_close(z);
}

static void setup(void)
{
	hf_zone_build_open(&b);
	hf_fake_clock_init(&now, 1000000, 1700000000000);
	atomic_store(&turn_is_taken, false);
	open_zone(&now.clock);
}

static void setup_real(void)
{
	hf_zone_build_open(&b);
	open_zone(&hf_clock_system);
}

static void teardown(void)
{
	close_zone();
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
	int rc;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	rc = hf_zone_reader_find(r, name.wire, name.len, &e);
	ck_assert_int_ge(rc, 0);
	return rc ? e.addrs[0][15] + 256 * e.addrs[0][14] : -1;
}

static void publish_big(uint32_t k)
{
	hf_zone_build_many(&b, BIG);
	hf_zone_build_no_delta(&b);
	hf_zone_build_one_changed(&b, "a.coder", k);
}

/* The source is live and the owner confirmed, now. */
static void beat(const struct hf_clock *clock)
{
	struct hf_pulse_writer *w;

	ck_assert_int_eq(hf_pulse_writer_open(b.dirfd, clock, &w), 0);
	ck_assert_int_eq(hf_pulse_source(w, 0, true), 0);
	ck_assert_int_eq(hf_pulse_owner(w, 3), 0);
	hf_pulse_writer_free(w);
}

static bool is_fresh(void)
{
	bool fresh = hf_zone_reader_fresh(r, 0, 3);

	ck_assert(fresh == hf_zone_reader_source_fresh(r, 0));
	return fresh;
}

/* --- what is fresh --- */

START_TEST(while_a_base_is_checked_nothing_is_fresh)
{
	bool went_on = false;

	beat(&now.clock);
	for (int i = 0; i < 50 && !went_on; i++) {
		hf_zone_build_one(&b, "a.coder", 1);
		ck_assert_int_eq(hf_zone_reader_load(r), 0);
		ck_assert(is_fresh());
		publish_big(2);
		refresh_after(10);
		/* Else the thread was quick: it has the new one, and that may be fresh. */
		went_on = number_of("a.coder") == 1;
		ck_assert(!went_on || !is_fresh());
	}
	ck_assert(went_on);
	for (int i = 0; i < 20000 && number_of("a.coder") == 1; i++) {
		ck_assert(!is_fresh());
		usleep(500);
		refresh_after(0);
	}
	ck_assert_int_eq(number_of("a.coder"), 2);
	refresh_after(10);
	ck_assert(is_fresh());
}
END_TEST

static void flip_base(void)
{
	int fd = openat(b.dirfd, b.current.base.name, O_RDWR);
	uint8_t byte;

	ck_assert_int_eq(pread(fd, &byte, 1, 2100), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, 2100), 1);
	close(fd);
}

START_TEST(while_what_is_published_cannot_be_used_nothing_is_fresh)
{
	char trouble[512];

	beat(&now.clock);
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	ck_assert(is_fresh());
	hf_zone_build_base(&b);
	hf_zone_build_name(&b, "a.coder", 2, 0);
	hf_zone_build_end(&b);
	flip_base();
	hf_zone_build_publish(&b);
	/* It is tried again and again, and in between nothing is looked at. */
	for (int i = 0; i < 200; i++) {
		refresh_after(7);
		ck_assert_int_eq(number_of("a.coder"), 1);
		ck_assert(!i || !is_fresh());
		usleep(100);
	}
	ck_assert_int_gt(hf_zone_trouble(z, trouble, sizeof(trouble)), 0);
	flip_base();
	for (int i = 0; i < 20000 && number_of("a.coder") == 1; i++) {
		ck_assert(!is_fresh());
		usleep(500);
		refresh_after(10);
	}
	refresh_after(10);
	ck_assert(is_fresh());
}
END_TEST

START_TEST(without_a_current_nothing_is_fresh)
{
	beat(&now.clock);
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	ck_assert_int_eq(unlinkat(b.dirfd, "current", 0), 0);
	refresh_after(10);
	ck_assert_int_eq(number_of("a.coder"), 1);
	ck_assert(!is_fresh());
	/* Between two looks, too. */
	refresh_after(500);
	ck_assert(!is_fresh());
	hf_zone_build_publish(&b);
	refresh_after(1000);
	ck_assert(is_fresh());
}
END_TEST

START_TEST(a_look_is_good_for_a_second)
{
	beat(&now.clock);
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	refresh_after(3000); /* its marks are proof */
	ck_assert(is_fresh());
	atomic_store(&turn_is_taken, true);
	refresh_after(1000);
	ck_assert(is_fresh());
	refresh_after(1);
	ck_assert(!is_fresh());
	ck_assert_int_eq(number_of("a.coder"), 1);
	atomic_store(&turn_is_taken, false);
	refresh_after(10);
	ck_assert(is_fresh());
}
END_TEST

/*
 * A machine that slept: boottime went on. The pulse may be young, of a bridge that woke up first.
 */
START_TEST(after_a_sleep_the_first_query_looks)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	hf_fake_clock_add(&now, 3600 * 1000);
	hf_zone_build_one_changed(&b, "a.coder", 2);
	beat(&now.clock);
	refresh_after(0);
	ck_assert_int_eq(number_of("a.coder"), 2);
	ck_assert(is_fresh());
	/* The same with a base, which takes longer than that query. */
	hf_fake_clock_add(&now, 3600 * 1000);
	publish_big(3);
	beat(&now.clock);
	refresh_after(0);
	ck_assert(number_of("a.coder") == 3 || !is_fresh());
}
END_TEST

/* --- the thread that looks --- */

static int64_t real_ms(void)
{
	return hf_boot_ms(&hf_clock_system);
}

/* Until there was another picture; nobody asks meanwhile. Returns how long it took. */
static int64_t wait_for_picture(uint64_t after)
{
	int64_t from = real_ms();

	while (hf_zone_shown(z) == after && real_ms() - from < 30000)
		usleep(1000);
	ck_assert_uint_ne(hf_zone_shown(z), after);
	return real_ms() - from;
}

START_TEST(an_idle_reader_has_the_new_base_before_the_first_question)
{
	uint64_t shown;

	beat(&hf_clock_system);
	hf_zone_keep_up(z);
	hf_zone_build_one(&b, "a.coder", 1);
	ck_assert(hf_zone_reader_refresh(r));
	hf_zone_reader_rest(r);
	shown = hf_zone_shown(z);
	publish_big(2);
	/* A second, and the time that a busy machine takes. */
	ck_assert_int_lt(wait_for_picture(shown), 1000 + 2000);
	ck_assert(hf_zone_reader_refresh(r));
	ck_assert_int_eq(number_of("a.coder"), 2);
	/* The thread has still to see that nothing else is published by now. */
	for (int i = 0; i < 1000 && !is_fresh(); i++) {
		usleep(1000);
		hf_zone_reader_refresh(r);
	}
	ck_assert(is_fresh());
}
END_TEST

START_TEST(it_begins_before_the_first_question_where_it_may)
{
	publish_big(5);
	hf_zone_begin(z);
	wait_for_picture(0);
	ck_assert(hf_zone_reader_refresh(r));
	ck_assert_int_eq(number_of("a.coder"), 5);
}
END_TEST

#ifndef UNDER_TSAN /* which has a thread of its own; and it takes the parent's, which a child has  \
		      not, for one never joined */
static int n_threads(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	int n = -1;

	while (fgets(line, sizeof(line), f))
		sscanf(line, "Threads: %d", &n);
	fclose(f);
	return n;
}

START_TEST(there_is_no_thread_before_the_first_refresh_and_none_after_closing)
{
	int before = n_threads();

	hf_zone_keep_up(z);
	hf_zone_build_one(&b, "a.coder", 1);
	ck_assert_int_eq(n_threads(), before);
	ck_assert(hf_zone_reader_refresh(r));
	ck_assert_int_eq(n_threads(), before + 1);
	for (int i = 0; i < 100; i++)
		hf_zone_reader_refresh(r);
	ck_assert_int_eq(n_threads(), before + 1);
	close_zone();
	ck_assert_int_eq(n_threads(), before);
	open_zone(&hf_clock_system);
}
END_TEST
#endif

START_TEST(closing_does_not_wait_for_its_next_turn)
{
	int64_t from;

	hf_zone_keep_up(z);
	hf_zone_build_one(&b, "a.coder", 1);
	hf_zone_reader_refresh(r);
	from = real_ms();
	for (int i = 0; i < 20; i++) {
		close_zone();
		open_zone(&hf_clock_system);
		hf_zone_begin(z);
	}
	ck_assert_int_lt(real_ms() - from, 5000);
}
END_TEST

#ifndef UNDER_TSAN
START_TEST(a_fork_keeps_up_by_a_thread_of_its_own)
{
	int status;
	pid_t pid;

	hf_zone_keep_up(z);
	hf_zone_build_one(&b, "a.coder", 1);
	ck_assert(hf_zone_reader_refresh(r));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		int before = n_threads();
		uint64_t shown;
		bool good;

		/* A look is due 10 ms after the last one. */
		usleep(20000);
		good = before == 1 && hf_zone_reader_refresh(r) && n_threads() == 2;
		shown = hf_zone_shown(z);
		publish_big(3);
		for (int i = 0; i < 10000 && hf_zone_shown(z) == shown; i++)
			usleep(1000);
		good = good && hf_zone_reader_refresh(r) && number_of("a.coder") == 3;
		/* What it has of the parent's is not for a leak checker to judge. */
		kill(getpid(), good ? SIGUSR1 : SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGUSR1);
}
END_TEST
#endif

/* --- readers that rest --- */

/* How much memory of pictures this process holds, in pages: read-only, and of no file. */
static int n_mapped(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from, to, inode;
	size_t bytes = 0;
	char line[512], rights[8];

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s %*x %*x:%*x %lu %*c", &from, &to, rights, &inode) ==
			4 &&
		    !inode && !strcmp(rights, "r--p") && !strchr(line, '['))
			bytes += to - from;
	fclose(maps);
	return (int)(bytes / (size_t)sysconf(_SC_PAGESIZE));
}

static void wait_for_pages(int want)
{
	for (int i = 0; i < 20000 && n_mapped() != want; i++)
		usleep(1000);
	ck_assert_int_eq(n_mapped(), want);
}

START_TEST(a_reader_that_rests_keeps_no_old_picture)
{
	struct hf_zone_reader *idle[3];
	uint64_t shown;

	hf_zone_keep_up(z);
	hf_zone_build_one(&b, "a.coder", 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hf_zone_reader_new(z, &idle[i]), 0);
		ck_assert(hf_zone_reader_refresh(idle[i]));
		hf_zone_reader_rest(idle[i]);
	}
	ck_assert_int_eq(n_mapped(), 1);
	shown = hf_zone_shown(z);
	hf_zone_build_one(&b, "a.coder", 2);
	wait_for_picture(shown);
	wait_for_pages(1);
	for (int i = 0; i < 3; i++) {
		ck_assert(hf_zone_reader_refresh(idle[i]));
		hf_zone_reader_free(idle[i]);
	}
	ck_assert(hf_zone_reader_refresh(r));
	ck_assert_int_eq(number_of("a.coder"), 2);
}
END_TEST

START_TEST(a_reader_that_rested_goes_on_where_it_was)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	ck_assert_int_eq(number_of("a.coder"), 1);
	hf_zone_reader_rest(r);
	hf_zone_reader_rest(r);
	ck_assert_ptr_null(hf_zone_reader_picture(r));
	ck_assert(!hf_zone_reader_fresh(r, 0, 3));
	ck_assert(refresh_after(1));
	ck_assert_int_eq(number_of("a.coder"), 1);
	hf_zone_reader_rest(r);
	hf_zone_build_one_changed(&b, "a.coder", 2);
	ck_assert(refresh_after(10));
	ck_assert_int_eq(number_of("a.coder"), 2);
	hf_zone_reader_rest(r);
	/* The teardown frees it as it is. */
}
END_TEST

enum { THREADS = 4 };
static atomic_bool over;
static atomic_uint n_refreshed;

/* In each generation both names have the same number; what is lent stays until the rest. */
static void *ask_and_rest(void *arg)
{
	struct hf_name a, c;
	struct hf_zone_reader *mine;
	uintptr_t wrong = 0;

	hf_name_parse("a.coder", &a);
	hf_name_parse("z.coder", &c);
	if (hf_zone_reader_new(z, &mine))
		return (void *)(uintptr_t)1;
	while (!atomic_load(&over)) {
		struct hf_zone_entry e, f;

		wrong += !hf_zone_reader_refresh(mine) ||
			 hf_zone_reader_find(mine, a.wire, a.len, &e) != 1 ||
			 hf_zone_reader_find(mine, c.wire, c.len, &f) != 1 ||
			 memcmp(e.addrs[0], f.addrs[0], 16) != 0;
		hf_zone_reader_rest(mine);
		atomic_fetch_add(&n_refreshed, 1);
		if (atomic_load(&n_refreshed) % 64 == 0)
			usleep(3000);
	}
	hf_zone_reader_free(mine);
	return (void *)wrong;
}

START_TEST(threads_ask_and_rest_while_pictures_are_swapped)
{
	pthread_t threads[THREADS];

	hf_zone_keep_up(z);
	atomic_store(&over, false);
	for (uint32_t i = 0; i < 300; i++) {
		if (i % 3) {
			hf_zone_build_delta(&b);
		} else {
			hf_zone_build_base(&b);
			hf_zone_build_no_delta(&b);
		}
		hf_zone_build_name(&b, "a.coder", i, 0);
		hf_zone_build_name(&b, "z.coder", i, 0);
		hf_zone_build_end(&b);
		hf_zone_build_publish(&b);
		for (int k = 0; !i && k < THREADS; k++)
			ck_assert_int_eq(pthread_create(&threads[k], NULL, ask_and_rest, NULL), 0);
		usleep(2000);
	}
	atomic_store(&over, true);
	for (int k = 0; k < THREADS; k++) {
		void *wrong;

		pthread_join(threads[k], &wrong);
		ck_assert_ptr_null(wrong);
	}
	ck_assert_uint_gt(atomic_load(&n_refreshed), 100);
}
END_TEST

Suite *reader_idle_suite(void)
{
	Suite *s = suite_create("reader_idle");
	TCase *tc = tcase_create("fresh");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, while_a_base_is_checked_nothing_is_fresh);
	tcase_add_test(tc, while_what_is_published_cannot_be_used_nothing_is_fresh);
	tcase_add_test(tc, without_a_current_nothing_is_fresh);
	tcase_add_test(tc, a_look_is_good_for_a_second);
	tcase_add_test(tc, after_a_sleep_the_first_query_looks);
	tcase_add_test(tc, a_reader_that_rested_goes_on_where_it_was);
	suite_add_tcase(s, tc);
	tc = tcase_create("thread");
	tcase_add_checked_fixture(tc, setup_real, teardown);
	tcase_add_test(tc, an_idle_reader_has_the_new_base_before_the_first_question);
	tcase_add_test(tc, it_begins_before_the_first_question_where_it_may);
	tcase_add_test(tc, closing_does_not_wait_for_its_next_turn);
#ifndef UNDER_TSAN
	tcase_add_test(tc, there_is_no_thread_before_the_first_refresh_and_none_after_closing);
	tcase_add_test(tc, a_fork_keeps_up_by_a_thread_of_its_own);
#endif
	tcase_add_test(tc, a_reader_that_rests_keeps_no_old_picture);
	tcase_add_test(tc, threads_ask_and_rest_while_pictures_are_swapped);
	suite_add_tcase(s, tc);
	return s;
}
