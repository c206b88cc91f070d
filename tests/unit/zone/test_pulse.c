/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "zone/pulse.h"
#include "zone/pulse_slot.h"

Suite *pulse_suite(void);

static char folder[64];
static int dirfd_;
static struct hf_fake_clock clock_;
static struct hf_pulse_writer *writer;
static struct hf_pulse *pulse;

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/hf-pulse-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dirfd_ = open(folder, O_RDONLY | O_DIRECTORY);
	hf_fake_clock_init(&clock_, 1000000, 1700000000000);
	ck_assert_int_eq(hf_pulse_writer_open(dirfd_, &clock_.clock, &writer), 0);
	ck_assert_int_eq(hf_pulse_new(&pulse), 0);
}

static void teardown(void)
{
	static const char *const names[] = { "pulse", ".pulse.tmp", "elsewhere" };

	hf_pulse_writer_free(writer);
	hf_pulse_free(pulse);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unlinkat(dirfd_, names[i], 0);
		unlinkat(dirfd_, names[i], AT_REMOVEDIR);
	}
	close(dirfd_);
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct hf_pulse_stamp source(uint16_t i)
{
	ck_assert_int_eq(hf_pulse_load(pulse, dirfd_), 0);
	return hf_pulse_get_source(pulse, i);
}

static struct hf_pulse_stamp owner(uint16_t i)
{
	ck_assert_int_eq(hf_pulse_load(pulse, dirfd_), 0);
	return hf_pulse_get_owner(pulse, i);
}

static void reopen(void)
{
	hf_pulse_writer_free(writer);
	ck_assert_int_eq(hf_pulse_writer_open(dirfd_, &clock_.clock, &writer), 0);
}

/* Changes the bytes of a slot behind the writer's back. */
static void write_raw(uint32_t slot, const uint8_t *bytes, size_t len)
{
	int fd = openat(dirfd_, "pulse", O_WRONLY);

	ck_assert_int_eq(pwrite(fd, bytes, len, hf_pulse_offset(slot)), (ssize_t)len);
	close(fd);
}

static void read_raw(uint32_t slot, uint8_t bytes[static HF_PULSE_SLOT_LEN])
{
	int fd = openat(dirfd_, "pulse", O_RDONLY);

	ck_assert_int_eq(
	    pread(fd, bytes, HF_PULSE_SLOT_LEN, hf_pulse_offset(slot)), HF_PULSE_SLOT_LEN);
	close(fd);
}

START_TEST(nothing_is_known_of_what_was_never_written)
{
	ck_assert(!source(0).known && !source(63).known && !source(64).known);
	ck_assert(!owner(0).known && !owner(65534).known && !owner(65535).known);
}
END_TEST

START_TEST(proof_of_life_is_seen_with_its_times)
{
	struct hf_pulse_stamp s;

	ck_assert_int_eq(hf_pulse_source(writer, 63, true), 0);
	s = source(63);
	ck_assert(s.known && s.live);
	ck_assert_int_eq(s.boot_ms, 1000000);
	ck_assert_int_eq(s.wall_ms, 1700000000000);
	ck_assert(!source(62).known && !owner(0).known);
}
END_TEST

START_TEST(owners_have_slots_of_their_own_up_to_the_last)
{
	ck_assert_int_eq(hf_pulse_owner(writer, 0), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 65534), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 65535), HF_ELIMIT);
	ck_assert_int_eq(hf_pulse_owner_clear(writer, 65535), HF_ELIMIT);
	ck_assert_int_eq(hf_pulse_source(writer, 64, true), HF_ELIMIT);
	ck_assert(owner(0).known && owner(0).live && owner(65534).known);
	ck_assert(!owner(1).known && !owner(65533).known && !source(0).known);
}
END_TEST

