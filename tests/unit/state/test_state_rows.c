/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store is told: rows of what is there, and none of what is gone.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/state/state_kit.h"

Suite *state_rows_suite(void);

static struct kit *k;

static void setup(void)
{
	k = kit_new();
}

static void teardown(void)
{
	kit_free(k);
}

static size_t stored(enum hf_row_kind kind)
{
	size_t n = 0, max = kind == HF_ROW_TEXT ? 64 : KIT_MAX;

	for (size_t i = 0; i < max; i++)
		n += k->has[kind][i];
	return n;
}

static struct hf_restored_row row(const char *name, unsigned agent)
{
	struct hf_uuid id = kit_agent_id(agent);
	struct hf_restored_row r = { .primary = true, .first_seen_s = 1600000000 };

	ck_assert_int_eq(hf_name_parse(name, &r.name), 0);
	hf_addr_of_agent(&id, r.addr);
	return r;
}

static void follow(size_t n_owners)
{
	k->sources[0].n_owners = n_owners;
	ck_assert_int_eq(hf_state_configure(k->state, &k->conf, k->now), 0);
}

/*
 * bob comes and goes; of two names out of the zone one is listed again; a removal waits, and not.
 */
static void live_a_while(void)
{
	const struct hf_restored_row rows[] = { row("main.dev.me.coder", 7), row("z.coder", 9) };
	const struct hf_uuid bob = kit_id(2);
	static const unsigned only_alice[] = { 1, 0 };

	k->rights = "org:a";
	kit_login(k);
	follow(2);
	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &bob, "bob", k->now), 0);
	ck_assert_int_eq(hf_state_restore(k->state, rows, 2, k->now), 0);
	kit_commit(k);
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main");
	/* Other rights, so that the text of the former ones has no user any more. */
	k->rights = "org:a org:b";
	kit_login(k);
	kit_snapshot(k, "main", 2, "5=his:10=main");
	kit_commit(k);
	kit_snapshot(k, "main", 1, "");
	kit_commit(k);
	ck_assert_uint_eq(stored(HF_ROW_HOLD), 1);
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main");
	kit_commit(k);
	follow(1);
	kit_settled(k, only_alice);
	kit_commit(k);
}

START_TEST(what_ended_is_in_no_row)
{
	live_a_while();
	ck_assert_uint_eq(stored(HF_ROW_HOLD), 0);
	ck_assert_uint_eq(stored(HF_ROW_OWNER), 1);
	ck_assert_uint_eq(stored(HF_ROW_WORKSPACE), 2);
	ck_assert_uint_eq(stored(HF_ROW_AGENT), 2);
	ck_assert_uint_eq(stored(HF_ROW_TEXT), 1);
	kit_check(k);
}
END_TEST

