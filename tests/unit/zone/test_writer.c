/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "tests/unit/zone/writer_kit.h"

Suite *writer_suite(void);

/* --- the folder --- */

START_TEST(missing_folder_is_made_for_us_and_its_group)
{
	char path[96];
	struct hf_zone_stamp stamp;
	mode_t mask = umask(0077);
	struct stat st;

	kit_close();
	snprintf(path, sizeof(path), "%s/zone", kit.folder);
	ck_assert_int_eq(kit_open(path, &stamp), 0);
	umask(mask);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), 0);
}
END_TEST

START_TEST(folder_without_a_parent_is_an_error)
{
	char path[96];
	struct hf_zone_stamp stamp;

	kit_close();
	snprintf(path, sizeof(path), "%s/none/zone", kit.folder);
	ck_assert_int_eq(kit_open(path, &stamp), -ENOENT);
}
END_TEST

enum { SYMLINK, SYMLINK_SLASH, A_FILE, GROUP_WRITES, OTHERS_WRITE, N_UNSAFE };

START_TEST(unsafe_folder_is_refused)
{
	char path[96], real[96];
	struct hf_zone_stamp stamp;
	int null = open("/dev/null", O_WRONLY);

	kit_close();
	snprintf(path, sizeof(path), "%s/zone%s", kit.folder, _i == SYMLINK_SLASH ? "//" : "");
	snprintf(real, sizeof(real), "%s/real", kit.folder);
	if (_i == SYMLINK || _i == SYMLINK_SLASH) {
		ck_assert_int_eq(mkdir(real, 0750), 0);
		ck_assert_int_eq(symlinkat(real, kit.dirfd, "zone"), 0);
	} else if (_i == A_FILE) {
		kit_make_file("zone");
	} else {
		ck_assert_int_eq(mkdir(path, 0750), 0);
		ck_assert_int_eq(chmod(path, _i == GROUP_WRITES ? 0770 : 0752), 0);
	}
	hf_log_init(null, HF_LOG_ERROR, HF_LOG_TEXT, NULL); /* it says why */
	ck_assert_int_eq(kit_open(path, &stamp), HF_EUNSAFE);
	hf_log_init(STDERR_FILENO, HF_LOG_ERROR, HF_LOG_TEXT, NULL);
	close(null);
}
END_TEST

START_TEST(second_writer_is_refused)
{
	struct hf_zone_writer *first = kit.writer;
	struct hf_zone_stamp stamp;

	kit.writer = NULL;
	ck_assert_int_eq(kit_open(kit.folder, &stamp), HF_ELOCKED);
	hf_zone_writer_free(first);
	ck_assert_int_eq(kit_open(kit.folder, &stamp), 0);
}
END_TEST

