/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails at each storage call, one after the other, once or from then on. The store says
 * so, keeps what it has, takes the same changeset again when the disk is well, and never takes a
 * failing disk for damage.
 */
#include <check.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/store/kit_disk.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *store_disk_suite(void);

enum { STEPS = 3 };

static struct fixture fx;
static struct world worlds[STEPS + 1];
static struct world_changes changes;

static void setup(void)
{
	struct prng p = { .state = 29 };

	fixture_init(&fx);
	fx.opts.checkpoint_pages = 1000000;
	world_init(&worlds[0], 4);
	for (int i = 1; i <= STEPS; i++) {
		worlds[i] = worlds[i - 1];
		world_change(&worlds[i], &p, 10);
	}
}

static void teardown(void)
{
	disk_disarm();
	fixture_done(&fx);
}

static int step_to(int step)
{
	static const struct world nothing;

	world_diff(
	    step ? &worlds[step - 1] : &nothing, &worlds[step], FIXTURE_WALL_S + step, &changes);
	return hf_store_apply(fx.store, &changes.set);
}

static void start(void)
{
	fixture_close(&fx);
	if (fixture_exists(&fx, ""))
		fixture_remove(&fx, "");
	fixture_open(&fx);
	ck_assert_int_eq(step_to(0), 0);
}

static const struct fault {
	enum disk_fault fault;
	int error;
	unsigned calls;
} faults[] = {
	{ DISK_ONCE, EIO, ~0u & ~(1u << DISK_READ | 1u << DISK_LOCK) },
	{ DISK_ALWAYS, EIO, ~0u & ~(1u << DISK_READ | 1u << DISK_LOCK) },
	{ DISK_ONCE, ENOSPC,
	    1u << DISK_CREATE | 1u << DISK_WRITE | 1u << DISK_TRUNCATE | 1u << DISK_SYNC },
	{ DISK_ALWAYS, ENOSPC,
	    1u << DISK_CREATE | 1u << DISK_WRITE | 1u << DISK_TRUNCATE | 1u << DISK_SYNC },
	{ DISK_ALWAYS, EDQUOT, 1u << DISK_CREATE | 1u << DISK_WRITE },
	{ DISK_ALWAYS, EFBIG, 1u << DISK_WRITE },
	{ DISK_ALWAYS, EROFS,
	    1u << DISK_CREATE | 1u << DISK_OPEN | 1u << DISK_RENAME | 1u << DISK_UNLINK },
	{ DISK_ONCE, EIO, 1u << DISK_READ },
	{ DISK_ALWAYS, EIO, 1u << DISK_READ },
};
enum { N_FAULTS = sizeof(faults) / sizeof(faults[0]) };

/*
 * The plain build lets each call fail. Under a sanitizer, where that takes long, it is every other
 * one, and of the next row those between: what is sought there shows at many calls, or in many
 * rows. HF_LONG has all.
 */
static size_t stride(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	const char *many = getenv("HF_LONG");

	return many && *many == '1' ? 1 : 2;
#else
	return 1;
#endif
}

static size_t first(const struct fault *f)
{
	return 1 + (size_t)(f - faults) % stride();
}

/* A disk of which nothing can be read, again and again, is not told from a damaged file. */
static bool is_unreadable(const struct fault *f)
{
	return f->fault == DISK_ALWAYS && (f->calls & 1u << DISK_READ);
}

/* The disk is well again: a begin or two later all is as if nothing had been. */
static void check_goes_on(int step, const char *when, size_t n)
{
	int rc = -1;

	disk_disarm();
	for (int tries = 0; rc && tries < 3; tries++)
		rc = step_to(step);
	ck_assert_msg(rc == 0, "%s %zu: does not go on: %s: %s", when, n, hf_strerror(rc),
	    fixture_reason(&fx));
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	ck_assert_str_eq(fixture_reason(&fx), "");
	world_check(fx.store, &worlds[step]);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
}

