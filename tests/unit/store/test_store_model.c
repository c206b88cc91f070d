/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store against plain arrays: thousands of random changesets, in slices, all at once or given
 * up, with restarts and crashes between; after each step the store must hold exactly what the
 * arrays hold, and a follower of the change log must come to the same names.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *store_model_suite(void);

enum { PAST = 12 };

struct past {
	uint64_t generation;
	struct world_names names;
};

static struct fixture fx;
static struct world world, next;
static struct world_changes changes;
static struct past past[PAST]; /* names of earlier generations, as a follower had them */
static size_t n_past;

static void setup(void)
{
	fixture_init(&fx);
	fx.opts.log_max = 120;
	fx.opts.history_max = 150;
	fx.opts.checkpoint_pages = 30;
	fixture_open(&fx);
	n_past = 0;
}

static void teardown(void)
{
	fixture_done(&fx);
}

static void remember(void)
{
	struct past *p = &past[n_past++ % PAST];

	p->generation = hf_store_generation(fx.store);
	world_names(&world, &p->names);
}

static void apply_all(struct prng *p)
{
	uint64_t before = hf_store_generation(fx.store);
	bool empty = !changes.set.n_rows && !changes.set.n_names && !changes.set.n_restored &&
		     !changes.set.n_restored_gone;
	int rc;

	changes.set.names_reset = !empty && prng_below(p, 40) == 0;
	if (prng_below(p, 2)) {
		ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	} else {
		ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
		do {
			rc = hf_store_step(fx.store, 0);
			if (rc == 1 && prng_below(p, 8) == 0)
				world_check(fx.store, &world); /* nothing of it shows */
		} while (rc == 1);
		ck_assert_int_eq(rc, 0);
	}
	if (empty)
		ck_assert_uint_eq(hf_store_generation(fx.store), before);
	else
		ck_assert_uint_gt(hf_store_generation(fx.store), before);
	world = next;
}

static void give_up(struct prng *p)
{
	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
	for (size_t n = prng_below(p, 3); n; n--) {
		if (hf_store_step(fx.store, 0) != 1) {
			world = next;
			return;
		}
	}
	hf_store_abort(fx.store);
}

static int follow(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	ck_assert_uint_le(generation, hf_store_generation(fx.store));
	world_names_follow(arg, c);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct hf_name_change *x = a, *y = b;

	return memcmp(x->name.wire, y->name.wire, sizeof(x->name.wire));
}

/*
 * Who was at an earlier generation comes to the same names, or is told to take all. Returns whether
 * it could follow.
 */
static bool check_follower(const struct past *p)
{
	static struct world_names have, want;
	int rc;

	have = p->names;
	rc = hf_store_names_since(fx.store, p->generation, follow, &have);
	if (rc == -ESTALE)
		return false;
	ck_assert_int_eq(rc, 0);
	world_names(&world, &want);
	for (size_t i = 0; i < have.n; i++)
		memset(have.names[i].name.wire + have.names[i].name.len, 0,
		    255u - have.names[i].name.len);
	for (size_t i = 0; i < want.n; i++)
		memset(want.names[i].name.wire + want.names[i].name.len, 0,
		    255u - want.names[i].name.len);
	qsort(have.names, have.n, sizeof(have.names[0]), by_name);
	qsort(want.names, want.n, sizeof(want.names[0]), by_name);
	ck_assert(world_names_equal(&have, &want));
	return true;
}

static void restart(struct prng *p)
{
	uint64_t generation = hf_store_generation(fx.store);
	uint8_t epoch[16];

	memcpy(epoch, hf_store_epoch(fx.store), sizeof(epoch));
	if (prng_below(p, 2))
		fixture_crash(&fx);
	else
		fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert_uint_eq(hf_store_generation(fx.store), generation);
	ck_assert_mem_eq(hf_store_epoch(fx.store), epoch, sizeof(epoch));
}

static int count_line(const struct hf_history_line *line, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

#ifdef __SANITIZE_THREAD__
enum { FEW = 200 }; /* one thread does it all */
#else
enum { FEW = 500 };
#endif

START_TEST(holds_what_the_arrays_hold_at_every_step)
{
	const char *many = getenv("HF_LONG");
	size_t steps = many && *many == '1' ? 10000 : FEW, followed = 0, lines = 0;
	struct prng p = { .state = (uint64_t)_i + 1 };

	world_init(&world, (uint64_t)_i);
	world_all(&world, FIXTURE_WALL_S, &changes);
	next = world;
	apply_all(&p);
	for (size_t i = 0; i < steps; i++) {
		remember();
		next = world;
		world_change(&next, &p, prng_below(&p, 6));
		world_diff(&world, &next, FIXTURE_WALL_S + (int64_t)i, &changes);
		if (prng_below(&p, 5))
			apply_all(&p);
		else
			give_up(&p);
		hf_fake_clock_add(&fx.clock, (int64_t)prng_below(&p, 3000));
		if (prng_below(&p, 10) == 0)
			restart(&p);
		world_check(fx.store, &world);
		followed += check_follower(&past[prng_below(&p, n_past < PAST ? n_past : PAST)]);
	}
	ck_assert_uint_gt(followed, steps / 2);
	ck_assert_int_eq(hf_store_history(fx.store, NULL, SIZE_MAX, count_line, &lines), 0);
	ck_assert_uint_ge(lines, 100);
	ck_assert_uint_le(lines, 150 + 150 / 8 + 200);
}
END_TEST

Suite *store_model_suite(void)
{
	Suite *s = suite_create("store_model");
	TCase *tc = tcase_create("random");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, holds_what_the_arrays_hold_at_every_step, 0, 6);
	suite_add_tcase(s, tc);
	return s;
}
