/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *store_recovery_suite(void);

static struct fixture fx;
static struct world world, later; /* in the copy; in the store */
static struct world_changes changes;
static uint8_t epoch[16];
static uint64_t generation;

static void setup(void)
{
	struct prng p = { .state = 9 };

	fixture_init(&fx);
	world_init(&world, 2);
	later = world;
	world_change(&later, &p, 20);
}

static void teardown(void)
{
	fixture_done(&fx);
}

static void apply_diff(const struct world *from, const struct world *to)
{
	world_diff(from, to, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
}

/* A store with `later` in it, and a copy with `world`. */
static void fill(bool with_copy)
{
	static const struct world nothing;

	fixture_open(&fx);
	apply_diff(&nothing, &world);
	ck_assert_int_eq(hf_store_set_ready(fx.store), 0);
	if (with_copy) {
		ck_assert_int_eq(hf_store_copy_begin(fx.store), 0);
		fixture_wait_copy(&fx);
		ck_assert(fixture_exists(&fx, ".copy"));
	}
	apply_diff(&world, &later);
	memcpy(epoch, hf_store_epoch(fx.store), 16);
	generation = hf_store_generation(fx.store);
	fixture_close(&fx);
}

/* One bit of an agent's id: the result is a good id of nobody. */
static void damage(const char *tail)
{
	for (size_t i = 0; i < WORLD_AGENTS; i++) {
		const struct hf_uuid *id = &later.agents[i].row.id;
		off_t at = later.agents[i].on ? fixture_find(&fx, tail, id, sizeof(*id)) : -1;

		if (at >= 0) {
			fixture_flip(&fx, tail, at + 9, 0x10);
			return;
		}
	}
	ck_abort_msg("no agent to damage");
}

static void check_empty(void)
{
	struct hf_image *image;

	ck_assert_int_eq(hf_store_load(fx.store, &image), 0);
	ck_assert_uint_eq(
	    image->n_sources + image->n_owners + image->n_workspaces + image->n_agents, 0);
	hf_image_free(image);
}

static char *read_note(void)
{
	uint8_t *bytes;
	size_t len;

	ck_assert_int_eq(hf_file_read(-100, fixture_file(&fx, ".recovery"), 4096, &bytes, &len), 0);
	return (char *)bytes;
}

/* The note of an attempt that was begun and not ended, as a crash leaves it. */
static void write_note(
    const char *state, unsigned tries, const uint8_t note_epoch[16], const char *aside)
{
	char text[512], hex[33];
	int len;

	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", note_epoch[i]);
	len = snprintf(text, sizeof(text),
	    "holdfast-recovery 1\nstate: %s\nfrom: copy\ntries: %u\nbegan: 1700000000\nepoch: %s\naside: %s\n"
	    "reason: it was damaged\n",
	    state, tries, hex, aside);
	fixture_write(&fx, ".recovery", text, (size_t)len);
}

/* --- what the published zone knows beside --- */

/* The generation that the copy has: what was published of later ones is newer than it. */
START_TEST(what_the_zone_knows_is_due_until_it_was_taken)
{
	static const struct world nothing;
	uint64_t of_copy;

	fixture_open(&fx);
	ck_assert_uint_eq(fx.opened.generation, 0);
	ck_assert(!fx.opened.zone_due);
	apply_diff(&nothing, &world);
	of_copy = hf_store_generation(fx.store);
	ck_assert_int_eq(hf_store_copy_begin(fx.store), 0);
	fixture_wait_copy(&fx);
	apply_diff(&world, &later);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_uint_eq(fx.opened.generation, of_copy + 1);
	ck_assert(!fx.opened.zone_due);
	fixture_close(&fx);
	damage("");
	hf_fake_clock_add(&fx.clock, 1000 * 1000);
	/* Also by one that was killed before it had taken that. */
	for (int start = 0; start < 3; start++) {
		fixture_open(&fx);
		ck_assert_int_eq(fx.opened.origin, start ? HF_STORE_OPENED : HF_STORE_COPY);
		ck_assert_uint_eq(fx.opened.generation, of_copy);
		ck_assert(fx.opened.zone_due);
		ck_assert_uint_gt(hf_store_generation(fx.store), of_copy + 1);
		if (start == 2)
			ck_assert_int_eq(hf_store_zone_taken(fx.store), 0);
		fixture_close(&fx);
	}
	fixture_open(&fx);
	ck_assert(!fx.opened.zone_due);
	ck_assert_uint_eq(fx.opened.generation, hf_store_generation(fx.store));
}
END_TEST

START_TEST(a_copy_put_there_by_hand_is_told_with_its_own_generation)
{
	fill(true);
	fixture_copy(&fx, ".copy", "");
	fixture_remove(&fx, ".copy");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert(fx.opened.zone_due);
	ck_assert_uint_eq(fx.opened.generation, generation - 1);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert(!fx.opened.zone_due);
}
END_TEST

/* As in a_clock_that_is_far_ahead_does_not_send_the_serial_backwards. */
START_TEST(a_copy_does_not_follow_a_clock_that_is_far_ahead)
{
	fill(true);
	damage("");
	fx.clock.wall = INT64_C(4070908800) * 1000;
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert_uint_eq(hf_store_generation(fx.store), fx.opened.generation + 1);
}
END_TEST

/* --- at open --- */

START_TEST(a_damaged_store_is_set_aside_and_the_copy_taken)
{
	uint8_t *before, *after;
	size_t n, m;
	char *note;

	fill(true);
	damage("");
	ck_assert_int_eq(hf_file_read(-100, fx.path, 1 << 30, &before, &n), 0);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert_str_eq(fx.opened.aside, fixture_file(&fx, ".damaged-20231114-221320"));
	ck_assert_str_eq(fx.opened.reason, "a row of table 'agent' is damaged");
	ck_assert_int_eq(hf_file_read(-100, fx.opened.aside, 1 << 30, &after, &m), 0);
	ck_assert_uint_eq(n, m);
	ck_assert_mem_eq(before, after, n); /* not a byte of it was touched */
	free(before);
	free(after);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	world_check(fx.store, &world);
	ck_assert_mem_ne(hf_store_epoch(fx.store), epoch, 16);
	ck_assert_uint_gt(hf_store_generation(fx.store), generation - 1);
	ck_assert(hf_store_ready(fx.store));
	ck_assert(hf_store_attempt_spent(fx.store));
	note = read_note();
	ck_assert_ptr_nonnull(strstr(note, "\nstate: spent\nfrom: copy\ntries: 1\n"));
	free(note);
	apply_diff(&world, &later);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	world_check(fx.store, &later);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 1);
}
END_TEST

