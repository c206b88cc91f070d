/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/state/state_kit.h"

Suite *guard_suite(void);

static const char ten[] =
    "1=w1:1=a 2=w2:2=a 3=w3:3=a 4=w4:4=a 5=w5:5=a 6=w6:6=a 7=w7:7=a 8=w8:8=a 9=w9:9=a 10=w10:10=a";

static unsigned count_holds;

static int on_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	*(uint32_t *)arg += workspaces;
	count_holds++;
	return 0;
}

static uint32_t held(struct kit *k)
{
	uint32_t n = 0;

	count_holds = 0;
	hf_state_each_hold(k->state, on_hold, &n);
	return n;
}

/* before, snapshot, names left, workspaces held */
static const struct {
	const char *before, *after;
	unsigned names, held;
} snapshots[] = {
	{ "1=a:1=x", "", 3, 1 },                                /* 3a: the only one */
	{ "1=a:1=x", "2=b:2=x", 3, 0 },                         /* one went, another came */
	{ "1=a:1=x 2=b:2=x 3=c:3=x 4=d:4=x", "4=d:4=x", 3, 0 }, /* three at once pass */
	{ "1=a:1=x 2=b:2=x 3=c:3=x 4=d:4=x 5=e:5=x", "5=e:5=x", 15, 4 }, /* four of five do not */
	{ ten, "1=w1:1=a 2=w2:2=a 3=w3:3=a 4=w4:4=a 5=w5:5=a", 15, 0 },  /* half of ten */
	{ ten, "1=w1:1=a 2=w2:2=a 3=w3:3=a 4=w4:4=a", 30, 6 },           /* more than half */
	{ ten, "1=w1 2=w2 3=w3 4=w4 5=w5 6=w6 7=w7 8=w8 9=w9 10=w10", 0,
	    0 }, /* all stopped: agents are not guarded */
};

START_TEST(unexplained_removals_wait)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, snapshots[_i].before);
	kit_commit(k);
	ck_assert_int_eq(kit_snapshot(k, "main", 1, snapshots[_i].after), HF_VERDICT_ACCEPTED);
	ck_assert_uint_eq(k->judgement.held, snapshots[_i].held);
	ck_assert_uint_eq(held(k), snapshots[_i].held);
	ck_assert_uint_eq(kit_count(k), snapshots[_i].names);
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(the_rest_of_a_message_that_is_held_is_applied)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, ten);
	kit_snapshot(k, "main", 1, "1=w1:21=a 11=new:11=a");
	ck_assert_uint_eq(k->judgement.held, 9);
	ck_assert(kit_has(k, "a.new.me.coder", 11));
	ck_assert(kit_has(k, "a.w1.me.coder", 21));
	ck_assert_int_eq(kit_flags(k, "a.w2.me.coder"), HF_REC_HELD | HF_REC_PRIMARY);
	kit_free(k);
}
END_TEST

START_TEST(a_user_who_deletes_their_only_workspace_by_a_diff_passes_at_once)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_diff(k, "main", 1, "", "1 1:7");
	ck_assert_uint_eq(k->judgement.held, 0);
	ck_assert_uint_eq(kit_count(k), 0);
	kit_free(k);
}
END_TEST

START_TEST(many_explained_removals_within_grace_wait)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, ten);
	kit_snapshot(k, "main", 1,
	    "1=w1:1=a 2=w2:2=a 3=w3:3=a 4=w4:4=a 5=w5:5=a 6=w6:6=a 7=w7:7=a 8=w8:8=a 9=w9:9=a 10=w10:10=a 11=v1:11=a 12=v2:12=a 13=v3:13=a 14=v4:14=a");
	kit_diff(k, "main", 1, "", "1 2 3 4 5 6");
	ck_assert_uint_eq(k->judgement.held, 0);
	kit_pass(k, 300, true);
	kit_diff(k, "main", 1, "", "7 8 9 10");
	ck_assert_uint_eq(k->judgement.held, 0); /* ten in all */
	kit_diff(k, "main", 1, "", "11 11:11 12");
	ck_assert_uint_eq(k->judgement.held, 2);
	ck_assert_uint_eq(kit_count(k), 12);
	/* The window slides. */
	kit_pass(k, 601, true);
	kit_diff(k, "main", 1, "", "13 14");
	ck_assert_uint_eq(k->judgement.held, 0);
	ck_assert_uint_eq(kit_count(k), 6);
	kit_check(k);
	kit_free(k);
}
END_TEST

