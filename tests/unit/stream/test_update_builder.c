/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An update while it is built: names that last, the lists, and the budget that all share.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/stream/wire/update_builder.h"

Suite *update_builder_suite(void);

static const struct hf_uuid owner = { .b = { 7 } };
static struct hf_budget budget;
static struct hf_update_builder r;

static void setup(void)
{
	memset(&r, 0, sizeof(r));
	budget = (struct hf_budget){ .max = 16 << 20 };
}

static void teardown(void)
{
	hf_update_builder_drop(&r);
	ck_assert_uint_eq(budget.used, 0);
}

static void begin(void)
{
	ck_assert_int_eq(hf_update_builder_begin(&r, &budget, HF_UPDATE_DIFF, &owner), 0);
}

static int add_workspace(bool deleted, const char *name, uint32_t len)
{
	const struct hf_update_workspace w = {
		.id = { .b = { 1 } }, .name = { name, len }, .status = 3
	};

	return hf_update_builder_add_workspace(&r, deleted, &w);
}

static int add_agent(bool deleted, const char *name, uint32_t len)
{
	const struct hf_update_agent a = {
		.id = { .b = { 2 } }, .workspace = { .b = { 1 } }, .name = { name, len }
	};

	return hf_update_builder_add_agent(&r, deleted, &a);
}

static void is_name(const struct hf_bytes *name, const char *text)
{
	ck_assert_uint_eq(name->len, strlen(text));
	ck_assert_mem_eq(name->at, text, name->len);
}

START_TEST(each_record_goes_to_its_list)
{
	struct hf_update *u;

	begin();
	ck_assert_int_eq(add_workspace(false, "w1", 2), 0);
	ck_assert_int_eq(add_workspace(true, "w2", 2), 0);
	ck_assert_int_eq(add_agent(false, "a1", 2), 0);
	ck_assert_int_eq(add_agent(true, "a2", 2), 0);
	ck_assert_int_eq(add_agent(true, "a3", 2), 0);
	u = hf_update_builder_take(&r);
	ck_assert_ptr_null(r.update);
	ck_assert_int_eq(u->kind, HF_UPDATE_DIFF);
	ck_assert_mem_eq(&u->owner, &owner, sizeof(owner));
	ck_assert_uint_eq(u->n_upserted_workspaces, 1);
	is_name(&u->upserted_workspaces[0].name, "w1");
	ck_assert_int_eq(u->upserted_workspaces[0].status, 3);
	ck_assert_uint_eq(u->n_deleted_workspaces, 1);
	is_name(&u->deleted_workspaces[0].name, "w2");
	ck_assert_uint_eq(u->n_upserted_agents, 1);
	is_name(&u->upserted_agents[0].name, "a1");
	ck_assert_int_eq(u->upserted_agents[0].workspace.b[0], 1);
	ck_assert_uint_eq(u->n_deleted_agents, 2);
	is_name(&u->deleted_agents[1].name, "a3");
	hf_update_free(u);
}
END_TEST

/* The bytes come out of a buffer that the next record overwrites. */
START_TEST(names_last_and_never_move)
{
	enum { N = 20000 };
	struct hf_update *u;
	char text[40], expected[40];

	begin();
	for (unsigned i = 0; i < N; i++) {
		int len = snprintf(text, sizeof(text), "workspace-%u", i);

		ck_assert_int_eq(add_workspace(false, text, (uint32_t)len), 0);
		memset(text, 'x', sizeof(text));
	}
	u = hf_update_builder_take(&r);
	for (unsigned i = 0; i < N; i++) {
		snprintf(expected, sizeof(expected), "workspace-%u", i);
		is_name(&u->upserted_workspaces[i].name, expected);
	}
	hf_update_free(u);
}
END_TEST

START_TEST(one_name_again_and_again_is_kept_once)
{
	char main[] = "main", other[] = "main";
	struct hf_update *u;
	size_t used;

	begin();
	add_agent(false, main, 4);
	used = budget.used;
	add_agent(false, other, 4);
	add_agent(false, "", 0);
	add_agent(false, "mai", 3);
	ck_assert_uint_eq(budget.used, used);
	u = hf_update_builder_take(&r);
	ck_assert_ptr_eq(u->upserted_agents[0].name.at, u->upserted_agents[1].name.at);
	is_name(&u->upserted_agents[2].name, "");
	is_name(&u->upserted_agents[3].name, "mai");
	hf_update_free(u);
}
END_TEST

START_TEST(a_name_that_is_longer_than_any_chunk_is_kept_whole)
{
	static char name[200000];
	struct hf_update *u;

	memset(name, 'n', sizeof(name));
	begin();
	add_agent(false, "before", 6);
	ck_assert_int_eq(add_agent(false, name, sizeof(name)), 0);
	ck_assert_int_eq(add_agent(false, "after", 5), 0);
	u = hf_update_builder_take(&r);
	ck_assert_mem_eq(u->upserted_agents[1].name.at, name, sizeof(name));
	is_name(&u->upserted_agents[0].name, "before");
	is_name(&u->upserted_agents[2].name, "after");
	hf_update_free(u);
}
END_TEST