START_TEST(without_a_copy_it_begins_empty)
{
	fill(false);
	damage("");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_EMPTY);
	ck_assert_str_ne(fx.opened.aside, "");
	ck_assert_mem_ne(hf_store_epoch(fx.store), epoch, 16);
	ck_assert(!hf_store_ready(fx.store));
	check_empty();
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
}
END_TEST

static void copy_damaged(void)
{
	damage(".copy");
}

static void copy_empty(void)
{
	fixture_truncate(&fx, ".copy", 0);
}

static void copy_junk(void)
{
	fixture_write(&fx, ".copy", "this is no database at all", 26);
}

static void copy_symlink(void)
{
	fixture_remove(&fx, ".copy");
	ck_assert_int_eq(symlink("/etc/passwd", fixture_file(&fx, ".copy")), 0);
}

static void copy_newer(void)
{
	fixture_sql(&fx, ".copy", "PRAGMA user_version=7;UPDATE meta SET version=7,oldest=7");
}

static void copy_foreign(void)
{
	fixture_remove(&fx, ".copy");
	fixture_write(&fx, ".copy", "", 0);
	fixture_sql(&fx, ".copy", "CREATE TABLE diary(day TEXT)");
}

static void (*const no_good[])(
    void) = { copy_damaged, copy_empty, copy_junk, copy_symlink, copy_newer, copy_foreign };

