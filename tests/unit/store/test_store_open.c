/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *store_open_suite(void);

static struct fixture fx;
static struct world world;
static struct world_changes changes;

static void setup(void)
{
	fixture_init(&fx);
	world_init(&world, 1);
	world_all(&world, FIXTURE_WALL_S, &changes);
}

static void teardown(void)
{
	fixture_done(&fx);
}

static void fill(void)
{
	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	fixture_close(&fx);
}

START_TEST(a_new_store_is_made_whole_and_private)
{
	static const uint8_t zero[16];
	struct hf_image *image;
	const char *reason;
	struct stat st;
	int64_t since;

	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_NEW);
	ck_assert_str_eq(fx.opened.aside, "");
	ck_assert_str_eq(fx.opened.reason, "");
	ck_assert_int_eq(hf_store_get_state(fx.store, &reason, &since), HF_STORE_OK);
	ck_assert_str_eq(reason, "");
	ck_assert_int_eq(since, FIXTURE_WALL_S);
	ck_assert_mem_ne(hf_store_epoch(fx.store), zero, 16);
	ck_assert_uint_eq(hf_store_generation(fx.store), 0);
	ck_assert(!hf_store_ready(fx.store));
	ck_assert(!hf_store_attempt_spent(fx.store));
	ck_assert_int_eq(stat(fx.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(fixture_file(&fx, ".lock"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(hf_store_load(fx.store, &image), 0);
	ck_assert_uint_eq(image->n_sources + image->n_agents + image->n_holds, 0);
	hf_image_free(image);
}
END_TEST

START_TEST(what_was_written_is_there_again_with_epoch_generation_and_ready)
{
	uint64_t generation;
	uint8_t epoch[16];

	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_set_ready(fx.store), 0);
	ck_assert_int_eq(hf_store_set_ready(fx.store), 0);
	generation = hf_store_generation(fx.store);
	memcpy(epoch, hf_store_epoch(fx.store), 16);
	fixture_close(&fx);
	ck_assert(!fixture_exists(&fx, "-wal")); /* an ordinary stop leaves one file */
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert_uint_eq(hf_store_generation(fx.store), generation);
	ck_assert_mem_eq(hf_store_epoch(fx.store), epoch, 16);
	ck_assert(hf_store_ready(fx.store));
	ck_assert(!hf_store_attempt_spent(fx.store));
	world_check(fx.store, &world);
}
END_TEST

START_TEST(each_new_store_has_another_epoch)
{
	uint8_t epoch[16];

	fixture_open(&fx);
	memcpy(epoch, hf_store_epoch(fx.store), 16);
	fixture_close(&fx);
	fixture_remove(&fx, "");
	fixture_open(&fx);
	ck_assert_mem_ne(hf_store_epoch(fx.store), epoch, 16);
}
END_TEST

/* --- the lock --- */

START_TEST(a_second_opener_is_told_at_once_who_has_it)
{
	struct hf_store_opened opened;
	struct hf_store *second = NULL;
	char pid[32];

	fixture_open(&fx);
	ck_assert_int_eq(hf_store_open(fx.path, &fx.opts, &opened, &second), HF_ELOCKED);
	ck_assert_ptr_null(second);
	snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	ck_assert_ptr_nonnull(strstr(opened.reason, pid));
	fixture_close(&fx);
	ck_assert_int_eq(hf_store_open(fx.path, &fx.opts, &opened, &second), 0);
	hf_store_free(second);
}
END_TEST

START_TEST(the_lock_goes_with_its_process)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct hf_store_opened opened;
		struct hf_store *s;

		_exit(hf_store_open(fx.path, &fx.opts, &opened, &s) ? 1 : 0); /* not freed */
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
}
END_TEST

/* --- what is refused --- */

static void be_symlink(void)
{
	fixture_write(&fx, ".target", "", 0);
	ck_assert_int_eq(symlink(fixture_file(&fx, ".target"), fx.path), 0);
}

static void be_dangling(void)
{
	ck_assert_int_eq(symlink("/nonexistent", fx.path), 0);
}

static void be_folder(void)
{
	ck_assert_int_eq(mkdir(fx.path, 0700), 0);
}

static void be_fifo(void)
{
	ck_assert_int_eq(mkfifo(fx.path, 0600), 0);
}

static void be_writable(void)
{
	fill();
	ck_assert_int_eq(chmod(fx.path, 0620), 0);
}

static void be_others(void)
{
	fill();
	if (chown(fx.path, 12345, 12345)) /* only root may: then a mode that is refused as well */
		ck_assert_int_eq(chmod(fx.path, 0602), 0);
}

static void wal_is_symlink(void)
{
	fill();
	ck_assert_int_eq(symlink("/nonexistent", fixture_file(&fx, "-wal")), 0);
}

static void lock_is_symlink(void)
{
	ck_assert_int_eq(symlink("/nonexistent", fixture_file(&fx, ".lock")), 0);
}

static void be_foreign(void)
{
	fixture_write(&fx, "", "", 0);
	fixture_sql(&fx, "",
	    "CREATE TABLE diary(day TEXT, entry TEXT); INSERT INTO diary VALUES('today', 'rain')");
}

static const struct {
	const char *what;
	void (*make)(void);
	const char *says;
} unsafe[] = {
	{ "a symlink", be_symlink, "symlink" },
	{ "a symlink to nowhere", be_dangling, "symlink" },
	{ "a folder", be_folder, "a folder" },
	{ "a fifo", be_fifo, "no regular file" },
	{ "others may write it", be_writable, "others may write" },
	{ "another's", be_others, "ch" },
	{ "its WAL is a symlink", wal_is_symlink, "symlink" },
	{ "its lock is a symlink", lock_is_symlink, "symlink" },
	{ "another program's database", be_foreign, "another program" },
};

START_TEST(what_is_not_safe_is_refused_and_left_alone)
{
	struct stat before, after;

	unsafe[_i].make();
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	lstat(fx.path, &before);
	ck_assert_msg(fixture_try_open(&fx) == HF_EUNSAFE, "%s", unsafe[_i].what);
	ck_assert_ptr_null(fx.store);
	ck_assert_msg(
	    strstr(fx.opened.reason, unsafe[_i].says), "%s: %s", unsafe[_i].what, fx.opened.reason);
	lstat(fx.path, &after);
	ck_assert(before.st_ino == after.st_ino && before.st_mode == after.st_mode &&
		  before.st_size == after.st_size);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
	ck_assert_uint_eq(fixture_count(&fx, ".recovery"), 0);
}
END_TEST

static const struct {
	const char *path;
	int want;
} paths[] = {
	{ "/nonexistent-folder/store.db", -ENOENT },
	{ "/dev/null/store.db", -ENOTDIR },
	{ "/tmp/", -EISDIR },
	{ "", -EISDIR },
};

START_TEST(a_path_that_cannot_be_is_refused)
{
	struct hf_store_opened opened;
	struct hf_store *s = NULL;

	ck_assert_int_eq(hf_store_open(paths[_i].path, &fx.opts, &opened, &s), paths[_i].want);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	struct hf_store_opened opened;
	char path[5000];
	struct hf_store *s;

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(hf_store_open(path, &fx.opts, &opened, &s), -ENAMETOOLONG);
	path[200] = '/'; /* short enough in all, but no room for the names beside it */
	path[450] = '\0';
	ck_assert_int_eq(hf_store_open(path, &fx.opts, &opened, &s), -ENAMETOOLONG);
}
END_TEST

START_TEST(a_symlink_in_the_way_to_its_folder_is_fine)
{
	char link[100], path[120];
	struct hf_store_opened opened;
	struct hf_store *s;

	snprintf(link, sizeof(link), "%s/link", fx.dir);
	ck_assert_int_eq(symlink(fx.dir, link), 0);
	snprintf(path, sizeof(path), "%s/store.db", link);
	ck_assert_int_eq(hf_store_open(path, &fx.opts, &opened, &s), 0);
	hf_store_free(s);
	ck_assert(fixture_exists(&fx, ""));
}
END_TEST

START_TEST(odd_characters_in_its_path_are_fine)
{
	struct hf_store_opened opened;
	struct hf_store *s;
	char path[100];

	snprintf(path, sizeof(path), "%s/a %%41?mode=memory#'\"\xc3\xa4.db", fx.dir);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(hf_store_open(path, &fx.opts, &opened, &s), 0);
		ck_assert_int_eq(opened.origin, i ? HF_STORE_OPENED : HF_STORE_NEW);
		ck_assert_int_eq(hf_store_apply(s, &changes.set), 0);
		hf_store_free(s);
		ck_assert_int_eq(access(path, F_OK), 0);
	}
}
END_TEST