/* Workspaces first to last, of one agent each. */
static const char *many(unsigned first, unsigned last)
{
	static char text[8000];
	size_t at = 0;

	text[0] = '\0';
	for (unsigned i = first; i <= last; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%u=w%u:%u=a ", i, i, i);
	return text;
}

static const char *numbers(unsigned first, unsigned last)
{
	static char text[2000];
	size_t at = 0;

	for (unsigned i = first; i <= last; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%u ", i);
	return text;
}

/*
 * More removals than the window has entries, and than its text has room for: they are counted all
 * the same, not a second less.
 */
START_TEST(the_window_survives_a_restart_however_full_it_is)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, many(1, 200));
	for (unsigned i = 1; i <= 70; i++) {
		kit_diff(k, "main", 1, "", numbers(i, i));
		ck_assert_uint_eq(k->judgement.held, 0);
		kit_pass(k, 1, true);
	}
	kit_commit(k);
	if (_i)
		/* long numbers: the text is full before the window is */
		k->now.boot_ms += 4000000000000;
	for (unsigned i = 71; _i && i <= 74; i++)
		kit_diff(k, "main", 1, "", numbers(i, i));
	kit_commit(k);
	kit_restart(k);
	kit_login(k);
	kit_snapshot(k, "main", 1, many(_i ? 75 : 71, 200));
	if (_i) {
		kit_diff(k, "main", 1, "", numbers(100, 159));
		ck_assert_uint_eq(k->judgement.held, 0);
		kit_free(k);
		return;
	}
	/* A hundred of 200 may go in all. */
	kit_diff(k, "main", 1, "", numbers(100, 130));
	ck_assert_uint_eq(k->judgement.held, 31);
	kit_diff(k, "main", 1, "", numbers(131, 160));
	ck_assert_uint_eq(k->judgement.held, 0);
	/* The last one was 69 s after the first, and counts for 600 s. */
	kit_pass(k, 600 - 70 - 1, true);
	kit_diff(k, "main", 1, "", numbers(161, 161));
	ck_assert_uint_eq(k->judgement.held, 1);
	kit_check(k);
	kit_free(k);
}
END_TEST

/*
 * The text is the store's, but whoever writes it: what cannot be read counts as not known, and
 * nothing is read beyond it.
 */
START_TEST(a_window_that_cannot_be_read_is_not_known)
{
	static const struct {
		const char *text;
		bool full;
	} rows[] = { { "", false }, { "x", false }, { ":10", false }, { "1000000", false },
		{ "1000000:", false }, { "1000000:x", false }, { "1000000:10x", false },
		{ "1000000:10", true }, { "1000000:9 1000000:1", true },
		{ "1000000:9  1000000:1", true }, { "1000000:9 x 1000000:1", false },
		{ "2000000000000:10", true }, { "-2000000000000:10", false },
		{ "1000000:99999999999999999999", true }, { "1000000:10 x", true },
		{ "399000:10", false }, { "401000:10", true } };
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, ten);
	kit_commit(k);
	snprintf(k->source_rows[0].removals, HF_REMOVALS_MAX, "%s", rows[_i].text);
	ck_assert_int_eq(k->now.boot_ms, 1000000);
	kit_restart(k);
	kit_login(k);
	kit_snapshot(k, "main", 1, ten);
	kit_diff(k, "main", 1, "", "1");
	ck_assert_uint_eq(k->judgement.held, rows[_i].full);
	kit_free(k);
}
END_TEST

START_TEST(a_hold_ends_after_fresh_grace_and_one_more_snapshot)
{
	struct kit *k = kit_new();
	struct hf_uuid alice = kit_id(1);

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 1, true);
	kit_login(k);
	kit_pass(k, 598, true);
	ck_assert(!hf_state_wants_snapshot(k->state, "main", &alice, k->now));
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 3);
	kit_pass(k, 2, true);
	ck_assert(hf_state_wants_snapshot(k->state, "main", &alice, k->now));
	ck_assert_uint_eq(kit_count(k), 3);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 0);
	ck_assert_uint_eq(held(k), 0);
	ck_assert_uint_eq(count_holds, 0);
	kit_free(k);
}
END_TEST