START_TEST(same_proof_is_written_no_more_than_each_pace)
{
	int64_t start = 1000000;

	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 3), 0);
	hf_fake_clock_add(&clock_, 14999);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 3), 0);
	ck_assert_int_eq(source(0).boot_ms, start);
	ck_assert_int_eq(owner(3).boot_ms, start);
	hf_fake_clock_add(&clock_, 1);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 3), 0);
	ck_assert_int_eq(source(0).boot_ms, start + 15000);
	ck_assert_int_eq(owner(3).boot_ms, start + 15000);
	hf_pulse_writer_pace(writer, 5);
	hf_fake_clock_add(&clock_, 5);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(source(0).boot_ms, start + 15005);
}
END_TEST

START_TEST(going_down_and_up_is_written_at_once)
{
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	hf_fake_clock_add(&clock_, 1000);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0); /* not written, yet the last proof */
	hf_fake_clock_add(&clock_, 1000);
	ck_assert_int_eq(hf_pulse_source(writer, 0, false), 0);
	ck_assert(source(0).known && !source(0).live);
	ck_assert_int_eq(source(0).boot_ms, 1001000); /* of the last proof, not of the fall */
	hf_fake_clock_add(&clock_, 1000);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert(source(0).live);
	ck_assert_int_eq(source(0).boot_ms, 1003000);
}
END_TEST

START_TEST(source_that_never_lived_stays_unknown)
{
	ck_assert_int_eq(hf_pulse_source(writer, 0, false), 0);
	ck_assert(!source(0).known);
}
END_TEST

START_TEST(new_writer_of_this_boot_goes_on_from_the_last_proof)
{
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 2), 0);
	hf_fake_clock_add(&clock_, 100);
	reopen();
	ck_assert(source(0).live && owner(2).known);
	ck_assert_int_eq(hf_pulse_source(writer, 0, false), 0);
	ck_assert(source(0).known && !source(0).live);
	ck_assert_int_eq(source(0).boot_ms, 1000000);
}
END_TEST

START_TEST(an_owner_of_the_bridge_before_keeps_his_times_and_is_not_live)
{
	ck_assert_int_eq(hf_pulse_owner(writer, 2), 0);
	reopen();
	hf_fake_clock_add(&clock_, 5000);
	ck_assert_int_eq(hf_pulse_owner_down(writer, 2), 0);
	ck_assert_int_eq(hf_pulse_owner_down(writer, 7), 0);
	ck_assert_int_eq(hf_pulse_owner_down(writer, 65535), HF_ELIMIT);
	ck_assert(owner(2).known && !owner(2).live);
	ck_assert_int_eq(owner(2).boot_ms, 1000000);
	ck_assert_int_eq(owner(2).wall_ms, 1700000000000);
	ck_assert(!owner(7).known && !owner(7).live);
	ck_assert_int_eq(hf_pulse_owner(writer, 2), 0);
	ck_assert(owner(2).live);
	ck_assert_int_eq(owner(2).boot_ms, 1005000);
}
END_TEST

START_TEST(a_writer_takes_what_it_knows_into_another_folder)
{
	int other;

	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 2), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 3), 0);
	ck_assert_int_eq(hf_pulse_owner_down(writer, 3), 0);
	ck_assert_int_eq(mkdirat(dirfd_, "other", 0750), 0);
	other = openat(dirfd_, "other", O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(hf_pulse_writer_move(writer, -1), -EBADF);
	ck_assert_int_eq(hf_pulse_writer_move(writer, other), 0);
	ck_assert_int_eq(hf_pulse_load(pulse, other), 0);
	ck_assert(hf_pulse_get_source(pulse, 0).live && hf_pulse_get_owner(pulse, 2).live);
	ck_assert(hf_pulse_get_owner(pulse, 3).known && !hf_pulse_get_owner(pulse, 3).live);
	ck_assert_int_eq(hf_pulse_get_owner(pulse, 2).boot_ms, 1000000);
	ck_assert_int_eq(unlinkat(other, "pulse", 0), 0);
	close(other);
	ck_assert_int_eq(unlinkat(dirfd_, "other", AT_REMOVEDIR), 0);
}
END_TEST

