/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large message is taken up in slices: what each call does is bounded, whatever the message says,
 * and counted here by the names, records and addresses that it goes through (the state counts them
 * itself, in the functions that do the work), not by a clock.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/objects.h"
#include "tests/unit/state/state_kit.h"

Suite *state_slices_suite(void);

enum {
	RECORDS = 6000,
	SLICE = 100,
	/*
	 * A record has at most three names, an address, and a workspace around it; each may be
	 * left, entered and settled.
	 */
	WORK_MAX = 20,
};

static struct kit *k;
static struct hf_update update;
static char names[RECORDS][12];

static struct hf_uuid id_of(uint8_t kind, uint32_t life, uint32_t n)
{
	struct hf_uuid id = { { kind, (uint8_t)life } };

	memcpy(id.b + 8, &n, sizeof(n));
	id.b[6] = (uint8_t)life;
	return id;
}

/* One agent in each of the workspaces; another `life`: all of them were built again. */
static void fill(uint32_t life)
{
	for (uint32_t i = 0; i < RECORDS; i++) {
		int len = snprintf(names[i], sizeof(names[i]), "w%u", i);

		update.upserted_workspaces[i] = (struct hf_update_workspace){ id_of(1, 0, i),
			{ names[i], (uint32_t)len }, HF_WS_RUNNING };
		update.upserted_agents[i] =
		    (struct hf_update_agent){ id_of(2, life, i), id_of(1, 0, i), { "main", 4 } };
	}
}

static void setup(void)
{
	k = kit_new();
	update = (struct hf_update){ .kind = HF_UPDATE_SNAPSHOT,
		.owner = kit_id(1),
		.upserted_workspaces = calloc(RECORDS, sizeof(struct hf_update_workspace)),
		.upserted_agents = calloc(RECORDS, sizeof(struct hf_update_agent)) };
	ck_assert_ptr_nonnull(update.upserted_workspaces);
	ck_assert_ptr_nonnull(update.upserted_agents);
	fill(0);
}

static void teardown(void)
{
	free(update.upserted_workspaces);
	free(update.upserted_agents);
	kit_free(k);
}

/*
 * The first n workspaces with their agents, in slices; each did no more than it may. Returns how
 * many there were.
 */
