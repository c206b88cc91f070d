/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "tests/support/zone_build.h"
#include "zone/reader.h"

Suite *reader_suite(void);

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#elif __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

enum { BIG = 30000 }; /* names of a base that a thread which answers does not load itself */

static struct hf_zone_build b;
static struct hf_fake_clock now;
static struct hf_zone *z;
static struct hf_zone_reader *r;

static void setup(void)
{
	hf_zone_build_open(&b);
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

/* The number of the address that a name has now; -1: none. */
static int number_in(struct hf_zone_reader *of, const char *text)
{
	struct hf_zone_entry e;
	struct hf_name name;
	int rc;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	rc = hf_zone_reader_find(of, name.wire, name.len, &e);
	ck_assert_int_ge(rc, 0);
	return rc ? e.addrs[0][15] + 256 * e.addrs[0][14] : -1;
}

static int number_of(const char *text)
{
	return number_in(r, text);
}

static const char *trouble(void)
{
	static char text[512];

	hf_zone_trouble(z, text, sizeof(text));
	return text;
}

/*
 * Until the loader has brought it. The clock that counts is the fake one; this only gives the
 * loader time.
 */
static void refresh_until(const char *name, int want)
{
	for (int i = 0; i < 20000 && number_of(name) != want; i++) {
		usleep(500);
		refresh_after(10);
	}
	ck_assert_int_eq(number_of(name), want);
}

START_TEST(without_a_folder_there_is_no_picture)
{
	struct hf_zone_stamp stamp;
	struct hf_zone_entry e;

	hf_zone_build_close(&b);
	b.dirfd = -1;
	ck_assert(!refresh_after(0));
	ck_assert_ptr_null(hf_zone_reader_meta(r));
	ck_assert(!hf_zone_reader_stamp(r, &stamp));
	ck_assert_int_eq(hf_zone_reader_find(r, (const uint8_t *)"\1a", 3, &e), HF_ENOTREADY);
	ck_assert(!hf_zone_reader_fresh(r, 0, 0));
	ck_assert_ptr_nonnull(strstr(trouble(), "current: No such file"));
	ck_assert_int_eq(hf_zone_reader_load(r), -ENOENT);
}
END_TEST

START_TEST(a_zone_that_appears_is_found_within_a_second)
{
	ck_assert(!refresh_after(0));
	hf_zone_build_one(&b, "a.coder", 1);
	ck_assert(!refresh_after(999));
	ck_assert(refresh_after(1));
	ck_assert_int_eq(number_of("a.coder"), 1);
	ck_assert_str_eq(trouble(), "");
}
END_TEST

START_TEST(the_first_refresh_has_even_a_large_base)
{
	hf_zone_build_many(&b, BIG);
	hf_zone_build_publish(&b);
	ck_assert(refresh_after(0));
	ck_assert_int_eq(number_of("a29999.w.me.coder"), 29999);
}
END_TEST

static void *first_refresh(void *arg)
{
	struct hf_zone_reader *mine;
	bool *found = arg;

	ck_assert_int_eq(hf_zone_reader_new(z, &mine), 0);
	*found = hf_zone_reader_refresh(mine) && number_in(mine, "a29999.w.me.coder") == 29999;
	hf_zone_reader_free(mine);
	return NULL;
}

START_TEST(threads_that_come_during_the_first_load_wait_for_it)
{
	pthread_t threads[4];
	bool found[4];

	hf_zone_build_many(&b, BIG);
	hf_zone_build_publish(&b);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, first_refresh, &found[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		ck_assert(found[i]);
	}
}
END_TEST

START_TEST(a_change_shows_at_the_next_look_10_ms_later)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	hf_zone_build_one_changed(&b, "a.coder", 2);
	refresh_after(9);
	ck_assert_int_eq(number_of("a.coder"), 1);
	refresh_after(1);
	ck_assert_int_eq(number_of("a.coder"), 2);
	hf_zone_build_no_delta(&b);
	hf_zone_build_publish(&b);
	refresh_after(10);
	ck_assert_int_eq(number_of("a.coder"), 1);
}
END_TEST