/* --- while it runs --- */

static size_t count_step(const struct fault *f)
{
	start();
	disk_arm(DISK_FINE, f->calls, 0, 0);
	ck_assert_int_eq(step_to(1), 0);
	ck_assert_int_eq(step_to(2), 0);
	return disk_disarm();
}

static void fail_steps(const struct fault *f, size_t n)
{
	const char *reason;
	int64_t since, now;
	int step = 1;

	start();
	hf_fake_clock_add(&fx.clock, 5000);
	now = fx.clock.wall / 1000;
	disk_arm(f->fault, f->calls, n, f->error);
	while (step <= 2 && step_to(step) == 0)
		step++;
	/*
	 * One failure may be made good at once, and a read that only looks at the WAL fails
	 * nothing.
	 */
	ck_assert(disk_hit() == (step <= 2) || f->fault == DISK_ONCE || is_unreadable(f));
	if (step <= 2) {
		ck_assert_msg(hf_store_get_state(fx.store, &reason, &since) == HF_STORE_NOT_WRITTEN,
		    "call %zu: %s", n, reason);
		ck_assert_str_ne(reason, "");
		ck_assert_int_eq(since, now);
	}
	if (step <= 2 && is_unreadable(f)) {
		ck_assert_int_lt(step_to(step), 0);
		ck_assert_int_lt(step_to(step), 0);
		ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
	}
	if (step <= 2 && is_unreadable(f) && fixture_state(&fx) == HF_STORE_RECOVERING) {
		ck_assert_int_eq(
		    hf_store_recover(fx.store, world_image(&worlds[step - 1]), &fx.opened), -EIO);
		/* not before a new one could be read */
		ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
		disk_disarm();
		ck_assert_int_eq(
		    hf_store_recover(fx.store, world_image(&worlds[step - 1]), &fx.opened), 0);
		ck_assert_int_eq(step_to(step), 0);
		return;
	}
	if (step <= 2 && f->fault == DISK_ALWAYS && !is_unreadable(f)) {
		hf_fake_clock_add(&fx.clock, 5000);
		ck_assert_int_lt(step_to(step), 0);
		ck_assert_int_eq(hf_store_get_state(fx.store, NULL, &since), HF_STORE_NOT_WRITTEN);
		ck_assert_int_eq(since, now);
	}
	if (step <= 2)
		check_goes_on(step, "call", n);
	disk_disarm();
	for (step++; step <= 2; step++)
		ck_assert_int_eq(step_to(step), 0);
	fixture_crash(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[2]);
}

START_TEST(a_disk_that_fails_under_a_changeset_costs_nothing)
{
	const struct fault *f = &faults[_i];
	size_t n_calls = count_step(f);

	for (size_t n = first(f); n <= n_calls; n += stride()) {
		fail_steps(f, n);
		fixture_close(&fx);
		fixture_sweep(&fx);
	}
}
END_TEST

/* --- at open --- */

static size_t count_open(const struct fault *f)
{
	size_t n;

	start();
	fixture_crash(&fx); /* so that there is a WAL to write back */
	fixture_copy(&fx, "", ".keep");
	fixture_copy(&fx, "-wal", ".keep-wal");
	disk_arm(DISK_FINE, f->calls, 0, 0);
	fixture_open(&fx);
	n = disk_disarm();
	return n;
}

