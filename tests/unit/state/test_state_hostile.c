/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that are of good form and made to cost much: the work for one is bounded whatever is in
 * it, and what is left out is listed. Each would take minutes if the work grew with the square of
 * the records; the test case's time limit is the check.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state/state.h"

Suite *state_hostile_suite(void);

enum { RECORDS = 60000, LIMIT_S = 25, NAME = 16 };

struct hostile {
	struct hf_name suffix;
	struct hf_state_source_conf source;
	struct hf_state_conf conf;
	struct hf_when now;
	struct hf_uuid alice;
	struct hf_state *state;
	struct hf_judgement judgement;
	struct hf_update update;
	char (*names)[NAME];
};

static struct hf_uuid id_of(uint8_t kind, uint32_t n, uint32_t beyond_the_address)
{
	struct hf_uuid id = { { kind } };

	for (unsigned i = 0; i < 4; i++) {
		id.b[1 + i] = (uint8_t)(beyond_the_address >> (24 - 8 * i));
		id.b[12 + i] = (uint8_t)(n >> (24 - 8 * i));
	}
	return id;
}

static struct hostile *hostile_new(void)
{
	struct hostile *h = calloc(1, sizeof(*h));
	struct hf_identity who = { .user_name = "alice" };

	ck_assert_ptr_nonnull(h);
	ck_assert_int_eq(hf_name_parse("coder", &h->suffix), 0);
	h->source = (struct hf_state_source_conf){ .name = "main",
		.url = "https://c.example",
		.suffix = &h->suffix,
		.fresh_ms = 60000,
		.snapshot_ms = 600000 };
	h->conf = (struct hf_state_conf){ .sources = &h->source,
		.n_sources = 1,
		.guard_min = 3,
		.guard_percent = 50,
		.grace_ms = 600000 };
	h->now = (struct hf_when){ .boot_ms = 1000, .wall_s = 1700000000 };
	h->alice = who.user = id_of(1, 1, 0);
	ck_assert_int_eq(hf_state_new(&h->conf, NULL, h->now, &h->state), 0);
	hf_state_identify(h->state, "main", &who, h->now, &h->judgement);
	hf_state_owner_set(h->state, "main", &h->alice, "alice", h->now);
	h->update = (struct hf_update){ .owner = h->alice,
		.upserted_workspaces = calloc(RECORDS, sizeof(struct hf_update_workspace)),
		.upserted_agents = calloc(RECORDS, sizeof(struct hf_update_agent)),
		.deleted_workspaces = calloc(RECORDS, sizeof(struct hf_update_workspace)) };
	h->names = calloc(RECORDS, sizeof(*h->names));
	for (size_t i = 0; i < RECORDS; i++)
		snprintf(h->names[i], NAME, "n%zu", i);
	return h;
}

static void hostile_free(struct hostile *h)
{
	free(h->update.upserted_workspaces);
	free(h->update.upserted_agents);
	free(h->update.deleted_workspaces);
	free(h->names);
	hf_state_free(h->state);
	free(h);
}

static struct hf_bytes text(const char *at)
{
	return (struct hf_bytes){ at, (uint32_t)strlen(at) };
}

static void send_only(struct hostile *h, enum hf_update_kind kind)
{
	h->update.kind = kind;
	ck_assert_int_eq(hf_state_update(h->state, "main", &h->update, h->now, &h->judgement), 0);
	ck_assert_int_eq(h->judgement.verdict, HF_VERDICT_ACCEPTED);
}

static void send(struct hostile *h, enum hf_update_kind kind)
{
	const struct hf_changeset *changes;

	send_only(h, kind);
	ck_assert_int_ge(hf_state_take(h->state, h->now, &changes), 0);
	hf_state_committed(h->state);
}

static const struct {
	size_t agents_each; /* in one workspace */
	bool same_workspace_name, same_agent_name, same_address;
	size_t names, refused; /* that are published, that are listed */
} shapes[] = {
	{ 1, false, true, false, 3 * RECORDS, 0 },
	/* All the same names: one has them. */
	{ 1, true, true, false, 3, RECORDS - 1 },
	/*
	 * All in one workspace: no more than it may have, two names for each. The list is bounded.
	 */
	{ RECORDS, false, false, false, 2 * 256, 20 },
	{ RECORDS, false, true, false, 2, 255 + 20 },
	{ 1, false, false, true, 3, RECORDS - 1 },
	{ 200, false, false, true, 2, RECORDS - 1 },
	{ 200, true, true, false, 2, RECORDS - 1 },
};

static void fill(struct hostile *h, size_t shape)
{
	struct hf_update *u = &h->update;
	size_t each = shapes[shape].agents_each;

	u->n_upserted_workspaces = RECORDS / each;
	u->n_upserted_agents = RECORDS;
	for (size_t i = 0; i < u->n_upserted_workspaces; i++) {
		u->upserted_workspaces[i].id = id_of(2, (uint32_t)i + 1, 0);
		u->upserted_workspaces[i].name =
		    text(shapes[shape].same_workspace_name ? "same" : h->names[i]);
	}
	for (size_t i = 0; i < RECORDS; i++) {
		bool same = shapes[shape].same_address;

		u->upserted_agents[i] = (struct hf_update_agent){
			.id = id_of(3, same ? 7 : (uint32_t)i + 1, same ? (uint32_t)i + 1 : 0),
			.workspace = u->upserted_workspaces[i / each].id,
			.name = text(shapes[shape].same_agent_name ? "same" : h->names[i]),
		};
	}
}