START_TEST(a_copy_that_is_no_good_is_not_taken)
{
	fill(true);
	damage("");
	no_good[_i]();
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_EMPTY);
	check_empty();
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 1);
	ck_assert_uint_eq(fixture_count(&fx, ".new"), 0);
}
END_TEST

START_TEST(its_wal_is_set_aside_with_it)
{
	fixture_open(&fx);
	world_all(&later, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	fixture_crash(&fx);
	fixture_flip(&fx, "", 30, 0xff); /* in the head, which the WAL does not have */
	fixture_truncate(&fx, "", 5000);
	fixture_write(&fx, "-shm", "junk", 4);
	fixture_truncate(&fx, "-wal", 20);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_EMPTY);
	ck_assert(fixture_exists(&fx, ".damaged-20231114-221320"));
	ck_assert_int_eq(fixture_size(&fx, ".damaged-20231114-221320-wal"), 20);
	ck_assert_int_eq(fixture_size(&fx, ".damaged-20231114-221320-shm"), 4);
}
END_TEST

START_TEST(nothing_that_was_set_aside_before_is_overwritten)
{
	fill(false);
	damage("");
	fixture_write(&fx, ".damaged-20231114-221320", "one", 3);
	fixture_write(&fx, ".damaged-20231114-221320-2-wal", "two", 3);
	fixture_open(&fx);
	ck_assert_str_eq(fx.opened.aside, fixture_file(&fx, ".damaged-20231114-221320-3"));
	ck_assert_int_eq(fixture_size(&fx, ".damaged-20231114-221320"), 3);
}
END_TEST

/* --- once --- */

START_TEST(a_second_damage_leaves_the_file_and_fails_loudly)
{
	struct hf_changeset c = { .wall_s = FIXTURE_WALL_S };
	struct hf_store_walk *walk;
	struct hf_cursor cursor;
	struct stat before, after;
	const char *reason;

	fill(true);
	damage("");
	fixture_open(&fx);
	apply_diff(&world, &later);
	fixture_close(&fx);
	damage("");
	ck_assert_int_eq(stat(fx.path, &before), 0);
	for (int start = 0; start < 3; start++) {
		fixture_open(&fx);
		ck_assert_int_eq(fx.opened.origin, HF_STORE_SPENT);
		ck_assert_int_eq(hf_store_get_state(fx.store, &reason, NULL), HF_STORE_FAILED);
		ck_assert_ptr_nonnull(strstr(reason, "a row of table 'agent' is damaged"));
		ck_assert_ptr_nonnull(strstr(reason, fx.path));
		ck_assert_ptr_nonnull(strstr(reason, "holdfastctl resync --recover"));
		check_empty();
		world_all(&later, FIXTURE_WALL_S, &changes);
		ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), HF_EDAMAGED);
		ck_assert_int_eq(hf_store_apply(fx.store, &c), 0); /* nothing to write */
		ck_assert_int_eq(hf_store_set_ready(fx.store), HF_EDAMAGED);
		ck_assert_int_eq(hf_store_copy_begin(fx.store), HF_EDAMAGED);
		ck_assert_int_eq(hf_store_cursor_get(fx.store, "unbound", &cursor), 0);
		ck_assert_int_eq(hf_store_walk_new(fx.store, &walk), 0);
		ck_assert_int_eq(hf_store_walk_step(walk, 1, NULL, NULL), 0);
		hf_store_walk_free(walk);
		ck_assert_int_eq(
		    hf_store_recover(fx.store, world_image(&later), &fx.opened), HF_EDAMAGED);
		ck_assert_int_eq(fixture_state(&fx), HF_STORE_FAILED);
		fixture_close(&fx);
	}
	ck_assert_int_eq(stat(fx.path, &after), 0);
	ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 1);
}
END_TEST

