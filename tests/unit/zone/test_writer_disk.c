/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "tests/unit/zone/writer_kit.h"

Suite *writer_disk_suite(void);

/* --- folds --- */

START_TEST(delta_is_folded_when_it_is_large_and_no_sooner_than_the_pace)
{
	struct hf_fmt_current before, after;

	ck_assert_int_eq(kit_publish(), 1);
	before = kit_current();
	kit_set_many(0, KIT_FOLD);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_str_eq(kit_base_name(), before.base.name);
	ck_assert_int_eq(kit_take_fold(), 1);
	after = kit_current();
	ck_assert_str_ne(after.base.name, before.base.name);
	ck_assert_str_eq(after.delta.name, "");
	ck_assert_uint_eq(after.generation, kit.generation);
	ck_assert(!kit_is_there(before.base.name));
	/* The next one waits. */
	kit_set_many(100, KIT_FOLD);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), KIT_EVERY_MS);
	hf_fake_clock_add(&kit.clock, KIT_EVERY_MS - 1);
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), 1);
	hf_fake_clock_add(&kit.clock, 1);
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	ck_assert_int_eq(kit_take_fold(), 1);
	ck_assert_str_eq(kit_delta_name(), "");
	ck_assert_uint_eq(kit_seen("n100.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("coder").children, 2 * KIT_FOLD);
	ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), -1);
}
END_TEST