/* Whoever may read the folder can lock what he can open there. */
START_TEST(a_reader_keeps_no_writer_out)
{
	static const char *const readable[] = { ".", "current", "pulse" };
	int fds[3];
	struct hf_zone_stamp stamp;
	struct stat st;

	ck_assert_int_eq(kit_publish(), 1);
	kit_make_file("pulse");
	for (int i = 0; i < 3; i++) {
		fds[i] = openat(kit.dirfd, readable[i], O_RDONLY);
		ck_assert_int_ge(fds[i], 0);
		ck_assert_int_eq(flock(fds[i], LOCK_EX | LOCK_NB), 0);
	}
	ck_assert_int_eq(kit_reopen(&stamp), 1);
	ck_assert_int_eq(fstatat(kit.dirfd, ".lock", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600 && st.st_size == 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}
END_TEST

/* A copy of the folder may have it as anybody's, or as something else. */
START_TEST(what_lies_in_the_place_of_the_lock_is_put_right)
{
	struct hf_zone_stamp stamp;
	struct stat st;

	kit_close();
	if (_i > 0)
		ck_assert_int_eq(unlinkat(kit.dirfd, ".lock", 0), 0);
	switch (_i) {
	case 0:
		ck_assert_int_eq(fchmodat(kit.dirfd, ".lock", 0644, 0), 0);
		break;
	case 1:
		ck_assert_int_eq(mkdirat(kit.dirfd, ".lock", 0700), 0);
		break;
	case 2:
		ck_assert_int_eq(symlinkat("current", kit.dirfd, ".lock"), 0);
		break;
	case 3:
		ck_assert_int_eq(mkfifoat(kit.dirfd, ".lock", 0666), 0);
		break;
	}
	ck_assert_int_ge(kit_open(kit.folder, &stamp), 0);
	ck_assert_int_eq(fstatat(kit.dirfd, ".lock", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600);
}
END_TEST

START_TEST(files_are_the_folders_groups_to_read)
{
	mode_t mask = umask(0077);
	struct hf_fmt_current c;
	struct stat st;

	if (geteuid() == 0) { /* another group than ours */
		struct hf_zone_stamp stamp;

		ck_assert_int_eq(fchown(kit.dirfd, (uid_t)-1, 12345), 0);
		ck_assert_int_eq(kit_reopen(&stamp), 0);
		hf_zone_writer_set_meta(kit.writer, &kit.meta);
	}
	ck_assert_int_eq(kit_publish(), 1);
	kit_set("a.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	umask(mask);
	c = kit_current();
	for (unsigned i = 0; i < 3; i++) {
		const char *const names[] = { "current", c.base.name, c.delta.name };

		ck_assert_int_eq(fstatat(kit.dirfd, names[i], &st, 0), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0640);
		ck_assert_uint_eq(st.st_gid, geteuid() == 0 ? 12345 : st.st_gid);
	}
}
END_TEST

/* --- what is published --- */

START_TEST(zone_without_names_says_that_it_is_not_ready)
{
	struct hf_zone_look l;

	kit.meta.ready = false;
	kit.meta.not_ready = HF_NOT_READY_NXDOMAIN;
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
	ck_assert_int_eq(kit_publish(), 1);
	l = kit_look();
	ck_assert(!l.meta.ready && l.meta.not_ready == HF_NOT_READY_NXDOMAIN && !l.n_names);
	hf_zone_look_close(&l);
	ck_assert_uint_eq(kit_seen("coder").kind, HF_FMT_EMPTY);
}
END_TEST

START_TEST(nothing_is_published_without_settings)
{
	struct hf_zone_stamp stamp;

	ck_assert_int_eq(kit_reopen(&stamp), 0);
	ck_assert_int_eq(kit_publish(), HF_EREFUSED);
	ck_assert_int_eq(kit_try_set("a.coder", 1, 0), HF_EREFUSED);
	kit.meta.ttl_s = 0;
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
	ck_assert_int_eq(kit_publish(), HF_EREFUSED);
	ck_assert(!kit_is_there("current"));
}
END_TEST

START_TEST(generation_never_goes_back_within_an_epoch)
{
	static const uint8_t other[16] = { 8 };
	struct hf_zone_stamp stamp;

	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, 10), 1);
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, 9), HF_EREFUSED);
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, 10), 1);
	ck_assert_int_eq(kit_reopen(&stamp), 1);
	ck_assert(stamp.generation == 10 && !memcmp(stamp.epoch, kit_epoch, sizeof(kit_epoch)));
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, 9), HF_EREFUSED);
	ck_assert_int_eq(hf_zone_writer_clear(kit.writer), 0);
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, 9), HF_EREFUSED);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), 10);
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, other, 1), 1);
	ck_assert_uint_eq(hf_zone_writer_published(kit.writer), 1);
	ck_assert_int_eq(hf_zone_writer_publish(kit.writer, kit_epoch, 11), 1);
}
END_TEST

START_TEST(change_is_seen_when_it_is_published_and_not_before)
{
	ck_assert_int_eq(kit_publish(), 1);
	kit_set("a.coder", 1);
	ck_assert_uint_eq(kit_seen("a.coder").kind, HF_FMT_GONE);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("a.coder").kind, HF_FMT_ADDRS);
	kit_del("a.coder");
	ck_assert_uint_eq(kit_seen("a.coder").kind, HF_FMT_ADDRS);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("a.coder").kind, HF_FMT_GONE);
}
END_TEST

static const struct {
	const char *what;
	const char *name;
	unsigned n_addrs;
	uint8_t first_byte; /* of the last address */
	uint8_t flags;
	uint16_t source;
} refused[] = {
	{ "no suffix of ours", "a.example", 1, 0xfd, 0, 0 },
	{ "no address", "a.coder", 0, 0xfd, 0, 0 },
	{ "too many addresses", "a.coder", HF_REC_ADDRS_MAX + 1, 0xfd, 0, 0 },
	{ "a foreign address", "a.coder", 2, 0xfe, 0, 0 },
	{ "an unknown flag", "a.coder", 1, 0xfd, 0x10, 0 },
	{ "a source that is not there", "a.coder", 1, 0xfd, 0, 1 },
};

