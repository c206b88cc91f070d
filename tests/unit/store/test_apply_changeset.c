/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *apply_changeset_suite(void);

static struct fixture fx;
static struct world world;
static struct world_changes changes;

static void setup(void)
{
	fixture_init(&fx);
	fixture_open(&fx);
	world_init(&world, 7);
	world_all(&world, FIXTURE_WALL_S, &changes);
}

static void teardown(void)
{
	fixture_done(&fx);
}

static bool is_empty(void)
{
	struct hf_image *image;
	bool empty;

	ck_assert_int_eq(hf_store_load(fx.store, &image), 0);
	empty = image->n_sources + image->n_workspaces + image->n_agents + image->n_restored == 0;
	hf_image_free(image);
	return empty;
}

START_TEST(nothing_shows_before_the_last_slice)
{
	size_t slices = 0;
	int rc;

	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
	while ((rc = hf_store_step(fx.store, 0)) == 1) {
		ck_assert(is_empty());
		ck_assert_uint_eq(hf_store_generation(fx.store), 0);
		slices++;
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_gt(slices, 2);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(nothing_of_it_is_there_after_an_end_in_the_midst)
{
	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(hf_store_step(fx.store, 0), 1);
	if (_i == 0)
		fixture_crash(&fx);
	else
		fixture_close(&fx);
	fixture_open(&fx);
	ck_assert(is_empty());
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(what_was_given_up_can_be_begun_again)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
		for (int k = 0; k < i; k++)
			ck_assert_int_eq(hf_store_step(fx.store, 0), 1);
		hf_store_abort(fx.store);
		hf_store_abort(fx.store);
		ck_assert_int_eq(hf_store_step(fx.store, 0), -EINVAL);
		ck_assert(is_empty());
	}
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(applying_it_again_changes_nothing_but_the_generation)
{
	uint64_t generation;

	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	generation = hf_store_generation(fx.store);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), generation + 1);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(an_empty_changeset_writes_nothing)
{
	struct hf_changeset nothing = { .wall_s = FIXTURE_WALL_S };
	struct hf_store_stats stats;

	ck_assert_int_eq(hf_store_begin(fx.store, &nothing), 0);
	ck_assert_int_eq(hf_store_begin(fx.store, &nothing), -EBUSY);
	ck_assert_int_eq(hf_store_step(fx.store, 0), 0);
	ck_assert_int_eq(hf_store_apply(fx.store, &nothing), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), 0);
	hf_store_get_stats(fx.store, &stats);
	ck_assert_uint_eq(stats.commits, 0);
}
END_TEST

/* --- the generation --- */

START_TEST(the_generation_rises_with_each_changeset_and_is_not_behind_the_clock)
{
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S + 1);
	hf_fake_clock_add(&fx.clock, 3600 * 1000);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S + 3600);
	fx.clock.wall = -1; /* before 1970, even */
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S + 3601);
	fixture_close(&fx);
	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S + 3602);
}
END_TEST

START_TEST(the_generation_rises_above_what_others_have_seen)
{
	hf_store_seen_generation(fx.store, FIXTURE_WALL_S + 500);
	hf_store_seen_generation(fx.store, FIXTURE_WALL_S + 400);
	hf_store_seen_generation(fx.store, UINT64_MAX); /* nobody can have seen that */
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S + 501);
}
END_TEST

/* What a secondary has seen as serial a and is offered as b: RFC 1982. */
static bool is_forward(uint64_t a, uint64_t b)
{
	return (int32_t)((uint32_t)b - (uint32_t)a) > 0;
}