START_TEST(publishing_goes_on_while_a_fold_runs)
{
	ck_assert_int_eq(kit_publish(), 1);
	kit_set_many(0, KIT_FOLD);
	ck_assert_int_eq(kit_publish(), 1); /* and the fold begins */
	kit_del("n3.coder");
	kit_set("later.coder", 500);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("n3.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("n4.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("later.coder").kind, HF_FMT_ADDRS);
	kit_set("unpublished.coder", 501);
	ck_assert_int_eq(kit_take_fold(), 1);
	ck_assert_str_ne(kit_delta_name(), "");
	ck_assert_uint_eq(kit_seen("n3.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("n4.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("later.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("unpublished.coder").kind, HF_FMT_GONE);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("unpublished.coder").kind, HF_FMT_ADDRS);
}
END_TEST

START_TEST(large_change_becomes_a_base_and_is_seen_when_that_is_done)
{
	bool first = _i;

	if (!first) {
		kit_set("old.coder", 1);
		ck_assert_int_eq(kit_publish(), 1);
		kit_del("old.coder");
	}
	kit_set_many(0, KIT_DIRECT + 1);
	ck_assert_int_eq(kit_publish(), 0);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), first ? 0 : 1);
	kit_set("unpublished.coder", 501);
	ck_assert_int_eq(kit_take_fold(), 1);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), kit.generation);
	ck_assert_uint_eq(kit_seen("old.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("n0.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("unpublished.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("coder").children, KIT_DIRECT + 1);
}
END_TEST

/* One after the other, each larger than a delta may be: readers go forward only, and get there. */
START_TEST(large_changes_one_after_the_other_are_all_seen_in_the_end)
{
	uint64_t before = 0;

	kit_set_many(0, KIT_FOLD);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set_many(100, KIT_FOLD + 5);
	ck_assert_int_eq(
	    kit_publish(), 1); /* a fold runs, and readers see more than what it makes */
	kit_set("more.coder", 501);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set_many(200, 100);
	ck_assert_int_eq(kit_publish(), 0);
	kit_set_many(400, 100);
	ck_assert_int_eq(kit_publish(), 0);
	while (hf_zone_writer_published(kit.writer) != kit.generation) {
		ck_assert_int_ge(kit_take_fold(), 0);
		ck_assert_uint_ge(hf_zone_writer_published(kit.writer), before);
		before = hf_zone_writer_published(kit.writer);
		ck_assert_uint_eq(kit_current().generation, before);
		ck_assert_uint_eq(kit_seen("more.coder").kind, HF_FMT_ADDRS);
	}
	ck_assert_uint_eq(kit_seen("coder").children, 2 * KIT_FOLD + 5 + 1 + 200);
	ck_assert_int_eq(hf_zone_writer_sync(kit.writer), 0);
	ck_assert_uint_le(hf_zone_look_n_files(kit.dirfd), 3);
}
END_TEST

START_TEST(clear_while_a_fold_runs_leaves_nothing_of_it)
{
	kit_set("old.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set_many(0, KIT_DIRECT + 1);
	ck_assert_int_eq(kit_publish(), 0);
	ck_assert_int_eq(hf_zone_writer_clear(kit.writer), 0);
	kit_set("new.coder", 2);
	if (_i)
		ck_assert_int_eq(kit_publish(), 1);
	ck_assert_int_eq(kit_take_fold(), 0);
	ck_assert_uint_eq(kit_seen("old.coder").kind, _i ? HF_FMT_GONE : HF_FMT_ADDRS);
	if (!_i)
		ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("coder").children, 1);
	ck_assert_uint_eq(kit_seen("new.coder").kind, HF_FMT_ADDRS);
	ck_assert_int_eq(hf_zone_writer_sync(kit.writer), 0);
	ck_assert_uint_eq(hf_zone_look_n_files(kit.dirfd), 2);
}
END_TEST

START_TEST(writer_may_end_while_a_fold_runs)
{
	struct pollfd p = { .fd = hf_zone_writer_fd(kit.writer), .events = POLLIN };
	struct hf_zone_stamp stamp;

	kit_set("old.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set_many(0, 3000);
	ck_assert_int_eq(kit_publish(), 0);
	if (_i) /* it is done, and nobody took it up */
		ck_assert_int_eq(poll(&p, 1, 10000), 1);
	kit_close();
	ck_assert_uint_eq(hf_zone_look_n_files(kit.dirfd), 2);
	ck_assert_int_eq(kit_reopen(&stamp), 1);
	ck_assert_uint_eq(stamp.generation, 1);
	ck_assert_uint_eq(stamp.n_names, 1);
	ck_assert_uint_eq(hf_zone_look_n_files(kit.dirfd), 2);
}
END_TEST

/* --- files that go --- */

START_TEST(former_files_go_when_the_rename_is_durable)
{
	struct hf_fmt_current c[4];

	ck_assert_int_eq(kit_publish(), 1);
	for (unsigned i = 0; i < 4; i++) {
		kit_set_many(i, 1);
		ck_assert_int_eq(kit_publish(), 1);
		c[i] = kit_current();
	}
	/* The last rename may be lost in a power cut: what it replaced is still there, no more. */
	ck_assert(kit_is_there(c[3].delta.name) && kit_is_there(c[2].delta.name));
	ck_assert(!kit_is_there(c[1].delta.name) && !kit_is_there(c[0].delta.name));
	if (_i == 0)
		ck_assert_int_eq(hf_zone_writer_sync(kit.writer), 0);
	else
		hf_fake_clock_add(&kit.clock, hf_zone_writer_wait_ms(kit.writer));
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	ck_assert(kit_is_there(c[3].delta.name) && !kit_is_there(c[2].delta.name));
	ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), -1);
}
END_TEST

START_TEST(leftovers_of_a_crash_go_at_open_and_nothing_else_does)
{
	static const char *const leftovers[] = { ".current.tmp", ".base-7.cdb.tmp",
		".delta-7-9.cdb.tmp", "base-7.cdb", "delta-7-9.cdb" };
	static const char *const foreign[] = { "pulse", "notes", "base-7.cdb.bak", ".base-7.cdb",
		"base-07.cdb", ".tmp", ".x.tmp", "delta-7.cdb", "CURRENT" };
	struct hf_zone_stamp stamp;
	struct hf_fmt_current c;

	kit_set("a.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set("b.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	c = kit_current();
	for (unsigned i = 0; i < 5; i++)
		kit_make_file(leftovers[i]);
	for (unsigned i = 0; i < 9; i++)
		kit_make_file(foreign[i]);
	ck_assert_int_eq(mkdirat(kit.dirfd, "base-8.cdb", 0700), 0);
	ck_assert_int_eq(kit_reopen(&stamp), 1);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_msg(!kit_is_there(leftovers[i]), "%s", leftovers[i]);
	for (unsigned i = 0; i < 9; i++)
		ck_assert_msg(kit_is_there(foreign[i]), "%s", foreign[i]);
	ck_assert(
	    kit_is_there("base-8.cdb") && kit_is_there(c.base.name) && kit_is_there(c.delta.name));
	ck_assert_int_eq(hf_zone_writer_clear(kit.writer), 0);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_str_eq(kit_base_name(), "base-9.cdb"); /* a name is used once */
}
END_TEST

/* --- taking up --- */

START_TEST(writer_goes_on_where_the_last_one_ended)
{
	struct hf_zone_stamp stamp;

	kit_set("main.dev.me.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set("other.dev.me.coder", 2);
	kit_del("main.dev.me.coder");
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_int_eq(kit_reopen(&stamp), 1);
	ck_assert_uint_eq(stamp.generation, 2);
	ck_assert_uint_eq(stamp.n_names, 1);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), 2);
	/* Its settings, its counts and its PTR are known. */
	kit_set("third.dev.me.coder", 2);
	kit_del("other.dev.me.coder");
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("dev.me.coder").children, 1);
	kit_check_ptr(2, "third.dev.me.coder");
	kit_check_ptr(1, NULL);
	kit_del("third.dev.me.coder");
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("me.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("coder").kind, HF_FMT_EMPTY);
}
END_TEST

START_TEST(large_delta_of_the_last_writer_is_folded)
{
	struct hf_zone_stamp stamp;

	ck_assert_int_eq(kit_publish(), 1);
	kit_set_many(0, KIT_FOLD - 2);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set_many(KIT_FOLD, 2);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_int_eq(kit_reopen(&stamp), 1);
	ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), 0);
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	ck_assert_int_eq(kit_take_fold(), 1);
	ck_assert_str_eq(kit_delta_name(), "");
	ck_assert_uint_eq(kit_current().generation, kit.generation);
}
END_TEST

