/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random messages, restarts and decisions; after each step the names that changesets left in a
 * store are exactly those that the state tells, and every name belongs to what upstream listed last
 * or what is held.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/state/state_kit.h"

Suite *state_model_suite(void);

enum { WORKSPACES = 14, TEXT = 4000 };

static unsigned rnd(unsigned *seed, unsigned n)
{
	return (unsigned)rand_r(seed) % n;
}

/* Ids, names and agents from small ranges, so that they clash. */
static void random_upserts(char *text, unsigned *seed, unsigned percent)
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned w = 1; w <= WORKSPACES; w++) {
		if (rnd(seed, 100) >= percent)
			continue;
		at += (size_t)snprintf(
		    text + at, TEXT - at, "%s%u=w%u", at ? " " : "", w, rnd(seed, 8));
		for (unsigned a = 0; a < rnd(seed, 3); a++)
			at += (size_t)snprintf(text + at, TEXT - at, "%c%u=%c", a ? ',' : ':',
			    rnd(seed, 30) + 1 + 100000 * rnd(seed, 2), (int)('a' + rnd(seed, 3)));
	}
}

static void random_gone(char *text, unsigned *seed)
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < rnd(seed, 4); i++)
		at += (size_t)snprintf(
		    text + at, TEXT - at, "%s%u", at ? " " : "", rnd(seed, WORKSPACES) + 1);
	for (unsigned i = 0; i < rnd(seed, 4); i++)
		at += (size_t)snprintf(
		    text + at, TEXT - at, "%s1:%u", at ? " " : "", rnd(seed, 30) + 1);
}

static void follow(struct kit *k)
{
	struct hf_uuid alice = kit_id(1), bob = kit_id(2);

	hf_state_owner_set(k->state, "main", &alice, "alice", k->now);
	hf_state_owner_set(k->state, "main", &bob, "bob", k->now);
	hf_state_owner_readable(k->state, "main", &alice, READABLE_YES, k->now.boot_ms);
	hf_state_owner_readable(k->state, "main", &bob, READABLE_YES, k->now.boot_ms);
}

static bool is_known(struct kit *k, unsigned owner)
{
	struct hf_uuid id = kit_id(owner);
	uint32_t source, ix;

	return hf_state_find(k->state, "main", &id, &source, &ix) && ix != UINT32_MAX;
}

static void try_snapshot(struct kit *k, unsigned owner, const char *text)
{
	if (is_known(k, owner))
		kit_snapshot(k, "main", owner, text);
}

/* Another user, other rights, one whom REST names no more: what the server says of people. */
static void say(struct kit *k, unsigned *seed)
{
	static const char *const rights[] = { NULL, "org:a", "org:a org:b", "org:b role:owner" };
	struct hf_identity id = { .user = kit_id(1 + rnd(seed, 2)),
		.user_name = "someone",
		.deployment_id = rnd(seed, 20) ? "d1" : NULL,
		.rights = rights[rnd(seed, 4)],
		.asked_ms = k->now.boot_ms };
	struct hf_uuid ws = kit_id(1 + rnd(seed, WORKSPACES)), owner = kit_id(rnd(seed, 3));
	struct hf_judgement j;

	ck_assert_int_eq(hf_state_identify(k->state, "main", &id, k->now, &j), 0);
	if (j.verdict == HF_VERDICT_ACCEPTED)
		hf_state_owner_set(k->state, "main", &id.user, "alice", k->now);
	if (rnd(seed, 2))
		k->connected_ms = k->now.boot_ms;
	if (rnd(seed, 3) == 0)
		hf_state_owners_settled(k->state, "main", k->now);
	if (rnd(seed, 3) == 0)
		hf_state_owner_missing(k->state, "main", "bob", k->now);
	hf_state_workspace_owner(k->state, "main", &ws, &owner, k->now);
	if (rnd(seed, 3))
		follow(k);
}

/* The same source under another name and back, and other people to follow. */
static void configure(struct kit *k, unsigned *seed)
{
	k->sources[0].n_owners = 1 + rnd(seed, 3);
	k->sources[0].name = "other";
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	k->sources[0].name = "main";
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	follow(k);
}