/* --- missing and empty pieces are no error --- */

START_TEST(an_empty_file_is_a_new_store)
{
	fixture_write(&fx, "", "", 0);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_NEW);
	ck_assert(!hf_store_attempt_spent(fx.store));
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
}
END_TEST

START_TEST(a_store_without_its_wal_is_an_earlier_one)
{
	struct world after = world;
	struct prng p = { .state = 3 };

	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	fixture_close(&fx);
	fixture_open(&fx);
	world_change(&after, &p, 10);
	world_diff(&world, &after, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	fixture_crash(&fx);
	fixture_remove(&fx, "-wal");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(a_wal_that_lost_its_store_is_kept_and_not_taken_for_the_new_ones)
{
	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	fixture_crash(&fx);
	fixture_remove(&fx, "");
	ck_assert_int_gt(fixture_size(&fx, "-wal"), 0);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_NEW);
	ck_assert_uint_eq(hf_store_generation(fx.store), 0);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged-20231114-221320-wal"), 1);
	ck_assert(!hf_store_attempt_spent(fx.store));
}
END_TEST

START_TEST(a_damaged_index_of_the_wal_is_made_anew)
{
	char junk[32768];

	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	fixture_crash(&fx);
	memset(junk, 0x5a, sizeof(junk));
	fixture_write(&fx, "-shm", junk, sizeof(junk));
	fixture_open(&fx);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(what_a_crash_left_half_made_goes)
{
	fill();
	fixture_write(&fx, ".new", "half", 4);
	fixture_write(&fx, ".new-journal", "half", 4);
	fixture_write(&fx, ".copy.tmp", "half", 4);
	fixture_open(&fx);
	ck_assert_uint_eq(fixture_count(&fx, ".new") + fixture_count(&fx, ".copy"), 0);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(a_journal_that_must_be_played_back_is)
{
	/*
	 * As a person may leave it: another journal mode, and their program killed in the midst of
	 * a change.
	 */
	fill();
	fixture_sql(&fx, "", "PRAGMA journal_mode=DELETE");
	if (fork() == 0) {
		sqlite3 *db;

		_exit(
		    sqlite3_open(fx.path, &db) ||
		    sqlite3_exec(db,
			"PRAGMA cache_size=1;BEGIN;UPDATE agent SET names=0;UPDATE workspace SET held=1;CREATE TABLE filler AS SELECT randomblob(900000) b FROM workspace;",
			NULL, NULL, NULL));
	}
	ck_assert_int_gt(wait(NULL), 0);
	ck_assert_int_gt(fixture_size(&fx, "-journal"), 0);
	ck_assert_int_gt(fixture_size(&fx, ""), 1000000);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	world_check(fx.store, &world);
	ck_assert(!fixture_exists(&fx, "-journal"));
}
END_TEST

/* --- a copy put in its place --- */

START_TEST(a_copy_that_a_person_put_back_gets_a_new_epoch)
{
	uint64_t generation;
	uint8_t epoch[16];

	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_copy_begin(fx.store), 0);
	fixture_wait_copy(&fx);
	memcpy(epoch, hf_store_epoch(fx.store), 16);
	generation = hf_store_generation(fx.store);
	fixture_close(&fx);
	fixture_remove(&fx, "");
	fixture_copy(&fx, ".copy", "");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert_mem_ne(hf_store_epoch(fx.store), epoch, 16);
	world_check(fx.store, &world);
	memcpy(epoch, hf_store_epoch(fx.store), 16);
	fixture_close(&fx);
	fixture_open(&fx); /* once */
	ck_assert_mem_eq(hf_store_epoch(fx.store), epoch, 16);
	ck_assert_uint_eq(hf_store_generation(fx.store), generation);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_gt(hf_store_generation(fx.store), generation);
}
END_TEST

/* --- rows without an owner --- */

START_TEST(rows_that_belong_to_nobody_go_before_a_number_is_used_again)
{
	struct hf_owner_row owner = world.owners[0].row;
	struct hf_row_change gone = { .kind = HF_ROW_OWNER, .removed = true, .row.owner = &owner };
	struct hf_changeset c = { .rows = &gone, .n_rows = 1, .wall_s = FIXTURE_WALL_S };
	struct hf_image *image;

	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_uint_gt(fx.opened.orphans, 0);
	ck_assert_int_eq(hf_store_load(fx.store, &image), 0);
	for (size_t i = 0; i < image->n_workspaces; i++)
		ck_assert_uint_ne(image->workspaces[i].owner, 0);
	hf_image_free(image);
	fixture_close(&fx);
	ck_assert_int_eq(
	    fixture_number(&fx, "", "SELECT count(*) FROM workspace WHERE owner=0"), 0);
	fixture_open(&fx);
	ck_assert_uint_eq(fx.opened.orphans, 0);
}
END_TEST

START_TEST(each_state_has_a_name)
{
	static const char *const want[] = { "ok", "not-written", "recovering", "failed" };

	for (int i = 0; i < 4; i++)
		ck_assert_str_eq(hf_store_state_name((enum hf_store_state)i), want[i]);
	ck_assert_str_eq(hf_store_state_name((enum hf_store_state)99), "unknown");
	hf_store_free(NULL);
	hf_image_free(NULL);
}
END_TEST

Suite *store_open_suite(void)
{
	Suite *s = suite_create("store_open");
	TCase *tc = tcase_create("open");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_new_store_is_made_whole_and_private);
	tcase_add_test(tc, what_was_written_is_there_again_with_epoch_generation_and_ready);
	tcase_add_test(tc, each_new_store_has_another_epoch);
	tcase_add_test(tc, a_second_opener_is_told_at_once_who_has_it);
	tcase_add_test(tc, the_lock_goes_with_its_process);
	tcase_add_loop_test(
	    tc, what_is_not_safe_is_refused_and_left_alone, 0, sizeof(unsafe) / sizeof(unsafe[0]));
	tcase_add_loop_test(
	    tc, a_path_that_cannot_be_is_refused, 0, sizeof(paths) / sizeof(paths[0]));
	tcase_add_test(tc, a_path_that_is_too_long_is_refused);
	tcase_add_test(tc, a_symlink_in_the_way_to_its_folder_is_fine);
	tcase_add_test(tc, odd_characters_in_its_path_are_fine);
	tcase_add_test(tc, an_empty_file_is_a_new_store);
	tcase_add_test(tc, a_store_without_its_wal_is_an_earlier_one);
	tcase_add_test(tc, a_wal_that_lost_its_store_is_kept_and_not_taken_for_the_new_ones);
	tcase_add_test(tc, a_damaged_index_of_the_wal_is_made_anew);
	tcase_add_test(tc, what_a_crash_left_half_made_goes);
	tcase_add_test(tc, a_journal_that_must_be_played_back_is);
	tcase_add_test(tc, a_copy_that_a_person_put_back_gets_a_new_epoch);
	tcase_add_test(tc, rows_that_belong_to_nobody_go_before_a_number_is_used_again);
	tcase_add_test(tc, each_state_has_a_name);
	suite_add_tcase(s, tc);
	return s;
}