enum { CUT, EMPTY, FLIPPED, LONGER, GONE, A_FOLDER, LINKED, NEWER, N_DAMAGES };
enum { OF_CURRENT, OF_BASE, OF_DELTA, N_VICTIMS };

static void damage(const char *name, int how)
{
	int fd = openat(kit.dirfd, name, O_RDWR);
	struct stat st;
	char byte;

	ck_assert_int_eq(fstat(fd, &st), 0);
	switch (how) {
	case CUT:
		ck_assert_int_eq(ftruncate(fd, st.st_size - 1), 0);
		break;
	case EMPTY:
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		break;
	case FLIPPED:
		ck_assert_int_eq(pread(fd, &byte, 1, st.st_size / 2), 1);
		byte ^= 4;
		ck_assert_int_eq(pwrite(fd, &byte, 1, st.st_size / 2), 1);
		break;
	case LONGER:
		ck_assert_int_eq(pwrite(fd, "x", 1, st.st_size), 1);
		break;
	case GONE:
	case A_FOLDER:
		ck_assert_int_eq(unlinkat(kit.dirfd, name, 0), 0);
		if (how == A_FOLDER)
			ck_assert_int_eq(mkdirat(kit.dirfd, name, 0700), 0);
		break;
	case LINKED:
		ck_assert_int_eq(renameat(kit.dirfd, name, kit.dirfd, "elsewhere"), 0);
		ck_assert_int_eq(symlinkat("elsewhere", kit.dirfd, name), 0);
		break;
	case NEWER:
		ck_assert_int_eq(pwrite(fd, "holdfast-zone 2\n", 16, 0), 16);
		break;
	}
	close(fd);
}

/* A base and a delta. */
static struct hf_fmt_current make_picture(void)
{
	kit_set_many(0, 10);
	ck_assert_int_eq(kit_publish(), 1);
	kit_set("b.coder", 50);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_int_eq(hf_zone_writer_sync(kit.writer), 0);
	return kit_current();
}

START_TEST(damaged_picture_is_not_taken_up_and_stays_until_there_is_a_better_one)
{
	int victim = _i / N_DAMAGES, how = _i % N_DAMAGES;
	struct hf_fmt_current c = make_picture();
	const char *name = victim == OF_CURRENT ? "current"
			   : victim == OF_BASE  ? c.base.name
						: c.delta.name;
	struct hf_zone_stamp stamp;

	/* Those two are the next tests. */
	if (victim == OF_CURRENT && (how == A_FOLDER || how == LINKED))
		return;
	damage(name, how);
	ck_assert_int_eq(kit_reopen(&stamp), 0);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), 0);
	ck_assert(kit_is_there(c.base.name) || (victim == OF_BASE && how == GONE));
	ck_assert(kit_is_there(c.delta.name) || (victim == OF_DELTA && how == GONE));
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
	kit_set("new.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("new.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("n1.coder").kind, HF_FMT_GONE);
	ck_assert_str_ne(kit_base_name(), c.base.name);
	if (how != A_FOLDER)
		ck_assert(!kit_is_there(c.base.name) && !kit_is_there(c.delta.name));
}
END_TEST