START_TEST(rearmed_it_recovers_once_more)
{
	fill(true);
	damage("");
	fixture_open(&fx);
	apply_diff(&world, &later);
	fixture_close(&fx);
	damage("");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_SPENT);
	ck_assert_int_eq(hf_store_attempt_rearm(fx.store), 0);
	ck_assert(!hf_store_attempt_spent(fx.store));
	ck_assert(!fixture_exists(&fx, ".recovery"));
	fixture_close(&fx);
	hf_fake_clock_add(&fx.clock, 1000);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged-20231114-221320"), 1);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged-20231114-221321"), 1);
	ck_assert_int_eq(hf_store_attempt_rearm(fx.store), 0); /* after an hour fresh */
	ck_assert_int_eq(hf_store_attempt_rearm(fx.store), 0);
}
END_TEST

static const char *const garbled[] = {
	"x",
	"holdfast-recovery 1\n",
	"holdfast-recovery 2\nstate: started\nfrom: copy\ntries: 1\nbegan: 1\nepoch: 00000000000000000000000000000000\n"
	"aside: a\nreason: r\n",
	"holdfast-recovery 1\nstate: began\nfrom: copy\ntries: 1\nbegan: 1\nepoch: 00000000000000000000000000000000\n"
	"aside: a\nreason: r\n",
	"holdfast-recovery 1\nstate: started\nfrom: nowhere\ntries: 1\nbegan: 1\n"
	"epoch: 00000000000000000000000000000000\naside: a\nreason: r\n",
	"holdfast-recovery 1\nstate: started\nfrom: copy\ntries: many\nbegan: 1\n"
	"epoch: 00000000000000000000000000000000\naside: a\nreason: r\n",
	"holdfast-recovery 1\nstate: started\nfrom: copy\ntries: 1\nbegan: -1\n"
	"epoch: 00000000000000000000000000000000\naside: a\nreason: r\n",
	"holdfast-recovery 1\nstate: started\nfrom: copy\ntries: 1\nbegan: 1\nepoch: 0000\naside: a\nreason: r\n",
	"holdfast-recovery 1\nstate: started\nfrom: copy\ntries: 1\nbegan: 1\n"
	"epoch: 0000000000000000000000000000000z\naside: a\nreason: r\n",
	"holdfast-recovery 1\nstate: started\nfrom: copy\ntries: 1\nbegan: 1\n"
	"epoch: 00000000000000000000000000000000\naside: ../../etc/passwd\nreason: r\n",
	"holdfast-recovery 1\nstate: started\nfrom: copy\ntries: 1\nbegan: 1\n"
	"epoch: 00000000000000000000000000000000\naside: a\nreason: cut off",
};

START_TEST(a_note_that_cannot_be_understood_allows_nothing)
{
	fill(true);
	damage("");
	fixture_write(&fx, ".recovery", garbled[_i], strlen(garbled[_i]));
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_SPENT);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
}
END_TEST

START_TEST(an_empty_note_is_none)
{
	fill(true);
	damage("");
	fixture_write(&fx, ".recovery", "", 0);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
}
END_TEST

START_TEST(a_note_with_a_null_in_it_allows_nothing)
{
	fill(true);
	damage("");
	fixture_write(&fx, ".recovery", "\0\0\0\0", 4);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_SPENT);
}
END_TEST

START_TEST(a_sound_store_opens_whatever_the_note_says)
{
	fill(true);
	fixture_write(&fx, ".recovery", "x", 1);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert(hf_store_attempt_spent(fx.store));
	world_check(fx.store, &later);
}
END_TEST

/* --- begun and not ended --- */

static const uint8_t other_epoch[16] = { 1, 2, 3, 4 };

