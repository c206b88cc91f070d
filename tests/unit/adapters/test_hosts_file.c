/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An editor that puts another file there by rename, in the instant of our own replacement: between
 * our last look and the exchange, where no other test gets to reliably.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adapters/hosts/hosts_file.h"
#include "adapters/hosts/hosts_late.h"

static char folder[] = "/tmp/holdfast-hosts-file-XXXXXX";
static char path[64], other[64], content[4096];
static struct hf_hosts_lates lates;
static unsigned n_renames, n_makes, no_exchange;
static void (*before_rename)(void); /* the first one */
static void (*at_second_make)(void);

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	void (*hook)(void) = before_rename;

	before_rename = NULL;
	n_renames++;
	if (hook)
		hook();
	if (no_exchange) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static void put(const char *where, const char *text)
{
	FILE *f = fopen(where, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static const char *there(void)
{
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(content, 1, sizeof(content) - 1, f);
	content[n] = '\0';
	fclose(f);
	return content;
}

/* An editor: all that it has read, and a line. */
static void put_with(const char *read, const char *line)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s", read, line);
	put(other, text);
	ck_assert_int_eq(rename(other, path), 0);
}

/* Ours: "ours" as the last line, once. */
static int make(const struct hf_hosts_file_view *view, char **ret_bytes, size_t *ret_len, void *arg)
{
	char *at;

	if (++n_makes == 2 && at_second_make)
		at_second_make();
	*ret_bytes = calloc(1, view->len + 8);
	ck_assert_ptr_nonnull(*ret_bytes);
	memcpy(*ret_bytes, view->bytes, view->len);
	at = strstr(*ret_bytes, "ours\n");
	if (!at)
		strcat(*ret_bytes, "ours\n");
	*ret_len = strlen(*ret_bytes);
	return 0;
}

static int edit_at(int64_t now_ms)
{
	const struct hf_hosts_file_edit e = {
		.path = path, .lates = &lates, .now_ms = now_ms, .make = make
	};
	struct stat st;
	char why[200];

	return hf_hosts_file_edit(&e, &st, why, sizeof(why));
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/hosts", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	memset(&lates, 0, sizeof(lates));
	n_renames = n_makes = no_exchange = 0;
	before_rename = at_second_make = NULL;
	put(path, "first\n");
}

static void teardown(void)
{
	hf_hosts_late_free(&lates);
	unlink(path);
	unlink(other);
	/* Nothing else is left in it. */
	ck_assert_int_eq(rmdir(folder), 0);
	memcpy(strrchr(folder, '-'), "-XXXXXX", 7);
}

static void put_theirs(void)
{
	put_with("first\n", "theirs\n");
}

START_TEST(a_file_that_others_put_there_in_the_same_instant_is_not_lost)
{
	before_rename = put_theirs;
	ck_assert_int_eq(edit_at(1000), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	ck_assert_ptr_nonnull(strstr(there(), "ours\n"));
	ck_assert_str_eq(strstr(there(), "first\n"), there());
	ck_assert_uint_eq(n_renames, 2);
}
END_TEST

/* It has read ours in the moment in which it lacked their line. */
static void put_late(void)
{
	put_with("first\nours\n", "late\n");
}

START_TEST(whoever_has_read_ours_in_between_does_not_undo_theirs)
{
	before_rename = put_theirs;
	at_second_make = put_late;
	ck_assert_int_eq(edit_at(1000), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	ck_assert_ptr_nonnull(strstr(there(), "late\n"));
}
END_TEST

START_TEST(nor_if_it_comes_a_while_later)
{
	before_rename = put_theirs;
	ck_assert_int_eq(edit_at(1000), 0);
	put_late();
	ck_assert_int_eq(edit_at(1100), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	ck_assert_ptr_nonnull(strstr(there(), "late\n"));
	put_late();
	ck_assert_int_eq(edit_at(2000), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	/* A slow disk, and an editor that is slower. */
	put_late();
	ck_assert_int_eq(edit_at(4500), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	put_late();
	ck_assert_int_eq(edit_at(4600), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	ck_assert(hf_hosts_late_is_urgent(&lates)); /* what it has just replaced */
	ck_assert_int_eq(edit_at(4650), 0);
	ck_assert(!hf_hosts_late_is_urgent(&lates));
	ck_assert_uint_gt(lates.n, 0);
	/* Then a line that is not there any more was removed. */
	ck_assert_int_eq(edit_at(6700), 0);
	ck_assert_uint_eq(lates.n, 0);
	put_late();
	ck_assert_int_eq(edit_at(6800), 0);
	ck_assert_ptr_null(strstr(there(), "theirs\n"));
}
END_TEST

/* Two in the same instant, the second made without the first. */
START_TEST(one_made_without_the_other_does_not_remove_its_line)
{
	before_rename = put_theirs;
	ck_assert_int_eq(edit_at(1000), 0);
	put_with("first\n", "theirs\n"); /* ours is gone: there is something to do */
	before_rename = put_late;
	ck_assert_int_eq(edit_at(1500), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	ck_assert_ptr_nonnull(strstr(there(), "late\n"));
	/* The first is held no longer, the second still is. */
	ck_assert_int_eq(edit_at(3200), 0);
	ck_assert_int_eq(edit_at(3300), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	ck_assert_int_eq(edit_at(9000), 0);
	ck_assert_ptr_nonnull(strstr(there(), "theirs\n"));
	ck_assert_ptr_nonnull(strstr(there(), "late\n"));
}
END_TEST

static void put_removal(void)
{
	put_with("", "other\n");
}

START_TEST(a_line_that_others_remove_in_the_same_instant_is_removed)
{
	before_rename = put_removal;
	ck_assert_int_eq(edit_at(1000), 0);
	ck_assert_ptr_null(strstr(there(), "first\n"));
	ck_assert_ptr_nonnull(strstr(there(), "other\n"));
}
END_TEST

static void put_link(void)
{
	put(other, "elsewhere\n");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("other", path), 0);
}

START_TEST(a_symlink_that_others_put_there_in_the_same_instant_goes_back)
{
	struct stat st;

	before_rename = put_link;
	ck_assert_int_eq(edit_at(1000), -ELOOP);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_str_eq(there(), "elsewhere\n");
}
END_TEST

START_TEST(without_an_exchange_it_is_a_rename)
{
	no_exchange = 1;
	ck_assert_int_eq(edit_at(1000), 0);
	ck_assert_str_eq(there(), "first\nours\n");
}
END_TEST

Suite *hosts_file_suite(void);
Suite *hosts_file_suite(void)
{
	Suite *s = suite_create("hosts_file");
	TCase *tc = tcase_create("instant");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_file_that_others_put_there_in_the_same_instant_is_not_lost);
	tcase_add_test(tc, whoever_has_read_ours_in_between_does_not_undo_theirs);
	tcase_add_test(tc, nor_if_it_comes_a_while_later);
	tcase_add_test(tc, one_made_without_the_other_does_not_remove_its_line);
	tcase_add_test(tc, a_line_that_others_remove_in_the_same_instant_is_removed);
	tcase_add_test(tc, a_symlink_that_others_put_there_in_the_same_instant_goes_back);
	tcase_add_test(tc, without_an_exchange_it_is_a_rename);
	suite_add_tcase(s, tc);
	return s;
}