static int count_refused(const struct hf_refused_view *refused, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

static int count_hold(const struct hf_hold_row *hold, const struct hf_source_row *source,
    const struct hf_owner_row *owner, uint32_t workspaces, void *arg)
{
	++*(uint32_t *)arg;
	return 0;
}

START_TEST(what_is_alike_costs_no_more_than_what_differs)
{
	struct hostile *h = hostile_new();
	size_t refused = 0;

	fill(h, (size_t)_i);
	send(h, HF_UPDATE_SNAPSHOT);
	ck_assert_uint_eq(hf_state_n_names(h->state), shapes[_i].names);
	hf_state_each_refused(h->state, count_refused, &refused);
	ck_assert_uint_eq(refused, shapes[_i].refused);
	send(h, HF_UPDATE_SNAPSHOT);
	ck_assert_uint_eq(hf_state_n_names(h->state), shapes[_i].names);
	/* All agents go, and only that many workspaces are left. */
	h->update.n_upserted_agents = 0;
	send(h, HF_UPDATE_SNAPSHOT);
	ck_assert_uint_eq(hf_state_n_names(h->state), 0);
	hostile_free(h);
}
END_TEST

/* Those that were left out among too many come when there are few again. */
START_TEST(who_was_crowded_out_comes_back)
{
	struct hostile *h = hostile_new();

	fill(h, 4);
	send(h, HF_UPDATE_SNAPSHOT);
	/* Only the last two stay: both were left out before. */
	for (size_t i = 0; i < 2; i++) {
		h->update.upserted_agents[i] = h->update.upserted_agents[RECORDS - 2 + i];
		h->update.upserted_agents[i].name = text(i ? "two" : "one");
	}
	h->update.n_upserted_agents = 2;
	send(h, HF_UPDATE_SNAPSHOT);
	send(h, HF_UPDATE_SNAPSHOT);
	ck_assert_uint_eq(hf_state_n_names(h->state), 3);
	hostile_free(h);
}
END_TEST

START_TEST(one_id_deleted_many_times_is_deleted_once)
{
	struct hostile *h = hostile_new();

	h->update.n_upserted_workspaces = 1;
	h->update.upserted_workspaces[0].id = id_of(2, 1, 0);
	h->update.upserted_workspaces[0].name = text("dev");
	send(h, HF_UPDATE_SNAPSHOT);
	h->update.n_upserted_workspaces = 0;
	h->update.n_deleted_workspaces = RECORDS;
	for (size_t i = 0; i < RECORDS; i++)
		h->update.deleted_workspaces[i].id = id_of(2, 1, 0);
	send(h, HF_UPDATE_DIFF);
	ck_assert_uint_eq(h->judgement.held, 0);
	hostile_free(h);
}
END_TEST

START_TEST(many_small_diffs_cost_what_they_are)
{
	struct hostile *h = hostile_new();

	send(h, HF_UPDATE_SNAPSHOT);
	h->update.n_upserted_workspaces = h->update.n_upserted_agents = 1;
	for (uint32_t i = 0; i < RECORDS; i++) {
		h->update.upserted_workspaces[0].id = id_of(2, i % 50, 0);
		h->update.upserted_workspaces[0].name = text(h->names[i % 7]);
		h->update.upserted_agents[0] = (struct hf_update_agent){ .id = id_of(3, i % 90, 0),
			.workspace = id_of(2, i % 50, 0),
			.name = text(h->names[i % 5]) };
		send(h, HF_UPDATE_DIFF);
	}
	ck_assert_uint_le(hf_state_n_names(h->state), 3 * 90);
	hostile_free(h);
}
END_TEST

/*
 * What is held of one owner is found, and its time counted, without a look at what is held of all
 * others.
 */
START_TEST(all_owners_may_be_held_at_once)
{
	enum { OWNERS = RECORDS };
	struct hostile *h = hostile_new();
	uint32_t holds = 0;

	h->update.n_upserted_workspaces = 1;
	h->update.upserted_workspaces[0].name = text("dev");
	for (unsigned empty = 0; empty < 2; empty++)
		for (uint32_t i = 0; i < OWNERS; i++) {
			h->update.owner = id_of(9, i, 0);
			h->update.upserted_workspaces[0].id = id_of(2, i, 0);
			ck_assert_int_eq(
			    hf_state_owner_set(h->state, "main", &h->update.owner, "bob", h->now),
			    0);
			h->update.n_upserted_workspaces = !empty;
			send_only(h, HF_UPDATE_SNAPSHOT);
			ck_assert_uint_eq(h->judgement.held, empty);
			hf_state_wants_snapshot(h->state, "main", &h->update.owner, h->now);
		}
	hf_state_tick(h->state, h->now);
	ck_assert(!hf_state_wants_connection(h->state, "main", h->now));
	hf_state_each_hold(h->state, count_hold, &holds);
	ck_assert_uint_eq(holds, OWNERS);
	ck_assert_int_eq(
	    hf_state_decide(h->state, "main", NULL, NULL, HF_DECISION_ACCEPT, h->now), OWNERS);
	ck_assert_uint_eq(hf_state_n_names(h->state), 0);
	hostile_free(h);
}
END_TEST

Suite *state_hostile_suite(void)
{
	Suite *s = suite_create("state_hostile");
	TCase *tc = tcase_create("hostile");

	tcase_set_timeout(tc, LIMIT_S);
	tcase_add_loop_test(tc, what_is_alike_costs_no_more_than_what_differs, 0,
	    sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(tc, who_was_crowded_out_comes_back);
	tcase_add_test(tc, one_id_deleted_many_times_is_deleted_once);
	tcase_add_test(tc, many_small_diffs_cost_what_they_are);
	tcase_add_test(tc, all_owners_may_be_held_at_once);
	suite_add_tcase(s, tc);
	return s;
}
