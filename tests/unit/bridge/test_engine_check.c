/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status tells what is answered: model, store and zone are made to differ, on the real store and
 * zone.
 */
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"
#include "zone/agent_names.h"
#include "zone/pulse.h"
#include "zone/reader.h"
#include "zone/writer.h"

Suite *engine_check_suite(void);

enum { WORKSPACES = 5, NAMES = 3 * WORKSPACES };

static struct engine_kit k;

static void setup(void)
{
	engine_kit_init(&k);
	engine_kit_open(&k);
	engine_kit_snapshot(&k, WORKSPACES);
}

static void teardown(void)
{
	engine_kit_done(&k);
}

static const char *trouble(void)
{
	struct hf_engine_trouble t;

	return hf_engine_trouble(k.engine, &t) ? t.code : "";
}

static size_t names(void)
{
	return hf_state_n_names(hf_engine_state(k.engine));
}

/*
 * The first workspace's agent, with its name main.w1.me.coder, as the store and the zone have it.
 */
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
	struct sly s = { .changes = { .rows = &s.row,
			     .n_rows = 1,
			     .n_names = 1,
			     .name_at = name_at,
			     .names_arg = &s } };

	ck_assert_int_eq(hf_state_each_record(hf_engine_state(k.engine), hf_engine_now(k.engine),
			     find_agent, &s.agent),
	    1);
	s.row =
	    (struct hf_row_change){ .kind = HF_ROW_AGENT, .removed = remove, .rid = s.agent.rid };
	s.name = (struct hf_name_change){
		.removed = remove, .what = HF_WHAT_ADDED, .agent = s.agent.rid
	};
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
	ck_assert_int_eq(hf_store_apply(hf_engine_store(k.engine), &s.changes), 0);
}

/* Until the next look, and what follows from it. */
static void look(void)
{
	hf_fake_clock_add(&k.clock, 20000);
	engine_kit_settle(&k);
}

