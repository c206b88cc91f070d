/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/state/state_kit.h"
#include "zone/agent_names.h"

Suite *state_suite(void);

START_TEST(a_snapshot_publishes_all_three_names_of_the_own_user)
{
	struct kit *k = kit_new();

	ck_assert_int_eq(kit_snapshot(k, "main", 1, "1=dev:7=main"), HF_VERDICT_ACCEPTED);
	ck_assert(kit_has(k, "main.dev.me.coder", 7));
	ck_assert(kit_has(k, "main.dev.alice.coder", 7));
	ck_assert(kit_has(k, "dev.coder", 7));
	ck_assert_uint_eq(kit_count(k), 3);
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_PRIMARY);
	ck_assert_int_eq(kit_flags(k, "dev.coder"), 0);
	kit_free(k);
}
END_TEST

START_TEST(the_short_name_goes_with_the_second_agent_and_comes_back)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main,8=gpu");
	ck_assert_int_eq(kit_flags(k, "dev.coder"), -1);
	ck_assert_uint_eq(kit_count(k), 4);
	kit_diff(k, "main", 1, "", "1:8");
	ck_assert(kit_has(k, "dev.coder", 7));
	ck_assert_uint_eq(kit_count(k), 3);
	kit_free(k);
}
END_TEST

START_TEST(another_owner_has_no_me_and_no_short_name)
{
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2);

	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &bob, "bob", k->now), 0);
	kit_snapshot(k, "main", 2, "1=dev:7=main");
	ck_assert(kit_has(k, "main.dev.bob.coder", 7));
	ck_assert_uint_eq(kit_count(k), 1);
	ck_assert_int_eq(kit_flags(k, "main.dev.bob.coder"), HF_REC_PRIMARY);
	kit_free(k);
}
END_TEST

START_TEST(an_equal_snapshot_touches_nothing)
{
	struct kit *k = kit_new();
	unsigned commits;

	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:9=main");
	kit_commit(k);
	commits = k->commits;
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(
		    kit_snapshot(k, "main", 1, "2=web:9=main 1=dev:7=main"), HF_VERDICT_ACCEPTED);
		kit_commit(k);
	}
	ck_assert_uint_eq(k->commits, commits);
	kit_free(k);
}
END_TEST

START_TEST(upper_case_is_folded)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=DEV:7=Main");
	ck_assert(kit_has(k, "main.dev.me.coder", 7));
	kit_free(k);
}
END_TEST

START_TEST(a_stopped_workspace_stays_known_without_agents)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(kit_snapshot(k, "main", 1, "1=dev"), HF_VERDICT_ACCEPTED);
	ck_assert_uint_eq(kit_count(k), 0);
	ck_assert(k->has[HF_ROW_WORKSPACE][1] || k->has[HF_ROW_WORKSPACE][0]);
	ck_assert_uint_eq(k->judgement.held, 0);
	kit_free(k);
}
END_TEST

START_TEST(an_upsert_without_agents_keeps_them)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_diff(k, "main", 1, "1=prod", "");
	ck_assert(kit_has(k, "main.prod.me.coder", 7));
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), -1);
	ck_assert_uint_eq(kit_count(k), 3);
	kit_free(k);
}
END_TEST

START_TEST(a_renamed_agent_keeps_its_first_seen)
{
	struct kit *k = kit_new();
	int64_t first;

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_commit(k);
	first = k->now.wall_s;
	kit_pass(k, 100, true);
	/* Deleted and upserted with one id in one message. */
	ck_assert_int_eq(kit_diff(k, "main", 1, "1=dev:7=other", "1:7"), HF_VERDICT_ACCEPTED);
	ck_assert(kit_has(k, "other.dev.me.coder", 7));
	ck_assert_uint_eq(kit_count(k), 3);
	for (size_t i = 0; i < KIT_MAX; i++)
		if (k->names[i].used)
			ck_assert_int_eq(k->names[i].record.first_seen_s, first);
	kit_free(k);
}
END_TEST

START_TEST(a_rebuild_changes_the_address_in_one_changeset)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_commit(k);
	kit_diff(k, "main", 1, "1=dev:8=main", "1:7");
	ck_assert(kit_has(k, "main.dev.me.coder", 8));
	ck_assert_uint_eq(kit_count(k), 3);
	ck_assert(kit_has(k, "dev.coder", 8));
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(a_diff_with_an_agent_of_an_unknown_workspace_is_refused_whole)
{
	struct kit *k = kit_new();
	struct hf_update_workspace w = { .id = kit_id(5), .name = { "new", 3 } };
	struct hf_update_agent a = {
		.id = kit_agent_id(9), .workspace = kit_id(99), .name = { "x", 1 }
	};
	struct hf_update u = { .kind = HF_UPDATE_DIFF,
		.owner = kit_id(1),
		.upserted_workspaces = &w,
		.n_upserted_workspaces = 1,
		.upserted_agents = &a,
		.n_upserted_agents = 1 };

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_commit(k);
	ck_assert_int_eq(hf_state_update(k->state, "main", &u, k->now, &k->judgement), 0);
	ck_assert_int_eq(k->judgement.verdict, HF_VERDICT_REFUSED);
	ck_assert(k->judgement.want_snapshot);
	ck_assert(!kit_commit(k));
	ck_assert_uint_eq(kit_count(k), 3);
	kit_free(k);
}
END_TEST