START_TEST(it_goes_on_where_nothing_was_done_yet)
{
	fill(true);
	damage("");
	write_note("started", 1, other_epoch, "store.db.damaged-20200101-000000");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert_str_eq(fx.opened.aside, fixture_file(&fx, ".damaged-20200101-000000"));
	ck_assert_str_eq(fx.opened.reason, "it was damaged");
	ck_assert_mem_eq(hf_store_epoch(fx.store), other_epoch, 16);
	world_check(fx.store, &world);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 1);
	ck_assert(hf_store_attempt_spent(fx.store));
}
END_TEST

START_TEST(it_goes_on_where_the_file_was_moved_and_its_wal_was_not)
{
	fill(true);
	ck_assert_int_eq(rename(fx.path, fixture_file(&fx, ".damaged-20200101-000000")), 0);
	fixture_write(&fx, "-wal", "of the damaged one", 18);
	write_note("started", 1, other_epoch, "store.db.damaged-20200101-000000");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert_int_eq(fixture_size(&fx, ".damaged-20200101-000000-wal"), 18);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(it_is_done_where_the_new_store_has_its_place)
{
	char *note;

	fill(true);
	write_note("started", 1, epoch, "store.db.damaged-20200101-000000");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert_str_eq(fx.opened.aside, fixture_file(&fx, ".damaged-20200101-000000"));
	world_check(fx.store, &later);
	note = read_note();
	ck_assert_ptr_nonnull(strstr(note, "\nstate: spent\n"));
	free(note);
}
END_TEST

START_TEST(it_was_not_needed_where_the_store_is_sound_after_all)
{
	fill(true);
	write_note("started", 1, other_epoch, "store.db.damaged-20200101-000000");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	world_check(fx.store, &later);
	ck_assert(!hf_store_attempt_spent(fx.store));
	ck_assert(!fixture_exists(&fx, ".recovery"));
}
END_TEST

START_TEST(what_is_damaged_a_second_time_in_the_midst_gets_a_name_of_its_own)
{
	fill(true);
	damage("");
	fixture_write(&fx, ".damaged-20200101-000000", "first", 5);
	write_note("started", 1, other_epoch, "store.db.damaged-20200101-000000");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_COPY);
	ck_assert_str_eq(fx.opened.aside, fixture_file(&fx, ".damaged-20231114-221320"));
	ck_assert_int_eq(fixture_size(&fx, ".damaged-20200101-000000"), 5);
}
END_TEST

static const struct {
	unsigned tries;
	enum hf_store_origin want;
} crashes[] = {
	{ 1, HF_STORE_COPY },
	{ 2, HF_STORE_COPY },
	{ 3, HF_STORE_EMPTY },
	{ 4, HF_STORE_EMPTY },
	{ 5, HF_STORE_SPENT },
	{ 999999, HF_STORE_SPENT },
};

START_TEST(a_recovery_that_crashes_each_time_ends)
{
	fill(true);
	damage("");
	write_note("started", crashes[_i].tries, other_epoch, "store.db.damaged-20200101-000000");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, crashes[_i].want);
}
END_TEST

/* --- while it runs --- */

static int ignore_line(const struct hf_history_line *line, void *arg)
{
	return 0;
}

/* Opens, since at open only what state needs is read; then the damaged row is met. */
static void open_and_find_damage(void)
{
	static const char word[] = "addeddiff";
	off_t at;

	fill(true);
	at = fixture_find(&fx, "", word, sizeof(word) - 1);
	ck_assert_int_ge(at, 0);
	fixture_flip(&fx, "", at, 0x02);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert_int_eq(
	    hf_store_history(fx.store, NULL, SIZE_MAX, ignore_line, NULL), HF_EDAMAGED);
}