START_TEST(grace_counts_only_while_fresh)
{
	struct kit *k = kit_new();
	struct hf_uuid alice = kit_id(1);

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 300, true);
	hf_state_away(k->state, "main", k->now);
	kit_pass(k, 100000, false);
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	ck_assert(!hf_state_wants_snapshot(k->state, "main", &alice, k->now));
	kit_pass(k, 302, true);
	ck_assert(hf_state_wants_snapshot(k->state, "main", &alice, k->now));
	kit_free(k);
}
END_TEST

START_TEST(fresh_time_spent_survives_a_restart)
{
	struct kit *k = kit_new();
	struct hf_uuid alice = kit_id(1);

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 400, true);
	kit_commit(k);
	kit_restart(k);
	ck_assert_uint_eq(held(k), 1);
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 202, true);
	ck_assert(hf_state_wants_snapshot(k->state, "main", &alice, k->now));
	kit_free(k);
}
END_TEST

START_TEST(nothing_is_released_for_an_owner_who_may_not_be_read)
{
	struct kit *k = kit_new();
	struct hf_uuid alice = kit_id(1);

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_snapshot(k, "main", 1, "");
	hf_state_owner_readable(k->state, "main", &alice, READABLE_NO, k->now.boot_ms);
	kit_pass(k, 700, true);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 3);
	kit_free(k);
}
END_TEST

static const unsigned only_alice[] = { 1, 0 };

/*
 * More words than a row has room for have named bob in turn. Which they were is not known any more:
 * so he is not the operator's to take out, also when REST names him once more after that.
 */
START_TEST(an_owner_of_more_words_than_fit_is_never_taken_for_taken_out)
{
	enum { WORDS = 12 };
	static char text[WORDS][24], *words[WORDS + 1], me[] = "me";
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2);

	words[WORDS] = me;
	for (unsigned i = 0; i < WORDS; i++) {
		words[i] = text[i];
		snprintf(text[i], sizeof(text[i]), "a-very-long-name-of-%u", i);
	}
	k->sources[0].owners = words;
	k->sources[0].n_owners = WORDS + 1;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	for (unsigned i = 0; i <= WORDS; i++)
		ck_assert_int_eq(
		    hf_state_owner_set(k->state, "main", &bob, text[i % WORDS], k->now), 0);
	kit_snapshot(k, "main", 2, "1=dev:7=main 2=web:8=main");
	kit_snapshot(k, "main", 1, "3=own:9=main");
	kit_commit(k);
	if (_i)
		kit_restart(k);
	k->sources[0].owners = words + WORDS;
	k->sources[0].n_owners = 1;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	kit_settled(k, only_alice);
	ck_assert_uint_eq(held(k), 2);
	kit_free(k);
}
END_TEST

START_TEST(an_owner_whom_the_server_lists_no_more_is_held_until_the_operator_decides)
{
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2);

	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &bob, "bob", k->now), 0);
	hf_state_owner_readable(k->state, "main", &bob, READABLE_YES, k->now.boot_ms);
	kit_snapshot(k, "main", 2, "1=dev:7=main 2=web:8=main");
	ck_assert_uint_eq(kit_count(k), 2);
	kit_settled(k, only_alice);
	ck_assert_uint_eq(kit_count(k), 2);
	ck_assert_uint_eq(held(k), 2);
	/* However long: nobody can say that it is read and empty. */
	kit_pass(k, 700, true);
	kit_settled(k, only_alice);
	ck_assert_uint_eq(held(k), 2);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", &bob, NULL, HF_DECISION_ACCEPT, k->now), 1);
	ck_assert_uint_eq(kit_count(k), 0);
	kit_settled(k, only_alice);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", &bob, NULL, HF_DECISION_ACCEPT, k->now), -ENOENT);
	kit_free(k);
}
END_TEST