START_TEST(one_look_serves_all_readers)
{
	struct hf_zone_reader *second;

	hf_zone_build_one(&b, "a.coder", 1);
	ck_assert_int_eq(hf_zone_reader_new(z, &second), 0);
	refresh_after(0);
	ck_assert(hf_zone_reader_refresh(second));
	hf_zone_build_one_changed(&b, "a.coder", 2);
	refresh_after(10);
	/* The second comes at the same moment: the turn is taken, and what it brought is there. */
	ck_assert(hf_zone_reader_refresh(second));
	ck_assert_int_eq(number_in(second, "a.coder"), 2);
	hf_zone_reader_free(second);
}
END_TEST

/* How often `current` was opened since the last call. */
static int n_opened(int watch)
{
	char events[4096] __attribute__((aligned(8)));
	ssize_t len;
	int n = 0;

	while ((len = read(watch, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < len;) {
			struct inotify_event e;

			memcpy(&e, events + at, sizeof(e));
			n += !strcmp(events + at + sizeof(e), "current");
			at += (ssize_t)(sizeof(e) + e.len);
		}
	}
	return n;
}

START_TEST(what_is_known_is_not_read_again_once_its_marks_are_proof)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	ck_assert_int_ge(inotify_add_watch(watch, b.dir, IN_OPEN), 0);
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	n_opened(watch);
	for (int round = 0; round < 2; round++) {
		/* A `current` made in the same tick would bear the same marks. */
		refresh_after(10);
		ck_assert_int_eq(n_opened(watch), 1);
		refresh_after(2000);
		ck_assert_int_eq(n_opened(watch), 1);
		for (int i = 0; i < 100; i++)
			refresh_after(10);
		ck_assert_int_eq(n_opened(watch), 0);
		hf_zone_build_one_changed(&b, "a.coder", 2);
		refresh_after(10);
		ck_assert_int_gt(n_opened(watch), 0);
	}
	close(watch);
}
END_TEST

START_TEST(a_new_base_comes_from_the_loader)
{
	bool went_on = false;

	/*
	 * It takes milliseconds: the thread that answers goes on with what it has, unless it sleeps
	 * that long.
	 */
	for (int i = 0; i < 50 && !went_on; i++) {
		hf_zone_build_one(&b, "a.coder", 1);
		ck_assert_int_eq(hf_zone_reader_load(r), 0);
		hf_zone_build_many(&b, BIG);
		hf_zone_build_publish(&b);
		refresh_after(10);
		went_on = number_of("a.coder") == 1;
	}
	ck_assert(went_on);
	refresh_until("a29999.w.me.coder", 29999);
	ck_assert_int_eq(number_of("a.coder"), -1);
	hf_zone_build_one_changed(&b, "a.coder", 3);
	refresh_until("a.coder", 3);
}
END_TEST

START_TEST(what_is_published_while_the_loader_works_follows)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	hf_zone_build_many(&b, BIG);
	hf_zone_build_publish(&b);
	refresh_after(10);
	hf_zone_build_one_changed(&b, "b.coder", 2);
	hf_zone_build_one_changed(&b, "c.coder", 3);
	refresh_until("c.coder", 3);
	ck_assert_int_eq(number_of("b.coder"), -1);
	ck_assert_int_eq(number_of("a1.w.me.coder"), 1);
}
END_TEST

START_TEST(load_waits_for_the_newest_base)
{
	struct hf_zone_stamp stamp;

	hf_zone_build_one(&b, "a.coder", 1);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ck_assert_int_eq(number_of("a.coder"), 1);
	hf_zone_build_many(&b, BIG);
	hf_zone_build_publish(&b);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ck_assert_int_eq(number_of("a29999.w.me.coder"), 29999);
	/* Also while the loader is at it. */
	hf_zone_build_one(&b, "a.coder", 4);
	refresh_after(10);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ck_assert_int_eq(number_of("a.coder"), 4);
	ck_assert(hf_zone_reader_stamp(r, &stamp));
	ck_assert_uint_eq(stamp.generation, b.current.generation);
}
END_TEST