START_TEST(a_clock_that_is_far_ahead_does_not_send_the_serial_backwards)
{
	static const int64_t year_2099_s = 4070908800,
			     far_s[] = { INT64_C(1) << 31, INT64_C(1) << 33 };
	uint64_t before, after;

	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	before = hf_store_generation(fx.store);
	/* By less than half of the serial's numbers it may jump: that is forward. */
	fx.clock.wall = ((int64_t)before + INT32_MAX) * 1000;
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), before + INT32_MAX);
	ck_assert(is_forward(before, hf_store_generation(fx.store)));
	for (size_t i = 0; i < sizeof(far_s) / sizeof(far_s[0]); i++) {
		before = hf_store_generation(fx.store);
		fx.clock.wall = ((int64_t)before + far_s[i]) * 1000;
		ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
		ck_assert_uint_eq(hf_store_generation(fx.store), before + 1);
	}
	/* The same where only the zone tells what was seen. */
	fixture_close(&fx);
	fixture_sweep(&fx);
	fx.clock.wall = year_2099_s * 1000;
	fixture_open(&fx);
	hf_store_seen_generation(fx.store, FIXTURE_WALL_S);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	after = hf_store_generation(fx.store);
	ck_assert(is_forward(FIXTURE_WALL_S, after));
	ck_assert_uint_eq(after, FIXTURE_WALL_S + 1);
	/* And then the clock is right again. */
	fx.clock.wall = (FIXTURE_WALL_S + 100) * INT64_C(1000);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_uint_eq(hf_store_generation(fx.store), FIXTURE_WALL_S + 100);
}
END_TEST

START_TEST(numbers_of_rows_are_never_used_again)
{
	struct hf_row_change gone[2] = {
		{ .kind = HF_ROW_AGENT, .removed = true, .rid = 15 },
		{ .kind = HF_ROW_WORKSPACE, .removed = true, .rid = 11 },
	};
	struct hf_changeset c = { .rows = gone, .n_rows = 2, .wall_s = FIXTURE_WALL_S };
	struct hf_image *image;

	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	for (int start = 0; start < 2; start++) {
		ck_assert_int_eq(hf_store_load(fx.store, &image), 0);
		ck_assert_uint_eq(image->next_agent, 16);
		ck_assert_uint_eq(image->next_workspace, 12);
		ck_assert_uint_lt(image->agents[image->n_agents - 1].rid, 15);
		hf_image_free(image);
		fixture_close(&fx);
		fixture_open(&fx);
	}
}
END_TEST

/* --- what could not be read back is refused, and harms nothing --- */

static void bad_label(void)
{
	snprintf(changes.after.agents[0].row.name, HF_LABEL_MAX, "not a label");
}

static void upper_label(void)
{
	snprintf(changes.after.workspaces[0].row.name, HF_LABEL_MAX, "Upper");
}

static void endless_label(void)
{
	memset(changes.after.owners[0].row.name, 'a', sizeof(changes.after.owners[0].row.name));
}

static void endless_text(void)
{
	memset(changes.after.sources[0].row.url, 'a', sizeof(changes.after.sources[0].row.url));
}

static void bad_names(void)
{
	changes.after.agents[0].row.names = 8;
}

static void bad_primary(void)
{
	changes.after.agents[0].row.names = 3;
	changes.after.agents[0].row.primary = 4;
}

static void two_primaries(void)
{
	changes.after.agents[0].row.names = 3;
	changes.after.agents[0].row.primary = 3;
}

static void bad_rid(void)
{
	changes.after.agents[0].row.workspace = UINT32_MAX;
}

static void bad_suffix(void)
{
	changes.after.sources[0].row.suffix =
	    (struct hf_name){ .len = 5, .wire = { 9, 'a', 'b', 'c', 0 } };
}

static void root_suffix(void)
{
	changes.after.sources[0].row.suffix = (struct hf_name){ .len = 1 };
}

static void huge_number(void)
{
	changes.after.sources[0].row.away_ms = UINT64_MAX;
}

static void bad_kind(void)
{
	changes.rows[0].kind = (enum hf_row_kind)77;
}

static void no_row(void)
{
	changes.rows[0].row.source = NULL;
}

static void nameless_change(void)
{
	changes.names[0].name.len = 0;
}

static void nameless_restored(void)
{
	changes.set.n_restored = 1;
}

