/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/host_files.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "config/config.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/tmpdir.h"

Suite *host_files_suite(void);

enum { HOSTSDIR, HOSTS_FILE, FORMS };

static struct tmpdir dir;
static char path[TMPDIR_MAX + 8], why[600];
static struct hf_config_dnsmasq config;
static struct hf_host_files *files;

static void open_form(int form)
{
	tmpdir_make(&dir);
	tmpdir_path(&dir, "names", path, sizeof(path));
	config = (struct hf_config_dnsmasq){ .hostsdir = form == HOSTSDIR ? dir.path : NULL,
		.hosts_file = form == HOSTSDIR ? NULL : path };
	ck_assert_int_eq(hf_host_files_new(&config, &files), 0);
	ck_assert_int_eq(hf_host_files_open(files, why, sizeof(why)), 0);
}

static void close_form(void)
{
	hf_host_files_free(files);
	tmpdir_remove(&dir);
}

/* Both forms promise the same. */
START_TEST(what_is_written_is_there_and_a_change_is_seen)
{
	struct hf_record r = record("a.coder", "fd60:627a:a42b::1", true);
	char name[HF_HOSTSDIR_FILE_NAME_MAX];
	struct hf_record_table *table, *there;
	unsigned file;

	open_form(_i);
	table = hf_host_files_table(files);
	file = hf_record_table_bucket_of(table, r.addr);
	ck_assert_uint_lt(file, hf_host_files_count(files));
	ck_assert_int_eq(hf_record_table_put(table, &r), 1);
	ck_assert_int_eq(hf_host_files_write(files, file, why, sizeof(why)), 0);
	ck_assert(!hf_host_files_changed(files, file) && !hf_host_files_blocked(files, file));
	ck_assert_int_eq(hf_host_files_sync(files, file), 0);
	ck_assert_int_eq(hf_host_files_sync_folder(files), 0);
	ck_assert_int_eq(hf_record_table_new(1, &there), 0);
	ck_assert_int_eq(hf_host_files_peek(files, file, there), 0);
	ck_assert_uint_eq(hf_record_table_count(there), 1);
	hf_record_table_free(there);
	hf_record_table_clear(table);
	ck_assert_int_eq(hf_host_files_load(files, file, why, sizeof(why)), 1);
	ck_assert_uint_eq(hf_record_table_count(table), 1);
	ck_assert_int_eq(hf_host_files_foreign(files, name), 0);
	ck_assert(!hf_host_files_replaced(files));
	hf_host_files_sweep(files);
	hf_host_files_name(files, file, name);
	ck_assert_int_eq(unlinkat(dir.fd, _i == HOSTSDIR ? name : "names", 0), 0);
	ck_assert(hf_host_files_changed(files, file));
	close_form();
}
END_TEST

START_TEST(a_file_of_others_is_refused_in_words)
{
	char name[HF_HOSTSDIR_FILE_NAME_MAX];
	const char *at;

	open_form(_i);
	at = hf_host_files_name(files, 0, name);
	ck_assert_str_eq(at, _i == HOSTSDIR ? "holdfast-000.hosts" : "it");
	ck_assert_int_eq(hf_file_replace(dir.fd, _i == HOSTSDIR ? at : "names", "x\n", 2, 0644), 0);
	ck_assert_int_eq(hf_host_files_load(files, 0, why, sizeof(why)), HF_EREFUSED);
	ck_assert_ptr_nonnull(strstr(why, hf_host_files_what(files)));
	ck_assert_ptr_nonnull(strstr(why, "move it away"));
	ck_assert(_i != HOSTSDIR || strstr(why, "holdfast-000.hosts"));
	why[0] = '\0';
	ck_assert_int_eq(hf_host_files_write(files, 0, why, sizeof(why)), HF_EREFUSED);
	ck_assert_ptr_nonnull(strstr(why, "move it away"));
	close_form();
}
END_TEST

Suite *host_files_suite(void)
{
	Suite *s = suite_create("host_files");
	TCase *tc = tcase_create("forms");

	tcase_add_loop_test(tc, what_is_written_is_there_and_a_change_is_seen, 0, FORMS);
	tcase_add_loop_test(tc, a_file_of_others_is_refused_in_words, 0, FORMS);
	suite_add_tcase(s, tc);
	return s;
}
