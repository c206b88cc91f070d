/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"
#include "zone/agent_names.h"
#include "zone/record.h"

Suite *name_walk_suite(void);

static struct fixture fx;
static struct world world, later;
static struct world_changes changes;

static void setup(void)
{
	struct prng p = { .state = 8 };

	fixture_init(&fx);
	fixture_open(&fx);
	world_init(&world, 8);
	world.sources[0].row.sentinel = true;
	world.sources[1].row.withdrawn = true;
	world_all(&world, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	later = world;
	world_change(&later, &p, 30);
}

static void teardown(void)
{
	fixture_done(&fx);
}

static int follow(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	world_names_follow(arg, c);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct hf_name_change *x = a, *y = b;
	int rc = memcmp(
	    x->name.wire, y->name.wire, x->name.len < y->name.len ? x->name.len : y->name.len);

	return rc ? rc : (int)x->name.len - (int)y->name.len;
}

static bool equals(struct world_names *have, const struct world *w)
{
	static struct world_names want;

	world_names(w, &want);
	qsort(have->names, have->n, sizeof(have->names[0]), by_name);
	return world_names_equal(have, &want);
}

START_TEST(in_slices_it_is_one_generation_whatever_is_written_meanwhile)
{
	static struct world_names have;
	struct hf_store_walk *walk;
	uint64_t generation = hf_store_generation(fx.store);
	size_t steps = 0;
	int rc;

	ck_assert_int_eq(hf_store_walk_new(fx.store, &walk), 0);
	do {
		rc = hf_store_walk_step(walk, 3, follow, &have);
		if (steps++ == 2) {
			world_diff(&world, &later, FIXTURE_WALL_S, &changes);
			ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
		}
	} while (rc == 1);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_gt(steps, 5);
	ck_assert_uint_eq(hf_store_walk_generation(walk), generation);
	ck_assert_uint_gt(hf_store_generation(fx.store), generation);
	ck_assert_int_eq(hf_store_walk_step(walk, 3, follow, &have), 0); /* it stays done */
	hf_store_walk_free(walk);
	ck_assert(equals(&have, &world));
	world_check(fx.store, &later);
}
END_TEST

START_TEST(two_walks_and_a_load_do_not_disturb_each_other)
{
	static struct world_names one, two;
	struct hf_store_walk *first, *second;
	struct hf_image *image;
	int rc = 1;

	ck_assert_int_eq(hf_store_walk_new(fx.store, &first), 0);
	ck_assert_int_eq(hf_store_walk_step(first, 5, follow, &one), 1);
	ck_assert_int_eq(hf_store_walk_new(fx.store, &second), 0);
	ck_assert_int_eq(hf_store_load(fx.store, &image), 0);
	hf_image_free(image);
	while (rc == 1) {
		rc = hf_store_walk_step(second, 2, follow, &two);
		hf_store_walk_step(first, 2, follow, &one);
	}
	while (hf_store_walk_step(first, 2, follow, &one) == 1)
		;
	ck_assert(equals(&one, &world));
	ck_assert(equals(&two, &world));
	hf_store_walk_free(first);
	hf_store_walk_free(second);
	hf_store_walk_free(NULL);
}
END_TEST

/*
 * A walk reads by a connection of its own. SQLite cannot say whether it was damage: the store has
 * to check the file.
 */
START_TEST(damage_that_a_walk_meets_is_checked)
{
	static struct world_names have;
	off_t page;

	fixture_close(&fx);
	fixture_open(&fx);
	page = fixture_number(&fx, "", "SELECT rootpage FROM sqlite_master WHERE name = 'agent'");
	fixture_flip(&fx, "", (page - 1) * 4096, 0xff);
	ck_assert_int_eq(hf_store_names_all(fx.store, follow, &have), -EIO);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_NOT_WRITTEN);
	ck_assert_int_eq(hf_store_try(fx.store), HF_EDAMAGED);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_RECOVERING);
}
END_TEST

/* The same of a page that cannot be read for a moment: nothing is recovered. */
START_TEST(a_read_of_a_walk_that_failed_once_is_no_damage)
{
	static struct world_names have;
	off_t page;

	fixture_close(&fx);
	fixture_open(&fx);
	page = fixture_number(&fx, "", "SELECT rootpage FROM sqlite_master WHERE name = 'agent'");
	fixture_flip(&fx, "", (page - 1) * 4096, 0xff);
	ck_assert_int_eq(hf_store_names_all(fx.store, follow, &have), -EIO);
	fixture_flip(&fx, "", (page - 1) * 4096, 0xff);
	ck_assert_int_eq(hf_store_try(fx.store), 0);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	memset(&have, 0, sizeof(have));
	ck_assert_int_eq(hf_store_names_all(fx.store, follow, &have), 0);
	ck_assert(equals(&have, &world));
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
}
END_TEST

static int stop_at_three(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	return ++*(int *)arg == 3 ? 99 : 0;
}

START_TEST(what_a_callback_says_ends_the_walk)
{
	int n = 0;

	ck_assert_int_eq(hf_store_names_all(fx.store, stop_at_three, &n), 99);
	ck_assert_int_eq(n, 3);
}
END_TEST

struct found {
	size_t held, withdrawn, primary, restored, sentinel;
};