static void (*const mistakes[])(void) = {
	bad_label,
	upper_label,
	endless_label,
	endless_text,
	bad_names,
	bad_primary,
	two_primaries,
	bad_rid,
	bad_suffix,
	root_suffix,
	huge_number,
	bad_kind,
	no_row,
	nameless_change,
	nameless_restored,
};

START_TEST(a_row_that_could_not_be_read_back_is_refused_with_all_that_came_with_it)
{
	mistakes[_i]();
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), -EINVAL);
	ck_assert_int_eq(fixture_state(&fx), HF_STORE_OK);
	ck_assert(is_empty());
	world_all(&world, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	world_check(fx.store, &world);
}
END_TEST

/* --- names that are asked for one by one, and too many to be listed --- */

static size_t asked;

static void name_at(const struct hf_changeset *c, size_t i, struct hf_name_change *ret_change)
{
	const struct hf_name_change *names = c->names_arg;

	asked++;
	*ret_change = names[i];
}

static int take_line(const struct hf_history_line *line, void *arg)
{
	char *text = arg;

	snprintf(text, 200, "%s|%s|%s|%.120s", line->name, line->what, line->reason, line->detail);
	return 1;
}

static int count_name(const struct hf_name_change *c, uint64_t generation, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

START_TEST(names_that_are_asked_for_one_by_one_are_the_same)
{
	struct hf_changeset c = changes.set;
	size_t n = 0;

	c.names = NULL;
	c.names_arg = changes.names;
	c.name_at = name_at;
	asked = 0;
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	ck_assert_uint_eq(asked, c.n_names);
	ck_assert_int_eq(hf_store_names_since(fx.store, 0, count_name, &n), 0);
	ck_assert_uint_eq(n, c.n_names);
}
END_TEST

START_TEST(more_names_than_the_log_keeps_are_one_line)
{
	struct hf_changeset c = changes.set;
	char text[200] = "", want[200];

	fixture_close(&fx);
	fx.opts.log_max = (uint32_t)c.n_names - 1;
	fixture_open(&fx);
	c.names = NULL;
	c.names_arg = changes.names;
	c.name_at = name_at;
	asked = 0;
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	ck_assert_uint_le(asked, 1); /* to tell why, no more */
	ck_assert_int_eq(hf_store_names_since(fx.store, 0, count_name, NULL), -ESTALE);
	ck_assert_int_eq(
	    hf_store_names_since(fx.store, hf_store_generation(fx.store), count_name, NULL), 0);
	ck_assert_int_eq(hf_store_history(fx.store, NULL, 10, take_line, text), 1);
	snprintf(want, sizeof(want), "|summary|diff|%zu names (%zu rows set, 0 removed)", c.n_names,
	    c.n_rows);
	ck_assert_str_eq(text, want);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(names_that_were_not_listed_at_all_are_one_line)
{
	struct hf_changeset c = changes.set;
	char text[200] = "";

	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	c.names = NULL;
	c.n_names = 0;
	c.names_reset = true;
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	ck_assert_int_eq(hf_store_names_since(fx.store, FIXTURE_WALL_S, count_name, NULL), -ESTALE);
	ck_assert_int_eq(hf_store_history(fx.store, NULL, 10, take_line, text), 1);
	ck_assert_ptr_nonnull(strstr(text, "|summary|diff|all names ("));
	c.n_rows = 0;
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	ck_assert_int_eq(hf_store_history(fx.store, NULL, 10, take_line, text), 1);
	ck_assert_str_eq(text, "|summary|snapshot|all names (0 rows set, 0 removed)");
}
END_TEST

/* --- holds --- */

START_TEST(a_hold_is_told_when_it_begins_and_when_it_ends)
{
	struct hf_hold_row hold = {
		.rid = 4,
		.owner = 1,
		.source = 1,
		.kind = "mass-removal",
		.detail = "9 of 10 workspaces",
		.since_s = FIXTURE_WALL_S,
	};
	struct hf_row_change row = {
		.kind = HF_ROW_HOLD, .rid = 4, .why = HF_WHY_HELD, .row.hold = &hold
	};
	struct hf_changeset c = { .rows = &row, .n_rows = 1, .wall_s = FIXTURE_WALL_S };
	char text[200], want[200];
	uint64_t lines[3];

	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	ck_assert_int_eq(hf_store_history(fx.store, NULL, 1, take_line, text), 1);
	snprintf(want, sizeof(want), "|hold|held|source-1/%.63s: mass-removal, 9 of 10 workspaces",
	    world.owners[1].row.name);
	ck_assert_str_eq(text, want);
	lines[0] = hf_store_generation(fx.store);
	hold.fresh_ms = 60000; /* the time goes on: no line each minute */
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	lines[1] = hf_store_generation(fx.store);
	ck_assert_uint_gt(lines[1], lines[0]);
	row.removed = true;
	row.row.hold = NULL;
	row.why = HF_WHY_ACCEPTED;
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	ck_assert_int_eq(hf_store_history(fx.store, NULL, 1, take_line, text), 1);
	ck_assert_ptr_nonnull(strstr(text, "|hold-ended|accepted|source-1/"));
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0); /* it is gone already */
	fixture_close(&fx);
	ck_assert_int_eq(
	    fixture_number(&fx, "", "SELECT count(*) FROM change WHERE what LIKE 'hold%'"), 2);
}
END_TEST

START_TEST(a_hold_of_a_whole_source_names_no_owner)
{
	struct hf_hold_row hold = {
		.rid = 0, .owner = UINT32_MAX, .source = 0, .kind = "deployment"
	};
	struct hf_row_change row = { .kind = HF_ROW_HOLD, .why = HF_WHY_HELD, .row.hold = &hold };
	struct hf_changeset c = { .rows = &row, .n_rows = 1, .wall_s = FIXTURE_WALL_S };
	char text[200];

	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_apply(fx.store, &c), 0);
	ck_assert_int_eq(hf_store_history(fx.store, NULL, 1, take_line, text), 1);
	ck_assert_str_eq(text, "|hold|held|source-0: deployment");
}
END_TEST

