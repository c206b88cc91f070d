/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of the schema up, and back down: what docs/store.md states. The steps are the test's
 * own.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/store_private.h"
#include "tests/unit/store/kit_disk.h"
#include "tests/unit/store/store_kit.h"
#include "tests/unit/store/kit_world.h"

Suite *store_schema_suite(void);

/* Of the program: what comes after it. */
enum { NOW = 3, NEXT = NOW + 1, LATER = NOW + 2 };
#define BEFORE ".v3"

/*
 * A step that only adds, and one that does not: the program before can use the file after the
 * first.
 */
static const struct hf_schema_step adding[] = {
	{ .to = NEXT,
	    .oldest = NOW,
	    .sql =
		"ALTER TABLE agent ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';CREATE TABLE note(rid INTEGER PRIMARY KEY,text TEXT NOT NULL);" },
	{ 0 },
};
static const struct hf_schema_step breaking[] = {
	{ .to = NEXT,
	    .oldest = NOW,
	    .sql = "ALTER TABLE agent ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'" },
	{ .to = LATER,
	    .oldest = LATER,
	    .sql = "ALTER TABLE hold ADD COLUMN odd INT NOT NULL DEFAULT 0" },
	{ 0 },
};
static const struct hf_schema_step broken[] = {
	{ .to = NEXT,
	    .oldest = NOW,
	    .sql = "CREATE TABLE half(x);ALTER TABLE nonsense ADD COLUMN x" },
	{ 0 },
};
static struct hf_schema two, three, unsound;

static struct fixture fx;
static struct world world;
static struct world_changes changes;
static uint8_t epoch[16];
static uint64_t generation;

static void setup(void)
{
	fixture_init(&fx);
	two = three = unsound = hf_schema;
	two.version = unsound.version = hf_schema.version + 1;
	three.version = hf_schema.version + 2;
	three.oldest = hf_schema.version + 2;
	two.steps = adding;
	three.steps = breaking;
	unsound.steps = broken;
	world_init(&world, 6);
	world_all(&world, FIXTURE_WALL_S, &changes);
	fixture_open(&fx);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	memcpy(epoch, hf_store_epoch(fx.store), 16);
	generation = hf_store_generation(fx.store);
	fixture_close(&fx);
}

static void teardown(void)
{
	disk_disarm();
	fixture_done(&fx);
}

static int open_as(const struct hf_schema *schema)
{
	return hf_store_open_schema(fx.path, schema, &fx.opts, &fx.opened, &fx.store);
}

static void check_same(void)
{
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	ck_assert_mem_eq(hf_store_epoch(fx.store), epoch, 16);
	ck_assert_uint_eq(hf_store_generation(fx.store), generation);
	world_check(fx.store, &world);
}

/* --- version 1, as it was: its tables, and what its program wrote --- */

static const char one_sql[] =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id=1),version INT NOT NULL,oldest INT NOT NULL,schema_sum INT NOT NULL,epoch BLOB NOT NULL,generation INT NOT NULL,ready INT NOT NULL,"
    "copied INT NOT NULL,log_floor INT NOT NULL,next_workspace INT NOT NULL,next_agent INT NOT NULL,made_s INT NOT NULL,sum INT NOT NULL);CREATE TABLE source(rid INTEGER PRIMARY KEY,name TEXT NOT NULL,url TEXT NOT NULL,suffix TEXT NOT NULL,"
    "deployment_id TEXT NOT NULL,user BLOB NOT NULL,user_name TEXT NOT NULL,withdrawn INT NOT NULL,away_ms INT NOT NULL,counted_boot BLOB NOT NULL,counted_ms INT NOT NULL,counted_s INT NOT NULL,"
    "contact_s INT NOT NULL,sentinel INT NOT NULL,sum INT NOT NULL);CREATE TABLE owner(rid INTEGER PRIMARY KEY,source INT NOT NULL,id BLOB NOT NULL,name TEXT NOT NULL,confirmed_s INT NOT NULL,sum INT NOT NULL);"
    "CREATE TABLE workspace(rid INTEGER PRIMARY KEY,owner INT NOT NULL,id BLOB NOT NULL,name TEXT NOT NULL,status INT NOT NULL,held INT NOT NULL,first_seen_s INT NOT NULL,sum INT NOT NULL);"
    "CREATE TABLE agent(rid INTEGER PRIMARY KEY,workspace INT NOT NULL,id BLOB NOT NULL,name TEXT NOT NULL,names INT NOT NULL,main_name INT NOT NULL,first_seen_s INT NOT NULL,sum INT NOT NULL);"
    "CREATE TABLE hold(rid INTEGER PRIMARY KEY,source INT NOT NULL,owner INT,kind TEXT NOT NULL,detail TEXT NOT NULL,since_s INT NOT NULL,fresh_ms INT NOT NULL,rejected INT NOT NULL,sum INT NOT NULL);"
    "CREATE TABLE restored(name TEXT PRIMARY KEY,addr BLOB NOT NULL,main_name INT NOT NULL,source INT NOT NULL,first_seen_s INT NOT NULL,sum INT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE change(seq INTEGER PRIMARY KEY,generation INT NOT NULL,wall_s INT NOT NULL,name TEXT NOT NULL,what TEXT NOT NULL,why TEXT NOT NULL,flags INT NOT NULL,addr BLOB NOT NULL,"
    "source INT,owner INT,agent INT,first_seen_s INT NOT NULL,detail TEXT NOT NULL,sum INT NOT NULL);CREATE TABLE adapter(rid INTEGER PRIMARY KEY,name TEXT NOT NULL,epoch BLOB NOT NULL,generation INT NOT NULL,sum INT NOT NULL);"
    "CREATE TABLE owned(adapter INT NOT NULL,name TEXT NOT NULL,addr BLOB NOT NULL,state INT NOT NULL,generation INT NOT NULL,sum INT NOT NULL,PRIMARY KEY(adapter,name,addr)) WITHOUT ROWID;"
    "CREATE TABLE address(source TEXT NOT NULL,place INT NOT NULL,address TEXT NOT NULL,sum INT NOT NULL,PRIMARY KEY(source,place)) WITHOUT ROWID;";