START_TEST(cleared_owner_was_never_confirmed)
{
	ck_assert_int_eq(hf_pulse_owner(writer, 2), 0);
	ck_assert(owner(2).known);
	ck_assert_int_eq(hf_pulse_owner_clear(writer, 2), 0);
	ck_assert(!owner(2).known);
	ck_assert_int_eq(hf_pulse_owner(writer, 2), 0); /* at once: the pace begins anew */
	ck_assert(owner(2).known);
}
END_TEST

START_TEST(slot_of_another_boot_is_not_known)
{
	struct hf_pulse_slot slot = { .boot_id = { 1, 2, 3 }, .boot_ms = 5, .live = true };
	uint8_t bytes[HF_PULSE_SLOT_LEN];

	if (_i)
		memset(slot.boot_id, 0, sizeof(slot.boot_id));
	hf_pulse_slot_put(&slot, 0, bytes);
	write_raw(0, bytes, sizeof(bytes));
	ck_assert(!source(0).known);
	/* Nor is its proof the present writer's. */
	reopen();
	ck_assert_int_eq(hf_pulse_source(writer, 0, false), 0);
	ck_assert(!source(0).known);
}
END_TEST

START_TEST(torn_slot_keeps_its_last_good_value)
{
	uint8_t whole[HF_PULSE_SLOT_LEN];

	hf_pulse_writer_pace(writer, 0);
	ck_assert_int_eq(hf_pulse_source(writer, 1, true), 0);
	ck_assert_int_eq(source(1).boot_ms, 1000000);
	hf_fake_clock_add(&clock_, 77);
	ck_assert_int_eq(hf_pulse_source(writer, 1, true), 0);
	read_raw(1, whole);
	for (size_t i = 0; i < sizeof(whole); i++) {
		uint8_t torn = whole[i] ^ 0x40;

		write_raw(1, whole, sizeof(whole));
		write_raw(1, whole, i);
		{
			uint8_t copy[HF_PULSE_SLOT_LEN];

			memcpy(copy, whole, sizeof(copy));
			copy[i] = torn;
			write_raw(1, copy, sizeof(copy));
		}
		ck_assert(source(1).known && source(1).live);
		ck_assert_int_eq(source(1).boot_ms, 1000000);
	}
	write_raw(1, whole, sizeof(whole));
	ck_assert_int_eq(source(1).boot_ms, 1000077);
}
END_TEST

START_TEST(slot_copied_to_another_place_is_not_taken)
{
	uint8_t bytes[HF_PULSE_SLOT_LEN];

	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	read_raw(0, bytes);
	write_raw(5, bytes, sizeof(bytes));
	ck_assert(source(0).known && !source(5).known);
}
END_TEST

enum { GONE, CUT, WRONG_HEAD, SYMLINK, OTHERS_WRITE, N_LOSSES };

/* What somebody does to the file; what the reader saw stays, and the next proof is seen again. */
static void lose_file(int how)
{
	int fd = openat(dirfd_, "pulse", O_WRONLY);

	switch (how) {
	case GONE:
		ck_assert_int_eq(unlinkat(dirfd_, "pulse", 0), 0);
		break;
	case CUT:
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		break;
	case WRONG_HEAD:
		ck_assert_int_eq(pwrite(fd, "x", 1, 0), 1);
		reopen();
		break;
	case SYMLINK:
		ck_assert_int_eq(renameat(dirfd_, "pulse", dirfd_, "elsewhere"), 0);
		ck_assert_int_eq(symlinkat("elsewhere", dirfd_, "pulse"), 0);
		break;
	case OTHERS_WRITE:
		ck_assert_int_eq(fchmod(fd, 0666), 0);
		reopen();
		break;
	}
	close(fd);
}

