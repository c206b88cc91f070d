/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits flipped, pieces cut off, zeroed or filled at random places of the store's files. What opens
 * is exactly what was there (of a WAL: a whole earlier generation); all else is noticed, and set
 * aside. HF_DAMAGE gives another number of tries.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *store_damage_suite(void);

enum { STEPS = 12, FILL_MAX = 5000 };

static struct fixture fx;
static struct world worlds[STEPS + 1];
static struct world_changes changes;
static uint64_t generations[STEPS + 1];

#ifdef __SANITIZE_THREAD__
enum { FEW = 60 }; /* one thread does it all */
#else
enum { FEW = 250 };
#endif

static size_t tries(void)
{
	const char *n = getenv("HF_DAMAGE"), *many = getenv("HF_LONG");

	return n ? strtoul(n, NULL, 10) : many && *many == '1' ? 10000 : FEW;
}

static void setup(void)
{
	static const struct world nothing;
	struct prng p = { .state = 31 };
	struct hf_store_stats stats;

	fixture_init(&fx);
	fixture_open(&fx);
	world_init(&worlds[0], 5);
	for (int i = 0; i <= STEPS; i++) {
		if (i) {
			worlds[i] = worlds[i - 1];
			world_change(&worlds[i], &p, 10);
		}
		world_diff(i ? &worlds[i - 1] : &nothing, &worlds[i], FIXTURE_WALL_S, &changes);
		ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
		generations[i] = hf_store_generation(fx.store);
	}
	hf_store_get_stats(fx.store, &stats);
	ck_assert_uint_gt(stats.wal_pages, 20);
}

static void teardown(void)
{
	fixture_done(&fx);
}

/* --- what is done to a file --- */

static void flip(struct prng *p, const char *tail, off_t size)
{
	fixture_flip(
	    &fx, tail, (off_t)prng_below(p, (size_t)size), (uint8_t)(1u << prng_below(p, 8)));
}

static void cut(struct prng *p, const char *tail, off_t size)
{
	fixture_truncate(&fx, tail, 1 + (off_t)prng_below(p, (size_t)size));
}

static void fill(struct prng *p, const char *tail, off_t size, uint8_t with)
{
	off_t at = (off_t)prng_below(p, (size_t)size), len = 1 + (off_t)prng_below(p, FILL_MAX);
	FILE *f = fopen(fixture_file(&fx, tail), "r+");
	uint8_t bytes[FILL_MAX];

	ck_assert_ptr_nonnull(f);
	memset(bytes, with, sizeof(bytes));
	fseek(f, at, SEEK_SET);
	fwrite(bytes, 1, (size_t)(len < size - at ? len : size - at), f);
	fclose(f);
}

static void zero(struct prng *p, const char *tail, off_t size)
{
	fill(p, tail, size, 0);
}

static void ones(struct prng *p, const char *tail, off_t size)
{
	fill(p, tail, size, 0xff);
}

/* A page of it is random: another file's, or a worn disk's. */
static void junk(struct prng *p, const char *tail, off_t size)
{
	FILE *f = fopen(fixture_file(&fx, tail), "r+");
	char page[4096];

	ck_assert_ptr_nonnull(f);
	prng_bytes(p, page, sizeof(page));
	fseek(f, (long)prng_below(p, (size_t)size / 4096) * 4096, SEEK_SET);
	fwrite(page, 1, sizeof(page), f);
	fclose(f);
}

static const struct {
	const char *what;
	void (*harm)(struct prng *p, const char *tail, off_t size);
	size_t share; /* one of so many tries */
} harms[] = {
	{ "a bit flipped", flip, 1 },
	{ "cut off", cut, 4 },
	{ "zeroed", zero, 4 },
	{ "filled", ones, 4 },
	{ "a page of junk", junk, 4 },
};
enum { N_HARMS = sizeof(harms) / sizeof(harms[0]) };

static int ignore_line(const struct hf_history_line *line, void *arg)
{
	return 0;
}

/* The last step, or (`earlier`) an earlier one, exactly. */
static bool holds_a_step(bool earlier)
{
	for (int i = STEPS; i >= (earlier ? 0 : STEPS); i--) {
		if (hf_store_generation(fx.store) == generations[i])
			return world_compare(fx.store, &worlds[i]) == NULL;
	}
	return earlier && hf_store_generation(fx.store) == 0; /* before the first */
}

/* Returns whether the harm was noticed. */
static bool check_opened(const char *what, size_t n, bool earlier)
{
	int rc = fixture_try_open(&fx);
	bool noticed;

	ck_assert_msg(rc == 0, "%s, try %zu: %s: %s", what, n, hf_strerror(rc), fx.opened.reason);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	noticed = fx.opened.origin != HF_STORE_OPENED;
	ck_assert(!noticed || fx.opened.origin == HF_STORE_EMPTY);
	ck_assert_msg(noticed || holds_a_step(earlier), "%s, try %zu: something else", what, n);
	ck_assert(fixture_exists(&fx, ".damaged-20231114-221320") == noticed);
	rc = hf_store_history(fx.store, NULL, SIZE_MAX, ignore_line, NULL);
	ck_assert(rc == 0 || (rc == HF_EDAMAGED && !noticed));
	fixture_close(&fx);
	return noticed || rc;
}

START_TEST(a_harmed_store_is_noticed_or_exactly_what_it_was)
{
	struct prng p = { .state = (uint64_t)_i + 1 };
	size_t noticed = 0, n = tries() / harms[_i].share;

	fixture_close(&fx);
	ck_assert(!fixture_exists(&fx, "-wal"));
	ck_assert_int_eq(rename(fx.path, fixture_file(&fx, ".good")), 0);
	for (size_t i = 0; i < n; i++) {
		fixture_sweep(&fx);
		fixture_copy(&fx, ".good", "");
		harms[_i].harm(&p, "", fixture_size(&fx, ""));
		noticed += check_opened(harms[_i].what, i, false);
	}
	/* Half of a small store is unused space, where a bit means nothing. */
	ck_assert_msg(noticed > n / 6, "%s: only %zu of %zu noticed", harms[_i].what, noticed, n);
}
END_TEST

START_TEST(a_harmed_wal_gives_a_whole_generation)
{
	struct prng p = { .state = (uint64_t)_i + 1 };
	size_t n = tries() / harms[_i].share;

	fixture_crash(&fx);
	ck_assert_int_gt(fixture_size(&fx, "-wal"), 20 * 4096);
	ck_assert_int_eq(rename(fx.path, fixture_file(&fx, ".good")), 0);
	ck_assert_int_eq(rename(fixture_file(&fx, "-wal"), fixture_file(&fx, ".good-wal")), 0);
	for (size_t i = 0; i < n; i++) {
		fixture_sweep(&fx);
		fixture_copy(&fx, ".good", "");
		fixture_copy(&fx, ".good-wal", "-wal");
		harms[_i].harm(&p, "-wal", fixture_size(&fx, "-wal"));
		check_opened(harms[_i].what, i, true);
	}
}
END_TEST

Suite *store_damage_suite(void)
{
	Suite *s = suite_create("store_damage");
	TCase *tc = tcase_create("damage");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 3000);
	tcase_add_loop_test(tc, a_harmed_store_is_noticed_or_exactly_what_it_was, 0, N_HARMS);
	tcase_add_loop_test(tc, a_harmed_wal_gives_a_whole_generation, 0, N_HARMS);
	suite_add_tcase(s, tc);
	return s;
}
