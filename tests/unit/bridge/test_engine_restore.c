/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest wins: of store, copy and published zone, while the server is away; and what the zone
 * carries of a store that was lost.
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
#include "tests/unit/bridge/engine_kit.h"
#include "tests/unit/bridge/kit_greedy.h"
#include "zone/reader.h"

Suite *engine_restore_suite(void);

enum { NAMES = 3, NONE = -1, WS_MAX = 40, PLACES = 4 };

static struct engine_kit k;

static void setup(void)
{
	engine_kit_init(&k);
}

static void teardown(void)
{
	engine_kit_done(&k);
}

/* --- what the server says --- */

struct ws {
	uint8_t id;
	const char *name;
	uint8_t agent;
};

static struct hf_uuid id(uint8_t kind, uint8_t n)
{
	return (struct hf_uuid){ { kind, [15] = n } };
}

static int try_say(const struct ws *list, size_t n)
{
	struct hf_update_workspace ws[WS_MAX];
	struct hf_update_agent agents[WS_MAX];
	struct hf_update u = { .kind = HF_UPDATE_SNAPSHOT,
		.owner = id(9, 1),
		.upserted_workspaces = ws,
		.n_upserted_workspaces = n,
		.upserted_agents = agents,
		.n_upserted_agents = n };
	struct hf_judgement j;
	int rc;

	for (size_t i = 0; i < n; i++) {
		ws[i] = (struct hf_update_workspace){ id(1, list[i].id),
			{ list[i].name, (uint32_t)strlen(list[i].name) }, 3 };
		agents[i] = (struct hf_update_agent){ id(2, list[i].agent), id(1, list[i].id),
			{ "main", 4 } };
	}
	rc = hf_engine_update(k.engine, "main", &u, &j);
	return rc ? rc : j.verdict != HF_VERDICT_ACCEPTED;
}

static void say(const struct ws *list, size_t n)
{
	ck_assert_int_eq(try_say(list, n), 0);
	engine_kit_settle(&k);
}
#define SAY(...)                                                                                   \
	say((const struct ws[]){ __VA_ARGS__ },                                                    \
	    sizeof((const struct ws[]){ __VA_ARGS__ }) / sizeof(struct ws))

/* The server is away: nobody is asked who alice is. */
static void start_alone(void)
{
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	engine_kit_settle(&k);
}

/* --- what is answered --- */

/* The last byte of the address, NONE if the name is not answered. */
static int answer_of(const char *text)
{
	struct hf_zone_reader *reader;
	struct hf_zone *zone;
	struct hf_zone_entry e;
	struct hf_name name;
	int n = NONE;

	ck_assert_int_eq(hf_name_parse(text, &name), 0);
	ck_assert_int_eq(hf_zone_open(k.config->zone, &k.clock.clock, &zone), 0);
	ck_assert_int_eq(hf_zone_reader_new(zone, &reader), 0);
	ck_assert_int_eq(hf_zone_reader_load(reader), 0);
	if (hf_zone_reader_find(reader, name.wire, name.len, &e) == 1 && e.n_addrs &&
	    !(e.flags & HF_REC_WITHDRAWN))
		n = e.addrs[0][15];
	hf_zone_reader_free(reader);
	hf_zone_close(zone);
	return n;
}

static void check_ws(const char *ws, int want)
{
	static const char *const forms[NAMES][2] = { { "main.", ".me.coder" },
		{ "main.", ".alice.coder" }, { "", ".coder" } };
	char text[128];

	for (size_t i = 0; i < NAMES; i++) {
		snprintf(text, sizeof(text), "%s%s%s", forms[i][0], ws, forms[i][1]);
		ck_assert_msg(
		    answer_of(text) == want, "%s: %d, not %d", text, answer_of(text), want);
	}
}

/* --- files --- */

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char command[1200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	ck_assert_int_eq(system(command), 0);
}