/*
 * What the program of version 1 writes when it changes a row, and when it removes one that later
 * versions have more of.
 */
static const char one_writes[] =
    "INSERT OR REPLACE INTO source(rid,name,url,suffix,deployment_id,user,user_name,withdrawn,away_ms,counted_boot,counted_ms,counted_s,contact_s,sentinel,sum) SELECT rid,name,url,suffix,deployment_id,user,user_name,withdrawn,"
    "away_ms,counted_boot,counted_ms,counted_s,contact_s,sentinel,sum FROM source;INSERT OR REPLACE INTO owner(rid,source,id,name,confirmed_s,sum) SELECT rid,source,id,name,confirmed_s,sum FROM owner;"
    "INSERT OR REPLACE INTO workspace(rid,owner,id,name,status,held,first_seen_s,sum) SELECT rid,owner,id,name,status,held,first_seen_s,sum FROM workspace;INSERT OR REPLACE INTO restored(name,addr,main_name,source,first_seen_s,sum) "
    "SELECT name,addr,main_name,source,first_seen_s,sum FROM restored";

/* Without what version 1 does not know. */
static void forget_what_is_new(struct world *w)
{
	for (size_t i = 0; i < WORLD_SOURCES; i++) {
		memset(w->sources[i].row.removals, 0, sizeof(w->sources[i].row.removals));
		w->sources[i].row.marks = 0;
	}
	for (size_t i = 0; i < WORLD_OWNERS; i++) {
		memset(w->owners[i].row.words, 0, sizeof(w->owners[i].row.words));
		w->owners[i].row.rights = w->owners[i].row.marks = 0;
	}
	for (size_t i = 0; i < WORLD_WORKSPACES; i++)
		w->workspaces[i].row.marks = 0;
	for (size_t i = 0; i < WORLD_RESTORED; i++) {
		w->restored[i].row.flags = 0;
		w->restored[i].row.kept = false;
	}
}