START_TEST(damage_that_is_met_while_it_runs_is_mended_out_of_memory)
{
	const char *reason;
	struct world before = later;
	struct prng p = { .state = 5 };

	open_and_find_damage();
	ck_assert_int_eq(hf_store_get_state(fx.store, &reason, NULL), HF_STORE_RECOVERING);
	ck_assert_ptr_nonnull(strstr(reason, "a row of table 'change' is damaged"));
	world_all(&later, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), HF_EDAMAGED);
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&later), &fx.opened), 0);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_IMAGE);
	ck_assert_str_eq(fx.opened.aside, fixture_file(&fx, ".damaged-20231114-221320"));
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	ck_assert_mem_ne(hf_store_epoch(fx.store), epoch, 16);
	ck_assert_uint_gt(hf_store_generation(fx.store), generation);
	ck_assert(hf_store_ready(fx.store));
	ck_assert(hf_store_attempt_spent(fx.store));
	ck_assert_int_eq(hf_store_names_since(fx.store, generation, NULL, NULL), -ESTALE);
	world_check(fx.store, &later);
	world_change(&later, &p, 10);
	apply_diff(&before, &later);
	fixture_close(&fx);
	fixture_open(&fx);
	world_check(fx.store, &later);
}
END_TEST

START_TEST(it_is_mended_once)
{
	open_and_find_damage();
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&later), &fx.opened), 0);
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&later), &fx.opened), HF_EDAMAGED);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_FAILED);
	ck_assert_ptr_nonnull(strstr(fixture_reason(&fx), "resync --recover"));
	ck_assert_int_eq(hf_store_set_ready(fx.store), 0); /* it is ready */
	world_all(&later, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), HF_EDAMAGED);
	fixture_close(&fx);
	fixture_open(&fx); /* sound on disk */
	world_check(fx.store, &later);
	ck_assert(hf_store_attempt_spent(fx.store));
}
END_TEST

static void take_away(void)
{
	fixture_remove(&fx, "");
}

static void put_another(void)
{
	fixture_copy(&fx, "", ".another");
	ck_assert_int_eq(rename(fixture_file(&fx, ".another"), fx.path), 0);
}

static void put_folder(void)
{
	fixture_remove(&fx, "");
	ck_assert_int_eq(mkdir(fx.path, 0700), 0);
}

static void put_symlink(void)
{
	fixture_remove(&fx, "");
	ck_assert_int_eq(symlink("/etc/passwd", fx.path), 0);
}

static const struct {
	void (*change)(void);
	bool aside, spent;
} replaced[] = {
	{ take_away, false, false }, /* gone is not damaged */
	{ put_another, true, true },
	{ put_folder, true, true },
	{ put_symlink, true, true },
};

START_TEST(a_file_that_is_taken_away_or_replaced_is_noticed_before_anything_is_lost)
{
	struct world before = later;
	struct prng p = { .state = 5 };

	fill(false);
	fixture_open(&fx);
	replaced[_i].change();
	world_change(&later, &p, 10);
	world_diff(&before, &later, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), HF_EDAMAGED);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_RECOVERING);
	ck_assert_ptr_nonnull(strstr(fixture_reason(&fx), "taken away or replaced"));
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&before), &fx.opened), 0);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_IMAGE);
	ck_assert_int_eq(hf_store_attempt_spent(fx.store), replaced[_i].spent);
	ck_assert_int_eq(fixture_exists(&fx, ".damaged-20231114-221320"), replaced[_i].aside);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	world_check(fx.store, &later);
}
END_TEST

START_TEST(a_wal_that_is_taken_away_loses_nothing)
{
	struct world before = later;
	struct prng p = { .state = 5 };

	fill(false);
	fixture_open(&fx);
	world_change(&later, &p, 10);
	apply_diff(&before, &later);
	fixture_remove(&fx, "-wal"); /* with the change in it */
	before = later;
	world_change(&later, &p, 10);
	apply_diff(&before, &later);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	fixture_crash(&fx);
	fixture_open(&fx);
	world_check(fx.store, &later);
	ck_assert(!hf_store_attempt_spent(fx.store));
}
END_TEST