START_TEST(closing_ends_a_loader_that_is_at_work)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	hf_zone_build_many(&b, BIG);
	hf_zone_build_publish(&b);
	refresh_after(10);
	/* The teardown closes. */
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

START_TEST(what_fails_its_check_leaves_the_old_picture)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	hf_zone_build_base(&b);
	hf_zone_build_name(&b, "a.coder", 2, 0);
	hf_zone_build_end(&b);
	flip_base();
	hf_zone_build_publish(&b);
	refresh_after(10);
	for (int i = 0; i < 1000 && !strstr(trouble(), "checksum"); i++) {
		usleep(500);
		refresh_after(10);
	}
	ck_assert_ptr_nonnull(strstr(trouble(), b.current.base.name));
	ck_assert_ptr_nonnull(strstr(trouble(), "last good picture stays"));
	ck_assert_int_eq(number_of("a.coder"), 1);
	/* `current` stays what it was; the file alone is mended. */
	flip_base();
	refresh_until("a.coder", 2);
	ck_assert_str_eq(trouble(), "");
}
END_TEST

static const struct {
	const char *text;
	const char *want;
} currents[] = {
	{ "", "form" },
	{ "holdfast-zone 1\n", "form" },
	{ "holdfast-zone 2\n", "version" },
};

START_TEST(a_current_that_says_nothing_leaves_the_old_picture)
{
	FILE *f;
	char path[128];

	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	snprintf(path, sizeof(path), "%s/current", b.dir);
	unlink(path);
	f = fopen(path, "w");
	fputs(currents[_i].text, f);
	fclose(f);
	refresh_after(10);
	ck_assert_int_eq(number_of("a.coder"), 1);
	ck_assert_ptr_nonnull(strstr(trouble(), "/current: "));
	ck_assert_ptr_nonnull(strstr(trouble(), currents[_i].want));
}
END_TEST

START_TEST(a_vanished_folder_leaves_the_old_picture_and_may_come_back)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	hf_zone_build_clear(&b);
	ck_assert_int_eq(rmdir(b.dir), 0);
	ck_assert(refresh_after(10));
	ck_assert_int_eq(number_of("a.coder"), 1);
	ck_assert_ptr_nonnull(strstr(trouble(), "No such file"));
	ck_assert_int_eq(mkdir(b.dir, 0700), 0);
	close(b.dirfd);
	b.dirfd = open(b.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hf_zone_build_one(&b, "a.coder", 2);
	refresh_after(1000);
	refresh_until("a.coder", 2);
	ck_assert_str_eq(trouble(), "");
}
END_TEST

START_TEST(what_is_lent_stays_until_the_next_refresh)
{
	struct hf_zone_reader *other;
	struct hf_zone_entry e;
	struct hf_name name;

	hf_zone_build_one(&b, "a.coder", 7);
	refresh_after(0);
	ck_assert_int_eq(hf_zone_reader_new(z, &other), 0);
	hf_name_parse("a.coder", &name);
	ck_assert_int_eq(hf_zone_reader_find(r, name.wire, name.len, &e), 1);
	for (uint32_t i = 0; i < 5; i++) {
		hf_zone_build_one(&b, "a.coder", 100 + i);
		ck_assert_int_eq(hf_zone_reader_load(other), 0);
	}
	ck_assert_int_eq(number_in(other, "a.coder"), 104);
	ck_assert_uint_eq(e.addrs[0][15], 7);
	hf_zone_reader_free(other);
}
END_TEST

/*
 * How many files' memory this process holds: each of these files takes a page, read-only and of no
 * file.
 */
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

START_TEST(a_picture_goes_with_its_last_user)
{
	struct hf_zone_reader *stuck;

	hf_zone_build_one(&b, "a.coder", 1);
	hf_zone_build_one_changed(&b, "b.coder", 1);
	refresh_after(0);
	ck_assert_int_eq(hf_zone_reader_new(z, &stuck), 0);
	hf_zone_reader_refresh(stuck);
	ck_assert_int_eq(n_mapped(), 2);
	for (uint32_t i = 0; i < 5; i++) {
		hf_zone_build_one(&b, "a.coder", i);
		hf_zone_build_one_changed(&b, "b.coder", i);
		ck_assert_int_eq(hf_zone_reader_load(r), 0);
	}
	ck_assert_int_eq(n_mapped(), 4);
	hf_zone_reader_refresh(stuck);
	ck_assert_int_eq(n_mapped(), 2);
	hf_zone_reader_free(stuck);
}
END_TEST

