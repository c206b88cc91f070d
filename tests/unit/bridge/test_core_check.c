/*
 * Status tells what is answered: model, store and zone are made to differ, on the real store and zone.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "tests/unit/bridge/core_kit.h"
#include "zone/agent_names.h"

Suite *core_check_suite(void);

enum { WORKSPACES = 5, NAMES = 3 * WORKSPACES };

static struct core_kit k;

static void setup(void)
{
	core_kit_init(&k);
	core_kit_open(&k);
	core_kit_snapshot(&k, WORKSPACES);
}

static void teardown(void)
{
	core_kit_done(&k);
}

static const char *trouble(void)
{
	struct hf_core_trouble t;

	return hf_core_trouble(k.core, &t) ? t.code : "";
}

static size_t names(void)
{
	return hf_state_n_names(hf_core_state(k.core));
}

/* The first workspace's agent, with its name main.w1.me.coder, as the store and the zone have it. */
static int find_agent(const struct hf_record_view *r, void *arg)
{
	char text[HF_NAME_TEXT_MAX];

	if (strcmp(hf_name_text(&r->name, text), "main.w1.me.coder"))
		return 0;
	*(struct hf_agent_row *)arg = *r->agent;
	return 1;
}

struct sly {
	struct hf_changeset changes;
	struct hf_row_change row;
	struct hf_agent_row agent;
	struct hf_name_change name;
};

static void name_at(const struct hf_changeset *c, size_t i, struct hf_name_change *ret)
{
	(void)i;
	*ret = ((struct sly *)c->names_arg)->name;
}

/* Something that the model knows nothing of is written into the store. */
static void write_behind_its_back(bool remove)
{
	struct sly s = { .changes = { .rows = &s.row, .n_rows = 1, .n_names = 1, .name_at = name_at, .names_arg = &s } };

	ck_assert_int_eq(hf_state_each_record(
			     hf_core_state(k.core), hf_core_now(k.core), find_agent, &s.agent),
	    1);
	s.row = (struct hf_row_change){ .kind = HF_ROW_AGENT, .removed = remove, .rid = s.agent.rid };
	s.name = (struct hf_name_change){ .removed = remove, .what = HF_WHAT_ADDED, .agent = s.agent.rid };
	ck_assert_int_eq(hf_name_parse("main.w1.me.coder", &s.name.name), 0);
	if (!remove) {
		s.agent.rid = s.row.rid = 5000;
		strcpy(s.agent.name, "ghost");
		s.agent.id.b[15] = 99;
		s.agent.names = HF_NAME_ME | HF_NAME_OWNER;
		s.agent.primary = HF_NAME_ME;
		s.row.row.agent = &s.agent;
		ck_assert_int_eq(hf_name_parse("ghost.w1.me.coder", &s.name.name), 0);
	}
	ck_assert_int_eq(hf_store_apply(hf_core_store(k.core), &s.changes), 0);
}

/* Until the next look, and what follows from it. */
static void look(void)
{
	hf_fake_clock_add(&k.clock, 20000);
	core_kit_settle(&k);
}

START_TEST(all_is_well_and_nothing_is_published_again)
{
	uint64_t published = hf_core_published(k.core);

	for (int i = 0; i < 100; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(hf_core_published(k.core), published);
}
END_TEST

START_TEST(a_zone_that_lost_its_files_is_published_again)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/current", k.config->zone);
	ck_assert_int_eq(unlink(path), 0);
	look();
	look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(core_kit_published(&k), NAMES);
}
END_TEST

START_TEST(a_zone_that_cannot_be_written_is_said_until_it_can)
{
	char away[400];

	snprintf(away, sizeof(away), "%s.away", k.config->zone);
	ck_assert_int_eq(rename(k.config->zone, away), 0);
	ck_assert_int_eq(mknod(k.config->zone, S_IFREG | 0600, 0), 0);
	hf_fake_clock_add(&k.clock, 70000);
	hf_core_work(k.core);
	hf_core_work(k.core);
	ck_assert_str_eq(trouble(), "zone-not-written");
	ck_assert_int_eq(unlink(k.config->zone), 0);
	for (int i = 0; i < 4; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(core_kit_published(&k), NAMES);
}
END_TEST

START_TEST(a_store_that_lost_names_has_them_from_the_model)
{
	write_behind_its_back(true);
	hf_fake_clock_add(&k.clock, 20000);
	hf_core_work(k.core);
	ck_assert_str_eq(trouble(), "zone-differs");
	for (int i = 0; i < 4; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(names(), NAMES);
	ck_assert_uint_eq(core_kit_published(&k), NAMES);
	ck_assert_uint_eq(hf_core_lives(k.core), 0);
	core_kit_stop(&k);
	core_kit_open(&k);
	ck_assert_uint_eq(names(), NAMES);
}
END_TEST

START_TEST(a_store_that_has_more_names_gives_them_to_the_model)
{
	write_behind_its_back(false);
	for (int i = 0; i < 6; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(names(), core_kit_published(&k));
	ck_assert_uint_gt(names(), NAMES);
	/* What is newer the servers have: they are asked again. */
	ck_assert_uint_eq(hf_core_lives(k.core), 1);
}
END_TEST

Suite *core_check_suite(void)
{
	Suite *s = suite_create("core_check");
	TCase *tc = tcase_create("differs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_is_well_and_nothing_is_published_again);
	tcase_add_test(tc, a_zone_that_lost_its_files_is_published_again);
	tcase_add_test(tc, a_zone_that_cannot_be_written_is_said_until_it_can);
	tcase_add_test(tc, a_store_that_lost_names_has_them_from_the_model);
	tcase_add_test(tc, a_store_that_has_more_names_gives_them_to_the_model);
	suite_add_tcase(s, tc);
	return s;
}