START_TEST(all_is_well_and_nothing_is_published_again)
{
	uint64_t published = hf_engine_published(k.engine);

	for (int i = 0; i < 100; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(hf_engine_published(k.engine), published);
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
	ck_assert_uint_eq(engine_kit_published(&k), NAMES);
}
END_TEST

START_TEST(a_zone_that_cannot_be_written_is_said_until_it_can)
{
	char away[400];

	snprintf(away, sizeof(away), "%s.away", k.config->zone);
	ck_assert_int_eq(rename(k.config->zone, away), 0);
	ck_assert_int_eq(mknod(k.config->zone, S_IFREG | 0600, 0), 0);
	hf_fake_clock_add(&k.clock, 70000);
	hf_engine_work(k.engine);
	hf_engine_work(k.engine);
	ck_assert_str_eq(trouble(), "zone-not-written");
	ck_assert_int_eq(unlink(k.config->zone), 0);
	for (int i = 0; i < 4; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(engine_kit_published(&k), NAMES);
}
END_TEST

START_TEST(a_store_that_lost_names_has_them_from_the_model)
{
	write_behind_its_back(true);
	hf_fake_clock_add(&k.clock, 20000);
	hf_engine_work(k.engine);
	ck_assert_str_eq(trouble(), "zone-differs");
	for (int i = 0; i < 4; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(names(), NAMES);
	ck_assert_uint_eq(engine_kit_published(&k), NAMES);
	ck_assert_uint_eq(hf_engine_lives(k.engine), 0);
	engine_kit_stop(&k);
	engine_kit_open(&k);
	ck_assert_uint_eq(names(), NAMES);
}
END_TEST

/* As a reader that begins now finds it. */
static void address_of(const char *text, char ret_text[static HF_ADDR_TEXT_MAX])
{
	struct hf_zone_reader *reader;
	struct hf_zone_entry entry;
	struct hf_name name;
	struct hf_zone *zone;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	ck_assert_int_eq(hf_zone_open(k.config->zone, &hf_clock_system, &zone), 0);
	ck_assert_int_eq(hf_zone_reader_new(zone, &reader), 0);
	ck_assert_int_eq(hf_zone_reader_load(reader), 0);
	ck_assert_int_eq(hf_zone_reader_find(reader, name.wire, name.len, &entry), 1);
	ck_assert_uint_eq(entry.n_addrs, 1);
	hf_addr_text(entry.addrs[0], ret_text);
	hf_zone_reader_free(reader);
	hf_zone_close(zone);
}

/* main.w1.me.coder has another address. */
static void tamper(struct hf_zone_writer *w)
{
	uint8_t addr[1][16];
	struct hf_name name;
	const struct hf_zone_rec rec = { .name = &name,
		.addrs = (const uint8_t(*)[16])addr,
		.n_addrs = 1,
		.flags = HF_REC_PRIMARY };

	ck_assert_int_eq(hf_name_parse("main.w1.me.coder", &name), 0);
	ck_assert_int_eq(inet_pton(AF_INET6, "fd60:627a:a42b::bad", addr[0]), 1);
	ck_assert_int_eq(hf_zone_writer_set(w, &rec), 0);
}

/* As many names, one of them with another address: the agent's row has another id. */
static void change_behind_its_back(void)
{
	struct sly s = { .changes = { .rows = &s.row,
			     .n_rows = 1,
			     .n_names = 1,
			     .name_at = name_at,
			     .names_arg = &s } };

	ck_assert_int_eq(hf_state_each_record(hf_engine_state(k.engine), hf_engine_now(k.engine),
			     find_agent, &s.agent),
	    1);
	s.agent.id.b[15] ^= 0x55;
	s.row = (struct hf_row_change){
		.kind = HF_ROW_AGENT, .rid = s.agent.rid, .row.agent = &s.agent
	};
	s.name = (struct hf_name_change){ .what = HF_WHAT_CHANGED, .agent = s.agent.rid };
	ck_assert_int_eq(hf_name_parse("main.w1.me.coder", &s.name.name), 0);
	ck_assert_int_eq(hf_store_apply(hf_engine_store(k.engine), &s.changes), 0);
}

START_TEST(a_store_that_tells_another_address_is_put_right)
{
	char before[2][HF_ADDR_TEXT_MAX], after[HF_ADDR_TEXT_MAX];

	address_of("main.w1.me.coder", before[0]);
	change_behind_its_back();
	hf_fake_clock_add(&k.clock, 20000);
	hf_engine_work(k.engine);
	ck_assert_str_eq(trouble(), "zone-differs");
	address_of("main.w1.me.coder", before[1]);
	for (int i = 0; i < 6; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	address_of("main.w1.me.coder", after);
	ck_assert_str_eq(before[0], after);
	ck_assert_uint_eq(names(), NAMES);
	ck_assert_uint_eq(engine_kit_published(&k), NAMES);
	ck_assert_uint_eq(hf_engine_lives(k.engine), 0);
	engine_kit_stop(&k);
	engine_kit_open(&k);
	address_of("main.w1.me.coder", after);
	ck_assert_str_eq(before[0], after);
	look();
	ck_assert_str_eq(trouble(), "");
}
END_TEST

/*
 * Somebody puts a whole and valid zone there: of the same store and generation, with as many names.
 */
START_TEST(a_zone_of_others_with_as_many_names_is_published_over)
{
	const struct hf_zone_writer_opts opts = { .clock = &k.clock.clock };
	char away[400], command[2000], address[HF_ADDR_TEXT_MAX], after[HF_ADDR_TEXT_MAX];
	struct hf_zone_writer *w = NULL;
	struct hf_zone_stamp stamp;

	address_of("main.w1.me.coder", address);
	snprintf(away, sizeof(away), "%s.away", k.config->zone);
	snprintf(command, sizeof(command), "cp -r %s %s", k.config->zone, away);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(hf_zone_writer_open(away, &opts, &stamp, &w), 1);
	tamper(w);
	ck_assert_int_eq(hf_zone_writer_publish(w, stamp.epoch, stamp.generation), 1);
	hf_zone_writer_free(w);
	/* The base stays the file that it is. */
	snprintf(command, sizeof(command), "cp -n %s/*.cdb %s && cp %s/current %s", away,
	    k.config->zone, away, k.config->zone);
	ck_assert_int_eq(system(command), 0);
	address_of("main.w1.me.coder", after);
	ck_assert_str_ne(address, after);
	hf_fake_clock_add(&k.clock, 20000);
	hf_engine_work(k.engine);
	ck_assert_str_eq(trouble(), "zone-differs");
	for (int i = 0; i < 4; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	address_of("main.w1.me.coder", after);
	ck_assert_str_eq(address, after);
}
END_TEST

START_TEST(a_store_that_has_more_names_gives_them_to_the_model)
{
	write_behind_its_back(false);
	for (int i = 0; i < 6; i++)
		look();
	ck_assert_str_eq(trouble(), "");
	ck_assert_uint_eq(names(), engine_kit_published(&k));
	ck_assert_uint_gt(names(), NAMES);
	/* What is newer the servers have: they are asked again. */
	ck_assert_uint_eq(hf_engine_lives(k.engine), 1);
}
END_TEST

/* --- the pulse --- */

/* A folder in its place that cannot make way: for root, too. */
static void block_pulse(bool block)
{
	char pulse[400], path[420];

	snprintf(pulse, sizeof(pulse), "%s/pulse", k.config->zone);
	snprintf(path, sizeof(path), "%s/x", pulse);
	if (block) {
		ck_assert_int_eq(unlink(pulse), 0);
		ck_assert_int_eq(mkdir(pulse, 0700), 0);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	} else {
		ck_assert_int_eq(rmdir(path), 0);
		ck_assert_int_eq(rmdir(pulse), 0);
	}
	for (int n = 1; n <= 9; n++) {
		snprintf(path, sizeof(path), "%s.aside-%d", pulse, n);
		if (block)
			ck_assert_int_eq(mknod(path, S_IFREG | 0600, 0), 0);
		else
			ck_assert_int_eq(unlink(path), 0);
	}
}

/* As one sees it that begins now. */
static bool readers_live(void)
{
	int dirfd = open(k.config->zone, O_RDONLY | O_DIRECTORY);
	struct hf_pulse *pulse;
	bool live;

	ck_assert_int_eq(hf_pulse_new(&pulse), 0);
	ck_assert_int_eq(hf_pulse_load(pulse, dirfd), 0);
	live = hf_pulse_get_source(pulse, 0).live && hf_pulse_get_owner(pulse, 0).live;
	hf_pulse_free(pulse);
	close(dirfd);
	return live;
}

static int tell_source(const struct hf_source_view *view, void *arg)
{
	*(bool *)arg = view->fresh;
	return 0;
}

static int tell_owner(
    const struct hf_source_view *source, const struct hf_owner_view *owner, void *arg)
{
	(void)source;
	*(bool *)arg = owner->fresh;
	return 0;
}

static int tell_record(const struct hf_record_view *record, void *arg)
{
	*(bool *)arg = *(bool *)arg && record->fresh;
	return 0;
}

/* What status says of it, in each place; all agree. */
static bool shown_fresh(void)
{
	const struct hf_state *state = hf_engine_state(k.engine);
	struct hf_when now = hf_engine_now(k.engine);
	struct hf_tally tallies[HF_ZONE_SOURCES_MAX];
	bool source = false, owner = false, records = true;

	hf_engine_look(k.engine);
	hf_state_each_source(state, now, tell_source, &source);
	hf_state_each_owner(state, now, tell_owner, &owner);
	hf_state_each_record(state, now, tell_record, &records);
	hf_state_tally(state, now, tallies);
	ck_assert_int_eq(source, owner);
	ck_assert_int_eq(source, records);
	ck_assert_uint_eq(tallies[0].live, source ? NAMES : 0);
	ck_assert_uint_eq(tallies[0].stale, source ? 0 : NAMES);
	return source;
}

START_TEST(a_pulse_that_cannot_be_written_is_said_until_it_is)
{
	hf_engine_contact(k.engine, "main");
	ck_assert(shown_fresh());
	block_pulse(true);
	/* Without a file whoever begins now takes the names for stale. */
	ck_assert(!shown_fresh());
	ck_assert_str_eq(trouble(), "zone-pulse");
	/* Signs of life of which nothing is due to be written change nothing. */
	for (int i = 0; i < 20; i++) {
		hf_engine_contact(k.engine, "main");
		hf_fake_clock_add(&k.clock, 1000);
		engine_kit_settle(&k);
		ck_assert_str_eq(trouble(), "zone-pulse");
		ck_assert(!shown_fresh());
	}
	/* What readers do not see is all the same what was heard. */
	ck_assert_int_eq(hf_engine_configure(k.engine, k.config), 0);
	block_pulse(false);
	hf_fake_clock_add(&k.clock, 1000);
	hf_engine_work(k.engine);
	ck_assert(readers_live());
	ck_assert_str_eq(trouble(), "");
	ck_assert(shown_fresh());
}
END_TEST

START_TEST(a_pulse_that_was_harmed_is_mended_before_status_is_told)
{
	static const uint8_t zeros[4000];
	char path[400];
	FILE *f;

	hf_engine_contact(k.engine, "main");
	snprintf(path, sizeof(path), "%s/pulse", k.config->zone);
	f = fopen(path, "r+");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(zeros, 1, sizeof(zeros), f), sizeof(zeros));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert(shown_fresh());
	ck_assert(readers_live());
}
END_TEST

Suite *engine_check_suite(void)
{
	Suite *s = suite_create("engine_check");
	TCase *tc = tcase_create("differs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_is_well_and_nothing_is_published_again);
	tcase_add_test(tc, a_zone_that_lost_its_files_is_published_again);
	tcase_add_test(tc, a_zone_that_cannot_be_written_is_said_until_it_can);
	tcase_add_test(tc, a_store_that_lost_names_has_them_from_the_model);
	tcase_add_test(tc, a_store_that_has_more_names_gives_them_to_the_model);
	tcase_add_test(tc, a_store_that_tells_another_address_is_put_right);
	tcase_add_test(tc, a_zone_of_others_with_as_many_names_is_published_over);
	tcase_add_test(tc, a_pulse_that_cannot_be_written_is_said_until_it_is);
	tcase_add_test(tc, a_pulse_that_was_harmed_is_mended_before_status_is_told);
	suite_add_tcase(s, tc);
	return s;
}
