/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes back out of the published zone: where the store was lost, and where it is older than
 * the zone.
 */
#include <check.h>
#include <string.h>

#include "tests/unit/state/state_kit.h"

Suite *state_restore_suite(void);

static struct kit *k;

static void setup(void)
{
	k = kit_new();
}

static void teardown(void)
{
	kit_free(k);
}

/* A name of the zone, with the address of an agent. */
static struct hf_restored_row row(const char *name, unsigned agent, uint8_t flags)
{
	struct hf_uuid id = kit_agent_id(agent);
	struct hf_restored_row r = { .primary = true, .flags = flags, .first_seen_s = 1600000000 };

	ck_assert_int_eq(hf_name_parse(name, &r.name), 0);
	hf_addr_of_agent(&id, r.addr);
	return r;
}

static unsigned holds;
static uint32_t held_names;

static int count_hold(const struct hf_hold_view *hold, void *arg)
{
	holds++;
	held_names += hold->workspaces;
	return 0;
}

static unsigned n_holds(void)
{
	holds = held_names = 0;
	hf_state_each_hold_view(k->state, k->now, count_hold, NULL);
	return holds;
}

START_TEST(marks_of_the_zone_stay)
{
	struct hf_restored_row rows[] = { row("a.coder", 1, HF_REC_HELD), row("b.coder", 2, 0) };

	ck_assert_int_eq(hf_state_restore(k->state, rows, 2, k->now), 0);
	ck_assert_int_eq(kit_flags(k, "a.coder"), HF_REC_RESTORED | HF_REC_PRIMARY | HF_REC_HELD);
	ck_assert_int_eq(kit_flags(k, "b.coder"), HF_REC_RESTORED | HF_REC_PRIMARY);
	ck_assert_uint_eq(n_holds(), 1);
	kit_restart(k);
	kit_login(k);
	/* The held one is not counted again, and waits for more than a snapshot. */
	kit_snapshot(k, "main", 1, "9=new:9=x");
	ck_assert_int_eq(kit_flags(k, "a.coder"), HF_REC_RESTORED | HF_REC_PRIMARY | HF_REC_HELD);
	ck_assert_int_eq(kit_flags(k, "b.coder"), -1);
	kit_pass(k, 601, true);
	kit_login(k);
	kit_snapshot(k, "main", 1, "9=new:9=x");
	ck_assert_int_eq(kit_flags(k, "a.coder"), -1);
	ck_assert_uint_eq(n_holds(), 0);
	kit_check(k);
}
END_TEST

/* What waits of a source as a whole asks its own owners, followed ones, and no others. */
START_TEST(owners_of_another_source_hold_nothing_up)
{
	struct hf_restored_row rows[] = { row("a.coder", 1, HF_REC_HELD) };
	const struct hf_identity bob = { .user = kit_id(2), .user_name = "bob" };
	struct hf_name lab;
	struct hf_judgement j;

	ck_assert_int_eq(hf_name_parse("lab", &lab), 0);
	k->sources[1] = k->sources[0];
	k->sources[1].name = "lab";
	k->sources[1].url = "https://lab.example";
	k->sources[1].suffix = &lab;
	k->conf.n_sources = 2;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	ck_assert_int_eq(hf_state_identify(k->state, "lab", &bob, k->now, &j), 0);
	ck_assert_int_eq(hf_state_owner_set(k->state, "lab", &bob.user, "bob", k->now), 0);
	ck_assert_int_eq(hf_state_restore(k->state, rows, 1, k->now), 0);
	kit_login(k);
	kit_snapshot(k, "main", 1, "9=new:9=x");
	kit_pass(k, 601, true);
	kit_login(k);
	kit_snapshot(k, "main", 1, "9=new:9=x");
	ck_assert_int_eq(kit_flags(k, "a.coder"), -1);
	kit_check(k);
}
END_TEST