static void open_failing(const struct fault *f, size_t n)
{
	int rc;

	fixture_copy(&fx, ".keep", "");
	fixture_copy(&fx, ".keep-wal", "-wal");
	disk_arm(f->fault, f->calls, n, f->error);
	rc = fixture_try_open(&fx);
	/* What cannot be read cannot be served, nor may it be begun anew. */
	ck_assert_msg(rc == 0 || (rc == -EIO && (f->calls & 1u << DISK_READ)), "call %zu: %s", n,
	    hf_strerror(rc));
	if (!rc && fixture_state(&fx) == HF_STORE_NOT_WRITTEN && !(f->calls & 1u << DISK_READ))
		world_check(fx.store, &worlds[0]); /* it serves, all the same */
	ck_assert_msg(fixture_count(&fx, ".damaged") == 0, "call %zu: %s", n, fx.opened.reason);
	disk_disarm();
	if (rc)
		fixture_open(&fx);
	check_goes_on(1, "open", n);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert(!hf_store_attempt_spent(fx.store));
	world_check(fx.store, &worlds[1]);
	fixture_close(&fx);
}

START_TEST(a_disk_that_fails_at_open_leaves_what_can_be_read)
{
	const struct fault *f = &faults[_i];
	size_t n_calls = count_open(f);

	fixture_close(&fx);
	for (size_t n = first(f); n <= n_calls; n += stride())
		open_failing(f, n);
}
END_TEST

/* --- making a new one --- */

START_TEST(a_disk_that_fails_at_a_new_store_leaves_one_in_memory)
{
	const struct fault *f = &faults[_i];
	uint8_t epoch[16];
	size_t n_calls;

	disk_arm(DISK_FINE, f->calls, 0, 0);
	fixture_open(&fx);
	n_calls = disk_disarm();
	for (size_t n = first(f); n <= n_calls; n += stride()) {
		int rc;

		fixture_close(&fx);
		fixture_remove(&fx, "");
		disk_arm(f->fault, f->calls, n, f->error);
		rc = fixture_try_open(&fx);
		if (rc == -EIO && (f->calls & 1u << DISK_READ)) {
			disk_disarm();
			fixture_open(&fx);
			continue;
		}
		ck_assert_msg(rc == 0, "call %zu: %s", n, hf_strerror(rc));
		ck_assert_int_eq(fx.opened.origin, HF_STORE_NEW);
		memcpy(epoch, hf_store_epoch(fx.store), 16);
		check_goes_on(0, "new", n);
		ck_assert_mem_eq(hf_store_epoch(fx.store), epoch, 16);
		fixture_close(&fx);
		fixture_open(&fx);
		world_check(fx.store, &worlds[0]);
		ck_assert_mem_eq(hf_store_epoch(fx.store), epoch, 16);
	}
}
END_TEST

/* --- in the recovery --- */

static void damaged_with_copy(void)
{
	const char *url = worlds[0].sources[0].row.url;

	start();
	ck_assert_int_eq(hf_store_copy_begin(fx.store), 0);
	fixture_wait_copy(&fx);
	fixture_close(&fx);
	fixture_flip(&fx, "", fixture_find(&fx, "", url, strlen(url)) + 12, 1);
	fixture_copy(&fx, "", ".keep");
}

static void recover_failing(const struct fault *f, size_t n)
{
	uint64_t generation;
	uint8_t epoch[16];
	int rc;

	fixture_copy(&fx, ".keep", "");
	disk_arm(f->fault, f->calls, n, f->error);
	rc = fixture_try_open(&fx);
	if (rc == -EIO && (f->calls & 1u << DISK_READ)) {
		disk_disarm();
		fixture_open(&fx);
		rc = 0;
	}
	ck_assert_msg(rc == 0, "call %zu: %s", n, hf_strerror(rc));
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert(hf_store_attempt_spent(fx.store));
	memcpy(epoch, hf_store_epoch(fx.store), 16);
	generation = hf_store_generation(fx.store);
	world_check(fx.store, &worlds[0]); /* the copy, also where nothing could be written yet */
	disk_disarm();
	rc = -1;
	for (int tries = 0; rc && tries < 3; tries++)
		rc = step_to(1);
	ck_assert_msg(rc == 0, "call %zu: does not go on: %s", n, fixture_reason(&fx));
	ck_assert_mem_eq(hf_store_epoch(fx.store), epoch, 16);
	ck_assert_uint_gt(hf_store_generation(fx.store), generation);
	world_check(fx.store, &worlds[1]);
	fixture_close(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[1]);
	ck_assert(hf_store_attempt_spent(fx.store));
	ck_assert(fixture_exists(&fx, ".damaged-20231114-221320"));
	ck_assert(!fixture_exists(&fx, ".damaged-20231114-221320-2"));
	fixture_close(&fx);
	fixture_remove(&fx, ".damaged-20231114-221320");
	fixture_remove(&fx, ".recovery");
}