START_TEST(the_loader_gives_the_memory_of_the_last_base_back)
{
	bool was_left = false;

	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	/* Where this thread sleeps long enough, the loader has done so when it looks. */
	for (int i = 2; i < 50 && !was_left; i++) {
		hf_zone_build_one(&b, "a.coder", (uint32_t)i);
		refresh_until("a.coder", i);
		was_left = n_mapped() == 2;
	}
	ck_assert(was_left);
	for (int i = 0; i < 4000 && n_mapped() > 1; i++)
		usleep(1000);
	ck_assert_int_eq(n_mapped(), 1);
}
END_TEST

START_TEST(ptr_tells_the_name_of_an_address)
{
	const uint8_t *name;
	struct hf_name want;
	uint8_t addr[16];
	size_t len;

	hf_zone_build_many(&b, 3);
	hf_zone_build_publish(&b);
	refresh_after(0);
	hf_name_parse("a2.w.me.coder", &want);
	hf_zone_build_addr(2, addr);
	ck_assert_int_eq(hf_zone_reader_find_ptr(r, addr, &name, &len), 1);
	ck_assert_uint_eq(len, want.len);
	ck_assert_mem_eq(name, want.wire, len);
	hf_zone_build_addr(3, addr);
	ck_assert_int_eq(hf_zone_reader_find_ptr(r, addr, &name, &len), 0);
	hf_zone_build_addr(2, addr);
	addr[0] = 0xfe; /* the same but for the prefix */
	ck_assert_int_eq(hf_zone_reader_find_ptr(r, addr, &name, &len), 0);
}
END_TEST

START_TEST(keys_that_are_no_names_are_not_found)
{
	struct hf_zone_entry e;
	uint8_t long_name[300] = { 1 };

	hf_zone_build_many(&b, 3);
	hf_zone_build_publish(&b);
	refresh_after(0);
	ck_assert_int_eq(hf_zone_reader_find(r, (const uint8_t *)"\xffm", 2, &e), 0);
	ck_assert_int_eq(hf_zone_reader_find(r, (const uint8_t *)"", 0, &e), 0);
	ck_assert_int_eq(hf_zone_reader_find(r, long_name, sizeof(long_name), &e), 0);
}
END_TEST

static int add_number(const struct hf_name *name, const struct hf_zone_entry *e, void *arg)
{
	*(uint32_t *)arg += e->addrs[0][15];
	return 0;
}

START_TEST(a_walk_tells_the_names_with_addresses)
{
	uint32_t sum = 0;

	ck_assert_int_eq(hf_zone_reader_walk(r, add_number, &sum), HF_ENOTREADY);
	hf_zone_build_many(&b, 10);
	hf_zone_build_publish(&b);
	refresh_after(0);
	ck_assert_int_eq(hf_zone_reader_walk(r, add_number, &sum), 0);
	ck_assert_uint_eq(sum, 45);
}
END_TEST

/* --- fresh and stale --- */

static const struct {
	int64_t source_age_ms, owner_age_ms; /* -1: never stamped */
	bool live, want;
} ages[] = {
	{ 0, 0, true, true },
	{ 60000, 60000, true, true },
	{ 60001, 0, true, false },
	{ 0, 1200000, true, true }, /* twice the snapshot interval */
	{ 0, 1200001, true, false },
	{ 0, 0, false, false },
	{ -1, 0, true, false },
	{ 0, -1, true, false },
};

static void stamp_at(int64_t age_ms, bool source, bool live)
{
	struct hf_fake_clock then = now;
	struct hf_pulse_writer *w;

	if (age_ms < 0)
		return;
	hf_fake_clock_add(&then, -age_ms);
	ck_assert_int_eq(hf_pulse_writer_open(b.dirfd, &then.clock, &w), 0);
	ck_assert_int_eq(source ? hf_pulse_source(w, 0, true) : hf_pulse_owner(w, 3), 0);
	if (!live)
		ck_assert_int_eq(hf_pulse_source(w, 0, false), 0);
	hf_pulse_writer_free(w);
}