START_TEST(a_record_of_a_diff_that_stream_refused_harms_only_itself)
{
	struct kit *k = kit_new();
	struct hf_update_workspace w = { .id = kit_id(5), .name = { "new", 3 } };
	struct hf_update_agent a = {
		.id = kit_agent_id(9), .workspace = kit_id(5), .name = { "x", 1 }
	};
	struct hf_update_refused refused = { "agent", "its id is zero", "bad" };
	struct hf_update u = { .kind = HF_UPDATE_DIFF,
		.owner = kit_id(1),
		.upserted_workspaces = &w,
		.n_upserted_workspaces = 1,
		.upserted_agents = &a,
		.n_upserted_agents = 1,
		.refused = &refused,
		.n_refused = 1,
		.refused_total = 1 };

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(hf_state_update(k->state, "main", &u, k->now, &k->judgement), 0);
	ck_assert_int_eq(k->judgement.verdict, HF_VERDICT_ACCEPTED);
	ck_assert_uint_eq(k->judgement.records_refused, 1);
	ck_assert(k->judgement.want_snapshot); /* it might have been a removal */
	ck_assert(kit_has(k, "x.new.me.coder", 9) && kit_has(k, "main.dev.me.coder", 7));
	kit_free(k);
}
END_TEST

START_TEST(a_snapshot_with_an_agent_of_an_unknown_workspace_removes_nothing)
{
	struct kit *k = kit_new();
	struct hf_update_workspace w = { .id = kit_id(1), .name = { "dev", 3 } };
	struct hf_update_agent a = {
		.id = kit_agent_id(9), .workspace = kit_id(99), .name = { "x", 1 }
	};
	struct hf_update u = { .kind = HF_UPDATE_SNAPSHOT,
		.owner = kit_id(1),
		.upserted_workspaces = &w,
		.n_upserted_workspaces = 1,
		.upserted_agents = &a,
		.n_upserted_agents = 1 };

	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main");
	ck_assert_int_eq(hf_state_update(k->state, "main", &u, k->now, &k->judgement), 0);
	ck_assert_int_eq(k->judgement.verdict, HF_VERDICT_ACCEPTED);
	ck_assert_uint_eq(k->judgement.records_refused, 1);
	ck_assert_uint_eq(kit_count(k), 6);
	kit_free(k);
}
END_TEST

START_TEST(an_unknown_delete_is_ignored_and_asks_for_a_snapshot)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(kit_diff(k, "main", 1, "", "55 1:66"), HF_VERDICT_ACCEPTED);
	ck_assert(k->judgement.want_snapshot);
	ck_assert_uint_eq(kit_count(k), 3);
	kit_free(k);
}
END_TEST

START_TEST(a_bad_name_harms_only_itself_and_stays_known)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main 2=b*d:8=main 3=ok:9=_holdfastx");
	ck_assert_uint_eq(kit_count(k), 3);
	ck_assert_uint_eq(k->judgement.records_refused, 2);
	/* Its delete is no error, and it can become good. */
	kit_diff(k, "main", 1, "", "2");
	ck_assert(!k->judgement.want_snapshot);
	kit_diff(k, "main", 1, "3=ok:9=fine", "");
	ck_assert(kit_has(k, "fine.ok.me.coder", 9));
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(agents_of_a_refused_workspace_come_with_its_good_name)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "2=b*d:8=main");
	ck_assert_uint_eq(kit_count(k), 0);
	kit_diff(k, "main", 1, "2=good", "");
	ck_assert(kit_has(k, "main.good.me.coder", 8));
	kit_commit(k);
	kit_restart(k);
	ck_assert_uint_eq(hf_state_n_names(k->state), 3);
	kit_free(k);
}
END_TEST

START_TEST(the_lowest_workspace_id_wins_a_clash_and_the_other_waits)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "2=dev:8=main 1=dev:7=main");
	ck_assert(kit_has(k, "main.dev.me.coder", 7));
	ck_assert(kit_has(k, "dev.coder", 7));
	kit_check(k);
	kit_diff(k, "main", 1, "", "1 1:7");
	ck_assert(kit_has(k, "main.dev.me.coder", 8));
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(an_address_clash_refuses_the_later_workspace_alone)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:100007=main");
	ck_assert(kit_has(k, "main.dev.me.coder", 7));
	ck_assert_int_eq(kit_flags(k, "main.web.me.coder"), -1);
	kit_diff(k, "main", 1, "", "1 1:7");
	ck_assert(kit_has(k, "main.web.me.coder", 7));
	ck_assert_int_eq(kit_flags(k, "main.web.me.coder"), HF_REC_PRIMARY);
	kit_check(k);
	kit_free(k);
}
END_TEST

static int count_record(const struct hf_record_view *record, void *arg)
{
	(void)record;
	++*(size_t *)arg;
	return 0;
}

static size_t count_records(const struct kit *k)
{
	size_t n = 0;

	hf_state_each_record(k->state, k->now, count_record, &n);
	return n;
}

START_TEST(a_workspace_goes_over_when_its_owners_stream_drops_it)
{
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2), dev = kit_id(1), ws;

	hf_state_owner_set(k->state, "main", &bob, "bob", k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main 3=own:9=main");
	kit_snapshot(k, "main", 2, "1=dev:7=main");
	ck_assert(kit_has(k, "main.dev.alice.coder", 7));
	ck_assert_int_eq(kit_flags(k, "main.dev.bob.coder"), -1);
	ck_assert(hf_state_disputed(k->state, "main", &ws));
	ck_assert(hf_uuid_equal(&ws, &dev));
	kit_diff(k, "main", 1, "", "1 1:7");
	ck_assert(kit_has(k, "main.dev.bob.coder", 7));
	ck_assert_int_eq(kit_flags(k, "main.dev.alice.coder"), -1);
	ck_assert(!hf_state_disputed(k->state, "main", &ws));
	ck_assert(hf_state_wants_snapshot(k->state, "main", &bob, k->now));
	/* The former owner's stream deletes it once more: ignored. */
	kit_diff(k, "main", 1, "", "1 1:7");
	ck_assert(kit_has(k, "main.dev.bob.coder", 7));
	kit_check(k);
	kit_free(k);
}
END_TEST