START_TEST(nothing_costs_more_than_the_budget)
{
	struct hf_update *u;
	size_t n = 0;
	char text[40];
	int rc;

	budget.max = 20000;
	begin();
	do {
		int len = snprintf(text, sizeof(text), "agent-%zu", n);

		rc = add_agent(false, text, (uint32_t)len);
		ck_assert_uint_le(budget.used, budget.max);
		n += !rc;
	} while (!rc);
	ck_assert_int_eq(rc, HF_ELIMIT);
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_le(n * sizeof(struct hf_update_agent), budget.max);
	/* What was whole before is there, and no half of the last one. */
	u = hf_update_builder_take(&r);
	ck_assert_uint_eq(u->n_upserted_agents, n);
	snprintf(text, sizeof(text), "agent-%zu", n - 1);
	is_name(&u->upserted_agents[n - 1].name, text);
	hf_update_free(u);
}
END_TEST

START_TEST(all_messages_share_it)
{
	struct hf_update_builder other = { 0 };

	begin();
	add_agent(false, "a", 1);
	budget.max = budget.used;
	ck_assert_int_eq(
	    hf_update_builder_begin(&other, &budget, HF_UPDATE_SNAPSHOT, &owner), HF_ELIMIT);
	ck_assert_ptr_null(other.update);
	hf_update_builder_drop(&other);
	/* One that was dropped leaves its part to the others. */
	hf_update_builder_drop(&r);
	ck_assert_uint_eq(budget.used, 0);
	budget.max = 4096;
	ck_assert_int_eq(hf_update_builder_begin(&other, &budget, HF_UPDATE_SNAPSHOT, &owner), 0);
	hf_update_free(hf_update_builder_take(&other));
	ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(refused_records_are_counted_and_the_first_are_named)
{
	const struct hf_bytes name = { "a\x1b[31m", 6 };
	struct hf_update *u;
	size_t used = 0;

	begin();
	for (unsigned i = 0; i < 1000; i++) {
		hf_update_builder_refuse(&r, "agent", &name, "reason %u", i);
		if (i == 100)
			used = budget.used;
	}
	ck_assert_uint_eq(budget.used, used);
	u = hf_update_builder_take(&r);
	ck_assert_uint_eq(u->refused_total, 1000);
	ck_assert_uint_eq(u->n_refused, 16);
	ck_assert_str_eq(u->refused[0].what, "agent");
	ck_assert_str_eq(u->refused[15].reason, "reason 15");
	ck_assert_str_eq(u->refused[0].name, "a\\x1b[31m");
	hf_update_free(u);
}
END_TEST

START_TEST(texts_of_a_refusal_are_cut)
{
	static char text[500];
	const struct hf_bytes name = { text, sizeof(text) - 1 };
	struct hf_update *u;

	memset(text, 'z', sizeof(text) - 1);
	begin();
	hf_update_builder_refuse(&r, text, &name, "%s", text);
	u = hf_update_builder_take(&r);
	ck_assert_uint_eq(strlen(u->refused[0].what), sizeof(u->refused[0].what) - 1);
	ck_assert_uint_eq(strlen(u->refused[0].reason), sizeof(u->refused[0].reason) - 1);
	ck_assert_uint_lt(strlen(u->refused[0].name), sizeof(u->refused[0].name));
	hf_update_free(u);
}
END_TEST

START_TEST(one_after_the_other_they_know_nothing_of_each_other)
{
	struct hf_update *u;

	begin();
	add_agent(false, "main", 4);
	hf_update_builder_drop(&r);
	hf_update_builder_drop(&r);
	begin();
	add_agent(false, "main", 4); /* its bytes were the dropped one's */
	u = hf_update_builder_take(&r);
	ck_assert_uint_eq(u->n_upserted_agents, 1);
	is_name(&u->upserted_agents[0].name, "main");
	hf_update_free(u);
	hf_update_free(NULL);
}
END_TEST

Suite *update_builder_suite(void)
{
	Suite *s = suite_create("update_builder");
	TCase *tc = tcase_create("update_builder");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_record_goes_to_its_list);
	tcase_add_test(tc, names_last_and_never_move);
	tcase_add_test(tc, one_name_again_and_again_is_kept_once);
	tcase_add_test(tc, a_name_that_is_longer_than_any_chunk_is_kept_whole);
	tcase_add_test(tc, nothing_costs_more_than_the_budget);
	tcase_add_test(tc, all_messages_share_it);
	tcase_add_test(tc, refused_records_are_counted_and_the_first_are_named);
	tcase_add_test(tc, texts_of_a_refusal_are_cut);
	tcase_add_test(tc, one_after_the_other_they_know_nothing_of_each_other);
	suite_add_tcase(s, tc);
	return s;
}