START_TEST(file_that_is_lost_is_made_anew)
{
	struct stat st;

	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert(source(0).live);
	lose_file(_i);
	hf_pulse_load(pulse, dirfd_);
	ck_assert(hf_pulse_get_source(pulse, 0).live);
	hf_fake_clock_add(&clock_, 20000);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(source(0).boot_ms, 1020000);
	ck_assert_int_eq(fstatat(dirfd_, "pulse", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0640);
}
END_TEST

enum {
	HEAD_ZEROED,
	ALL_ZEROED,
	SLOT_ZEROED,
	SLOT_HARMED,
	CUT_IN_HALF,
	ANOTHERS_SLOT,
	TAKEN_AWAY,
	N_HARMS
};

/* Under a writer that has it open; an owner's own proof comes each ten minutes only. */
static void harm_file(int how)
{
	static const uint8_t zeros[8192];
	uint8_t slot[HF_PULSE_SLOT_LEN];
	int fd = openat(dirfd_, "pulse", O_RDWR);

	switch (how) {
	case HEAD_ZEROED:
		ck_assert_int_eq(pwrite(fd, zeros, HF_PULSE_HEAD_LEN, 0), HF_PULSE_HEAD_LEN);
		break;
	case ALL_ZEROED:
		ck_assert_int_eq(pwrite(fd, zeros, 4000, 0), 4000);
		break;
	case SLOT_ZEROED:
		write_raw(64 + 4, zeros, HF_PULSE_SLOT_LEN);
		break;
	case SLOT_HARMED:
		write_raw(64 + 4, (const uint8_t *)"harm", 4);
		break;
	case CUT_IN_HALF:
		ck_assert_int_eq(ftruncate(fd, hf_pulse_offset(20) + 3), 0);
		break;
	case ANOTHERS_SLOT:
		read_raw(0, slot);
		write_raw(64 + 4, slot, sizeof(slot));
		break;
	case TAKEN_AWAY:
		unlinkat(dirfd_, "pulse", 0);
		break;
	}
	close(fd);
}

START_TEST(what_was_harmed_is_there_again_with_the_next_proof_of_a_source)
{
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_source(writer, 1, false), 0);
	ck_assert_int_eq(hf_pulse_source(writer, 2, true), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 4), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 700), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 5), 0);
	ck_assert_int_eq(hf_pulse_owner_clear(writer, 5), 0);
	hf_fake_clock_add(&clock_, 16000);
	harm_file(_i);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	/* As one sees it that begins now. */
	hf_pulse_free(pulse);
	ck_assert_int_eq(hf_pulse_new(&pulse), 0);
	ck_assert_int_eq(source(0).boot_ms, 1016000);
	ck_assert(source(0).live);
	ck_assert(!source(1).live);
	ck_assert(source(2).live);
	ck_assert_int_eq(owner(4).boot_ms, 1000000);
	ck_assert_int_eq(owner(700).boot_ms, 1000000);
	ck_assert_int_eq(owner(700).wall_ms, 1700000000000);
	ck_assert(!owner(5).known && !owner(6).known);
}
END_TEST

START_TEST(leftover_of_a_killed_writer_goes)
{
	int fd = openat(dirfd_, ".pulse.tmp", O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	reopen();
	ck_assert_int_eq(faccessat(dirfd_, ".pulse.tmp", F_OK, 0), -1);
}
END_TEST

START_TEST(all_slots_come_back_at_their_next_proof_after_a_loss)
{
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_owner(writer, 4), 0);
	lose_file(GONE);
	hf_fake_clock_add(&clock_, 16000);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	hf_fake_clock_add(&clock_, 1);
	ck_assert_int_eq(hf_pulse_owner(writer, 4), 0);
	ck_assert_int_eq(owner(4).boot_ms, 1016001);
}
END_TEST