START_TEST(fresh_is_a_live_source_and_a_confirmed_owner)
{
	hf_fake_clock_add(&now, 10000000);
	hf_zone_build_one(&b, "a.coder", 1);
	stamp_at(ages[_i].source_age_ms, true, ages[_i].live);
	stamp_at(ages[_i].owner_age_ms, false, true);
	ck_assert(refresh_after(0));
	ck_assert_int_eq(hf_zone_reader_fresh(r, 0, 3), ages[_i].want);
	ck_assert(!hf_zone_reader_fresh(r, 0, 4));
	ck_assert_int_eq(
	    hf_zone_reader_fresh(r, 0, HF_ZONE_OWNER_NONE), hf_zone_reader_source_fresh(r, 0));
	ck_assert(!hf_zone_reader_fresh(r, 1, 3));
	ck_assert(!hf_zone_reader_fresh(r, 64, 3));
}
END_TEST

START_TEST(a_stamp_from_the_future_is_stale)
{
	hf_fake_clock_add(&now, 10000000);
	hf_zone_build_one(&b, "a.coder", 1);
	stamp_at(0, true, true);
	stamp_at(0, false, true);
	ck_assert(refresh_after(0));
	ck_assert(hf_zone_reader_fresh(r, 0, 3));
	refresh_after(-5000);
	ck_assert(hf_zone_reader_fresh(r, 0, 3));
	refresh_after(-60000);
	ck_assert(!hf_zone_reader_fresh(r, 0, 3));
}
END_TEST

START_TEST(the_pulse_is_read_once_a_second)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	ck_assert(!hf_zone_reader_source_fresh(r, 0));
	stamp_at(0, true, true);
	refresh_after(999);
	ck_assert(!hf_zone_reader_source_fresh(r, 0));
	refresh_after(1);
	ck_assert(hf_zone_reader_source_fresh(r, 0));
}
END_TEST

START_TEST(another_epoch_has_its_pulse_read_at_once)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	stamp_at(0, true, true);
	b.current.epoch[0] ^= 1;
	hf_zone_build_one_changed(&b, "a.coder", 2);
	refresh_after(10);
	ck_assert_int_eq(number_of("a.coder"), 2);
	ck_assert(hf_zone_reader_source_fresh(r, 0));
}
END_TEST

START_TEST(a_lost_pulse_grows_old_and_is_not_forgotten)
{
	hf_zone_build_one(&b, "a.coder", 1);
	stamp_at(0, true, true);
	refresh_after(0);
	unlinkat(b.dirfd, "pulse", 0);
	refresh_after(59000);
	ck_assert(hf_zone_reader_source_fresh(r, 0));
	refresh_after(2000);
	ck_assert(!hf_zone_reader_source_fresh(r, 0));
}
END_TEST

/* --- forks and threads --- */

/*
 * What work() gives in a fork of this process. The child does not exit, it is killed: what it has
 * of the parent's threads is not for a leak checker to judge.
 */
static int in_child(int (*work)(void))
{
	int ends[2], result = -1;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		result = work();
		(void)!write(ends[1], &result, sizeof(result));
		kill(getpid(), SIGKILL);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &result, sizeof(result)), sizeof(result));
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return result;
}

static int child_finds(void)
{
	return refresh_after(0) && number_of("a.coder") == 1 ? 7 : 1;
}

START_TEST(a_zone_opened_before_a_fork_works_in_the_child)
{
	hf_zone_build_one(&b, "a.coder", 1);
	ck_assert_int_eq(in_child(child_finds), 7);
	ck_assert_int_eq(child_finds(), 7);
}
END_TEST

#ifndef UNDER_TSAN
static int child_gets_new_base(void)
{
	for (int i = 0; i < 4000 && number_of("a.coder") != 3; i++) {
		usleep(500);
		refresh_after(10);
	}
	return number_of("a.coder") == 3 ? 7 : 1;
}