START_TEST(current_that_is_a_symlink_is_replaced_and_not_written_through)
{
	struct hf_zone_stamp stamp;
	struct stat st;

	make_picture();
	damage("current", LINKED);
	ck_assert_int_eq(kit_reopen(&stamp), 1);
	kit_set("c.coder", 51);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_int_eq(fstatat(kit.dirfd, "current", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(unlinkat(kit.dirfd, "elsewhere", 0), 0);
	ck_assert_uint_eq(kit_seen("c.coder").kind, HF_FMT_ADDRS);
}
END_TEST

/* A folder `name` that is not empty. */
static void make_full_folder(const char *name)
{
	char inner[64];

	snprintf(inner, sizeof(inner), "%s/x", name);
	ck_assert_int_eq(mkdirat(kit.dirfd, name, 0700), 0);
	ck_assert_int_eq(mkdirat(kit.dirfd, inner, 0700), 0);
}

static void remove_full_folder(const char *name)
{
	char inner[64];

	snprintf(inner, sizeof(inner), "%s/x", name);
	ck_assert_int_eq(unlinkat(kit.dirfd, inner, AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(kit.dirfd, name, AT_REMOVEDIR), 0);
}

START_TEST(folder_in_the_place_of_current_makes_way)
{
	make_picture();
	for (unsigned n = 0; n < 3; n++) {
		ck_assert_int_eq(unlinkat(kit.dirfd, "current", 0), 0);
		if (n)
			make_full_folder("current");
		else
			ck_assert_int_eq(mkdirat(kit.dirfd, "current", 0700), 0);
		kit_set("c.coder", 51 + n);
		ck_assert_int_eq(kit_publish(), 1);
		ck_assert_uint_eq(kit_seen("c.coder").kind, HF_FMT_ADDRS);
		ck_assert_uint_eq(kit_current().generation, kit.generation);
	}
	/* The empty one is gone; of the others nothing is lost. */
	remove_full_folder("current.aside-1");
	remove_full_folder("current.aside-2");
	ck_assert(!kit_is_there("current.aside-3"));
}
END_TEST

/*
 * A rename that fails may have happened all the same: what both pictures name stays until the next
 * one.
 */
START_TEST(rename_that_fails_loses_no_file_of_either_picture)
{
	struct hf_fmt_current c = make_picture();
	char name[32];

	ck_assert_int_eq(unlinkat(kit.dirfd, "current", 0), 0);
	make_full_folder("current");
	for (unsigned n = 1; n <= 9; n++) {
		snprintf(name, sizeof(name), "current.aside-%u", n);
		kit_make_file(name);
	}
	kit_set("c.coder", 51);
	ck_assert_int_eq(kit_publish(), -EISDIR);
	ck_assert(kit_is_there(c.base.name) && kit_is_there(c.delta.name));
	ck_assert(kit_is_there("delta-1-2.cdb"));
	for (unsigned n = 1; n <= 9; n++) {
		snprintf(name, sizeof(name), "current.aside-%u", n);
		ck_assert_int_eq(unlinkat(kit.dirfd, name, 0), 0);
	}
	remove_full_folder("current");
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("c.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(hf_zone_look_n_files(kit.dirfd), 3);
}
END_TEST

/* --- trouble while it runs --- */

START_TEST(publication_that_fails_leaves_the_old_picture_and_keeps_the_change)
{
	struct hf_fmt_current before = make_picture();
	unsigned n_files = hf_zone_look_n_files(kit.dirfd);
	const char *blocks[] = { ".current.tmp", ".delta-1-2.cdb.tmp" };

	ck_assert_str_eq(before.delta.name, "delta-1-1.cdb");
	ck_assert_int_eq(mkdirat(kit.dirfd, blocks[_i], 0700), 0);
	kit_set("c.coder", 51);
	ck_assert_int_eq(kit_publish(), -EISDIR);
	ck_assert_uint_eq(hf_zone_look_n_files(kit.dirfd), n_files + 1);
	ck_assert_uint_eq(kit_current().generation, before.generation);
	ck_assert_uint_eq(kit_seen("c.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("b.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), before.generation);
	/* It is tried again by itself, at the pace of folds. */
	ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), KIT_EVERY_MS);
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	ck_assert_int_eq(unlinkat(kit.dirfd, blocks[_i], AT_REMOVEDIR), 0);
	hf_fake_clock_add(&kit.clock, KIT_EVERY_MS);
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 1);
	ck_assert_uint_eq(kit_seen("c.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_current().generation, kit.generation);
}
END_TEST

START_TEST(publication_that_failed_may_be_repeated)
{
	make_picture();
	ck_assert_int_eq(mkdirat(kit.dirfd, ".current.tmp", 0700), 0);
	kit_set("c.coder", 51);
	ck_assert_int_eq(kit_publish(), -EISDIR);
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, kit.generation), -EISDIR);
	ck_assert_int_eq(unlinkat(kit.dirfd, ".current.tmp", AT_REMOVEDIR), 0);
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, kit.generation), 1);
	ck_assert_uint_eq(kit_seen("c.coder").kind, HF_FMT_ADDRS);
}
END_TEST

