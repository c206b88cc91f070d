/* SPDX-License-Identifier: Apache-2.0 */
/* The token's rights, what people see of a hold, and what a decision would do. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/state/state_kit.h"

Suite *state_rights_suite(void);

static struct kit *k;

static void setup(void)
{
	k = kit_new();
}

static void teardown(void)
{
	kit_free(k);
}

static void login(const char *rights)
{
	kit_pass(k, 1, true);
	k->rights = rights;
	kit_login(k);
}

/* --- rights --- */

static const struct {
	const char *before, *now, *missing; /* "": nothing is held */
} rights[] = {
	{ "org:a org:b", "org:a", "org:b" },
	{ "org:a org:b", "org:a org:b org:c", "" },
	{ "org:a org:b", "org:b role:owner", "org:a" },
	{ "org:a org:b", NULL, "org:a org:b" }, /* not told any more */
	{ NULL, "org:a", "" },
	{ NULL, NULL, "" },
	{ "org:ab", "org:a", "org:ab" }, /* whole words */
	{ "org:a", "org:ab", "org:a" },
};

static char missing[512];

static int note_missing(const struct hf_hold_view *hold, void *arg)
{
	snprintf(missing, sizeof(missing), "%s", hold->missing_rights);
	return 0;
}

START_TEST(nothing_unexplained_goes_with_less_rights)
{
	bool held = *rights[_i].missing;

	login(rights[_i].before);
	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x");
	login(rights[_i].now);
	kit_snapshot(k, "main", 1, "1=a:1=x");
	ck_assert_uint_eq(k->judgement.held, held);
	missing[0] = '\0';
	hf_state_each_hold_view(k->state, k->now, note_missing, NULL);
	ck_assert_str_eq(missing, rights[_i].missing);
	/* A delete by name is no question of rights. */
	kit_diff(k, "main", 1, "", "1 1:1");
	ck_assert_int_eq(kit_flags(k, "a.coder"), -1);
	kit_check(k);
}
END_TEST

START_TEST(the_rights_of_the_last_good_state_survive_a_restart)
{
	login("org:a org:b");
	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x");
	kit_commit(k);
	kit_restart(k);
	login("org:a");
	kit_snapshot(k, "main", 1, "1=a:1=x");
	ck_assert_uint_eq(k->judgement.held, 1);
}
END_TEST

START_TEST(a_text_of_an_earlier_life_goes_with_its_last_owner)
{
	unsigned texts = 0;

	login("org:a");
	kit_snapshot(k, "main", 1, "1=a:1=x");
	kit_commit(k);
	kit_restart(k);
	login("org:a org:b");
	kit_snapshot(k, "main", 1, "1=a:1=x");
	kit_commit(k);
	for (size_t i = 0; i < KIT_MAX; i++)
		texts += k->has[HF_ROW_TEXT][i];
	ck_assert_uint_eq(texts, 1);
}
END_TEST

/* A store that lost what it had is given every row again. */
START_TEST(what_is_written_again_is_all_that_there_is)
{
	login("org:a org:b");
	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x 3=c:3=x");
	kit_snapshot(k, "main", 1, "");
	kit_commit(k);
	memset(k->has, 0, sizeof(k->has));
	ck_assert_int_eq(hf_state_rewrite(k->state), 0);
	ck_assert(kit_commit(k));
	ck_assert_uint_eq(kit_count(k), 9);
	kit_restart(k);
	ck_assert_uint_eq(kit_count(k), 9);
	/* The hold, and the rights of the last good state. */
	login("org:a");
	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x");
	ck_assert_uint_eq(kit_count(k), 9);
	kit_snapshot(k, "main", 1, "1=a:1=x");
	ck_assert_uint_eq(k->judgement.held, 1);
	kit_check(k);
}
END_TEST