/* The same word of two sources: of each its own server speaks. */
START_TEST(a_user_whom_one_server_does_not_know_is_followed_at_another)
{
	struct kit *k = kit_new();
	const struct hf_identity alice = { .user = kit_id(1), .user_name = "alice" };
	struct hf_uuid bob = kit_id(2);
	struct hf_name lab;
	struct hf_judgement j;

	ck_assert_int_eq(hf_name_parse("lab", &lab), 0);
	k->sources[0].n_owners = 2;
	k->sources[1] = k->sources[0];
	k->sources[1].name = "lab";
	k->sources[1].url = "https://lab.example";
	k->sources[1].suffix = &lab;
	k->conf.n_sources = 2;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	ck_assert_int_eq(hf_state_identify(k->state, "lab", &alice, k->now, &j), 0);
	ck_assert_int_eq(hf_state_owner_set(k->state, "lab", &bob, "bob", k->now), 0);
	kit_snapshot(k, "lab", 2, "1=dev:7=main");
	kit_login(k);
	kit_login(k);
	kit_snapshot(k, "main", 1, "2=web:8=main");
	ck_assert_int_eq(hf_state_owner_missing(k->state, "main", "bob", k->now), 0);
	ck_assert_int_eq(kit_flags(k, "main.dev.bob.lab"), HF_REC_PRIMARY);
	ck_assert_int_eq(hf_state_owner_missing(k->state, "lab", "bob", k->now), 0);
	ck_assert_int_eq(kit_flags(k, "main.dev.bob.lab"), HF_REC_PRIMARY); /* he was named since */
	ck_assert_int_eq(hf_state_identify(k->state, "lab", &alice, k->now, &j), 0);
	ck_assert_int_eq(hf_state_owner_missing(k->state, "lab", "bob", k->now), 0);
	ck_assert_int_eq(kit_flags(k, "main.dev.bob.lab"), HF_REC_PRIMARY | HF_REC_HELD);
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(of_a_source_that_is_not_there_nothing_is_taken)
{
	struct kit *k = kit_new();
	const struct hf_identity alice = { .user = kit_id(1), .user_name = "alice" };
	const struct hf_update empty = { .kind = HF_UPDATE_SNAPSHOT, .owner = kit_id(1) };
	struct hf_uuid id = kit_id(1);
	struct hf_judgement j;

	kit_commit(k);
	ck_assert_int_eq(hf_state_identify(k->state, "lab", &alice, k->now, &j), -ENOENT);
	ck_assert_int_eq(hf_state_owner_set(k->state, "lab", &id, "alice", k->now), -ENOENT);
	ck_assert_int_eq(hf_state_owner_missing(k->state, "lab", "alice", k->now), -ENOENT);
	ck_assert_int_eq(hf_state_owners_settled(k->state, "lab", k->now), -ENOENT);
	ck_assert_int_eq(hf_state_update(k->state, "lab", &empty, k->now, &j), -ENOENT);
	ck_assert_int_eq(hf_state_workspace_owner(k->state, "lab", &id, &id, k->now), -ENOENT);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "lab", NULL, NULL, HF_DECISION_ACCEPT, k->now), -ENOENT);
	hf_state_contact(k->state, "lab", k->now);
	hf_state_away(k->state, "lab", k->now);
	hf_state_owner_readable(k->state, "lab", &id, READABLE_YES, k->now.boot_ms);
	ck_assert(!hf_state_wants_connection(k->state, "lab", k->now));
	ck_assert(!hf_state_wants_snapshot(k->state, "lab", &id, k->now));
	ck_assert(!hf_state_disputed(k->state, "lab", &id));
	ck_assert(!hf_state_dirty(k->state));
	kit_free(k);
}
END_TEST

START_TEST(an_owner_who_is_listed_again_is_live_again)
{
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2);

	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &bob, "bob", k->now), 0);
	kit_snapshot(k, "main", 2, "1=dev:7=main");
	kit_settled(k, only_alice);
	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &bob, "bob", k->now), 0);
	kit_snapshot(k, "main", 2, "1=dev:7=main");
	ck_assert_uint_eq(kit_count(k), 1);
	held(k);
	ck_assert_uint_eq(count_holds, 0);
	kit_free(k);
}
END_TEST