START_TEST(fold_that_fails_changes_nothing_and_is_tried_again)
{
	struct hf_fmt_current before = make_picture();

	ck_assert_int_eq(mkdirat(kit.dirfd, ".base-2.cdb.tmp", 0700), 0);
	kit_set_many(100, _i ? KIT_DIRECT : KIT_FOLD);
	ck_assert_int_eq(kit_publish(), _i ? 0 : 1);
	kit_set("later.coder", 500);
	ck_assert_int_eq(kit_take_fold(), -EISDIR);
	ck_assert_str_eq(kit_base_name(), before.base.name);
	ck_assert_uint_eq(kit_seen("n100.coder").kind, _i ? HF_FMT_GONE : HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("b.coder").kind, HF_FMT_ADDRS);
	ck_assert_int_eq(
	    kit_publish(), _i ? 0 : 1); /* a name is used once: this one is not in the way */
	if (!_i) {
		ck_assert_uint_eq(kit_seen("later.coder").kind, HF_FMT_ADDRS);
		ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), KIT_EVERY_MS);
		hf_fake_clock_add(&kit.clock, KIT_EVERY_MS);
		ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	}
	ck_assert_int_eq(kit_take_fold(), 1);
	ck_assert_uint_eq(kit_seen("later.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("n100.coder").kind, HF_FMT_ADDRS);
	ck_assert_str_eq(kit_delta_name(), "");
	ck_assert_uint_eq(kit_seen("coder").children, 10 + 1 + (_i ? KIT_DIRECT : KIT_FOLD) + 1);
}
END_TEST

START_TEST(fold_that_fails_alone_is_repeated_by_the_clock)
{
	make_picture();
	ck_assert_int_eq(mkdirat(kit.dirfd, ".base-2.cdb.tmp", 0700), 0);
	kit_set_many(100, KIT_DIRECT);
	ck_assert_int_eq(kit_publish(), 0);
	ck_assert_int_eq(kit_take_fold(), -EISDIR);
	ck_assert_int_eq(hf_zone_writer_wait_ms(kit.writer), KIT_EVERY_MS);
	hf_fake_clock_add(&kit.clock, KIT_EVERY_MS);
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	ck_assert_int_eq(kit_take_fold(), 1);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), kit.generation);
}
END_TEST

/* What is damaged on disk must not come out of a fold with a right checksum. */
START_TEST(base_that_is_damaged_while_in_use_never_becomes_a_new_one)
{
	static const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct hf_fmt_current before = make_picture();

	damage(before.base.name, _i);
	/* On some file systems the clock of a file is coarse: as if it was later. */
	ck_assert_int_eq(utimensat(kit.dirfd, before.base.name, old, 0), 0);
	kit_set("c.coder", 51);
	ck_assert_int_eq(kit_publish(), 0); /* it is not what it was: a new one is tried */
	ck_assert_int_eq(kit_take_fold(), HF_EDAMAGED);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), before.generation);
	/* The way out. */
	ck_assert_int_eq(hf_zone_writer_clear(kit.writer), 0);
	kit_set("d.coder", 52);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("d.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("coder").children, 1);
	ck_assert_int_eq(hf_zone_writer_sync(kit.writer), 0);
	ck_assert_uint_eq(hf_zone_look_n_files(kit.dirfd), 2);
}
END_TEST