START_TEST(record_that_is_not_ours_is_refused_alone)
{
	static uint8_t addrs[HF_REC_ADDRS_MAX + 1][16];
	struct hf_name name = kit_name(refused[_i].name);
	struct hf_zone_rec rec = { .name = &name,
		.n_addrs = refused[_i].n_addrs,
		.flags = refused[_i].flags,
		.source = refused[_i].source };

	for (unsigned i = 0; i <= HF_REC_ADDRS_MAX; i++)
		kit_addr(i, addrs[i]);
	if (rec.n_addrs)
		addrs[rec.n_addrs - 1][0] = refused[_i].first_byte;
	rec.addrs = (const uint8_t(*)[16])addrs;
	ck_assert_msg(hf_zone_writer_set(kit.writer, &rec) == HF_EREFUSED, "%s", refused[_i].what);
	kit_set("b.coder", 2);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("a.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("b.coder").kind, HF_FMT_ADDRS);
}
END_TEST

START_TEST(most_addresses_and_the_bounds_of_time_are_taken)
{
	static uint8_t addrs[HF_REC_ADDRS_MAX][16];
	static const struct {
		int64_t given;
		uint32_t want;
	} times[] = { { -5, 0 }, { 1700000000, 1700000000 }, { INT64_MAX, UINT32_MAX } };
	struct hf_name name = kit_name("a.coder");
	struct hf_zone_rec rec = { .name = &name, .n_addrs = HF_REC_ADDRS_MAX };

	for (unsigned i = 0; i < HF_REC_ADDRS_MAX; i++)
		kit_addr(i, addrs[i]);
	rec.addrs = (const uint8_t(*)[16])addrs;
	for (unsigned i = 0; i < 3; i++) {
		rec.first_seen_s = times[i].given;
		ck_assert_int_eq(hf_zone_writer_set(kit.writer, &rec), 0);
		ck_assert_int_eq(kit_publish(), 1);
		ck_assert_uint_eq(kit_seen("a.coder").first_seen_s, times[i].want);
	}
	ck_assert_uint_eq(kit_seen("a.coder").n_addrs, HF_REC_ADDRS_MAX);
}
END_TEST

START_TEST(parents_come_and_go_with_their_names)
{
	kit_set("main.dev.me.coder", 1);
	kit_set("me.coder", 2); /* a name and a parent at once */
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("dev.me.coder").kind, HF_FMT_EMPTY);
	ck_assert_uint_eq(kit_seen("me.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("me.coder").children, 1);
	ck_assert_uint_eq(kit_seen("coder").children, 1);
	kit_del("me.coder");
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("me.coder").kind, HF_FMT_EMPTY);
	kit_del("main.dev.me.coder");
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("dev.me.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("me.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("coder").kind, HF_FMT_EMPTY);
	ck_assert_uint_eq(kit_seen("coder").children, 0);
}
END_TEST

START_TEST(apex_stays_also_when_its_own_address_goes)
{
	kit_set("coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("coder").kind, HF_FMT_ADDRS);
	kit_del("coder");
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("coder").kind, HF_FMT_EMPTY);
}
END_TEST

START_TEST(suffix_that_is_taken_out_goes_with_its_names)
{
	kit_set("a.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	kit_del("a.coder");
	kit_make_meta("dev");
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
	ck_assert_int_eq(kit_try_set("a.coder", 1, 0), HF_EREFUSED);
	kit_set("a.dev", 1);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("dev").children, 1);
}
END_TEST

START_TEST(ptr_tells_the_primary_name_that_has_the_address_now)
{
	kit_set("a.coder", 1);
	ck_assert_int_eq(kit_try_set("b.coder", 1, 0), 0);
	ck_assert_int_eq(kit_publish(), 1);
	kit_check_ptr(1, "a.coder");
	kit_set("a.coder", 2); /* its address changes */
	ck_assert_int_eq(kit_publish(), 1);
	kit_check_ptr(1, NULL);
	kit_check_ptr(2, "a.coder");
	kit_set("c.coder", 2); /* another takes it over */
	kit_del("a.coder");
	ck_assert_int_eq(kit_publish(), 1);
	kit_check_ptr(2, "c.coder");
	ck_assert_int_eq(kit_try_set("c.coder", 2, 0), 0); /* primary no more */
	ck_assert_int_eq(kit_publish(), 1);
	kit_check_ptr(2, NULL);
}
END_TEST

START_TEST(what_is_set_again_as_it_was_is_no_change)
{
	struct hf_fmt_current before, after;

	kit_set("main.dev.me.coder", 1);
	ck_assert_int_eq(kit_publish(), 1);
	before = kit_current();
	ck_assert_str_eq(before.delta.name, "");
	kit_set("main.dev.me.coder", 1);
	kit_del("never.coder");
	ck_assert_int_eq(kit_publish(), 1);
	after = kit_current();
	ck_assert_str_eq(after.base.name, before.base.name);
	ck_assert_str_eq(after.delta.name, "");
	ck_assert_uint_eq(after.generation, 2);
}
END_TEST

START_TEST(settings_alone_are_a_change)
{
	struct hf_zone_look l;

	ck_assert_int_eq(kit_publish(), 1);
	kit.meta.ttl_s = 7;
	hf_zone_writer_set_meta(kit.writer, &kit.meta);
	ck_assert_int_eq(kit_publish(), 1);
	l = kit_look();
	ck_assert_uint_eq(l.meta.ttl_s, 7);
	hf_zone_look_close(&l);
}
END_TEST

START_TEST(cleared_zone_is_seen_only_when_it_is_published)
{
	kit_set_many(0, 10);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_int_eq(hf_zone_writer_clear(kit.writer), 0);
	kit_set("new.coder", 99);
	ck_assert_uint_eq(kit_seen("n3.coder").kind, HF_FMT_ADDRS);
	ck_assert_int_eq(hf_zone_writer_work(kit.writer), 0);
	ck_assert_uint_eq(kit_seen("n3.coder").kind, HF_FMT_ADDRS);
	ck_assert_int_eq(kit_publish(), 1);
	ck_assert_uint_eq(kit_seen("n3.coder").kind, HF_FMT_GONE);
	ck_assert_uint_eq(kit_seen("new.coder").kind, HF_FMT_ADDRS);
	ck_assert_uint_eq(kit_seen("coder").children, 1);
}
END_TEST

#define N(a) (sizeof(a) / sizeof((a)[0]))

Suite *writer_suite(void)
{
	Suite *s = suite_create("writer");
	TCase *tc = kit_case(s, "folder");

	tcase_add_test(tc, missing_folder_is_made_for_us_and_its_group);
	tcase_add_test(tc, folder_without_a_parent_is_an_error);
	tcase_add_loop_test(tc, unsafe_folder_is_refused, 0, N_UNSAFE);
	tcase_add_test(tc, second_writer_is_refused);
	tcase_add_test(tc, a_reader_keeps_no_writer_out);
	tcase_add_loop_test(tc, what_lies_in_the_place_of_the_lock_is_put_right, 0, 4);
	tcase_add_test(tc, files_are_the_folders_groups_to_read);
	tc = kit_case(s, "names");
	tcase_add_test(tc, zone_without_names_says_that_it_is_not_ready);
	tcase_add_test(tc, nothing_is_published_without_settings);
	tcase_add_test(tc, generation_never_goes_back_within_an_epoch);
	tcase_add_test(tc, change_is_seen_when_it_is_published_and_not_before);
	tcase_add_loop_test(tc, record_that_is_not_ours_is_refused_alone, 0, N(refused));
	tcase_add_test(tc, most_addresses_and_the_bounds_of_time_are_taken);
	tcase_add_test(tc, parents_come_and_go_with_their_names);
	tcase_add_test(tc, apex_stays_also_when_its_own_address_goes);
	tcase_add_test(tc, suffix_that_is_taken_out_goes_with_its_names);
	tcase_add_test(tc, ptr_tells_the_primary_name_that_has_the_address_now);
	tcase_add_test(tc, what_is_set_again_as_it_was_is_no_change);
	tcase_add_test(tc, settings_alone_are_a_change);
	tcase_add_test(tc, cleared_zone_is_seen_only_when_it_is_published);
	return s;
}