static void make_copy(void)
{
	struct hf_store_stats stats;

	ck_assert_int_eq(hf_store_copy_begin(hf_engine_store(k.engine)), 0);
	for (int i = 0; i < 10000; i++) {
		hf_store_get_stats(hf_engine_store(k.engine), &stats);
		if (!stats.copying)
			break;
		usleep(1000);
	}
	ck_assert_int_eq(stats.copy_error, 0);
}

static void take_down(void)
{
	engine_kit_stop(&k);
	engine_kit_damage(&k);
}

/*
 * dev has another agent than in the copy, tmp came and box went since: the story of the finding.
 * dev2 stayed.
 */
static void live_on_from_the_copy(void)
{
	engine_kit_open(&k);
	SAY({ 1, "dev", 7 }, { 2, "box", 8 }, { 3, "dev2", 3 }, { 4, "dev3", 4 });
	make_copy();
	hf_fake_clock_add(&k.clock, 1800 * 1000);
	SAY({ 1, "dev", 9 }, { 3, "dev2", 3 }, { 4, "dev3", 4 }, { 5, "tmp", 50 });
}

static void check_newest(void)
{
	check_ws("dev", 9);
	check_ws("box", NONE);
	check_ws("dev2", 3);
	check_ws("dev3", 4);
	check_ws("tmp", 50);
	ck_assert_uint_eq(engine_kit_published(&k), 4 * NAMES);
}

START_TEST(a_zone_that_is_newer_than_the_copy_wins)
{
	live_on_from_the_copy();
	take_down();
	start_alone();
	check_newest();
	/* And over restarts, as long as the server is away. */
	for (int i = 0; i < 3; i++) {
		engine_kit_stop(&k);
		start_alone();
		check_newest();
	}
}
END_TEST

START_TEST(what_the_server_confirms_is_in_force_then)
{
	live_on_from_the_copy();
	take_down();
	engine_kit_open(&k);
	SAY({ 1, "dev", 9 }, { 3, "dev2", 3 }, { 4, "dev3", 4 }, { 5, "tmp", 50 });
	check_newest();
	/* Another address, one that was there in the copy, a new one. */
	SAY({ 1, "dev", 10 }, { 2, "box", 8 }, { 3, "dev2", 3 }, { 4, "dev3", 4 },
	    { 5, "tmp", 51 });
	check_ws("dev", 10);
	check_ws("box", 8);
	check_ws("tmp", 51);
	ck_assert_uint_eq(engine_kit_published(&k), 5 * NAMES);
	engine_kit_stop(&k);
	start_alone();
	check_ws("dev", 10);
	check_ws("box", 8);
}
END_TEST

START_TEST(a_zone_that_is_older_than_the_copy_does_not)
{
	engine_kit_open(&k);
	SAY({ 1, "dev", 7 }, { 2, "box", 8 });
	shell("cp -rp %s %s.old", k.config->zone, k.config->zone);
	hf_fake_clock_add(&k.clock, 1800 * 1000);
	SAY({ 1, "dev", 9 }, { 3, "tmp", 50 });
	make_copy();
	take_down();
	shell("rm -r %s && mv %s.old %s", k.config->zone, k.config->zone, k.config->zone);
	start_alone();
	check_ws("dev", 9);
	check_ws("box", NONE);
	check_ws("tmp", 50);
}
END_TEST

START_TEST(a_zone_that_is_damaged_does_not)
{
	live_on_from_the_copy();
	take_down();
	shell(
	    "for f in %s/base-*.cdb; do printf x | dd of=$f bs=1 seek=2200 conv=notrunc 2>/dev/null; done",
	    k.config->zone);
	start_alone();
	check_ws("dev", 7);
	check_ws("box", 8);
	check_ws("tmp", NONE);
}
END_TEST