START_TEST(a_workspace_that_reappears_is_live_with_its_history)
{
	struct kit *k = kit_new();
	int64_t first;

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	first = k->now.wall_s;
	kit_snapshot(k, "main", 1, "");
	kit_pass(k, 50, true);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_PRIMARY);
	for (size_t i = 0; i < KIT_MAX; i++)
		if (k->names[i].used)
			ck_assert_int_eq(k->names[i].record.first_seen_s, first);
	held(k);
	ck_assert_uint_eq(count_holds, 0);
	kit_free(k);
}
END_TEST

START_TEST(a_new_workspace_takes_the_name_of_a_held_one_at_once)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_snapshot(k, "main", 1, "");
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_HELD | HF_REC_PRIMARY);
	kit_diff(k, "main", 1, "9=dev:8=main", "");
	ck_assert(kit_has(k, "main.dev.me.coder", 8));
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_PRIMARY);
	ck_assert_uint_eq(kit_count(k), 3);
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(accept_lets_go_and_reject_keeps)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_snapshot(k, "main", 1, "");
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, NULL, HF_DECISION_REJECT, k->now), 1);
	kit_pass(k, 2000, true);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 3);
	kit_commit(k);
	kit_restart(k);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, NULL, HF_DECISION_ACCEPT, k->now), 1);
	ck_assert_uint_eq(kit_count(k), 0);
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(max_age_withdraws_and_the_first_valid_message_brings_back)
{
	struct kit *k = kit_new();

	k->conf.max_age_ms = 3600 * 1000;
	hf_state_configure(k->state, &k->conf, k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	hf_state_away(k->state, "main", k->now);
	kit_pass(k, 3599, false);
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_PRIMARY);
	kit_pass(k, 1, false);
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_PRIMARY | HF_REC_WITHDRAWN);
	ck_assert_uint_eq(kit_count(k), 3);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_PRIMARY);
	kit_free(k);
}
END_TEST

static const struct {
	bool same_boot, synced;
	unsigned passed_s;
	bool withdrawn;
} downtimes[] = {
	{ true, false, 3000, false },
	{ true, false, 3700, true },
	{ false, true, 3700, true },
	{ false, false, 3700, false }, /* another boot and a clock that nobody vouches for */
	{ false, true, 3000, false },
};

START_TEST(age_goes_on_while_the_process_is_down)
{
	struct kit *k = kit_new();

	k->conf.max_age_ms = 3600 * 1000;
	hf_state_configure(k->state, &k->conf, k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	hf_state_away(k->state, "main", k->now);
	k->now.wall_synced = true;
	kit_commit(k);
	k->now.wall_s += downtimes[_i].passed_s;
	k->now.boot_ms =
	    downtimes[_i].same_boot ? k->now.boot_ms + downtimes[_i].passed_s * 1000 : 5000;
	k->now.boot = kit_id(downtimes[_i].same_boot ? 77 : 78);
	k->now.wall_synced = downtimes[_i].synced;
	kit_restart(k);
	kit_pass(k, 1, false);
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"),
	    HF_REC_PRIMARY | (downtimes[_i].withdrawn ? HF_REC_WITHDRAWN : 0));
	kit_free(k);
}
END_TEST

static void restore(struct kit *k, unsigned n)
{
	struct hf_restored_row rows[20];

	for (unsigned i = 0; i < n; i++) {
		struct hf_uuid id = kit_agent_id(i + 1);
		char label[8] = { 'w', (char)('a' + i) };

		memset(&rows[i], 0, sizeof(rows[i]));
		hf_name_parse("coder", &rows[i].name);
		hf_name_prepend(&rows[i].name, label, 2);
		hf_addr_of_agent(&id, rows[i].addr);
		rows[i].primary = true;
	}
	ck_assert_int_eq(hf_state_restore(k->state, rows, n, k->now), 0);
}