/* The store as the program of version 1 left it; the rows' sums are those that are there. */
static void make_one(void)
{
	static const struct hf_schema one = { .version = 1, .oldest = 1, .sql = one_sql };
	struct hf_sql *q = NULL;
	struct hf_meta meta;
	char path[600], attach[800];

	snprintf(path, sizeof(path), "%s.good", fx.path);
	ck_assert_int_eq(hf_sql_open(fx.path, HF_SQL_WRITE, &q), 0);
	ck_assert_int_eq(hf_schema_meta_get(q, &meta), 0);
	hf_sql_close(q);
	fclose(fopen(path, "w"));
	ck_assert_int_eq(hf_sql_open(path, HF_SQL_WRITE, &q), 0);
	ck_assert_int_eq(hf_schema_make(q, &one, &meta), 0);
	snprintf(attach, sizeof(attach), "ATTACH '%s' AS two", fx.path);
	ck_assert_int_eq(hf_sql_exec(q, attach), 0);
	ck_assert_int_eq(
	    hf_sql_exec(q,
		"INSERT INTO source SELECT rid,name,url,suffix,deployment_id,user,user_name,withdrawn,away_ms,counted_boot,counted_ms,counted_s,contact_s,sentinel,sum FROM two.source;"
		"INSERT INTO owner SELECT rid,source,id,name,confirmed_s,sum FROM two.owner;INSERT INTO workspace SELECT rid,owner,id,name,status,held,first_seen_s,sum FROM two.workspace;"
		"INSERT INTO agent SELECT * FROM two.agent;INSERT INTO hold SELECT * FROM two.hold;INSERT INTO restored SELECT name,addr,main_name,source,first_seen_s,sum FROM two.restored;"
		"INSERT INTO change SELECT * FROM two.change;DETACH two;PRAGMA journal_mode=WAL"),
	    0);
	hf_sql_close(q);
	fixture_sweep(&fx);
	fixture_copy(&fx, ".good", "");
}

START_TEST(a_store_of_version_1_is_taken_up_with_all_that_it_has)
{
	ck_assert_int_eq(
	    fixture_number(&fx, "", "SELECT count(*) FROM owner WHERE words<>''") > 0, 1);
	make_one();
	ck_assert_int_eq(
	    fixture_number(&fx, "", "SELECT count(*) FROM pragma_table_info('owner')"), 6);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.migrated_from, 1);
	forget_what_is_new(&world);
	check_same();
	fixture_close(&fx);
	ck_assert_int_eq(fixture_number(&fx, "", "SELECT oldest FROM meta"), 1);
	ck_assert_int_eq(fixture_number(&fx, ".v1", "PRAGMA user_version"), 1);
}
END_TEST

START_TEST(the_program_of_version_2_goes_on_with_this_store)
{
	/* It replaces rows by those that it knows; owners and workspaces keep all. */
	char writes[sizeof(one_writes)];
	const char *end = strstr(one_writes, "INSERT OR REPLACE INTO owner");

	snprintf(writes, sizeof(writes), "%.*s", (int)(end - one_writes), one_writes);
	ck_assert_int_gt(
	    fixture_number(&fx, "", "SELECT count(*) FROM source WHERE removals<>''"), 0);
	fixture_sql(&fx, "", writes);
	fixture_open(&fx);
	for (size_t i = 0; i < WORLD_SOURCES; i++) {
		memset(world.sources[i].row.removals, 0, sizeof(world.sources[i].row.removals));
		world.sources[i].row.marks = 0;
	}
	check_same();
}
END_TEST

START_TEST(the_program_of_version_1_goes_on_with_this_store)
{
	struct world after;
	struct prng p = { .state = 3 };

	fixture_sql(&fx, "", one_writes);
	fixture_open(&fx);
	forget_what_is_new(&world);
	check_same();
	/* And what is new is written again. */
	after = world;
	world_change(&after, &p, 40);
	world_diff(&world, &after, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	world_check(fx.store, &after);
}
END_TEST

static const char *const flips[] = {
	"UPDATE source SET removals='1:1 '||removals",
	"UPDATE source SET removals='' WHERE removals<>''",
	"UPDATE source SET marks=marks/256*256+(marks+1)%2",
	"UPDATE owner SET words='me'||words",
	"UPDATE owner SET rights=rights+1",
	"UPDATE owner SET marks=marks/256*256+(marks+1)%4",
	"UPDATE owner SET marks=0 WHERE words<>''",
	"UPDATE owner SET marks=marks+256 WHERE words<>''",
	"UPDATE workspace SET marks=1 WHERE rid=(SELECT min(rid) FROM workspace WHERE marks=0)",
	"UPDATE workspace SET marks=256 WHERE marks=0",
	"UPDATE workspace SET marks=-1",
};

START_TEST(what_version_2_added_is_summed_too)
{
	fixture_sql(&fx, "", flips[_i]);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_EMPTY);
}
END_TEST

START_TEST(the_version_is_where_people_and_programs_look)
{
	ck_assert_int_eq(fixture_number(&fx, "", "PRAGMA user_version"), hf_schema.version);
	ck_assert_int_eq(fixture_number(&fx, "", "PRAGMA application_id"), HF_SCHEMA_APPLICATION);
	ck_assert_int_eq(fixture_number(&fx, "", "SELECT version FROM meta"), hf_schema.version);
}
END_TEST