/* A store out of a backup: sound, of the same epoch, and older than what was published since. */
START_TEST(a_zone_that_is_newer_than_the_store_wins)
{
	engine_kit_open(&k);
	SAY({ 1, "dev", 7 }, { 2, "box", 8 }, { 3, "dev2", 3 }, { 4, "dev3", 4 });
	engine_kit_stop(&k);
	shell("cp -p %s/store.db %s/store.bak", k.dir.path, k.dir.path);
	hf_fake_clock_add(&k.clock, 1800 * 1000);
	engine_kit_open(&k);
	SAY({ 1, "dev", 9 }, { 3, "dev2", 3 }, { 4, "dev3", 4 }, { 5, "tmp", 50 });
	engine_kit_stop(&k);
	shell("mv %s/store.bak %s/store.db", k.dir.path, k.dir.path);
	start_alone();
	check_newest();
}
END_TEST

/* The copy, put in the store's place by hand. */
START_TEST(a_zone_that_is_newer_than_a_copy_put_there_by_hand_wins)
{
	live_on_from_the_copy();
	engine_kit_stop(&k);
	shell("mv %s/store.db.copy %s/store.db", k.dir.path, k.dir.path);
	start_alone();
	check_newest();
}
END_TEST

/*
 * Between the store's recovery and the commit of what the zone knew: memory runs out at some place,
 * and the start with it; or what was begun is gone on with. _i: the first of the places.
 */
START_TEST(a_recovery_that_is_cut_short_takes_the_zone_at_the_next_start)
{
	bool is_over = false;

	engine_kit_done(&k);
	for (unsigned at = (unsigned)_i + 1; !is_over; at += PLACES) {
		engine_kit_init(&k);
		live_on_from_the_copy();
		take_down();
		greedy_fail_at(at);
		if (engine_kit_try_open(&k) < 0) {
			greedy_end();
			ck_assert_int_eq(engine_kit_try_open(&k), 0);
		}
		engine_kit_settle(&k);
		is_over = greedy_end();
		check_newest();
		engine_kit_done(&k);
	}
	engine_kit_init(&k);
}
END_TEST

/* Another program has the store: it can be read and not written. End with pclose(). */
static FILE *lock_store(void)
{
	char command[600], line[32] = "";
	FILE *f;

	snprintf(command, sizeof(command),
	    "exec /usr/bin/python3 -c 'import sqlite3, time\n"
	    "c = sqlite3.connect(\"%s/store.db\", isolation_level=None)\n"
	    "c.execute(\"BEGIN IMMEDIATE\")\n"
	    "print(\"locked\", flush=True)\n"
	    "time.sleep(2)'",
	    k.dir.path);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line, "locked\n");
	return f;
}

static void work_a_while(void)
{
	for (int i = 0; i < 40; i++) {
		hf_engine_work(k.engine);
		hf_fake_clock_add(&k.clock, 100);
	}
}

/* The names of the zone cannot be written down: nothing older is published over them meanwhile. */
START_TEST(over_a_newer_zone_nothing_is_published_before_the_store_has_it)
{
	FILE *lock;

	engine_kit_open(&k);
	SAY({ 1, "dev", 7 }, { 2, "box", 8 }, { 3, "dev2", 3 }, { 4, "dev3", 4 });
	engine_kit_stop(&k);
	shell("cp -p %s/store.db %s/store.bak", k.dir.path, k.dir.path);
	hf_fake_clock_add(&k.clock, 1800 * 1000);
	engine_kit_open(&k);
	SAY({ 1, "dev", 9 }, { 3, "dev2", 3 }, { 4, "dev3", 4 }, { 5, "tmp", 50 });
	engine_kit_stop(&k);
	shell("mv %s/store.bak %s/store.db", k.dir.path, k.dir.path);
	lock = lock_store();
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_NOT_WRITTEN);
	work_a_while();
	check_newest();
	/* The state is made again out of the store, which still knows nothing of it. */
	greedy_fail_at(1);
	ck_assert_int_eq(try_say((const struct ws[]){ { 7, "new", 70 } }, 1), -ENOMEM);
	greedy_end();
	ck_assert(hf_state_spent(hf_engine_state(k.engine)));
	work_a_while();
	ck_assert(!hf_state_spent(hf_engine_state(k.engine)));
	check_newest();
	ck_assert_uint_eq(hf_state_n_names(hf_engine_state(k.engine)), 4 * NAMES);
	pclose(lock);
	hf_fake_clock_add(&k.clock, 2000);
	engine_kit_settle(&k);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_OK);
	check_newest();
}
END_TEST