static int look(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	struct found *f = arg;
	char text[HF_NAME_TEXT_MAX];

	f->held += !!(c->flags & HF_REC_HELD);
	f->withdrawn += !!(c->flags & HF_REC_WITHDRAWN);
	f->primary += !!(c->flags & HF_REC_PRIMARY);
	f->restored += !!(c->flags & HF_REC_RESTORED);
	if (!strcmp(hf_name_text(&c->name, text), "is.coder--connect--enabled--right--now.coder")) {
		f->sentinel++;
		ck_assert(c->owner == UINT32_MAX && c->agent == UINT32_MAX && c->flags == 0);
		ck_assert_uint_eq(c->addr[15], 0x53);
	}
	ck_assert(hf_addr_is_ours(c->addr) || (c->flags & HF_REC_RESTORED));
	return 0;
}

START_TEST(flags_come_from_the_rows_that_they_belong_to)
{
	struct found f = { 0 };

	world.workspaces[0].row.held = world.workspaces[1].row.held = true;
	world.agents[0].row.names = world.agents[1].row.names = HF_NAME_ALL;
	world.agents[0].row.primary = HF_NAME_OWNER;
	world_all(&world, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_names_all(fx.store, look, &f), 0);
	ck_assert_uint_ge(f.held, 6);
	ck_assert_uint_gt(f.withdrawn, 0);
	ck_assert_uint_gt(f.primary, 0);
	ck_assert_uint_eq(f.restored, 0);
	ck_assert_uint_eq(f.sentinel, 1);
}
END_TEST

START_TEST(names_that_cannot_be_are_left_out)
{
	/* An owner whose name is not known, a suffix that is not known, a name over 255 octets. */
	struct found f = { 0 };

	for (size_t i = 0; i < WORLD_OWNERS; i++)
		world.owners[i].row.name[0] = '\0';
	world.sources[1].row.suffix.len = 0;
	world.sources[0].row.suffix.len = 0;
	for (int i = 0; i < 3; i++) {
		char label[HF_LABEL_MAX + 1];

		memset(label, 'a' + i, sizeof(label) - 1);
		label[HF_LABEL_MAX] = '\0';
		if (i == 0)
			ck_assert_int_eq(hf_name_parse("coder", &world.sources[0].row.suffix), 0);
		ck_assert_int_eq(
		    hf_name_prepend(&world.sources[0].row.suffix, label, HF_LABEL_MAX), 0);
	}
	for (size_t i = 0; i < WORLD_WORKSPACES; i++) {
		memset(world.workspaces[i].row.name, 'w', HF_LABEL_MAX);
		world.workspaces[i].row.name[HF_LABEL_MAX] = '\0';
	}
	world_all(&world, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_names_all(fx.store, look, &f), 0);
	ck_assert_uint_eq(f.primary + f.sentinel, 0);
}
END_TEST

START_TEST(a_restored_name_comes_before_a_live_one)
{
	static struct world_names have;
	struct hf_name_change live;

	world_names_get(fx.store, &have);
	live = have.names[0];
	for (size_t i = 0; i < have.n; i++) {
		if (have.names[i].agent != UINT32_MAX)
			live = have.names[i];
	}
	world.restored[0].on = true;
	world.restored[0].row =
	    (struct hf_restored_row){ .name = live.name, .addr = { 1 }, .source = 0 };
	world_all(&world, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	have.n = 0;
	ck_assert_int_eq(hf_store_names_all(fx.store, follow, &have), 0);
	for (size_t i = 0; i < have.n; i++) {
		if (hf_name_equal(&have.names[i].name, &live.name))
			ck_assert_mem_eq(have.names[i].addr, live.addr, 16);
	}
	world_check(fx.store, &world);
}
END_TEST

START_TEST(a_row_that_is_damaged_while_it_runs_is_noticed)
{
	const struct hf_uuid *id = &world.agents[3].row.id;
	static struct world_names have;
	int rc;

	fixture_close(&fx);
	fixture_open(&fx);
	fixture_flip(&fx, "", fixture_find(&fx, "", id, sizeof(*id)) + 5, 4);
	have.n = 0;
	/* by a connection of its own: nothing is cached */
	rc = hf_store_names_all(fx.store, follow, &have);
	ck_assert_int_eq(rc, HF_EDAMAGED);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_RECOVERING);
	ck_assert_ptr_nonnull(strstr(fixture_reason(&fx), "a row of table 'agent' is damaged"));
	ck_assert_int_eq(hf_store_recover(fx.store, world_image(&world), &fx.opened), 0);
	world_check(fx.store, &world);
}
END_TEST

Suite *name_walk_suite(void)
{
	Suite *s = suite_create("name_walk");
	TCase *tc = tcase_create("walk");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, in_slices_it_is_one_generation_whatever_is_written_meanwhile);
	tcase_add_test(tc, damage_that_a_walk_meets_is_checked);
	tcase_add_test(tc, a_read_of_a_walk_that_failed_once_is_no_damage);
	tcase_add_test(tc, two_walks_and_a_load_do_not_disturb_each_other);
	tcase_add_test(tc, what_a_callback_says_ends_the_walk);
	tcase_add_test(tc, flags_come_from_the_rows_that_they_belong_to);
	tcase_add_test(tc, names_that_cannot_be_are_left_out);
	tcase_add_test(tc, a_restored_name_comes_before_a_live_one);
	tcase_add_test(tc, a_row_that_is_damaged_while_it_runs_is_noticed);
	suite_add_tcase(s, tc);
	return s;
}