START_TEST(one_step_up_keeps_all_and_leaves_a_copy_of_before)
{
	ck_assert_int_eq(open_as(&two), 0);
	ck_assert_int_eq(fx.opened.migrated_from, (int)hf_schema.version);
	check_same();
	fixture_close(&fx);
	ck_assert_int_eq(
	    fixture_number(&fx, "", "SELECT count(*) FROM agent WHERE colour='grey'"), 16);
	ck_assert_int_eq(fixture_number(&fx, BEFORE, "PRAGMA user_version"), hf_schema.version);
	ck_assert_int_eq(open_as(&two), 0);
	ck_assert_int_eq(fx.opened.migrated_from, 0); /* once */
	check_same();
}
END_TEST

START_TEST(the_program_before_goes_on_with_what_only_added)
{
	struct world after = world;
	struct prng p = { .state = 2 };

	ck_assert_int_eq(open_as(&two), 0);
	fixture_close(&fx);
	fixture_sql(&fx, "", "UPDATE agent SET colour='red'");
	fixture_open(&fx); /* as before */
	ck_assert_int_eq(fx.opened.migrated_from, 0);
	check_same();
	world_change(&after, &p, 20);
	world_diff(&world, &after, FIXTURE_WALL_S, &changes);
	ck_assert_int_eq(hf_store_apply(fx.store, &changes.set), 0);
	world = after;
	generation = hf_store_generation(fx.store);
	fixture_close(&fx);
	ck_assert_int_eq(open_as(&two), 0); /* and up again */
	ck_assert_int_eq(fx.opened.migrated_from, 0);
	check_same();
	fixture_close(&fx);
	ck_assert_int_gt(
	    fixture_number(&fx, "", "SELECT count(*) FROM agent WHERE colour='red'"), 0);
	ck_assert_int_gt(
	    fixture_number(&fx, "", "SELECT count(*) FROM agent WHERE colour='grey'"), 0);
}
END_TEST

START_TEST(a_newer_one_that_changed_more_is_refused_and_not_touched)
{
	off_t size;
	int64_t changed;

	ck_assert_int_eq(open_as(&three), 0);
	check_same();
	fixture_close(&fx);
	size = fixture_size(&fx, "");
	changed = fixture_number(&fx, "", "PRAGMA data_version");
	ck_assert_int_eq(fixture_try_open(&fx), HF_ESCHEMA);
	ck_assert_ptr_null(fx.store);
	ck_assert_ptr_nonnull(strstr(fx.opened.reason, "newer version"));
	ck_assert_int_eq(fixture_size(&fx, ""), size);
	ck_assert_int_eq(fixture_number(&fx, "", "PRAGMA data_version"), changed);
	ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
	ck_assert_uint_eq(fixture_count(&fx, "-"), 0); /* nor was a side file made */
	ck_assert_int_eq(open_as(&three), 0);
	check_same();
}
END_TEST

START_TEST(two_steps_at_once_are_fine)
{
	ck_assert_int_eq(open_as(&three), 0);
	ck_assert_int_eq(fx.opened.migrated_from, (int)hf_schema.version);
	check_same();
	fixture_close(&fx);
	ck_assert_int_eq(fixture_number(&fx, "", "SELECT oldest FROM meta"), LATER);
}
END_TEST

START_TEST(going_back_by_the_copy_of_before_works)
{
	ck_assert_int_eq(open_as(&three), 0);
	fixture_close(&fx);
	fixture_copy(&fx, BEFORE, "");
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_OPENED);
	/* whoever knows the other one takes all anew */
	ck_assert_mem_ne(hf_store_epoch(fx.store), epoch, 16);
	world_check(fx.store, &world);
}
END_TEST

START_TEST(a_step_that_fails_leaves_all_as_it_was)
{
	ck_assert_int_lt(open_as(&unsound), 0);
	ck_assert_ptr_null(fx.store);
	ck_assert_int_eq(
	    fixture_number(&fx, "", "SELECT count(*) FROM sqlite_schema WHERE name='half'"), 0);
	fixture_open(&fx);
	check_same();
}
END_TEST

START_TEST(a_disk_that_fails_in_a_step_leaves_all_as_it_was_or_the_new_one)
{
	size_t n_calls;

	fixture_copy(&fx, "", ".good");
	disk_arm(DISK_FINE, disk_changing, 0, 0);
	ck_assert_int_eq(open_as(&two), 0);
	n_calls = disk_disarm();
	for (size_t n = 1; n <= n_calls; n++) {
		int rc;

		fixture_close(&fx);
		fixture_sweep(&fx);
		fixture_copy(&fx, ".good", "");
		disk_arm(DISK_ALWAYS, disk_changing, n, ENOSPC);
		rc = open_as(&two);
		disk_disarm();
		ck_assert_uint_eq(fixture_count(&fx, ".damaged"), 0);
		ck_assert_msg(rc <= 0 && rc != HF_EDAMAGED, "call %zu: %s", n, hf_strerror(rc));
		fixture_close(&fx);
		ck_assert_int_eq(open_as(&two), 0);
		check_same();
	}
}
END_TEST