/* The same where the copy could only be read: what takes the store's place cannot be made. */
START_TEST(a_recovery_that_cannot_be_written_publishes_nothing_older)
{
	live_on_from_the_copy();
	take_down();
	shell("mkdir -p %s/store.db.new/in-the-way", k.dir.path);
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_NOT_WRITTEN);
	work_a_while();
	check_newest();
	shell("rm -r %s/store.db.new", k.dir.path);
	hf_fake_clock_add(&k.clock, 2000);
	engine_kit_settle(&k);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_OK);
	check_newest();
	engine_kit_stop(&k);
	start_alone();
	check_newest();
}
END_TEST

/*
 * And where the copy has the store's place already, but what the zone knows cannot be written
 * beside it.
 */
START_TEST(a_recovery_that_can_only_half_be_written_publishes_nothing_older)
{
	FILE *lock;

	live_on_from_the_copy();
	take_down();
	greedy_fail_at(1); /* of the state, after the store is made */
	ck_assert_int_eq(engine_kit_try_open(&k), -ENOMEM);
	greedy_end();
	lock = lock_store();
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	ck_assert_int_eq(engine_kit_store(&k), HF_STORE_NOT_WRITTEN);
	work_a_while();
	check_newest();
	pclose(lock);
	hf_fake_clock_add(&k.clock, 2000);
	engine_kit_settle(&k);
	check_newest();
}
END_TEST

START_TEST(without_a_copy_the_zone_is_all_there_is)
{
	engine_kit_open(&k);
	SAY({ 1, "dev", 9 }, { 3, "dev2", 3 }, { 4, "dev3", 4 }, { 5, "tmp", 50 });
	take_down();
	start_alone();
	check_newest();
}
END_TEST

/*
 * A process that was killed when its new store was made, and before it had anything of the zone in
 * it.
 */
START_TEST(a_new_store_that_knows_nothing_takes_the_zone_at_any_start)
{
	live_on_from_the_copy();
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	shell("mv %s %s.away", k.config->zone, k.config->zone);
	ck_assert_int_eq(engine_kit_try_open(&k), 0);
	engine_kit_stop(&k);
	shell("rm -rf %s; mv %s.away %s", k.config->zone, k.config->zone, k.config->zone);
	start_alone();
	check_newest();
}
END_TEST

/* --- marks and pins --- */

/* Fault 19: what max-age had withdrawn is not answered for another max-age. */
START_TEST(withdrawn_names_come_back_withdrawn)
{
	engine_kit_more(&k, "hold: { policy: max-age, max-age: 1h }\n");
	engine_kit_open(&k);
	SAY({ 1, "dev", 7 }, { 2, "box", 8 });
	hf_engine_away(k.engine, "main");
	hf_fake_clock_add(&k.clock, 2 * 3600 * 1000);
	engine_kit_settle(&k);
	check_ws("dev", NONE);
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	start_alone();
	ck_assert_uint_eq(engine_kit_published(&k), 2 * NAMES);
	check_ws("dev", NONE);
	check_ws("box", NONE);
	engine_kit_stop(&k);
	start_alone();
	check_ws("dev", NONE);
	engine_kit_stop(&k);
	engine_kit_open(&k);
	SAY({ 1, "dev", 7 }, { 2, "box", 8 });
	check_ws("dev", 7);
	check_ws("box", 8);
}
END_TEST