START_TEST(folder_in_its_place_makes_way)
{
	for (unsigned n = 0; n < 2; n++) {
		unlinkat(dirfd_, "pulse", 0);
		ck_assert_int_eq(mkdirat(dirfd_, "pulse", 0755), 0);
		if (n)
			ck_assert_int_eq(mkdirat(dirfd_, "pulse/x", 0755), 0);
		ck_assert_int_eq(hf_pulse_load(pulse, dirfd_), HF_EUNSAFE);
		hf_fake_clock_add(&clock_, 16000);
		ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
		ck_assert_int_eq(source(0).boot_ms, 1016000 + n * 16000);
	}
	/* The empty one is gone; of the other nothing is lost. */
	ck_assert_int_eq(unlinkat(dirfd_, "pulse.aside-1/x", AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(dirfd_, "pulse.aside-1", AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(dirfd_, "pulse.aside-2", AT_REMOVEDIR), -1);
}
END_TEST

START_TEST(folder_that_cannot_make_way_is_an_error_and_no_harm)
{
	char name[32];

	unlinkat(dirfd_, "pulse", 0);
	ck_assert_int_eq(mkdirat(dirfd_, "pulse", 0755), 0);
	ck_assert_int_eq(mkdirat(dirfd_, "pulse/x", 0755), 0);
	for (unsigned n = 1; n <= 9; n++) {
		snprintf(name, sizeof(name), "pulse.aside-%u", n);
		ck_assert_int_eq(close(openat(dirfd_, name, O_WRONLY | O_CREAT, 0600)), 0);
	}
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), -EISDIR);
	ck_assert_int_eq(hf_pulse_load(pulse, dirfd_), HF_EUNSAFE);
	ck_assert_int_eq(unlinkat(dirfd_, "pulse/x", AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(dirfd_, "pulse", AT_REMOVEDIR), 0);
	for (unsigned n = 1; n <= 9; n++) {
		snprintf(name, sizeof(name), "pulse.aside-%u", n);
		ck_assert_int_eq(unlinkat(dirfd_, name, 0), 0);
	}
	ck_assert_int_eq(hf_pulse_load(pulse, dirfd_), -ENOENT);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert(source(0).live);
}
END_TEST

START_TEST(write_that_fails_is_tried_again_at_the_next_proof)
{
	struct rlimit none = { .rlim_cur = 16, .rlim_max = RLIM_INFINITY }, all = none;

	signal(SIGXFSZ, SIG_IGN);
	all.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	hf_fake_clock_add(&clock_, 1);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(source(0).boot_ms, 1000001);
}
END_TEST

/* A file of so many bytes is what the disk has room for. */
static void room_for(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(what_one_slot_could_not_have_is_said_until_it_has_it)
{
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	room_for((rlim_t)hf_pulse_offset(64));
	ck_assert_int_eq(hf_pulse_owner(writer, 3), -EFBIG);
	/* Not due, or due and written: of the owner readers know nothing all the same. */
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), -EFBIG);
	hf_fake_clock_add(&clock_, 15000);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), -EFBIG);
	ck_assert_int_eq(source(0).boot_ms, 1015000);
	ck_assert_int_eq(hf_pulse_look(writer), -EFBIG);
	ck_assert(hf_pulse_source_seen(writer, 0) == INT64_MAX);
	ck_assert(hf_pulse_owner_seen(writer, 3) == INT64_MIN);
	room_for(RLIM_INFINITY);
	ck_assert_int_eq(hf_pulse_look(writer), 0);
	ck_assert_int_eq(owner(3).boot_ms, 1000000);
	ck_assert(owner(3).live);
	ck_assert(hf_pulse_owner_seen(writer, 3) == INT64_MAX);
}
END_TEST

START_TEST(what_readers_saw_last_is_known_while_nothing_is_written)
{
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), 0);
	ck_assert_int_eq(hf_pulse_source(writer, 1, true), 0);
	room_for(0);
	hf_fake_clock_add(&clock_, 20000);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), -EFBIG);
	ck_assert(hf_pulse_source_seen(writer, 0) == 1000000);
	ck_assert(hf_pulse_source_seen(writer, 1) == INT64_MAX);
	ck_assert_int_eq(source(0).boot_ms, 1000000);
	/* A file that is gone has nothing. */
	ck_assert_int_eq(unlinkat(dirfd_, "pulse", 0), 0);
	ck_assert_int_eq(hf_pulse_look(writer), -EFBIG);
	ck_assert(hf_pulse_source_seen(writer, 0) == INT64_MIN);
	ck_assert(hf_pulse_source_seen(writer, 1) == INT64_MIN);
	room_for(RLIM_INFINITY);
	ck_assert_int_eq(hf_pulse_look(writer), 0);
	ck_assert_int_eq(source(0).boot_ms, 1020000);
	ck_assert_int_eq(source(1).boot_ms, 1000000);
	ck_assert(hf_pulse_source_seen(writer, 0) == INT64_MAX);
}
END_TEST