START_TEST(a_fork_of_a_process_with_a_loader_gets_one_of_its_own)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	hf_zone_build_many(&b, BIG);
	hf_zone_build_delta(&b);
	hf_zone_build_name(&b, "a.coder", 3, 0);
	hf_zone_build_end(&b);
	hf_zone_build_publish(&b);
	refresh_after(10); /* starts the loader, which the child has not */
	ck_assert_int_eq(in_child(child_gets_new_base), 7);
	refresh_until("a.coder", 3);
}
END_TEST
#endif

#if !defined(UNDER_TSAN) && !defined(UNDER_ASAN)
/* Room for the zone, but not for a thread's stack. */
static int child_without_room_for_a_thread(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	struct rlimit limit;
	unsigned long pages;

	if (!f || fscanf(f, "%lu", &pages) != 1)
		return 2;
	fclose(f);
	limit.rlim_cur = limit.rlim_max = pages * (rlim_t)sysconf(_SC_PAGESIZE) + (4 << 20);
	if (setrlimit(RLIMIT_AS, &limit))
		return 3;
	hf_zone_build_one(&b, "a.coder", 2);
	/* libc may have kept the stack of an earlier thread. */
	for (int i = 0; i < 2000 && number_of("a.coder") != 2; i++) {
		refresh_after(10);
		usleep(500);
	}
	return number_of("a.coder") == 2 && !*trouble() ? 7 : 1;
}

START_TEST(without_a_thread_the_base_is_read_all_the_same)
{
	hf_zone_build_one(&b, "a.coder", 1);
	refresh_after(0);
	ck_assert_int_eq(in_child(child_without_room_for_a_thread), 7);
}
END_TEST
#endif

static atomic_bool over;

/* As a bridge that is busy: a new base all the time, and the last one is gone at once. */
static void *publish_bases(void *arg)
{
	for (uint32_t i = 0; !atomic_load(&over); i++) {
		char last[HF_FMT_FILE_NAME_MAX];

		snprintf(last, sizeof(last), "%s", b.current.base.name);
		hf_zone_build_one(&b, "a.coder", i & 0xff);
		unlinkat(b.dirfd, last, 0);
	}
	return NULL;
}

START_TEST(a_base_that_makes_room_for_a_newer_one_is_no_trouble)
{
	pthread_t publisher;
	int n_without = 0;

	hf_zone_build_one(&b, "a.coder", 1);
	atomic_store(&over, false);
	ck_assert_int_eq(pthread_create(&publisher, NULL, publish_bases, NULL), 0);
	for (int i = 0; i < 2000; i++) {
		struct hf_zone *fresh;
		struct hf_zone_reader *mine;

		ck_assert_int_eq(hf_zone_open(b.dir, &now.clock, &fresh), 0);
		ck_assert_int_eq(hf_zone_reader_new(fresh, &mine), 0);
		n_without += !hf_zone_reader_refresh(mine);
		hf_zone_reader_free(mine);
		hf_zone_close(fresh);
	}
	atomic_store(&over, true);
	pthread_join(publisher, NULL);
	ck_assert_int_eq(n_without, 0);
}
END_TEST

enum { THREADS = 4 };
static atomic_uint n_lookups;

/* In each generation both names have the same number. */
static void *look_up_pairs(void *arg)
{
	struct hf_zone_reader *mine;
	uintptr_t mixed = 0;

	if (hf_zone_reader_new(z, &mine))
		return (void *)(uintptr_t)1;
	do {
		if (!hf_zone_reader_refresh(mine) ||
		    number_in(mine, "a.coder") != number_in(mine, "z.coder"))
			mixed++;
		atomic_fetch_add(&n_lookups, 1);
	} while (!atomic_load(&over));
	hf_zone_reader_free(mine);
	return (void *)mixed;
}