START_TEST(ten_thousand_owners_share_one_text)
{
	enum { OWNERS = 1000 };
	struct hf_image image = { 0 };
	size_t texts;

	login("org:a org:b");
	for (unsigned i = 1; i <= OWNERS; i++) {
		struct hf_uuid id = kit_id(i);
		char name[16];

		snprintf(name, sizeof(name), "u%u", i);
		ck_assert_int_eq(hf_state_owner_set(k->state, "main", &id, name, k->now), 0);
		kit_snapshot(k, "main", i, "");
	}
	ck_assert_int_eq(hf_state_image(k->state, k->now, &image), 0);
	texts = image.n_texts;
	ck_assert_uint_eq(image.n_owners, OWNERS);
	free(image.sources);
	free(image.owners);
	free(image.workspaces);
	free(image.agents);
	free(image.holds);
	free(image.restored);
	free(image.texts);
	ck_assert_uint_eq(texts, 1);
	/* Other rights, another text; the former one goes with its last owner. */
	login("org:a org:b org:c");
	for (unsigned i = 1; i <= OWNERS; i++)
		kit_snapshot(k, "main", i, "");
	kit_commit(k);
	kit_restart(k);
	memset(&image, 0, sizeof(image));
	ck_assert_int_eq(hf_state_image(k->state, k->now, &image), 0);
	ck_assert_uint_eq(image.n_texts, 1);
	ck_assert_str_eq(image.texts[0].text, "org:a org:b org:c");
	free(image.sources);
	free(image.owners);
	free(image.workspaces);
	free(image.agents);
	free(image.holds);
	free(image.restored);
	free(image.texts);
}
END_TEST

/* --- connections --- */

static bool wants(void)
{
	return hf_state_wants_connection(k->state, "main", k->now);
}

START_TEST(other_rights_want_another_connection)
{
	login("org:a");
	kit_snapshot(k, "main", 1, "1=a:1=x");
	ck_assert(!wants());
	kit_pass(k, 1, true);
	k->rights = "org:a org:b";
	kit_ask(k);
	ck_assert(wants());
	kit_ask(k);
	ck_assert(wants());
	kit_login(k);
	kit_snapshot(k, "main", 1, "1=a:1=x");
	ck_assert(!wants());
	/* What is not told is no change. */
	kit_pass(k, 1, true);
	k->rights = NULL;
	kit_ask(k);
	ck_assert(!wants());
}
END_TEST

START_TEST(a_release_that_cannot_be_wants_no_connection)
{
	struct hf_uuid alice = kit_id(1);

	login("org:a org:b");
	kit_snapshot(k, "main", 1, "1=a:1=x");
	login("org:a");
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 700, true);
	ck_assert(!wants());
	login("org:a org:b");
	ck_assert(wants()); /* these are others than the connection's */
	kit_snapshot(k, "main", 1, "1=a:1=x");
	ck_assert(!wants());
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 700, true);
	ck_assert(wants());
	/* REST that says nothing is asked again at its time, not by a storm of connections. */
	hf_state_owner_readable(k->state, "main", &alice, READABLE_UNKNOWN, k->now.boot_ms);
	ck_assert(!wants());
	ck_assert(!hf_state_wants_snapshot(k->state, "main", &alice, k->now));
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 3);
	hf_state_away(k->state, "main", k->now);
	ck_assert(!wants());
}
END_TEST

/* --- what people see --- */

static struct hf_hold_view seen[4];
static char reasons[4][200];
static unsigned n_seen;

static int note(const struct hf_hold_view *hold, void *arg)
{
	snprintf(reasons[n_seen], sizeof(reasons[0]), "%s", hold->reason);
	seen[n_seen++] = *hold;
	return 0;
}

static void look(void)
{
	n_seen = 0;
	hf_state_each_hold_view(k->state, k->now, note, NULL);
}

START_TEST(a_hold_says_what_it_holds_and_waits_for)
{
	login(NULL);
	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x");
	kit_snapshot(k, "main", 1, "");
	look();
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_uint_eq(seen[0].workspaces, 2);
	ck_assert_uint_eq(seen[0].n_samples, 2);
	ck_assert_str_eq(seen[0].samples[0], "b");
	ck_assert_str_eq(reasons[0], "the server lists none of its workspaces");
	ck_assert_uint_eq(seen[0].waits, HF_WAITS_GRACE | HF_WAITS_REST | HF_WAITS_SNAPSHOT);
	ck_assert_uint_eq(seen[0].grace_left_ms, 600000);
	ck_assert_str_eq(seen[0].accept, "holdfastctl accept main alice");
	ck_assert_str_eq(seen[0].reject, "holdfastctl reject main alice");
	kit_pass(k, 100, true);
	look();
	ck_assert_uint_eq(seen[0].grace_left_ms, 500000);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, NULL, HF_DECISION_REJECT, k->now), 1);
	look();
	ck_assert_uint_eq(seen[0].waits, 0);
	ck_assert(seen[0].row->rejected);
	ck_assert_str_eq(seen[0].reject, "");
}
END_TEST

