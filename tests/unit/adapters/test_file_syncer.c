/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/file_syncer.h"

#include <check.h>
#include <stdlib.h>

#include <event2/event.h>

#include "adapters/dnsmasq/host_files.h"
#include "config/config.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/tmpdir.h"

Suite *file_syncer_suite(void);

static struct tmpdir dir;
static struct event_base *base;
static struct hf_config_dnsmasq config;
static struct hf_host_files *files;
static struct hf_file_syncer *syncer;

static void setup(void)
{
	char why[200];

	tmpdir_make(&dir);
	config = (struct hf_config_dnsmasq){ .hostsdir = dir.path };
	base = event_base_new();
	ck_assert_int_eq(hf_host_files_new(&config, &files), 0);
	ck_assert_int_eq(hf_host_files_open(files, why, sizeof(why)), 0);
	ck_assert_int_eq(hf_file_syncer_new(base, files, 20, &syncer), 0);
}

static void teardown(void)
{
	hf_file_syncer_free(syncer);
	hf_host_files_free(files);
	event_base_free(base);
	tmpdir_remove(&dir);
}

/* The loop has nothing to do any more when all is durable; a file that is gone is none. */
START_TEST(what_was_written_is_worked_off_once)
{
	struct hf_record r = record("a.coder", "fd60:627a:a42b::1", true);
	struct hf_record_table *table = hf_host_files_table(files);
	unsigned file = hf_record_table_bucket_of(table, r.addr);
	char why[200];

	ck_assert_int_eq(event_base_dispatch(base), 1); /* nothing waits */
	ck_assert_int_eq(hf_record_table_put(table, &r), 1);
	ck_assert_int_eq(hf_host_files_write(files, file, why, sizeof(why)), 0);
	hf_file_syncer_written(syncer, file);
	hf_file_syncer_written(syncer, file);
	hf_file_syncer_written(syncer, 0);
	ck_assert_int_eq(event_base_dispatch(base), 1);
	hf_file_syncer_written(syncer, file); /* and again */
	ck_assert_int_eq(event_base_dispatch(base), 1);
	ck_assert(!hf_host_files_changed(files, file));
}
END_TEST

START_TEST(an_end_before_it_was_due_is_fine)
{
	hf_file_syncer_written(syncer, 7);
	hf_file_syncer_free(syncer);
	syncer = NULL;
	ck_assert_int_eq(event_base_dispatch(base), 1);
}
END_TEST

Suite *file_syncer_suite(void)
{
	Suite *s = suite_create("file_syncer");
	TCase *tc = tcase_create("syncer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_written_is_worked_off_once);
	tcase_add_test(tc, an_end_before_it_was_due_is_fine);
	suite_add_tcase(s, tc);
	return s;
}