START_TEST(a_disk_that_fails_in_a_recovery_ends_it_later)
{
	const struct fault *f = &faults[_i];
	size_t n_calls;

	damaged_with_copy();
	disk_arm(DISK_FINE, f->calls, 0, 0);
	fixture_open(&fx);
	n_calls = disk_disarm();
	fixture_close(&fx);
	fixture_remove(&fx, ".damaged-20231114-221320");
	fixture_remove(&fx, ".recovery");
	for (size_t n = first(f); n <= n_calls; n += stride())
		recover_failing(f, n);
}
END_TEST

static void recover_memory_failing(const struct fault *f, size_t n)
{
	int rc;

	start();
	ck_assert_int_eq(step_to(1), 0);
	disk_arm(f->fault, f->calls, n, f->error);
	rc = hf_store_recover(fx.store, world_image(&worlds[1]), &fx.opened);
	if (rc) {
		ck_assert_int_ne(rc, HF_EDAMAGED);
		ck_assert_int_eq(fixture_state(&fx), HF_STORE_RECOVERING);
		ck_assert_int_eq(step_to(2), HF_EDAMAGED);
		disk_disarm();
		rc = hf_store_recover(fx.store, world_image(&worlds[1]), &fx.opened);
	}
	disk_disarm();
	ck_assert_msg(rc == 0, "call %zu: %s", n, hf_strerror(rc));
	ck_assert_int_eq(fx.opened.origin, HF_STORE_IMAGE);
	ck_assert_int_eq(step_to(2), 0);
	fixture_close(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[2]);
	fixture_close(&fx);
	ck_assert(fixture_exists(&fx, ".damaged-20231114-221320"));
	ck_assert(!fixture_exists(&fx, ".damaged-20231114-221320-2"));
	fixture_remove(&fx, ".recovery");
	fixture_remove(&fx, ".damaged-20231114-221320");
	if (fixture_exists(&fx, ".damaged-20231114-221320-wal"))
		fixture_remove(&fx, ".damaged-20231114-221320-wal");
	if (fixture_exists(&fx, ".damaged-20231114-221320-shm"))
		fixture_remove(&fx, ".damaged-20231114-221320-shm");
}

START_TEST(a_disk_that_fails_in_a_recovery_out_of_memory_ends_it_later)
{
	const struct fault *f = &faults[_i];
	size_t n_calls;

	start();
	ck_assert_int_eq(step_to(1), 0);
	disk_arm(DISK_FINE, f->calls, 0, 0);
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&worlds[1]), &fx.opened), 0);
	n_calls = disk_disarm();
	fixture_remove(&fx, ".recovery");
	fixture_remove(&fx, ".damaged-20231114-221320");
	for (size_t n = first(f); n <= n_calls; n += stride())
		recover_memory_failing(f, n);
}
END_TEST

/* --- a sync that failed --- */

/*
 * What was not synced reads as if it were there. It must not come back at the next open: the owner
 * was told that nothing of it is on disk, and may have written something else since.
 */