START_TEST(a_slice_ends_when_its_time_is_up)
{
	/* With all the time there is one step is enough, with none there are many. */
	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_step(fx.store, UINT32_MAX), 0);
	ck_assert_int_eq(hf_store_begin(fx.store, &changes.set), 0);
	ck_assert_int_eq(hf_store_step(fx.store, 0), 1);
}
END_TEST

Suite *apply_changeset_suite(void)
{
	Suite *s = suite_create("apply_changeset");
	TCase *tc = tcase_create("apply");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_shows_before_the_last_slice);
	tcase_add_loop_test(tc, nothing_of_it_is_there_after_an_end_in_the_midst, 0, 2);
	tcase_add_test(tc, what_was_given_up_can_be_begun_again);
	tcase_add_test(tc, applying_it_again_changes_nothing_but_the_generation);
	tcase_add_test(tc, an_empty_changeset_writes_nothing);
	tcase_add_test(tc, the_generation_rises_with_each_changeset_and_is_not_behind_the_clock);
	tcase_add_test(tc, the_generation_rises_above_what_others_have_seen);
	tcase_add_test(tc, a_clock_that_is_far_ahead_does_not_send_the_serial_backwards);
	tcase_add_test(tc, numbers_of_rows_are_never_used_again);
	tcase_add_loop_test(tc,
	    a_row_that_could_not_be_read_back_is_refused_with_all_that_came_with_it, 0,
	    sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(tc, names_that_are_asked_for_one_by_one_are_the_same);
	tcase_add_test(tc, more_names_than_the_log_keeps_are_one_line);
	tcase_add_test(tc, names_that_were_not_listed_at_all_are_one_line);
	tcase_add_test(tc, a_hold_is_told_when_it_begins_and_when_it_ends);
	tcase_add_test(tc, a_hold_of_a_whole_source_names_no_owner);
	tcase_add_test(tc, a_slice_ends_when_its_time_is_up);
	suite_add_tcase(s, tc);
	return s;
}