/* Rows that another program wrote, or an older one's rules: two agents publish one name. */
START_TEST(a_name_that_two_rows_publish_is_counted_once)
{
	static const struct {
		const char *agents;
		uint8_t names; /* that both rows have besides */
	} rows[] = { { "1=dev:7=main,8=gpu", HF_NAME_SHORT }, { "1=dev:7=main 2=web:8=main", 0 } };
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, rows[_i].agents);
	kit_commit(k);
	for (size_t i = 0; i < KIT_MAX; i++) {
		if (!k->has[HF_ROW_AGENT][i])
			continue;
		k->agent_rows[i].names |= rows[_i].names;
		if (!rows[_i].names)
			k->agent_rows[i].workspace = k->agent_rows[0].workspace;
	}
	/* The short name is in the zone, too. */
	if (rows[_i].names) {
		k->names[KIT_MAX - 1].used = true;
		ck_assert_int_eq(hf_name_parse("dev.coder", &k->names[KIT_MAX - 1].record.name), 0);
	}
	kit_restart(k);
	kit_commit(k);
	ck_assert_uint_eq(count_records(k), hf_state_n_names(k->state));
	kit_restart(k);
	kit_commit(k);
	ck_assert_uint_eq(count_records(k), hf_state_n_names(k->state));
	kit_free(k);
}
END_TEST

static int note_stale(const struct hf_source_view *source, void *arg)
{
	*(int64_t *)arg = source->stale_since_s;
	return 0;
}

static int64_t stale_since(const struct kit *k)
{
	int64_t since = -1;

	hf_state_each_source(k->state, k->now, note_stale, &since);
	return since;
}

START_TEST(stale_is_since_the_connection_was_lost_or_silent_for_too_long)
{
	struct kit *k = kit_new();
	int64_t begin;

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(stale_since(k), 0);
	/* Silence: from the end of the window on, and not before. */
	begin = k->now.wall_s;
	kit_pass(k, 60, false);
	ck_assert_int_eq(stale_since(k), 0);
	kit_pass(k, 30, false);
	ck_assert_int_eq(stale_since(k), begin + 60);
	/* A connection that is lost then was silent before. */
	hf_state_away(k->state, "main", k->now);
	ck_assert_int_eq(stale_since(k), begin + 60);
	/* Lost while it was fresh: from then on. */
	hf_state_contact(k->state, "main", k->now);
	ck_assert_int_eq(stale_since(k), 0);
	kit_pass(k, 10, false);
	begin = k->now.wall_s;
	hf_state_away(k->state, "main", k->now);
	ck_assert_int_eq(stale_since(k), begin);
	kit_pass(k, 100, false);
	ck_assert_int_eq(stale_since(k), begin);
	/* The clock was set back: never in the future. */
	k->now.wall_s = begin - 1000;
	ck_assert_int_eq(stale_since(k), begin - 1000);
	kit_free(k);
}
END_TEST

START_TEST(a_url_is_the_same_whatever_says_nothing_in_it)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = { { "https://c.example", "https://c.example/", true },
		{ "https://c.example/", "HTTPS://C.Example//", true },
		{ "https://c.example:443", "https://c.example", false },
		{ "https://c.example/Path", "https://c.example/path", false },
		{ "https://C.example/Path/", "https://c.example/Path", true },
		{ "https://c.example", "http://c.example", false },
		{ "https://c.example", "https://c.exampl", false },
		{ "https://c.exampleZ", "https://c.examplez", true },
		{ "https://c.exampleA", "https://c.examplea", true },
		{ "https://c.example[", "https://c.example{", false },
		{ "https://c.example@", "https://c.example`", false } };

	ck_assert_uint_eq(hf_state_url_sum(""), 0);
	ck_assert_uint_eq(hf_state_url_sum("/"), 0);
	ck_assert_uint_ne(hf_state_url_sum(rows[_i].a), 0);
	ck_assert_int_eq(
	    hf_state_url_sum(rows[_i].a) == hf_state_url_sum(rows[_i].b), rows[_i].same);
}
END_TEST

/*
 * What hf_state_configure() will do, said before: two of one URL take turns, and one that stays is
 * not renamed.
 */
START_TEST(a_new_name_is_told_before_it_is_taken)
{
	struct kit *k = kit_new();
	struct hf_state_source_conf next[3];
	struct hf_state_conf conf = k->conf;

	k->sources[1] = k->sources[0];
	k->sources[1].name = "lab";
	k->conf.n_sources = 2;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	for (unsigned i = 0; i < 3; i++)
		next[i] = k->sources[0];
	conf.sources = next;
	conf.n_sources = 3;
	next[0].name = "prod";
	next[0].url = "https://other.example";
	next[1].name = "east";
	next[2].name = "west";
	ck_assert_str_eq(hf_state_new_name(k->state, &conf, "main"), "east");
	ck_assert_str_eq(hf_state_new_name(k->state, &conf, "lab"), "west");
	ck_assert_ptr_null(hf_state_new_name(k->state, &conf, "prod"));
	conf.n_sources = 2;
	ck_assert_str_eq(hf_state_new_name(k->state, &conf, "main"), "east");
	ck_assert_ptr_null(hf_state_new_name(k->state, &conf, "lab"));
	next[0].name = "main";
	ck_assert_ptr_null(hf_state_new_name(k->state, &conf, "main"));
	ck_assert_str_eq(hf_state_new_name(k->state, &conf, "lab"), "east");
	kit_free(k);
}
END_TEST