START_TEST(a_version_that_a_bit_made_newer_is_damage_and_not_a_newer_version)
{
	fixture_flip(&fx, "", 60 + 3, 0x40); /* user_version, in the head of the file */
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_EMPTY);
}
END_TEST

START_TEST(a_mark_that_a_bit_changed_is_damage_and_not_another_programs)
{
	fixture_flip(&fx, "", 68 + 1, 0x01); /* application_id */
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_EMPTY);
}
END_TEST

static const char *const other_tables[] = {
	"ALTER TABLE agent RENAME COLUMN names TO nameless",
	"DROP TABLE hold",
	"CREATE TABLE more(x)",
	"UPDATE meta SET schema_sum=schema_sum+1",
	"DELETE FROM meta",
	"PRAGMA user_version=0",
	"UPDATE meta SET version=version+1",
};

START_TEST(tables_that_are_not_those_that_were_made_are_damage)
{
	fixture_sql(&fx, "", other_tables[_i]);
	fixture_open(&fx);
	ck_assert_int_eq(fx.opened.origin, HF_STORE_EMPTY);
}
END_TEST

START_TEST(a_newer_version_whose_head_cannot_be_understood_is_left_alone)
{
	fixture_sql(&fx, "", "DROP TABLE meta;PRAGMA user_version=9");
	ck_assert_int_eq(fixture_try_open(&fx), HF_ESCHEMA);
}
END_TEST

START_TEST(what_a_person_adds_for_looking_is_no_damage)
{
	fixture_sql(&fx, "",
	    "CREATE VIEW mine AS SELECT * FROM agents; CREATE INDEX fast ON change(name); ANALYZE");
	fixture_open(&fx);
	check_same();
}
END_TEST

START_TEST(the_view_for_people_says_what_is_there)
{
	ck_assert_int_eq(fixture_number(&fx, "", "SELECT count(*) FROM agents"), 16);
	ck_assert_int_eq(
	    fixture_number(&fx, "",
		"SELECT count(*) FROM agents WHERE address LIKE 'fd60:627a:a42b:%' AND length(address)=39 AND length(id)=36 AND suffix IN ('coder','other.example')"),
	    16);
}
END_TEST

Suite *store_schema_suite(void)
{
	Suite *s = suite_create("store_schema");
	TCase *tc = tcase_create("schema");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_store_of_version_1_is_taken_up_with_all_that_it_has);
	tcase_add_test(tc, the_program_of_version_1_goes_on_with_this_store);
	tcase_add_test(tc, the_program_of_version_2_goes_on_with_this_store);
	tcase_add_loop_test(
	    tc, what_version_2_added_is_summed_too, 0, sizeof(flips) / sizeof(flips[0]));
	tcase_add_test(tc, the_version_is_where_people_and_programs_look);
	tcase_add_test(tc, one_step_up_keeps_all_and_leaves_a_copy_of_before);
	tcase_add_test(tc, the_program_before_goes_on_with_what_only_added);
	tcase_add_test(tc, a_newer_one_that_changed_more_is_refused_and_not_touched);
	tcase_add_test(tc, two_steps_at_once_are_fine);
	tcase_add_test(tc, going_back_by_the_copy_of_before_works);
	tcase_add_test(tc, a_step_that_fails_leaves_all_as_it_was);
	tcase_add_test(tc, a_disk_that_fails_in_a_step_leaves_all_as_it_was_or_the_new_one);
	tcase_add_test(tc, a_version_that_a_bit_made_newer_is_damage_and_not_a_newer_version);
	tcase_add_test(tc, a_mark_that_a_bit_changed_is_damage_and_not_another_programs);
	tcase_add_loop_test(tc, tables_that_are_not_those_that_were_made_are_damage, 0,
	    sizeof(other_tables) / sizeof(other_tables[0]));
	tcase_add_test(tc, a_newer_version_whose_head_cannot_be_understood_is_left_alone);
	tcase_add_test(tc, what_a_person_adds_for_looking_is_no_damage);
	tcase_add_test(tc, the_view_for_people_says_what_is_there);
	suite_add_tcase(s, tc);
	return s;
}