START_TEST(threads_see_whole_generations_while_they_are_swapped)
{
	pthread_t threads[THREADS];
	struct hf_zone *real;

	/* The real clock: the threads share it. */
	ck_assert_int_eq(hf_zone_open(b.dir, &hf_clock_system, &real), 0);
	hf_zone_reader_free(r);
	hf_zone_close(z);
	z = real;
	ck_assert_int_eq(hf_zone_reader_new(z, &r), 0);
	atomic_store(&over, false);
	for (uint32_t i = 0; i < 200; i++) {
		if (i % 10) {
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
			ck_assert_int_eq(pthread_create(&threads[k], NULL, look_up_pairs, NULL), 0);
		usleep(2000);
	}
	atomic_store(&over, true);
	for (int k = 0; k < THREADS; k++) {
		void *mixed;

		pthread_join(threads[k], &mixed);
		ck_assert_ptr_null(mixed);
	}
	ck_assert_uint_gt(atomic_load(&n_lookups), 1000);
	ck_assert_int_eq(hf_zone_reader_load(r), 0);
	ck_assert_int_eq(number_of("a.coder"), 199);
}
END_TEST

static void add_pictures(Suite *s)
{
	TCase *tc = tcase_create("pictures");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_a_folder_there_is_no_picture);
	tcase_add_test(tc, a_zone_that_appears_is_found_within_a_second);
	tcase_add_test(tc, the_first_refresh_has_even_a_large_base);
	tcase_add_test(tc, threads_that_come_during_the_first_load_wait_for_it);
	tcase_add_test(tc, a_change_shows_at_the_next_look_10_ms_later);
	tcase_add_test(tc, one_look_serves_all_readers);
	tcase_add_test(tc, what_is_known_is_not_read_again_once_its_marks_are_proof);
	tcase_add_test(tc, a_new_base_comes_from_the_loader);
	tcase_add_test(tc, what_is_published_while_the_loader_works_follows);
	tcase_add_test(tc, load_waits_for_the_newest_base);
	tcase_add_test(tc, closing_ends_a_loader_that_is_at_work);
	tcase_add_test(tc, what_fails_its_check_leaves_the_old_picture);
	tcase_add_loop_test(tc, a_current_that_says_nothing_leaves_the_old_picture, 0,
	    sizeof(currents) / sizeof(currents[0]));
	tcase_add_test(tc, a_vanished_folder_leaves_the_old_picture_and_may_come_back);
	tcase_add_test(tc, what_is_lent_stays_until_the_next_refresh);
	tcase_add_test(tc, the_loader_gives_the_memory_of_the_last_base_back);
	tcase_add_test(tc, a_picture_goes_with_its_last_user);
	suite_add_tcase(s, tc);
}

Suite *reader_suite(void)
{
	Suite *s = suite_create("reader");
	TCase *tc;

	add_pictures(s);
	tc = tcase_create("lookup");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ptr_tells_the_name_of_an_address);
	tcase_add_test(tc, keys_that_are_no_names_are_not_found);
	tcase_add_test(tc, a_walk_tells_the_names_with_addresses);
	suite_add_tcase(s, tc);
	tc = tcase_create("freshness");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, fresh_is_a_live_source_and_a_confirmed_owner, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_test(tc, a_stamp_from_the_future_is_stale);
	tcase_add_test(tc, the_pulse_is_read_once_a_second);
	tcase_add_test(tc, another_epoch_has_its_pulse_read_at_once);
	tcase_add_test(tc, a_lost_pulse_grows_old_and_is_not_forgotten);
	suite_add_tcase(s, tc);
	tc = tcase_create("processes and threads");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_zone_opened_before_a_fork_works_in_the_child);
/* it takes the parent's thread, which the child has not, for one never joined */
#ifndef UNDER_TSAN
	tcase_add_test(tc, a_fork_of_a_process_with_a_loader_gets_one_of_its_own);
#endif
#if !defined(UNDER_TSAN) && !defined(UNDER_ASAN) /* their memory is not to be limited */
	tcase_add_test(tc, without_a_thread_the_base_is_read_all_the_same);
#endif
	tcase_add_test(tc, a_base_that_makes_room_for_a_newer_one_is_no_trouble);
	tcase_add_test(tc, threads_see_whole_generations_while_they_are_swapped);
	suite_add_tcase(s, tc);
	return s;
}