START_TEST(restored_names_serve_until_a_snapshot_replaces_them)
{
	struct kit *k = kit_new();
	struct hf_uuid alice = kit_id(1);

	restore(k, 3);
	ck_assert_uint_eq(kit_count(k), 3);
	ck_assert_int_eq(kit_flags(k, "wa.coder"), HF_REC_RESTORED | HF_REC_PRIMARY);
	kit_restart(k);
	ck_assert_uint_eq(hf_state_n_names(k->state), 3);
	ck_assert(!kit_commit(k));
	/* Not before the owners that the configuration names are known to be all. */
	kit_snapshot(k, "main", 1, "1=wa:1=main 2=wb:2=main");
	ck_assert_int_eq(kit_flags(k, "wc.coder"), HF_REC_RESTORED | HF_REC_PRIMARY);
	hf_state_owner_set(k->state, "main", &alice, "alice", k->now);
	kit_snapshot(k, "main", 1, "1=wa:1=main 2=wb:2=main");
	ck_assert_int_eq(kit_flags(k, "wa.coder"), 0);
	ck_assert_int_eq(kit_flags(k, "wc.coder"), -1);
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(an_empty_snapshot_does_not_end_restored_names)
{
	struct kit *k = kit_new();

	restore(k, 3);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 3);
	held(k);
	ck_assert_uint_eq(count_holds, 1);
	kit_pass(k, 601, true);
	kit_login(k);
	kit_snapshot(k, "main", 1, "");
	ck_assert_uint_eq(kit_count(k), 0);
	kit_free(k);
}
END_TEST

START_TEST(too_many_missing_restored_names_wait)
{
	struct kit *k = kit_new();

	restore(k, 12);
	kit_snapshot(k, "main", 1, "1=wa:1=main");
	/* wa.coder is the live one's now; eleven wait. */
	ck_assert_uint_eq(kit_count(k), 2 + 12);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, "removal", HF_DECISION_ACCEPT, k->now), 1);
	ck_assert_uint_eq(kit_count(k), 3);
	kit_check(k);
	kit_free(k);
}
END_TEST

Suite *guard_suite(void)
{
	Suite *s = suite_create("guard");
	TCase *tc = tcase_create("guard");

	tcase_add_loop_test(
	    tc, unexplained_removals_wait, 0, sizeof(snapshots) / sizeof(snapshots[0]));
	tcase_add_test(tc, the_rest_of_a_message_that_is_held_is_applied);
	tcase_add_test(tc, a_user_who_deletes_their_only_workspace_by_a_diff_passes_at_once);
	tcase_add_test(tc, many_explained_removals_within_grace_wait);
	tcase_add_loop_test(tc, the_window_survives_a_restart_however_full_it_is, 0, 2);
	tcase_add_loop_test(tc, a_window_that_cannot_be_read_is_not_known, 0, 17);
	tcase_add_test(tc, a_hold_ends_after_fresh_grace_and_one_more_snapshot);
	tcase_add_test(tc, grace_counts_only_while_fresh);
	tcase_add_test(tc, fresh_time_spent_survives_a_restart);
	tcase_add_test(tc, nothing_is_released_for_an_owner_who_may_not_be_read);
	tcase_add_test(
	    tc, an_owner_whom_the_server_lists_no_more_is_held_until_the_operator_decides);
	tcase_add_loop_test(tc, an_owner_of_more_words_than_fit_is_never_taken_for_taken_out, 0, 2);
	tcase_add_test(tc, an_owner_who_is_listed_again_is_live_again);
	tcase_add_test(tc, a_user_whom_one_server_does_not_know_is_followed_at_another);
	tcase_add_test(tc, of_a_source_that_is_not_there_nothing_is_taken);
	tcase_add_test(tc, a_workspace_that_reappears_is_live_with_its_history);
	tcase_add_test(tc, a_new_workspace_takes_the_name_of_a_held_one_at_once);
	tcase_add_test(tc, accept_lets_go_and_reject_keeps);
	tcase_add_test(tc, max_age_withdraws_and_the_first_valid_message_brings_back);
	tcase_add_loop_test(
	    tc, age_goes_on_while_the_process_is_down, 0, sizeof(downtimes) / sizeof(downtimes[0]));
	tcase_add_test(tc, restored_names_serve_until_a_snapshot_replaces_them);
	tcase_add_test(tc, an_empty_snapshot_does_not_end_restored_names);
	tcase_add_test(tc, too_many_missing_restored_names_wait);
	suite_add_tcase(s, tc);
	return s;
}