/* Whatever the store has, the zone's names are others. */
static void take_newer(struct kit *k, unsigned *seed)
{
	struct hf_restored_row rows[6];
	size_t n = rnd(seed, 6);

	for (size_t i = 0; i < n; i++) {
		struct hf_uuid id = kit_agent_id(1 + rnd(seed, 30));
		char label[8] = { 'w', (char)('0' + i), '\0' };

		memset(&rows[i], 0, sizeof(rows[i]));
		hf_name_parse("coder", &rows[i].name);
		hf_name_prepend(&rows[i].name, label, 2);
		hf_addr_of_agent(&id, rows[i].addr);
		rows[i].flags = rnd(seed, 3) ? 0 : HF_REC_HELD;
	}
	ck_assert_int_eq(hf_state_restore_newer(k->state, rows, n, k->now), 0);
}

static void step(struct kit *k, unsigned *seed)
{
	char text[TEXT], gone[TEXT];
	unsigned owner = 1 + rnd(seed, 2);

	switch (rnd(seed, 15)) {
	case 12:
		say(k, seed);
		break;
	case 13:
		configure(k, seed);
		break;
	case 14:
		if (rnd(seed, 8) == 0)
			take_newer(k, seed);
		break;
	case 0:
	case 1:
	case 2:
		random_upserts(text, seed, 10 + rnd(seed, 90));
		try_snapshot(k, owner, text);
		break;
	case 3:
		try_snapshot(k, owner, "");
		break;
	case 4:
		kit_commit(k);
		kit_restart(k);
		follow(k);
		break;
	case 5:
		hf_state_decide(k->state, "main", NULL, NULL,
		    rnd(seed, 2) ? HF_DECISION_ACCEPT : HF_DECISION_REJECT, k->now);
		break;
	case 6:
		kit_pass(k, rnd(seed, 700), rnd(seed, 2));
		break;
	default:
		random_upserts(text, seed, 10);
		random_gone(gone, seed);
		if (is_known(k, owner))
			kit_diff(k, "main", owner, text, gone);
	}
}

START_TEST(random_histories_keep_store_and_state_equal)
{
	unsigned seed = (unsigned)_i + 1;
	struct kit *k = kit_new();

	follow(k);
	for (int i = 0; i < 400; i++) {
		step(k, &seed);
		kit_check(k);
	}
	kit_free(k);
}
END_TEST

/* Whatever comes in between, and however short they are. */
START_TEST(in_slices_it_comes_to_the_same_as_at_once)
{
	unsigned seed = (unsigned)_i + 1000, again;
	struct kit *whole = kit_new(), *k = kit_new();

	k->between = kit_try_all;
	follow(whole);
	follow(k);
	for (int i = 0; i < 300; i++) {
		k->slice = 1 + (unsigned)(i + _i) % 9;
		again = seed;
		step(whole, &seed);
		step(k, &again);
		kit_same(whole, k);
		kit_check(k);
	}
	kit_free(whole);
	kit_free(k);
}
END_TEST

START_TEST(nothing_but_a_message_or_a_decision_removes)
{
	unsigned seed = (unsigned)_i + 100;
	struct kit *k = kit_new();
	size_t n;

	follow(k);
	for (int i = 0; i < 40; i++) {
		step(k, &seed);
		/* whoever was renamed has the name again that is told after the restart */
		follow(k);
		n = kit_count(k);
		hf_state_away(k->state, "main", k->now);
		kit_pass(k, 3000, false);
		kit_restart(k);
		ck_assert_uint_eq(kit_count(k), n);
		follow(k);
		ck_assert_uint_eq(kit_count(k), n);
	}
	kit_free(k);
}
END_TEST

Suite *state_model_suite(void)
{
	Suite *s = suite_create("state_model");
	TCase *tc = tcase_create("random");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, random_histories_keep_store_and_state_equal, 0, 10);
	tcase_add_loop_test(tc, in_slices_it_comes_to_the_same_as_at_once, 0, 10);
	tcase_add_loop_test(tc, nothing_but_a_message_or_a_decision_removes, 0, 5);
	suite_add_tcase(s, tc);
	return s;
}