START_TEST(the_copy_finds_damage_and_does_not_replace_a_good_one)
{
	struct hf_store_stats stats;
	struct stat before, after;

	fill(true);
	fixture_open(&fx);
	ck_assert_int_eq(stat(fixture_file(&fx, ".copy"), &before), 0);
	damage("");
	ck_assert_int_eq(hf_store_copy_begin(fx.store), 0);
	fixture_wait_copy(&fx);
	hf_store_get_stats(fx.store, &stats);
	ck_assert_int_eq(stats.copy_error, HF_EDAMAGED);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_RECOVERING);
	ck_assert_int_eq(stat(fixture_file(&fx, ".copy"), &after), 0);
	ck_assert(before.st_ino == after.st_ino);
	ck_assert(!fixture_exists(&fx, ".copy.tmp"));
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&later), &fx.opened), 0);
	world_check(fx.store, &later);
}
END_TEST

START_TEST(a_changeset_that_was_begun_is_given_up_by_a_recovery)
{
	open_and_find_damage();
	fixture_close(&fx);
	fixture_open(&fx);
	world_all(&later, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_step(fx.store, 0), 1);
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&later), &fx.opened), 0);
	ck_assert_int_eq(hf_store_step(fx.store, 0), -EINVAL);
	world_check(fx.store, &later);
}
END_TEST

Suite *store_recovery_suite(void)
{
	Suite *s = suite_create("store_recovery");
	TCase *tc = tcase_create("recovery");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_the_zone_knows_is_due_until_it_was_taken);
	tcase_add_test(tc, a_copy_put_there_by_hand_is_told_with_its_own_generation);
	tcase_add_test(tc, a_copy_does_not_follow_a_clock_that_is_far_ahead);
	tcase_add_test(tc, a_damaged_store_is_set_aside_and_the_copy_taken);
	tcase_add_test(tc, without_a_copy_it_begins_empty);
	tcase_add_loop_test(
	    tc, a_copy_that_is_no_good_is_not_taken, 0, sizeof(no_good) / sizeof(no_good[0]));
	tcase_add_test(tc, its_wal_is_set_aside_with_it);
	tcase_add_test(tc, nothing_that_was_set_aside_before_is_overwritten);
	tcase_add_test(tc, a_second_damage_leaves_the_file_and_fails_loudly);
	tcase_add_test(tc, rearmed_it_recovers_once_more);
	tcase_add_loop_test(tc, a_note_that_cannot_be_understood_allows_nothing, 0,
	    sizeof(garbled) / sizeof(garbled[0]));
	tcase_add_test(tc, an_empty_note_is_none);
	tcase_add_test(tc, a_note_with_a_null_in_it_allows_nothing);
	tcase_add_test(tc, a_sound_store_opens_whatever_the_note_says);
	tcase_add_test(tc, it_goes_on_where_nothing_was_done_yet);
	tcase_add_test(tc, it_goes_on_where_the_file_was_moved_and_its_wal_was_not);
	tcase_add_test(tc, it_is_done_where_the_new_store_has_its_place);
	tcase_add_test(tc, it_was_not_needed_where_the_store_is_sound_after_all);
	tcase_add_test(tc, what_is_damaged_a_second_time_in_the_midst_gets_a_name_of_its_own);
	tcase_add_loop_test(
	    tc, a_recovery_that_crashes_each_time_ends, 0, sizeof(crashes) / sizeof(crashes[0]));
	tcase_add_test(tc, damage_that_is_met_while_it_runs_is_mended_out_of_memory);
	tcase_add_test(tc, it_is_mended_once);
	tcase_add_loop_test(tc,
	    a_file_that_is_taken_away_or_replaced_is_noticed_before_anything_is_lost, 0,
	    sizeof(replaced) / sizeof(replaced[0]));
	tcase_add_test(tc, a_wal_that_is_taken_away_loses_nothing);
	tcase_add_test(tc, the_copy_finds_damage_and_does_not_replace_a_good_one);
	tcase_add_test(tc, a_changeset_that_was_begun_is_given_up_by_a_recovery);
	suite_add_tcase(s, tc);
	return s;
}