static unsigned take_up(uint32_t n)
{
	uint64_t before = k->state->work;
	unsigned slices = 1;
	int rc;

	update.n_upserted_workspaces = update.n_upserted_agents = n;
	rc = hf_state_update_begin(k->state, "main", &update, k->now, SLICE, &k->judgement);
	for (;;) {
		ck_assert_uint_le(k->state->work - before, SLICE * WORK_MAX);
		if (rc != 1)
			break;
		before = k->state->work;
		slices++;
		rc = hf_state_update_step(k->state, SLICE, &k->judgement);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(k->judgement.verdict, HF_VERDICT_ACCEPTED);
	return slices;
}

static void commit(void)
{
	const struct hf_changeset *changes;

	ck_assert_int_ge(hf_state_take(k->state, k->now, &changes), 0);
	hf_state_committed(k->state);
}

static void grace_and_login(void)
{
	for (int i = 0; i < 700; i++) {
		k->now.boot_ms += 1000;
		k->now.wall_s++;
		hf_state_contact(k->state, "main", k->now);
		hf_state_tick(k->state, k->now);
	}
	kit_login(k);
	update.connected_ms = k->connected_ms;
}

START_TEST(no_call_does_more_than_a_slice)
{
	/* The first one, an equal one, all built again, half of it gone and held, ... */
	ck_assert_uint_ge(take_up(RECORDS), RECORDS / SLICE * 4);
	ck_assert_uint_eq(hf_state_n_names(k->state), 3 * RECORDS);
	commit();
	take_up(RECORDS);
	ck_assert(!hf_state_dirty(k->state));
	fill(1);
	ck_assert_uint_ge(take_up(RECORDS), RECORDS / SLICE * 4);
	ck_assert_uint_eq(hf_state_n_names(k->state), 3 * RECORDS);
	commit();
	take_up(RECORDS / 4);
	ck_assert_uint_eq(k->judgement.held, RECORDS / 4 * 3);
	ck_assert_uint_eq(hf_state_n_names(k->state), 3 * RECORDS);
	commit();
	/* ... back, all of it held, released. */
	take_up(RECORDS);
	ck_assert_uint_eq(k->judgement.held, 0);
	commit();
	take_up(0);
	ck_assert_uint_eq(k->judgement.held, RECORDS);
	commit();
	grace_and_login();
	take_up(0);
	ck_assert_uint_eq(hf_state_n_names(k->state), 0);
}
END_TEST

START_TEST(names_that_a_policy_took_out_come_back_in_slices)
{
	take_up(RECORDS);
	commit();
	k->conf.max_age_ms = 60000;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	hf_state_away(k->state, "main", k->now);
	k->now.boot_ms += 120000;
	hf_state_tick(k->state, k->now);
	commit();
	ck_assert(k->state->sources[0].row.withdrawn);
	ck_assert_uint_ge(take_up(RECORDS), RECORDS / SLICE * 4);
	ck_assert(!k->state->sources[0].row.withdrawn);
	ck_assert_uint_eq(k->state->n_dirty, 3 * RECORDS);
}
END_TEST

/*
 * After a zone that was newer than the store: what the owner has is not served before its snapshot.
 */
START_TEST(an_owner_that_was_not_seen_gets_its_names_in_slices)
{
	struct hf_restored_row row = { .source = 0 };

	take_up(RECORDS);
	commit();
	ck_assert_int_eq(hf_name_parse("other.coder", &row.name), 0);
	ck_assert_int_eq(hf_state_restore_newer(k->state, &row, 1, k->now), 0);
	commit();
	ck_assert_uint_eq(hf_state_n_names(k->state), 1);
	ck_assert_uint_ge(take_up(RECORDS / 2), RECORDS / 2 / SLICE * 4);
	ck_assert_uint_ge(hf_state_n_names(k->state), 3 * RECORDS / 2);
}
END_TEST

/* Which is most of them: nothing is different for those. */
START_TEST(a_small_message_is_taken_up_by_the_first_call)
{
	k->slice = 64;
	ck_assert_int_eq(
	    kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main"), HF_VERDICT_ACCEPTED);
	ck_assert_uint_eq(k->slices, 1);
	ck_assert_int_eq(kit_diff(k, "main", 1, "3=db:9=main", "2"), HF_VERDICT_ACCEPTED);
	ck_assert_uint_eq(k->slices, 1);
	ck_assert_uint_eq(kit_count(k), 6);
}
END_TEST

START_TEST(what_is_refused_is_refused_by_the_first_call)
{
	struct hf_judgement j;
	struct hf_update u = update;

	u.owner = kit_id(5);
	ck_assert_int_eq(hf_state_update_begin(k->state, "main", &u, k->now, 1, &j), -ENOENT);
	u = (struct hf_update){ .kind = HF_UPDATE_DIFF, .owner = kit_id(1) };
	ck_assert_int_eq(hf_state_update_begin(k->state, "main", &u, k->now, 1, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_REFUSED);
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
}
END_TEST

START_TEST(between_two_slices_nothing_else_changes_it)
{
	k->slice = 1;
	k->between = kit_try_all;
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main,9=b");
	ck_assert_uint_gt(k->slices, 10);
	kit_check(k);
	ck_assert_uint_eq(kit_count(k), 7);
	kit_snapshot(k, "main", 1, "1=other:7=main 2=web:8=main");
	kit_check(k);
	ck_assert(kit_has(k, "other.coder", 7));
	ck_assert(kit_has(k, "web.coder", 8));
	ck_assert_uint_eq(kit_count(k), 6);
	/* When it is through it is its owner's again. */
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
}
END_TEST

START_TEST(it_may_end_between_two_slices)
{
	update.n_upserted_workspaces = update.n_upserted_agents = RECORDS;
	ck_assert_int_eq(
	    hf_state_update_begin(k->state, "main", &update, k->now, 2 * RECORDS, &k->judgement),
	    1);
	/* teardown() frees it, and then the message. */
}
END_TEST

Suite *state_slices_suite(void)
{
	Suite *s = suite_create("state_slices");
	TCase *tc = tcase_create("slices");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_call_does_more_than_a_slice);
	tcase_add_test(tc, names_that_a_policy_took_out_come_back_in_slices);
	tcase_add_test(tc, an_owner_that_was_not_seen_gets_its_names_in_slices);
	tcase_add_test(tc, a_small_message_is_taken_up_by_the_first_call);
	tcase_add_test(tc, what_is_refused_is_refused_by_the_first_call);
	tcase_add_test(tc, between_two_slices_nothing_else_changes_it);
	tcase_add_test(tc, it_may_end_between_two_slices);
	suite_add_tcase(s, tc);
	return s;
}
