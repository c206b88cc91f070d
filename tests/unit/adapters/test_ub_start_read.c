/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/unbound/ub_start_private.h"
#include "tests/unit/adapters/kit_unbound.h"

#define PTR_7 "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa"

static struct kit_unbound k;
static char told[4096];

static int tell_text(const struct hf_record *r, void *arg)
{
	char text[HF_NAME_TEXT_MAX];
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "%s%s %s", len ? "," : "",
	    hf_name_text(&r->name, text), r->primary ? "ptr" : "aaaa");
	return 0;
}

static void read_all(void)
{
	int rc;

	told[0] = '\0';
	while ((rc = hf_ub_start_file_read(k.a->start_file, tell_text, NULL)) > 0)
		;
	ck_assert_int_eq(rc, 0);
}

START_TEST(pointers_come_first_and_what_is_not_ours_not_at_all)
{
	kit_unbound_open(&k, NULL, NULL, HF_START_INCLUDE);
	kit_unbound_write(&k, "start",
	    "server:\nlocal-zone: \"coder.\" static\n"
	    "local-data: \"dev.coder. 30 AAAA fd60:627a:a42b::7\"\n"
	    "local-data: \"dev.other. 30 AAAA fd60:627a:a42b::7\"\n"
	    "local-data: \"out.coder. 30 AAAA 2001:db8::7\"\n"
	    "local-data: \"" PTR_7 ". 30 PTR dev.coder.\"\n");
	kit_unbound_write(&k, "started", "old.coder. 30 IN AAAA fd60:627a:a42b::9\n");
	read_all();
	ck_assert_str_eq(told, "dev.coder ptr,dev.coder aaaa");
	kit_unbound_close(&k);
}
END_TEST

START_TEST(zone_files_are_one_for_each_suffix)
{
	kit_unbound_open(&k, NULL, NULL, HF_START_ZONEFILE);
	kit_unbound_write(&k, "start", "dev.coder. 30 IN AAAA fd60:627a:a42b::7\n");
	kit_unbound_write(&k, "start.ptr", PTR_7 ". 30 IN PTR dev.coder.\n");
	read_all();
	ck_assert_str_eq(told, "dev.coder ptr,dev.coder aaaa");
	kit_unbound_close(&k);
}
END_TEST

/* unbound has read the one that was there before, perhaps. */
START_TEST(a_file_that_was_replaced_is_read_once_more)
{
	struct hf_ub_start_file *f;
	const char *base;

	kit_unbound_open(&k, NULL, NULL, HF_START_ZONEFILE);
	f = k.a->start_file;
	kit_unbound_write(&k, "start", "old.coder. 30 IN AAAA fd60:627a:a42b::7\n");
	ck_assert_int_eq(hf_ub_start_folder_open(f, &base), 0);
	hf_ub_start_former_keep(f, "start");
	hf_ub_start_outs_close(f);
	ck_assert_int_eq(remove(k.path), 0);
	kit_unbound_write(&k, "start", "new.coder. 30 IN AAAA fd60:627a:a42b::8\n");
	read_all();
	ck_assert_str_eq(told, "old.coder aaaa,new.coder aaaa");
	read_all();
	ck_assert_str_eq(told, "new.coder aaaa");
	kit_unbound_close(&k);
}
END_TEST

START_TEST(a_long_file_is_read_in_slices)
{
	char line[128];
	FILE *f;
	int n = 0;

	kit_unbound_open(&k, NULL, NULL, HF_START_ZONEFILE);
	f = fopen(k.path, "w");
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof(line), "w%d.other. 30 IN AAAA fd60:627a:a42b::7\n", i);
		fputs(line, f);
	}
	fputs("dev.coder. 30 IN AAAA fd60:627a:a42b::7\n", f);
	fclose(f);
	told[0] = '\0';
	while (hf_ub_start_file_read(k.a->start_file, tell_text, NULL) > 0)
		n++;
	ck_assert_int_gt(n, 5);
	ck_assert_str_eq(told, "dev.coder aaaa");
	kit_unbound_close(&k);
}
END_TEST

START_TEST(a_link_and_a_pipe_are_no_files)
{
	char path[2 * TMPDIR_MAX];

	kit_unbound_open(&k, NULL, NULL, HF_START_ZONEFILE);
	kit_unbound_write(&k, "else", "dev.coder. 30 IN AAAA fd60:627a:a42b::7\n");
	ck_assert_int_eq(symlink("else", k.path), 0);
	snprintf(path, sizeof(path), "%s.pipe", k.path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	read_all();
	ck_assert_str_eq(told, "");
	kit_unbound_close(&k);
}
END_TEST

Suite *ub_start_read_suite(void);
Suite *ub_start_read_suite(void)
{
	Suite *s = suite_create("ub_start_read");
	TCase *c = tcase_create("ub_start_read");

	tcase_add_test(c, pointers_come_first_and_what_is_not_ours_not_at_all);
	tcase_add_test(c, zone_files_are_one_for_each_suffix);
	tcase_add_test(c, a_file_that_was_replaced_is_read_once_more);
	tcase_add_test(c, a_long_file_is_read_in_slices);
	tcase_add_test(c, a_link_and_a_pipe_are_no_files);
	suite_add_tcase(s, c);
	return s;
}