START_TEST(a_changeset_whose_sync_failed_does_not_come_back)
{
	uint64_t failed_at;
	int rc;

	start();
	disk_arm(DISK_ONCE, 1u << DISK_SYNC, 1, EIO);
	ck_assert_int_eq(step_to(1), -EIO);
	ck_assert(disk_hit());
	disk_disarm();
	failed_at = hf_store_generation(fx.store);
	world_check(fx.store, &worlds[0]);
	/* Another one than that which failed. */
	world_diff(&worlds[0], &worlds[2], FIXTURE_WALL_S, &changes);
	rc = hf_store_apply(fx.store, &changes.set);
	ck_assert_msg(rc == 0, "%s", fixture_reason(&fx));
	ck_assert_uint_gt(hf_store_generation(fx.store), failed_at);
	world_check(fx.store, &worlds[2]);
	fixture_crash(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[2]);
}
END_TEST

START_TEST(it_does_not_come_back_by_a_restart_that_comes_after_the_next_begin)
{
	start();
	ck_assert_int_eq(step_to(1), 0);
	disk_arm(DISK_ONCE, 1u << DISK_SYNC, 1, EIO);
	ck_assert_int_eq(step_to(2), -EIO);
	disk_disarm();
	world_diff(&worlds[1], &worlds[3], FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0); /* here the WAL is cut */
	fixture_crash(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[1]);
}
END_TEST

START_TEST(it_does_not_come_back_where_the_wal_was_begun_anew)
{
	start();
	ck_assert_int_eq(step_to(1), 0);
	fixture_sql(&fx, "", "PRAGMA wal_checkpoint(FULL)");
	/* All is written back: the next change begins the WAL anew, from its head. */
	disk_arm(DISK_ONCE, 1u << DISK_SYNC, 2, EIO);
	ck_assert_int_eq(step_to(2), -EIO);
	ck_assert(disk_hit());
	disk_disarm();
	world_diff(&worlds[1], &worlds[3], FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
	fixture_crash(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[1]);
}
END_TEST

/* --- real ones --- */

START_TEST(a_limit_on_the_size_of_files_is_waited_out)
{
	struct rlimit before, small;

	start();
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8192;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_lt(step_to(1), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_NOT_WRITTEN);
	world_check(fx.store, &worlds[0]);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	check_goes_on(1, "limit", 0);
}
END_TEST

START_TEST(a_store_that_another_program_writes_to_is_tried_again)
{
	sqlite3 *db;

	start();
	ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(step_to(1), -EBUSY);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_NOT_WRITTEN);
	ck_assert_ptr_nonnull(strstr(fixture_reason(&fx), "locked"));
	world_check(fx.store, &worlds[0]);
	ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	check_goes_on(1, "busy", 0);
	sqlite3_close(db);
}
END_TEST

START_TEST(a_store_that_another_program_reads_goes_on)
{
	sqlite3 *db;

	start();
	ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "BEGIN;SELECT * FROM agents", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(step_to(1), 0);
	fixture_close(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[1]);
	ck_assert_int_eq(step_to(2), 0);
	sqlite3_close(db);
}
END_TEST

START_TEST(a_long_reader_makes_the_wal_grow_only_as_long_as_it_reads)
{
	struct prng p = { .state = 1009 };
	struct hf_store_stats stats;
	struct world now;
	sqlite3 *db;

	fx.opts.checkpoint_pages = 100;
	start();
	ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "BEGIN;SELECT * FROM agents", NULL, NULL, NULL), SQLITE_OK);
	now = worlds[0];
	for (int i = 1; fixture_size(&fx, "-wal") < 10 << 20; i++) {
		struct world next = now;

		world_change(&next, &p, 10);
		world_diff(&now, &next, FIXTURE_WALL_S + i, &changes);
		now = next;
		ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	}
	hf_store_get_stats(fx.store, &stats);
	ck_assert_uint_gt(stats.wal_bytes, 9 << 20);
	sqlite3_close(db);
	/* It is written back by the thread, then the next changes begin it anew. */
	for (int i = 1; i < 500 && fixture_size(&fx, "-wal") > 8 << 20; i++) {
		struct world next = now;

		world_change(&next, &p, 10);
		world_diff(&now, &next, FIXTURE_WALL_S + 100000 + i, &changes);
		now = next;
		ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
		usleep(1000);
	}
	ck_assert_int_le(fixture_size(&fx, "-wal"), 8 << 20);
	world_check(fx.store, &now);
}
END_TEST