START_TEST(an_owner_who_could_not_be_cleared_is_cleared_later)
{
	ck_assert_int_eq(hf_pulse_owner(writer, 3), 0);
	room_for(0);
	ck_assert_int_eq(hf_pulse_owner_clear(writer, 3), -EFBIG);
	ck_assert(owner(3).live);
	room_for(RLIM_INFINITY);
	ck_assert_int_eq(hf_pulse_look(writer), 0);
	ck_assert(!owner(3).known);
}
END_TEST

START_TEST(a_writer_begins_without_a_file)
{
	hf_pulse_writer_free(writer);
	ck_assert_int_eq(unlinkat(dirfd_, "pulse", 0), 0);
	room_for(0);
	ck_assert_int_eq(hf_pulse_writer_open(dirfd_, &clock_.clock, &writer), 0);
	ck_assert_int_eq(hf_pulse_source(writer, 0, true), -EFBIG);
	room_for(RLIM_INFINITY);
	ck_assert_int_eq(hf_pulse_look(writer), 0);
	ck_assert(source(0).live);
}
END_TEST

Suite *pulse_suite(void)
{
	Suite *s = suite_create("pulse");
	TCase *tc = tcase_create("slots");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_known_of_what_was_never_written);
	tcase_add_test(tc, proof_of_life_is_seen_with_its_times);
	tcase_add_test(tc, owners_have_slots_of_their_own_up_to_the_last);
	tcase_add_test(tc, same_proof_is_written_no_more_than_each_pace);
	tcase_add_test(tc, going_down_and_up_is_written_at_once);
	tcase_add_test(tc, source_that_never_lived_stays_unknown);
	tcase_add_test(tc, new_writer_of_this_boot_goes_on_from_the_last_proof);
	tcase_add_test(tc, an_owner_of_the_bridge_before_keeps_his_times_and_is_not_live);
	tcase_add_test(tc, a_writer_takes_what_it_knows_into_another_folder);
	tcase_add_test(tc, cleared_owner_was_never_confirmed);
	tcase_add_loop_test(tc, slot_of_another_boot_is_not_known, 0, 2);
	tcase_add_test(tc, torn_slot_keeps_its_last_good_value);
	tcase_add_test(tc, slot_copied_to_another_place_is_not_taken);
	suite_add_tcase(s, tc);
	tc = tcase_create("file");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, file_that_is_lost_is_made_anew, 0, N_LOSSES);
	tcase_add_loop_test(
	    tc, what_was_harmed_is_there_again_with_the_next_proof_of_a_source, 0, N_HARMS);
	tcase_add_test(tc, leftover_of_a_killed_writer_goes);
	tcase_add_test(tc, all_slots_come_back_at_their_next_proof_after_a_loss);
	tcase_add_test(tc, folder_in_its_place_makes_way);
	tcase_add_test(tc, folder_that_cannot_make_way_is_an_error_and_no_harm);
	tcase_add_test(tc, write_that_fails_is_tried_again_at_the_next_proof);
	tcase_add_test(tc, what_one_slot_could_not_have_is_said_until_it_has_it);
	tcase_add_test(tc, what_readers_saw_last_is_known_while_nothing_is_written);
	tcase_add_test(tc, an_owner_who_could_not_be_cleared_is_cleared_later);
	tcase_add_test(tc, a_writer_begins_without_a_file);
	suite_add_tcase(s, tc);
	return s;
}