START_TEST(a_source_that_was_withdrawn_stays_so)
{
	struct hf_restored_row rows[] = { row("a.coder", 1, HF_REC_WITHDRAWN) };

	k->conf.max_age_ms = 3600 * 1000;
	hf_state_configure(k->state, &k->conf, k->now);
	hf_state_away(k->state, "main", k->now);
	ck_assert_int_eq(hf_state_restore(k->state, rows, 1, k->now), 0);
	ck_assert_int_eq(
	    kit_flags(k, "a.coder"), HF_REC_RESTORED | HF_REC_PRIMARY | HF_REC_WITHDRAWN);
	/* A reload, and a restart, do not bring it back: a message does. */
	hf_state_configure(k->state, &k->conf, k->now);
	kit_restart(k);
	ck_assert_int_eq(
	    kit_flags(k, "a.coder"), HF_REC_RESTORED | HF_REC_PRIMARY | HF_REC_WITHDRAWN);
	kit_login(k);
	kit_snapshot(k, "main", 1, "9=new:9=x 8=other:8=x");
	ck_assert_int_eq(kit_flags(k, "new.coder"), HF_REC_PRIMARY & 0);
	kit_check(k);
}
END_TEST

START_TEST(a_source_is_pinned_to_what_the_zone_says)
{
	struct hf_identity other = {
		.user = kit_id(1), .user_name = "alice", .deployment_id = "d2"
	};
	struct hf_uuid bob = kit_id(2);
	struct hf_judgement j;

	hf_state_free(k->state);
	ck_assert_int_eq(hf_state_new(&k->conf, NULL, k->now, &k->state), 0);
	ck_assert_int_eq(hf_state_restore_source(k->state, 0, NULL, "d1", &bob, k->now), 0);
	ck_assert_int_eq(hf_state_identify(k->state, "main", &other, k->now, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_HELD);
	/* What the zone does not say changes nothing. */
	ck_assert_int_eq(hf_state_restore_source(k->state, 0, NULL, "", NULL, k->now), 0);
	ck_assert_int_eq(hf_state_identify(k->state, "main", &other, k->now, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_HELD);
	/* A zone that is newer than the store: the operator had accepted it. */
	ck_assert_int_eq(hf_state_restore_source(k->state, 0, NULL, "d2", NULL, k->now), 0);
	ck_assert(!hf_state_identity_held(k->state, "main"));
	ck_assert_int_eq(hf_state_identify(k->state, "main", &other, k->now, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_ACCEPTED);
}
END_TEST

/* Numbers that no source has: of a zone of another configuration. */
START_TEST(of_a_source_that_is_not_there_nothing_is_restored)
{
	static const uint32_t none[] = { 1, HF_ZONE_SOURCES_MAX, UINT32_MAX };
	struct hf_uuid bob = kit_id(2);
	struct hf_name suffix;

	ck_assert_int_eq(hf_name_parse("other", &suffix), 0);
	kit_commit(k);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(hf_state_restore_suffix(k->state, none[i], &suffix), 0);
		ck_assert_int_eq(
		    hf_state_restore_source(k->state, none[i], &suffix, "d9", &bob, k->now), 0);
	}
	ck_assert(!kit_commit(k));
}
END_TEST

/* A zone that says whose it is and has no names: there is nothing to restore after it. */
START_TEST(what_the_zone_says_of_a_source_is_settled_at_once)
{
	struct hf_uuid bob = kit_id(2);

	k->sources[0].sentinel = true;
	hf_state_free(k->state);
	ck_assert_int_eq(hf_state_new(&k->conf, NULL, k->now, &k->state), 0);
	ck_assert_int_eq(hf_state_restore_source(k->state, 0, NULL, "d1", &bob, k->now), 0);
	ck_assert(kit_commit(k));
	hf_state_tick(k->state, k->now);
	ck_assert(!kit_commit(k));
	kit_check(k);
}
END_TEST

START_TEST(another_user_than_the_zones_holds_its_names)
{
	struct hf_restored_row rows[] = { row("a.coder", 1, 0) };
	struct hf_uuid bob = kit_id(2);

	hf_state_free(k->state);
	ck_assert_int_eq(hf_state_new(&k->conf, NULL, k->now, &k->state), 0);
	ck_assert_int_eq(hf_state_restore_source(k->state, 0, NULL, NULL, &bob, k->now), 0);
	ck_assert_int_eq(hf_state_restore(k->state, rows, 1, k->now), 0);
	kit_login(k); /* as alice */
	kit_snapshot(k, "main", 1, "9=new:9=x");
	ck_assert_int_eq(kit_flags(k, "a.coder"), HF_REC_RESTORED | HF_REC_PRIMARY | HF_REC_HELD);
	kit_check(k);
}
END_TEST

/* The copy has dev, old and gone; since then gone was deleted, dev rebuilt, and new made. */
static void take_newer_zone(void)
{
	struct hf_restored_row rows[] = { row("dev.coder", 8, 0), row("old.coder", 2, 0),
		row("new.coder", 9, 0) };

	kit_snapshot(
	    k, "main", 1, "1=dev:7=x 2=old:2=x 3=gone:3=x 4=gone2:4=x 5=gone3:5=x 6=gone4:6=x");
	kit_commit(k);
	kit_restart(k);
	ck_assert_int_eq(hf_state_restore_newer(k->state, rows, 3, k->now), 0);
}

static void check_zones_names(void)
{
	ck_assert(kit_has(k, "dev.coder", 8));
	ck_assert(kit_has(k, "old.coder", 2));
	ck_assert(kit_has(k, "new.coder", 9));
	ck_assert_uint_eq(kit_count(k), 3);
	kit_check(k);
}

START_TEST(the_names_of_a_newer_zone_win_until_they_are_confirmed)
{
	take_newer_zone();
	check_zones_names();
	kit_restart(k);
	check_zones_names();
	kit_login(k);
	check_zones_names();
	/*
	 * What the copy had and the zone had not any more needs no hold: nothing of it was served.
	 */
	kit_snapshot(k, "main", 1, "1=dev:8=x 2=old:2=x 9=new:9=x");
	ck_assert_uint_eq(k->judgement.held, 0);
	ck_assert_uint_eq(n_holds(), 0);
	ck_assert(kit_has(k, "x.dev.me.coder", 8));
	ck_assert(kit_has(k, "x.new.me.coder", 9));
	ck_assert_uint_eq(kit_count(k), 9);
	kit_check(k);
	kit_restart(k);
	ck_assert_uint_eq(kit_count(k), 9);
	ck_assert_int_eq(kit_flags(k, "gone.coder"), -1);
}
END_TEST

START_TEST(an_empty_snapshot_after_a_newer_zone_holds_its_names)
{
	take_newer_zone();
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 3);
	ck_assert_uint_eq(n_holds(), 1);
	ck_assert_uint_eq(held_names, 3);
	kit_check(k);
}
END_TEST

START_TEST(an_owner_that_is_lost_before_its_snapshot_takes_no_name_of_the_zone_along)
{
	struct hf_uuid bob = kit_id(2);
	static const unsigned only_alice[] = { 1, 0 };
	struct hf_restored_row rows[] = { row("x.his.bob.coder", 2, 0), row("own.coder", 1, 0) };

	k->sources[0].n_owners = 2;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &bob, "bob", k->now), 0);
	kit_snapshot(k, "main", 1, "1=own:1=x");
	kit_snapshot(k, "main", 2, "2=his:2=x");
	kit_commit(k);
	kit_restart(k);
	ck_assert_int_eq(hf_state_restore_newer(k->state, rows, 2, k->now), 0);
	kit_login(k);
	kit_snapshot(k, "main", 1, "1=own:1=x");
	/* bob is configured, and not named by REST yet. */
	ck_assert_int_eq(kit_flags(k, "x.his.bob.coder"), HF_REC_RESTORED | HF_REC_PRIMARY);
	kit_settled(k, only_alice);
	ck_assert_int_eq(
	    kit_flags(k, "x.his.bob.coder"), HF_REC_RESTORED | HF_REC_PRIMARY | HF_REC_HELD);
	kit_check(k);
}
END_TEST

Suite *state_restore_suite(void)
{
	Suite *s = suite_create("state_restore");
	TCase *tc = tcase_create("restore");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, marks_of_the_zone_stay);
	tcase_add_test(tc, owners_of_another_source_hold_nothing_up);
	tcase_add_test(tc, a_source_that_was_withdrawn_stays_so);
	tcase_add_test(tc, a_source_is_pinned_to_what_the_zone_says);
	tcase_add_test(tc, of_a_source_that_is_not_there_nothing_is_restored);
	tcase_add_test(tc, what_the_zone_says_of_a_source_is_settled_at_once);
	tcase_add_test(tc, another_user_than_the_zones_holds_its_names);
	tcase_add_test(tc, the_names_of_a_newer_zone_win_until_they_are_confirmed);
	tcase_add_test(tc, an_empty_snapshot_after_a_newer_zone_holds_its_names);
	tcase_add_test(
	    tc, an_owner_that_is_lost_before_its_snapshot_takes_no_name_of_the_zone_along);
	suite_add_tcase(s, tc);
	return s;
}