START_TEST(what_was_locked_is_well_again_with_nothing_to_write)
{
	sqlite3 *db;

	start();
	ck_assert_int_eq(hf_store_try(fx.store), 0);
	ck_assert_int_eq(sqlite3_open(fx.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(step_to(1), -EBUSY);
	ck_assert_int_eq(hf_store_try(fx.store), -EBUSY);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_NOT_WRITTEN);
	ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(hf_store_try(fx.store), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	world_check(fx.store, &worlds[0]);
	sqlite3_close(db);
}
END_TEST

START_TEST(a_disk_that_takes_no_byte_is_not_taken_for_well)
{
	struct rlimit before, small;

	start();
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8192;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_lt(step_to(1), 0);
	ck_assert_int_lt(hf_store_try(fx.store), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_NOT_WRITTEN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(hf_store_try(fx.store), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	world_check(fx.store, &worlds[0]);
}
END_TEST

/* Some network file systems, and some of user space. */
START_TEST(a_file_system_without_locks_is_read_and_not_written)
{
	static const int errors[] = { ENOLCK, EOPNOTSUPP, ENOSYS };

	start();
	fixture_close(&fx);
	disk_arm(DISK_ALWAYS, 1u << DISK_LOCK, 1, errors[_i]);
	ck_assert_int_eq(fixture_try_open(&fx), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_NOT_WRITTEN);
	ck_assert_msg(
	    strstr(fixture_reason(&fx), "takes no lock") != NULL, "%s", fixture_reason(&fx));
	world_check(fx.store, &worlds[0]);
	ck_assert_int_lt(step_to(1), 0);
	ck_assert_int_lt(hf_store_try(fx.store), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_NOT_WRITTEN);
	world_check(fx.store, &worlds[0]);
	check_goes_on(1, "locks", 0);
	fixture_close(&fx);
	fixture_open(&fx);
	world_check(fx.store, &worlds[1]);
}
END_TEST

Suite *store_disk_suite(void)
{
	Suite *s = suite_create("store_disk");
	TCase *tc = tcase_create("disk");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, a_disk_that_fails_under_a_changeset_costs_nothing, 0, N_FAULTS);
	tcase_add_loop_test(tc, a_disk_that_fails_at_open_leaves_what_can_be_read, 0, N_FAULTS);
	tcase_add_loop_test(tc, a_disk_that_fails_at_a_new_store_leaves_one_in_memory, 0, N_FAULTS);
	tcase_add_loop_test(tc, a_disk_that_fails_in_a_recovery_ends_it_later, 0, N_FAULTS);
	tcase_add_loop_test(
	    tc, a_disk_that_fails_in_a_recovery_out_of_memory_ends_it_later, 0, N_FAULTS);
	tcase_add_test(tc, a_changeset_whose_sync_failed_does_not_come_back);
	tcase_add_test(tc, it_does_not_come_back_by_a_restart_that_comes_after_the_next_begin);
	tcase_add_test(tc, it_does_not_come_back_where_the_wal_was_begun_anew);
	tcase_add_test(tc, a_limit_on_the_size_of_files_is_waited_out);
	tcase_add_test(tc, a_store_that_another_program_writes_to_is_tried_again);
	tcase_add_test(tc, a_store_that_another_program_reads_goes_on);
	tcase_add_test(tc, a_long_reader_makes_the_wal_grow_only_as_long_as_it_reads);
	tcase_add_test(tc, what_was_locked_is_well_again_with_nothing_to_write);
	tcase_add_test(tc, a_disk_that_takes_no_byte_is_not_taken_for_well);
	suite_add_tcase(s, tc);
	tc = tcase_create("locks");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_file_system_without_locks_is_read_and_not_written, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