START_TEST(held_names_come_back_held)
{
	static const struct ws all[] = { { 1, "w1", 1 }, { 2, "w2", 2 }, { 3, "w3", 3 },
		{ 4, "w4", 4 }, { 5, "w5", 5 }, { 6, "w6", 6 }, { 7, "w7", 7 }, { 8, "w8", 8 } };

	engine_kit_open(&k);
	say(all, 8);
	say(all, 2); /* six are held */
	check_ws("w8", 8);
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	start_alone();
	check_ws("w8", 8);
	engine_kit_stop(&k);
	engine_kit_open(&k);
	/*
	 * They are still not listed: that was known, and is not the server's word that they are
	 * gone.
	 */
	say(all, 2);
	for (int i = 2; i < 8; i++)
		check_ws(all[i].name, all[i].agent);
	say(all, 8);
	check_ws("w8", 8);
	ck_assert_uint_eq(engine_kit_published(&k), 8 * NAMES);
}
END_TEST

/* Few enough to go at once, had they not been held. */
START_TEST(a_held_name_does_not_go_with_the_first_snapshot)
{
	engine_kit_open(&k);
	SAY({ 1, "dev", 7 });
	say(NULL, 0);
	check_ws("dev", 7);
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	engine_kit_open(&k);
	SAY({ 2, "box", 8 });
	check_ws("dev", 7);
	check_ws("box", 8);
}
END_TEST

START_TEST(who_the_source_was_pinned_to_comes_back)
{
	const struct hf_identity first = { .user = id(9, 1),
		.user_name = "alice",
		.deployment_id = "dep-1" },
				 other = { .user = id(9, 1),
					 .user_name = "alice",
					 .deployment_id = "dep-2" };
	struct hf_judgement j;

	engine_kit_open(&k);
	ck_assert_int_eq(hf_engine_identify(k.engine, "main", &first, &j), 0);
	SAY({ 1, "dev", 7 });
	engine_kit_stop(&k);
	ck_assert_int_eq(unlink(engine_kit_file(&k, "")), 0);
	start_alone();
	ck_assert_int_eq(hf_engine_identify(k.engine, "main", &other, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_HELD);
	check_ws("dev", 7);
	ck_assert_int_eq(hf_engine_identify(k.engine, "main", &first, &j), 0);
	ck_assert_int_eq(j.verdict, HF_VERDICT_ACCEPTED);
}
END_TEST

Suite *engine_restore_suite(void)
{
	Suite *s = suite_create("engine_restore");
	TCase *tc = tcase_create("newest");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_zone_that_is_newer_than_the_copy_wins);
	tcase_add_test(tc, what_the_server_confirms_is_in_force_then);
	tcase_add_test(tc, a_zone_that_is_older_than_the_copy_does_not);
	tcase_add_test(tc, a_zone_that_is_damaged_does_not);
	tcase_add_test(tc, a_zone_that_is_newer_than_the_store_wins);
	tcase_add_test(tc, a_zone_that_is_newer_than_a_copy_put_there_by_hand_wins);
	tcase_add_loop_test(
	    tc, a_recovery_that_is_cut_short_takes_the_zone_at_the_next_start, 0, PLACES);
	tcase_add_test(tc, over_a_newer_zone_nothing_is_published_before_the_store_has_it);
	tcase_add_test(tc, a_recovery_that_cannot_be_written_publishes_nothing_older);
	tcase_add_test(tc, a_recovery_that_can_only_half_be_written_publishes_nothing_older);
	tcase_add_test(tc, without_a_copy_the_zone_is_all_there_is);
	tcase_add_test(tc, a_new_store_that_knows_nothing_takes_the_zone_at_any_start);
	suite_add_tcase(s, tc);
	tc = tcase_create("marks");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, withdrawn_names_come_back_withdrawn);
	tcase_add_test(tc, held_names_come_back_held);
	tcase_add_test(tc, a_held_name_does_not_go_with_the_first_snapshot);
	tcase_add_test(tc, who_the_source_was_pinned_to_comes_back);
	suite_add_tcase(s, tc);
	return s;
}