START_TEST(a_preview_says_what_accept_would_do)
{
	struct hf_decision_view v;
	struct hf_uuid nobody = kit_id(99);
	struct hf_identity id = { .user = kit_id(1), .user_name = "alice", .deployment_id = "d2" };
	struct hf_judgement j;
	size_t before;

	login(NULL);
	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x");
	kit_snapshot(k, "main", 1, "");
	before = kit_count(k);
	ck_assert_int_eq(
	    hf_state_decide_preview(k->state, "main", NULL, NULL, HF_DECISION_ACCEPT, &v), 0);
	ck_assert_uint_eq(v.holds, 1);
	ck_assert_uint_eq(v.workspaces, 2);
	ck_assert_uint_eq(v.removed, 6);
	ck_assert_uint_eq(v.renamed, 0);
	ck_assert_uint_eq(v.n_samples, 6);
	ck_assert(!v.other_deployment);
	ck_assert_int_eq(
	    hf_state_decide_preview(k->state, "main", NULL, NULL, HF_DECISION_REJECT, &v), 0);
	ck_assert_uint_eq(v.workspaces, 2);
	ck_assert_uint_eq(v.removed, 0);
	ck_assert_int_eq(
	    hf_state_decide_preview(k->state, "main", &nobody, NULL, HF_DECISION_ACCEPT, &v),
	    -ENOENT);
	ck_assert_int_eq(hf_state_identify(k->state, "main", &id, k->now, &j), 0);
	ck_assert_int_eq(
	    hf_state_decide_preview(k->state, "main", NULL, "deployment", HF_DECISION_ACCEPT, &v),
	    0);
	ck_assert(v.other_deployment);
	ck_assert_uint_eq(v.removed, 0);
	/* It did nothing, and it was right. */
	ck_assert_uint_eq(kit_count(k), before);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, "removal", HF_DECISION_ACCEPT, k->now), 1);
	ck_assert_uint_eq(kit_count(k), before - 6);
}
END_TEST

/* --- a store of version 1 --- */

START_TEST(all_that_was_held_is_kept_where_version_1_rejected_it)
{
	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x");
	kit_snapshot(k, "main", 1, "");
	hf_state_decide(k->state, "main", NULL, NULL, HF_DECISION_REJECT, k->now);
	kit_commit(k);
	/* It wrote no marks. */
	for (size_t i = 0; i < KIT_MAX; i++)
		k->ws_rows[i].marks = 0;
	kit_restart(k);
	kit_pass(k, 601, true);
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 601, true);
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 6);
	kit_check(k);
}
END_TEST

static int count_rejected(const struct hf_hold_view *v, void *arg)
{
	*(unsigned *)arg += v->row->rejected;
	return 0;
}

/* Another program's end of one of two holds. */
START_TEST(what_the_operator_keeps_under_no_hold_is_kept_under_a_new_one)
{
	unsigned rejected = 0;

	kit_snapshot(k, "main", 1, "1=a:1=x 2=b:2=x");
	kit_snapshot(k, "main", 1, "");
	hf_state_decide(k->state, "main", NULL, NULL, HF_DECISION_REJECT, k->now);
	kit_commit(k);
	memset(k->has[HF_ROW_HOLD], 0, sizeof(k->has[HF_ROW_HOLD]));
	kit_restart(k);
	hf_state_each_hold_view(k->state, k->now, count_rejected, &rejected);
	ck_assert_uint_eq(rejected, 1);
	for (int i = 0; i < 2; i++) {
		kit_login(k);
		kit_snapshot(k, "main", 1, "");
		kit_pass(k, 601, true);
	}
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 6);
	/* One that comes later is not kept for it. */
	kit_snapshot(k, "main", 1, "3=c:3=x");
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 601, true);
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 6);
	kit_check(k);
}
END_TEST

Suite *state_rights_suite(void)
{
	Suite *s = suite_create("state_rights");
	TCase *tc = tcase_create("rights");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, nothing_unexplained_goes_with_less_rights, 0, sizeof(rights) / sizeof(rights[0]));
	tcase_add_test(tc, the_rights_of_the_last_good_state_survive_a_restart);
	tcase_add_test(tc, a_text_of_an_earlier_life_goes_with_its_last_owner);
	tcase_add_test(tc, what_is_written_again_is_all_that_there_is);
	tcase_add_test(tc, ten_thousand_owners_share_one_text);
	tcase_add_test(tc, other_rights_want_another_connection);
	tcase_add_test(tc, a_release_that_cannot_be_wants_no_connection);
	tcase_add_test(tc, a_hold_says_what_it_holds_and_waits_for);
	tcase_add_test(tc, a_preview_says_what_accept_would_do);
	tcase_add_test(tc, all_that_was_held_is_kept_where_version_1_rejected_it);
	tcase_add_test(tc, what_the_operator_keeps_under_no_hold_is_kept_under_a_new_one);
	suite_add_tcase(s, tc);
	return s;
}