/* Rights that nobody had at a last good state are not kept. */
START_TEST(rights_of_before_are_in_no_row)
{
	for (unsigned i = 0; i < 3; i++) {
		static const char *const rights[] = { "org:a", "org:a org:b", "org:b role:x" };

		k->rights = rights[i];
		kit_login(k);
		kit_snapshot(k, "main", 1, "1=dev:7=main");
		kit_commit(k);
		ck_assert_uint_eq(stored(HF_ROW_TEXT), 1);
	}
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

START_TEST(an_image_is_what_the_store_was_told)
{
	struct hf_image image = { 0 };
	struct hf_state *state;
	const struct hf_changeset *changes;

	live_a_while();
	ck_assert_int_eq(hf_state_image(k->state, k->now, &image), 0);
	ck_assert_uint_eq(image.n_sources, stored(HF_ROW_SOURCE));
	ck_assert_uint_eq(image.n_owners, stored(HF_ROW_OWNER));
	ck_assert_uint_eq(image.n_workspaces, stored(HF_ROW_WORKSPACE));
	ck_assert_uint_eq(image.n_agents, stored(HF_ROW_AGENT));
	ck_assert_uint_eq(image.n_holds, 0);
	ck_assert_uint_eq(image.n_texts, stored(HF_ROW_TEXT));
	ck_assert_uint_eq(image.n_restored, k->n_restored);
	/* The numbers of what was removed are not given again. */
	ck_assert_uint_gt(image.next_agent, k->max_agent);
	ck_assert_uint_gt(image.next_workspace, k->max_ws);
	ck_assert_int_eq(hf_state_new(&k->conf, &image, k->now, &state), 0);
	ck_assert_int_eq(hf_state_take(state, k->now, &changes), 0);
	hf_state_free(state);
	image_done(&image);
}
END_TEST

static int tell_url(const struct hf_source_view *source, void *arg)
{
	*(const char **)arg = source->row->url;
	return 0;
}

START_TEST(a_shorter_url_has_no_rest_of_the_one_before)
{
	const char *url = "";

	k->sources[0].url = "https://a-rather-long-name.example";
	follow(1);
	kit_commit(k);
	k->sources[0].url = "https://b.example";
	follow(1);
	hf_state_each_source(k->state, k->now, tell_url, &url);
	ck_assert_str_eq(url, "https://b.example");
	kit_commit(k);
	ck_assert_str_eq(k->source_rows[0].url, url);
}
END_TEST

START_TEST(a_source_that_was_renamed_is_so_in_the_store)
{
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_commit(k);
	k->sources[0].name = "prod";
	follow(1);
	kit_commit(k);
	ck_assert_uint_eq(stored(HF_ROW_SOURCE), 1);
	ck_assert_str_eq(k->source_rows[0].name, "prod");
}
END_TEST

/* The PTR of an address is of who is live, and comes back to the name out of the zone after it. */
START_TEST(a_restored_name_gives_its_ptr_to_a_live_one)
{
	const struct hf_restored_row rows[] = { row("z.coder", 7) };

	follow(2); /* bob is not named yet: it waits for him */
	ck_assert_int_eq(hf_state_restore(k->state, rows, 1, k->now), 0);
	ck_assert_int_eq(kit_flags(k, "z.coder"), HF_REC_RESTORED | HF_REC_PRIMARY);
	kit_snapshot(k, "main", 1, "1=dev:7=main 2=web:8=main");
	ck_assert_int_eq(kit_flags(k, "z.coder"), HF_REC_RESTORED);
	ck_assert_int_eq(kit_flags(k, "main.dev.me.coder"), HF_REC_PRIMARY);
	kit_diff(k, "main", 1, "", "1");
	ck_assert_int_eq(kit_flags(k, "z.coder"), HF_REC_RESTORED | HF_REC_PRIMARY);
	kit_check(k);
}
END_TEST

/* --- the words of the configuration --- */

static char all[] = "all", me[] = "me", nobody[] = "bob";
static char *const everybody[] = { all };
static char *const two[] = { me, nobody };

/* A restored name waits for all whom the configuration means, as far as REST has named them. */
static void with_a_restored_name(char *const *words, size_t n)
{
	const struct hf_restored_row rows[] = { row("z.coder", 9) };

	k->sources[0].owners = words;
	follow(n);
	kit_login(k);
	ck_assert_int_eq(hf_state_restore(k->state, rows, 1, k->now), 0);
}

START_TEST(equal_words_are_the_words_of_before)
{
	static const unsigned only_alice[] = { 1, 0 };

	with_a_restored_name(everybody, 1);
	hf_state_restore(k->state, NULL, 0, k->now);
	kit_snapshot(k, "main", 1, "1=dev:7=main ?");
	kit_settled(k, only_alice);
	ck_assert(kit_has(k, "z.coder", 9)); /* a record could not be read */
	/* A reload of the same words asks for no further answer of REST. */
	follow(1);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert_int_eq(kit_flags(k, "z.coder"), -1);
}
END_TEST

START_TEST(another_word_is_waited_for)
{
	static const unsigned only_alice[] = { 1, 0 };

	with_a_restored_name(two, 1);
	kit_snapshot(k, "main", 1, "1=dev:7=main ?");
	kit_settled(k, only_alice);
	ck_assert(kit_has(k, "z.coder", 9));
	follow(2);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	ck_assert(kit_has(k, "z.coder", 9)); /* it may be bob's */
}
END_TEST

/* Whom the operator named by his id, and names no longer, goes: that is the operator's act. */
START_TEST(an_owner_named_by_his_id_is_the_operators_to_take_out)
{
	static const unsigned only_alice[] = { 1, 0 };
	static char by_id[HF_UUID_TEXT_MAX];
	static char *const words[] = { me, by_id };
	const struct hf_uuid bob = kit_id(2);

	hf_uuid_text(&bob, by_id);
	k->sources[0].owners = words;
	follow(2);
	kit_login(k);
	ck_assert_int_eq(hf_state_owner_set(k->state, "main", &bob, "robert", k->now), 0);
	kit_snapshot(k, "main", 1, "1=dev:7=main");
	kit_snapshot(k, "main", 2, "5=his:10=main");
	ck_assert(kit_has(k, "main.his.robert.coder", 10));
	follow(1);
	kit_settled(k, only_alice);
	ck_assert(!kit_has(k, "main.his.robert.coder", 10));
	kit_commit(k);
	ck_assert_uint_eq(stored(HF_ROW_HOLD), 0);
}
END_TEST

Suite *state_rows_suite(void)
{
	Suite *s = suite_create("state_rows");
	TCase *tc = tcase_create("rows");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_ended_is_in_no_row);
	tcase_add_test(tc, rights_of_before_are_in_no_row);
	tcase_add_test(tc, an_image_is_what_the_store_was_told);
	tcase_add_test(tc, a_shorter_url_has_no_rest_of_the_one_before);
	tcase_add_test(tc, a_source_that_was_renamed_is_so_in_the_store);
	tcase_add_test(tc, a_restored_name_gives_its_ptr_to_a_live_one);
	tcase_add_test(tc, an_owner_named_by_his_id_is_the_operators_to_take_out);
	tcase_add_test(tc, equal_words_are_the_words_of_before);
	tcase_add_test(tc, another_word_is_waited_for);
	suite_add_tcase(s, tc);
	return s;
}