START_TEST(diffs_do_not_keep_an_owner_fresh)
{
	struct hf_tally tallies[HF_ZONE_SOURCES_MAX];
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main");
	for (unsigned i = 0; i < 2 * 600 / 60; i++) {
		hf_state_tally(k->state, k->now, tallies);
		ck_assert_uint_eq(tallies[0].live, 6);
		kit_pass(k, 60, true);
		kit_diff(k, "main", 1, i % 2 ? "2=web:8=main" : "2=other:8=main", "");
		ck_assert_int_eq(k->judgement.verdict, HF_VERDICT_ACCEPTED);
	}
	hf_state_tally(k->state, k->now, tallies);
	ck_assert_uint_eq(tallies[0].live, 0);
	ck_assert_uint_eq(tallies[0].stale, 6);
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main");
	hf_state_tally(k->state, k->now, tallies);
	ck_assert_uint_eq(tallies[0].live, 6);
	kit_free(k);
}
END_TEST

START_TEST(a_workspace_goes_over_under_the_name_that_its_new_owners_stream_lists)
{
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2);

	hf_state_owner_set(k->state, "main", &bob, "bob", k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main 3=own:9=main");
	/* bob's own `dev` must not lose its name to what was alice's. */
	kit_snapshot(k, "main", 2, "1=moved:7=main 5=dev:15=main");
	kit_diff(k, "main", 1, "", "1 1:7");
	ck_assert(kit_has(k, "main.moved.bob.coder", 7));
	ck_assert(kit_has(k, "main.dev.bob.coder", 15));
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(a_workspace_that_its_new_owner_cannot_name_comes_with_that_owners_snapshot)
{
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2);

	hf_state_owner_set(k->state, "main", &bob, "bob", k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main 3=own:9=main");
	kit_snapshot(k, "main", 2, "1=b.d:7=main 5=dev:15=main");
	kit_diff(k, "main", 1, "", "1 1:7");
	ck_assert_int_eq(kit_flags(k, "main.dev.alice.coder"), -1);
	ck_assert(kit_has(k, "main.dev.bob.coder", 15));
	ck_assert(hf_state_wants_snapshot(k->state, "main", &bob, k->now));
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(one_whose_owner_is_never_told_keeps_no_other_waiting)
{
	struct kit *k = kit_new();
	struct hf_uuid bob = kit_id(2), ws;
	bool seen[4] = { false };

	hf_state_owner_set(k->state, "main", &bob, "bob", k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main 3=own:9=main");
	kit_snapshot(k, "main", 2, "1=dev:7=main 2=web:8=main 3=own:9=main");
	for (unsigned i = 0; i < 3; i++) {
		ck_assert(hf_state_disputed(k->state, "main", &ws));
		ck_assert_uint_le(ws.b[15], 3);
		seen[ws.b[15]] = true;
	}
	ck_assert(seen[1] && seen[2] && seen[3]);
	kit_free(k);
}
END_TEST

START_TEST(a_renamed_owner_is_a_rename)
{
	struct kit *k = kit_new();
	struct hf_uuid alice = kit_id(1);

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_commit(k);
	hf_state_owner_set(k->state, "main", &alice, "alicia", k->now);
	ck_assert(kit_has(k, "main.dev.alicia.coder", 7));
	ck_assert_int_eq(kit_flags(k, "main.dev.alice.coder"), -1);
	ck_assert_uint_eq(k->n_changed, 0); /* all was in the first commit after the rename */
	ck_assert_uint_eq(kit_count(k), 3);
	kit_free(k);
}
END_TEST

START_TEST(another_deployment_is_held_until_it_is_accepted)
{
	struct kit *k = kit_new();
	struct hf_identity id = { .user = kit_id(1), .deployment_id = "d2" };
	struct hf_judgement j;

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(hf_state_identify(k->state, "main", &id, k->now, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_HELD);
	ck_assert_int_eq(kit_snapshot(k, "main", 1, "5=evil:6=main"), HF_VERDICT_HELD);
	ck_assert_uint_eq(kit_count(k), 3);
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, "deployment", HF_DECISION_ACCEPT, k->now), 1);
	ck_assert_int_eq(hf_state_identify(k->state, "main", &id, k->now, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_ACCEPTED);
	ck_assert_int_eq(
	    kit_snapshot(k, "main", 1, "1=dev:7=main 5=new:6=main"), HF_VERDICT_ACCEPTED);
	ck_assert(kit_has(k, "main.new.me.coder", 6));
	kit_free(k);
}
END_TEST

START_TEST(an_asked_suffix_is_pinned_and_a_new_one_is_held)
{
	struct kit *k = kit_new();
	struct hf_identity id = { .user = kit_id(1), .suffix = "cdr" };
	struct hf_judgement j;

	k->sources[0].suffix = NULL;
	hf_state_free(k->state);
	ck_assert_int_eq(hf_state_new(&k->conf, NULL, k->now, &k->state), 0);
	hf_state_identify(k->state, "main", &id, k->now, &j);
	hf_state_owner_set(k->state, "main", &id.user, "alice", k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert(kit_has(k, "main.dev.me.cdr", 7));
	id.suffix = "com";
	hf_state_identify(k->state, "main", &id, k->now, &j);
	id.suffix = "other";
	hf_state_identify(k->state, "main", &id, k->now, &j);
	ck_assert(kit_has(k, "main.dev.me.cdr", 7));
	ck_assert_int_eq(
	    hf_state_decide(k->state, "main", NULL, "suffix", HF_DECISION_ACCEPT, k->now), 1);
	ck_assert(kit_has(k, "main.dev.me.other", 7));
	ck_assert_uint_eq(kit_count(k), 3);
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(between_sources_the_configuration_decides)
{
	struct kit *k = kit_new();
	struct hf_identity id = { .user = kit_id(1), .deployment_id = "x" };
	struct hf_judgement j;

	k->sources[1] = k->sources[0];
	k->sources[1].name = "second";
	k->conf.n_sources = 2;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	hf_state_identify(k->state, "second", &id, k->now, &j);
	hf_state_owner_set(k->state, "second", &id.user, "alice", k->now);
	kit_snapshot(k, "second", 1, "1=dev:8=main 4=only:9=main");
	ck_assert(kit_has(k, "main.dev.me.coder", 8));
	kit_snapshot(k, "main", 1, "2=dev:7=main");
	ck_assert(kit_has(k, "main.dev.me.coder", 7));
	ck_assert(kit_has(k, "main.only.me.coder", 9));
	kit_check(k);
	/* The operator takes the first source out: its names go, the second's take over. */
	k->sources[0] = k->sources[1];
	k->conf.n_sources = 1;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	ck_assert(kit_has(k, "main.dev.me.coder", 8));
	ck_assert_uint_eq(kit_count(k), 6);
	kit_check(k);
	kit_free(k);
}
END_TEST

START_TEST(a_restart_finds_everything_and_changes_nothing)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=a,9=b 3=dev:11=main 4=x:100008=main");
	kit_check(k);
	kit_restart(k);
	ck_assert_uint_eq(hf_state_n_names(k->state), kit_count(k));
	ck_assert(!kit_commit(k));
	kit_check(k);
	/* The first message of the new process is compared with what the store had. */
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=a,9=b 3=dev:11=main 4=x:100008=main");
	kit_commit(k);
	ck_assert_uint_eq(k->n_changed, 0);
	kit_free(k);
}
END_TEST

/*
 * Agents that are stored in an order of their own, of workspaces with gaps between their numbers.
 */
START_TEST(a_restart_finds_each_agents_workspace_whatever_the_order)
{
	struct kit *k = kit_new();

	kit_snapshot(
	    k, "main", 1, "1=a:7=main 2=b:8=main 3=c:9=main 4=d:10=main 5=e:11=main 6=f:12=main");
	kit_commit(k);
	kit_diff(k, "main", 1, "6=f:26=main", "6:12");
	kit_diff(k, "main", 1, "1=a:21=main", "1:7 2");
	kit_diff(k, "main", 1, "3=c:23=main 1=a:21=main,27=more", "3:9 4");
	kit_diff(k, "main", 1, "7=g:28=main 5=e:25=main", "5:11");
	kit_check(k);
	kit_restart(k);
	kit_check(k);
	ck_assert(kit_has(k, "f.coder", 26));
	ck_assert(kit_has(k, "main.a.me.coder", 21));
	ck_assert(kit_has(k, "more.a.me.coder", 27));
	ck_assert(kit_has(k, "c.coder", 23));
	ck_assert(kit_has(k, "e.coder", 25));
	ck_assert(kit_has(k, "g.coder", 28));
	kit_free(k);
}
END_TEST

START_TEST(an_address_of_two_agents_stays_the_better_ones_over_a_restart)
{
	struct kit *k = kit_new();
	struct hf_uuid alice = kit_id(1);

	/* 100007 has the address of 7. */
	kit_snapshot(k, "main", 1, "1=dev:7=main 4=x:100007=other 5=y:8=main");
	kit_commit(k);
	kit_restart(k);
	kit_check(k);
	/* All of the owner's names are settled again. */
	hf_state_owner_set(k->state, "main", &alice, "alicia", k->now);
	ck_assert_int_eq(kit_flags(k, "other.x.alicia.coder"), -1);
	ck_assert_int_eq(kit_flags(k, "other.x.me.coder"), -1);
	ck_assert(kit_has(k, "main.dev.me.coder", 7));
	kit_snapshot(k, "main", 1, "4=x:100007=other 5=y:8=main");
	kit_check(k);
	ck_assert(kit_has(k, "main.y.me.coder", 8));
	kit_free(k);
}
END_TEST

START_TEST(an_image_that_is_not_in_order_is_refused)
{
	struct kit *k = kit_new();
	struct hf_source_row source = { .name = "main", .url = "https://c.example" };
	struct hf_owner_row owner = { .name = "alice", .id = kit_id(1) };
	struct hf_workspace_row ws[] = {
		{ .rid = 4, .id = kit_id(4), .name = "d" },
		{ .rid = 3, .id = kit_id(3), .name = "c" },
	};
	struct hf_image image = { .sources = &source,
		.n_sources = 1,
		.owners = &owner,
		.n_owners = 1,
		.workspaces = ws,
		.n_workspaces = 2,
		.next_workspace = 5 };
	struct hf_state *state;

	ck_assert_int_eq(hf_state_new(&k->conf, &image, k->now, &state), HF_EFORMAT);
	ws[1].rid = 4;
	ck_assert_int_eq(hf_state_new(&k->conf, &image, k->now, &state), HF_EFORMAT);
	ws[0].rid = 3;
	ck_assert_int_eq(hf_state_new(&k->conf, &image, k->now, &state), 0);
	hf_state_free(state);
	kit_free(k);
}
END_TEST

START_TEST(an_image_with_rows_that_refer_to_nothing_is_refused)
{
	struct kit *k = kit_new();
	struct hf_source_row source = { .rid = 2, .name = "main", .url = "https://c.example" };
	struct hf_owner_row owner = { .rid = 3, .source = 2, .name = "alice", .id = kit_id(1) };
	struct hf_workspace_row ws = { .rid = 4, .owner = 3, .id = kit_id(4), .name = "d" };
	struct hf_agent_row agent = {
		.rid = 5, .workspace = 4, .id = kit_agent_id(1), .name = "x"
	};
	struct hf_hold_row hold = { .source = 2, .owner = 3, .kind = "removal" };
	struct hf_restored_row restored = { .source = 2 };
	struct hf_text_row text = { .rid = 1, .text = "org:a" };
	struct hf_image image = { .sources = &source,
		.n_sources = 1,
		.owners = &owner,
		.n_owners = 1,
		.workspaces = &ws,
		.n_workspaces = 1,
		.agents = &agent,
		.n_agents = 1,
		.holds = &hold,
		.n_holds = 1,
		.restored = &restored,
		.n_restored = 1,
		.texts = &text,
		.n_texts = 1,
		.next_workspace = 5,
		.next_agent = 6 };
	const struct {
		uint32_t *field;
		uint32_t bad;
	} faults[] = {
		{ &source.rid, HF_ZONE_SOURCES_MAX },
		{ &owner.rid, HF_ZONE_OWNERS_MAX },
		{ &owner.source, 1 },
		{ &owner.source, HF_ZONE_SOURCES_MAX },
		{ &ws.owner, 2 }, /* a place before one that is there */
		{ &ws.owner, 4 },
		{ &hold.rid, UINT16_MAX + 1 },
		{ &hold.source, HF_ZONE_SOURCES_MAX },
		{ &hold.owner, 4 },
		{ &restored.source, 1 },
		{ &restored.source, HF_ZONE_SOURCES_MAX },
		{ &text.rid, 0 },
		{ &text.rid, UINT16_MAX + 1 },
	};
	struct hf_state *state;

	ck_assert_int_eq(hf_name_parse("x.d.me.coder", &restored.name), 0);
	ck_assert_int_eq(hf_state_new(&k->conf, &image, k->now, &state), 0);
	hf_state_free(state);
	/* An agent would miss its workspace, and hide what was not looked at. */
	image.n_agents = 0;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		uint32_t good = *faults[i].field;

		*faults[i].field = faults[i].bad;
		ck_assert_int_eq(hf_state_new(&k->conf, &image, k->now, &state), HF_EFORMAT);
		*faults[i].field = good;
	}
	kit_free(k);
}
END_TEST

START_TEST(an_image_with_an_agent_of_no_workspace_is_refused)
{
	struct kit *k = kit_new();
	struct hf_source_row source = { .name = "main", .url = "https://c.example" };
	struct hf_owner_row owner = { .name = "alice", .id = kit_id(1) };
	struct hf_workspace_row ws[] = {
		{ .rid = 2, .id = kit_id(2), .name = "b" },
		{ .rid = 4, .id = kit_id(4), .name = "d" },
		{ .rid = 6, .id = kit_id(6), .name = "f" },
	};
	struct hf_agent_row agents[] = {
		{ .rid = 1, .id = kit_agent_id(1), .name = "x" },
		{ .rid = 2, .id = kit_agent_id(2), .name = "x" },
	};
	struct hf_image image = { .sources = &source,
		.n_sources = 1,
		.owners = &owner,
		.n_owners = 1,
		.workspaces = ws,
		.n_workspaces = 3,
		.agents = agents,
		.n_agents = 2,
		.next_workspace = 7,
		.next_agent = 3 };
	struct hf_state *state;

	/* Before, between and behind those that are there, whichever was found last. */
	for (uint32_t first = 2; first <= 6; first += 2)
		for (uint32_t second = 1; second <= 7; second++) {
			int rc;

			agents[0].workspace = first;
			agents[1].workspace = second;
			rc = hf_state_new(&k->conf, &image, k->now, &state);
			ck_assert_int_eq(rc, second % 2 ? HF_EFORMAT : 0);
			if (!rc)
				hf_state_free(state);
		}
	kit_free(k);
}
END_TEST

START_TEST(a_diff_before_any_snapshot_of_this_process_is_refused)
{
	struct kit *k = kit_new();

	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_commit(k);
	kit_restart(k);
	ck_assert_int_eq(kit_diff(k, "main", 1, "", "1 1:7"), HF_VERDICT_REFUSED);
	ck_assert_uint_eq(kit_count(k), 3);
	kit_free(k);
}
END_TEST

#define L60 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"

static int check_unknown(const struct hf_source_view *v, void *arg)
{
	ck_assert_str_eq(v->row->name, "lab");
	ck_assert_uint_eq(v->row->suffix.len, 0);
	ck_assert(hf_uuid_is_zero(&v->row->user));
	ck_assert_str_eq(v->row->removals, "");
	ck_assert_str_eq(v->rights, "");
	ck_assert(!v->fresh && !v->stale_since_s && !v->leaving);
	return 0;
}

static int note_deployment(const struct hf_source_view *v, void *arg)
{
	snprintf(arg, 2 * HF_TEXT_MAX, "%.*s", HF_TEXT_MAX, v->row->deployment_id);
	return 0;
}

/* One byte less than there is room for is an id, what is longer is none. */
static int list_workspace(const struct hf_workspace_view *v, void *arg)
{
	char *out = arg;
	size_t at = strlen(out);

	snprintf(out + at, 200 - at, "%s/%s/%s:%u ", v->source->name, v->owner->name, v->row->name,
	    (unsigned)v->agents);
	return 0;
}

START_TEST(each_workspace_is_listed_with_its_owner_and_its_agents)
{
	struct kit *k = kit_new();
	char seen[200] = "";

	kit_snapshot(k, "main", 1, "1=dev:7=main,8=gpu 2=web 3=old:9=main");
	kit_diff(k, "main", 1, "", "1");
	hf_state_each_workspace(k->state, list_workspace, seen);
	ck_assert_ptr_nonnull(strstr(seen, "main/alice/web:0 "));
	ck_assert_ptr_nonnull(strstr(seen, "main/alice/old:1 "));
	ck_assert_uint_eq(strlen(seen), 2 * strlen("main/alice/web:0 "));
	kit_free(k);
}
END_TEST

static void image_done(struct hf_image *image)
{
	free(image->sources);
	free(image->owners);
	free(image->workspaces);
	free(image->agents);
	free(image->holds);
	free(image->restored);
	free(image->texts);
}

/* What a store is made anew of out of memory: a state that begins with it knows the same. */
START_TEST(an_image_of_the_model_has_all_of_it)
{
	struct hf_image image = { 0 };
	char seen[200] = "", again[200] = "";
	struct hf_uuid bob = kit_id(2);
	struct kit *k = kit_new();
	struct hf_state *state;

	hf_state_owner_set(k->state, "main", &bob, "bob", k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main,8=gpu 2=web 3=old:9=main 4=x:11=main");
	kit_snapshot(k, "main", 2, "5=his:10=main");
	kit_diff(k, "main", 1, "", "2");
	kit_snapshot(k, "main", 2, ""); /* held */
	ck_assert_int_eq(hf_state_image(k->state, k->now, &image), 0);
	ck_assert_uint_eq(image.n_workspaces, 4);
	ck_assert_uint_eq(image.n_agents, 5);
	ck_assert_uint_eq(image.n_holds, 1);
	ck_assert_int_eq(hf_state_new(&k->conf, &image, k->now, &state), 0);
	hf_state_each_workspace(k->state, list_workspace, seen);
	hf_state_each_workspace(state, list_workspace, again);
	ck_assert_uint_eq(strlen(seen), strlen(again));
	ck_assert_ptr_nonnull(strstr(again, "main/alice/dev:2 "));
	ck_assert_ptr_nonnull(strstr(again, "main/bob/his:1 "));
	ck_assert_uint_eq(hf_state_n_names(state), hf_state_n_names(k->state));
	hf_state_free(state);
	image_done(&image);
	kit_free(k);
}
END_TEST

START_TEST(more_sources_than_a_zone_has_places_for_are_refused)
{
	static struct hf_state_source_conf sources[HF_ZONE_SOURCES_MAX + 1];
	static char names[HF_ZONE_SOURCES_MAX + 1][16];
	struct kit *k = kit_new();

	for (size_t i = 0; i <= HF_ZONE_SOURCES_MAX; i++) {
		sources[i] = k->sources[0];
		snprintf(names[i], sizeof(names[i]), "s%zu", i);
		sources[i].name = i ? names[i] : "main";
		sources[i].url = i ? names[i] : k->sources[0].url;
	}
	k->conf.sources = sources;
	k->conf.n_sources = HF_ZONE_SOURCES_MAX + 1;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), HF_ELIMIT);
	k->conf.n_sources = HF_ZONE_SOURCES_MAX;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	kit_free(k);
}
END_TEST

/* A place that is free again is another source's, who knows nothing of the former one. */
START_TEST(a_source_in_the_place_of_a_former_one_begins_from_nothing)
{
	char seen[2 * HF_TEXT_MAX] = "?";
	struct kit *k = kit_new();

	k->rights = "org:a";
	kit_login(k);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_diff(k, "main", 1, "2=web:8=main", "1");
	kit_commit(k);
	k->conf.n_sources = 0;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	ck_assert_uint_eq(kit_count(k), 0);
	k->sources[0].name = "lab";
	k->sources[0].url = "https://lab.example";
	k->sources[0].suffix = NULL;
	k->conf.n_sources = 1;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	hf_state_each_source(k->state, k->now, note_deployment, seen);
	ck_assert_str_eq(seen, "");
	hf_state_each_source(k->state, k->now, check_unknown, NULL);
	kit_free(k);
}
END_TEST

static const char *const long_suffixes[] = {
	/* Not even the sentinel's second label fits; then its first one does not. */
	L60 "." L60 "." L60 "." L60,
	L60 "." L60 "." L60 ".abcdefghijklmnopqrstuvwxyzabcdef",
};

START_TEST(a_sentinel_too_long_for_dns_is_left_out_alone)
{
	struct hf_tally tallies[HF_ZONE_SOURCES_MAX];
	struct kit *k = kit_new();
	struct hf_name suffix;

	ck_assert_int_eq(hf_name_parse(long_suffixes[_i], &suffix), 0);
	k->sources[0].suffix = &suffix;
	k->sources[0].sentinel = true;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
	ck_assert_uint_eq(kit_count(k), 0);
	ck_assert_uint_eq(hf_state_n_names(k->state), 0);
	hf_state_tally(k->state, k->now, tallies);
	ck_assert_uint_eq(tallies[0].stale, 0);
	kit_free(k);
}
END_TEST

START_TEST(a_deployment_id_without_room_is_none)
{
	char id[HF_TEXT_MAX + 1] = "", seen[2 * HF_TEXT_MAX] = "";
	struct hf_identity told = { .user = kit_id(1), .user_name = "alice", .deployment_id = id };
	struct kit *k = kit_new();
	struct hf_judgement j;

	hf_state_free(k->state);
	ck_assert_int_eq(hf_state_new(&k->conf, NULL, k->now, &k->state), 0);
	memset(id, 'x', HF_TEXT_MAX);
	ck_assert_int_eq(hf_state_identify(k->state, "main", &told, k->now, &j), 0);
	hf_state_each_source(k->state, k->now, note_deployment, seen);
	ck_assert_str_eq(seen, "");
	id[HF_TEXT_MAX - 1] = '\0';
	ck_assert_int_eq(hf_state_identify(k->state, "main", &told, k->now, &j), 0);
	hf_state_each_source(k->state, k->now, note_deployment, seen);
	ck_assert_str_eq(seen, id);
	/* And where one is pinned, one that is too long is another one. */
	id[HF_TEXT_MAX - 1] = 'x';
	ck_assert_int_eq(hf_state_identify(k->state, "main", &told, k->now, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_HELD);
	kit_free(k);
}
END_TEST

START_TEST(the_sentinel_of_each_source_is_counted)
{
	struct hf_tally tallies[HF_ZONE_SOURCES_MAX];
	struct kit *k = kit_new();
	struct hf_name suffix;

	k->sources[1] = k->sources[0];
	k->sources[1].name = "lab";
	k->sources[1].url = "https://lab.example";
	ck_assert_int_eq(hf_name_parse("lab", &suffix), 0);
	k->sources[1].suffix = &suffix;
	k->sources[1].sentinel = true;
	k->conf.n_sources = 2;
	hf_state_configure(k->state, &k->conf, k->now);
	kit_check(k);
	hf_state_tally(k->state, k->now, tallies);
	ck_assert_uint_eq(tallies[0].stale, 0);
	ck_assert_uint_eq(tallies[1].stale, 1);
	kit_free(k);
}
END_TEST

START_TEST(the_sentinel_is_there_only_when_asked_for)
{
	struct kit *k = kit_new();

	k->sources[0].sentinel = true;
	hf_state_configure(k->state, &k->conf, k->now);
	ck_assert(kit_has(k, "is.coder--connect--enabled--right--now.coder", 0x53));
	kit_restart(k);
	ck_assert(!kit_commit(k));
	ck_assert_uint_eq(hf_state_n_names(k->state), 1);
	k->sources[0].sentinel = false;
	hf_state_configure(k->state, &k->conf, k->now);
	ck_assert_uint_eq(kit_count(k), 0);
	kit_free(k);
}
END_TEST

Suite *state_suite(void)
{
	Suite *s = suite_create("state");
	TCase *tc = tcase_create("messages");

	tcase_add_test(tc, a_snapshot_publishes_all_three_names_of_the_own_user);
	tcase_add_test(tc, the_short_name_goes_with_the_second_agent_and_comes_back);
	tcase_add_test(tc, another_owner_has_no_me_and_no_short_name);
	tcase_add_test(tc, an_equal_snapshot_touches_nothing);
	tcase_add_test(tc, upper_case_is_folded);
	tcase_add_test(tc, a_stopped_workspace_stays_known_without_agents);
	tcase_add_test(tc, an_upsert_without_agents_keeps_them);
	tcase_add_test(tc, a_renamed_agent_keeps_its_first_seen);
	tcase_add_test(tc, a_rebuild_changes_the_address_in_one_changeset);
	tcase_add_test(tc, a_diff_with_an_agent_of_an_unknown_workspace_is_refused_whole);
	tcase_add_test(tc, a_record_of_a_diff_that_stream_refused_harms_only_itself);
	tcase_add_test(tc, a_snapshot_with_an_agent_of_an_unknown_workspace_removes_nothing);
	tcase_add_test(tc, an_unknown_delete_is_ignored_and_asks_for_a_snapshot);
	tcase_add_test(tc, a_bad_name_harms_only_itself_and_stays_known);
	tcase_add_test(tc, agents_of_a_refused_workspace_come_with_its_good_name);
	tcase_add_test(tc, the_lowest_workspace_id_wins_a_clash_and_the_other_waits);
	tcase_add_test(tc, an_address_clash_refuses_the_later_workspace_alone);
	tcase_add_test(tc, a_workspace_goes_over_when_its_owners_stream_drops_it);
	tcase_add_test(tc, a_workspace_goes_over_under_the_name_that_its_new_owners_stream_lists);
	tcase_add_loop_test(tc, a_name_that_two_rows_publish_is_counted_once, 0, 2);
	tcase_add_test(tc, diffs_do_not_keep_an_owner_fresh);
	tcase_add_test(tc, stale_is_since_the_connection_was_lost_or_silent_for_too_long);
	tcase_add_loop_test(tc, a_url_is_the_same_whatever_says_nothing_in_it, 0, 11);
	tcase_add_test(tc, a_new_name_is_told_before_it_is_taken);
	tcase_add_test(
	    tc, a_workspace_that_its_new_owner_cannot_name_comes_with_that_owners_snapshot);
	tcase_add_test(tc, one_whose_owner_is_never_told_keeps_no_other_waiting);
	tcase_add_test(tc, a_renamed_owner_is_a_rename);
	tcase_add_test(tc, another_deployment_is_held_until_it_is_accepted);
	tcase_add_test(tc, an_asked_suffix_is_pinned_and_a_new_one_is_held);
	tcase_add_test(tc, between_sources_the_configuration_decides);
	tcase_add_test(tc, a_restart_finds_everything_and_changes_nothing);
	tcase_add_test(tc, a_restart_finds_each_agents_workspace_whatever_the_order);
	tcase_add_test(tc, an_address_of_two_agents_stays_the_better_ones_over_a_restart);
	tcase_add_test(tc, an_image_that_is_not_in_order_is_refused);
	tcase_add_test(tc, an_image_with_rows_that_refer_to_nothing_is_refused);
	tcase_add_test(tc, an_image_with_an_agent_of_no_workspace_is_refused);
	tcase_add_test(tc, a_diff_before_any_snapshot_of_this_process_is_refused);
	tcase_add_test(tc, each_workspace_is_listed_with_its_owner_and_its_agents);
	tcase_add_test(tc, an_image_of_the_model_has_all_of_it);
	tcase_add_test(tc, more_sources_than_a_zone_has_places_for_are_refused);
	tcase_add_test(tc, a_source_in_the_place_of_a_former_one_begins_from_nothing);
	tcase_add_loop_test(tc, a_sentinel_too_long_for_dns_is_left_out_alone, 0, 2);
	tcase_add_test(tc, a_deployment_id_without_room_is_none);
	tcase_add_test(tc, the_sentinel_of_each_source_is_counted);
	tcase_add_test(tc, the_sentinel_is_there_only_when_asked_for);
	suite_add_tcase(s, tc);
	return s;
}
