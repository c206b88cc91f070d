/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/file_loader.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "adapters/dnsmasq/host_files.h"
#include "base/error.h"
#include "base/file.h"
#include "config/config.h"
#include "tests/unit/adapters/kit_records.h"
#include "tests/unit/tmpdir.h"

Suite *file_loader_suite(void);

#define ADDR(n) "fd60:627a:a42b::" #n

static struct tmpdir dir;
static struct event_base *base;
static struct hf_config_dnsmasq config;
static struct hf_host_files *files;
static struct hf_file_loader *loader;
static unsigned n_done, n_odd, odd_file;
static int code;
static char said[200];

static void on_odd(void *arg, unsigned file)
{
	n_odd++;
	odd_file = file;
}

static void on_done(void *arg, int c, const char *why)
{
	n_done++;
	code = c;
	snprintf(said, sizeof(said), "%s", why);
}

static void open_files(const char *path)
{
	const struct hf_file_loader_opts o = { .base = base, .odd = on_odd, .done = on_done };
	struct hf_file_loader_opts with = o;

	config = (struct hf_config_dnsmasq){ .hostsdir = (char *)path };
	ck_assert_int_eq(hf_host_files_new(&config, &files), 0);
	with.files = files;
	ck_assert_int_eq(hf_file_loader_new(&with, &loader), 0);
	n_done = n_odd = 0;
}

static void close_files(void)
{
	hf_file_loader_free(loader);
	hf_host_files_free(files);
	loader = NULL;
	files = NULL;
}

static void setup(void)
{
	tmpdir_make(&dir);
	base = event_base_new();
	open_files(dir.path);
}

static void teardown(void)
{
	close_files();
	event_base_free(base);
	tmpdir_remove(&dir);
}

static void load(void)
{
	hf_file_loader_begin(loader);
	hf_file_loader_begin(loader); /* the same */
	ck_assert_uint_eq(n_done, 0);
	event_base_dispatch(base);
	ck_assert_uint_eq(n_done, 1);
	n_done = 0;
}

/* By one who lives no more. */
static unsigned write_record(const char *name, const char *addr)
{
	struct hf_record r = record(name, addr, true);
	struct hf_record_table *table = hf_host_files_table(files);
	unsigned file = hf_record_table_bucket_of(table, r.addr);
	char why[200];

	ck_assert_int_eq(hf_host_files_open(files, why, sizeof(why)), 0);
	ck_assert_int_ge(hf_record_table_put(table, &r), 0);
	ck_assert_int_eq(hf_host_files_write(files, file, why, sizeof(why)), 0);
	return file;
}

static size_t count(void)
{
	return hf_record_table_count(hf_host_files_table(files));
}

START_TEST(what_was_written_is_there_again)
{
	load();
	ck_assert(!code && hf_file_loader_is_done(loader) && !count());
	write_record("a.coder", ADDR(1));
	write_record("b.coder", ADDR(2));
	close_files();
	open_files(dir.path);
	ck_assert(!hf_file_loader_is_done(loader));
	load();
	ck_assert(!code && count() == 2 && !n_odd);
	ck_assert(!hf_file_loader_damaged(loader) && !hf_file_loader_refused(loader));
}
END_TEST

START_TEST(a_probe_that_was_left_goes_with_the_next_write)
{
	unsigned file = write_record("_holdfast-probe.coder", ADDR(1));

	close_files();
	open_files(dir.path);
	load();
	ck_assert(!code && !count());
	ck_assert(n_odd == 1 && odd_file == file);
}
END_TEST

static const struct {
	const char *text; /* NULL: what was written, cut */
	unsigned damaged;
	bool refused;
} kinds[] = { { NULL, 1, false }, { "", 1, false }, { "10.0.0.1 theirs\n", 0, true } };

START_TEST(what_others_made_of_a_file_is_known)
{
	unsigned file = write_record("a.coder", ADDR(1));
	char name[HF_HOSTSDIR_FILE_NAME_MAX];
	uint8_t *bytes;
	size_t len;

	write_record("b.coder", ADDR(2));
	hf_host_files_name(files, file, name);
	ck_assert_int_eq(hf_file_read(dir.fd, name, 1000, &bytes, &len), 0);
	if (kinds[_i].text)
		ck_assert_int_eq(
		    hf_file_replace(dir.fd, name, kinds[_i].text, strlen(kinds[_i].text), 0644), 0);
	else
		ck_assert_int_eq(hf_file_replace(dir.fd, name, bytes, len - 3, 0644), 0);
	free(bytes);
	close_files();
	open_files(dir.path);
	load();
	ck_assert_int_eq(code, 0);
	ck_assert_uint_eq(hf_file_loader_damaged(loader), kinds[_i].damaged);
	ck_assert_uint_eq(n_odd, kinds[_i].damaged);
	ck_assert_int_eq(hf_file_loader_refused(loader) != NULL, kinds[_i].refused);
}
END_TEST

START_TEST(a_missing_folder_is_its_end_and_is_tried_again)
{
	char path[TMPDIR_MAX + 8];

	close_files();
	snprintf(path, sizeof(path), "%s/later", dir.path);
	open_files(path);
	load();
	ck_assert_int_eq(code, -ENOENT);
	ck_assert(strstr(said, "install -d") && !hf_file_loader_is_done(loader));
	ck_assert_int_eq(mkdirat(dir.fd, "later", 0755), 0);
	load();
	ck_assert(!code && hf_file_loader_is_done(loader));
}
END_TEST

Suite *file_loader_suite(void)
{
	Suite *s = suite_create("file_loader");
	TCase *tc = tcase_create("loader");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_written_is_there_again);
	tcase_add_test(tc, a_probe_that_was_left_goes_with_the_next_write);
	tcase_add_loop_test(
	    tc, what_others_made_of_a_file_is_known, 0, (int)(sizeof(kinds) / sizeof(kinds[0])));
	tcase_add_test(tc, a_missing_folder_is_its_end_and_is_tried_again);
	suite_add_tcase(s, tc);
	return s;
}