enum { THE_BASE, THE_DELTA, THE_CURRENT, ALL_OF_THEM };

START_TEST(files_that_somebody_removes_are_written_again)
{
	struct hf_fmt_current c = make_picture();

	if (_i == THE_BASE || _i == ALL_OF_THEM)
		ck_assert_int_eq(unlinkat(kit.dirfd, c.base.name, 0), 0);
	if (_i == THE_DELTA || _i == ALL_OF_THEM)
		ck_assert_int_eq(unlinkat(kit.dirfd, c.delta.name, 0), 0);
	if (_i == THE_CURRENT || _i == ALL_OF_THEM)
		ck_assert_int_eq(unlinkat(kit.dirfd, "current", 0), 0);
	kit_set("c.coder", 51);
	if (_i == THE_BASE || _i == ALL_OF_THEM) {
		ck_assert_int_eq(kit_publish(), 0);
		ck_assert_int_eq(kit_take_fold(), 1);
	} else {
		ck_assert_int_eq(kit_publish(), 1);
	}
	ck_assert_uint_eq(kit_seen("coder").children, 12);
	ck_assert_uint_eq(kit_seen("b.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("n1.coder").kind, HF_FMT_ADDRS);
}
END_TEST

START_TEST(folder_that_is_gone_is_an_error_and_no_crash)
{
	ck_assert_int_eq(kit_publish(), 1);
	hf_zone_look_remove_folder(kit.folder);
	kit_set("a.coder", 1);
	ck_assert_int_eq(kit_publish(), 0); /* its base is gone with it */
	ck_assert_int_eq(kit_take_fold(), -ENOENT);
	ck_assert_int_eq(kit_publish(), 0);
	ck_assert_int_eq(mkdir(kit.folder, 0750), 0);
}
END_TEST

Suite *writer_disk_suite(void)
{
	Suite *s = suite_create("writer_disk");
	TCase *tc = kit_case(s, "fold");
	tcase_add_test(tc, delta_is_folded_when_it_is_large_and_no_sooner_than_the_pace);
	tcase_add_test(tc, publishing_goes_on_while_a_fold_runs);
	tcase_add_loop_test(tc, large_change_becomes_a_base_and_is_seen_when_that_is_done, 0, 2);
	tcase_add_test(tc, large_changes_one_after_the_other_are_all_seen_in_the_end);
	tcase_add_loop_test(tc, clear_while_a_fold_runs_leaves_nothing_of_it, 0, 2);
	tcase_add_loop_test(tc, writer_may_end_while_a_fold_runs, 0, 2);
	tc = kit_case(s, "files");
	tcase_add_loop_test(tc, former_files_go_when_the_rename_is_durable, 0, 2);
	tcase_add_test(tc, leftovers_of_a_crash_go_at_open_and_nothing_else_does);
	tcase_add_test(tc, writer_goes_on_where_the_last_one_ended);
	tcase_add_test(tc, large_delta_of_the_last_writer_is_folded);
	tcase_add_loop_test(tc,
	    damaged_picture_is_not_taken_up_and_stays_until_there_is_a_better_one, 0,
	    N_VICTIMS * N_DAMAGES);
	tcase_add_test(tc, current_that_is_a_symlink_is_replaced_and_not_written_through);
	tc = kit_case(s, "trouble");
	tcase_add_test(tc, folder_in_the_place_of_current_makes_way);
	tcase_add_test(tc, rename_that_fails_loses_no_file_of_either_picture);
	tcase_add_loop_test(
	    tc, publication_that_fails_leaves_the_old_picture_and_keeps_the_change, 0, 2);
	tcase_add_test(tc, publication_that_failed_may_be_repeated);
	tcase_add_loop_test(tc, fold_that_fails_changes_nothing_and_is_tried_again, 0, 2);
	tcase_add_test(tc, fold_that_fails_alone_is_repeated_by_the_clock);
	tcase_add_loop_test(
	    tc, base_that_is_damaged_while_in_use_never_becomes_a_new_one, 0, FLIPPED + 1);
	tcase_add_loop_test(tc, files_that_somebody_removes_are_written_again, 0, ALL_OF_THEM + 1);
	tcase_add_test(tc, folder_that_is_gone_is_an_error_and_no_crash);
	return s;
}
