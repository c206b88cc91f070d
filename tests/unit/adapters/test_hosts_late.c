/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/hosts/hosts_late.h"

/* A file that was replaced: its name is gone, `writer` was opened before. */
static struct hf_hosts_lates lates;
static int writer;
static char content[256];

static void replaced(const char *text)
{
	char path[] = "/tmp/holdfast-late-XXXXXX";
	int fd;

	memset(&lates, 0, sizeof(lates));
	writer = mkstemp(path);
	ck_assert_int_ge(writer, 0);
	ck_assert_int_eq(write(writer, text, strlen(text)), (ssize_t)strlen(text));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	unlink(path);
	hf_hosts_late_add(&lates, fd, strdup(text), strlen(text), 1000);
}

static void rewrite(const char *text)
{
	ck_assert_int_eq(ftruncate(writer, 0), 0);
	ck_assert_int_eq(pwrite(writer, text, strlen(text), 0), (ssize_t)strlen(text));
	lseek(writer, 0, SEEK_END);
}

/* The file that is there has `text`; what it is to have. */
static const char *look(const char *text, int64_t now_ms, bool written)
{
	const struct hf_text file = { text, strlen(text) };
	char *bytes;
	size_t len;

	ck_assert_int_eq(hf_hosts_late_content(&lates, &file, now_ms, &bytes, &len), 0);
	ck_assert_uint_lt(len, sizeof(content));
	memcpy(content, bytes, len);
	content[len] = '\0';
	free(bytes);
	hf_hosts_late_done(&lates, written);
	return content;
}

START_TEST(what_is_appended_late_is_found_as_long_as_somebody_can_write)
{
	replaced("x\n");
	ck_assert_str_eq(look("x\n", 1000, true), "x\n");
	ck_assert_uint_eq(lates.n, 1);
	ck_assert_int_eq(write(writer, "y\n", 2), 2);
	ck_assert_str_eq(look("x\n", 60000, true), "x\ny\n");
	ck_assert_uint_eq(lates.n, 1);
	ck_assert_int_eq(write(writer, "z\n", 2), 2);
	close(writer);
	ck_assert_str_eq(look("x\ny\n", 60000, true), "x\ny\nz\n");
	ck_assert_uint_eq(lates.n, 0);
}
END_TEST

START_TEST(half_a_line_is_taken_when_it_is_whole)
{
	replaced("x\n");
	ck_assert_int_eq(write(writer, "y\nhal", 5), 5);
	ck_assert_str_eq(look("x\n", 1000, true), "x\ny\n");
	ck_assert_str_eq(look("x\ny\n", 1010, true), "x\ny\n");
	ck_assert_int_eq(write(writer, "f\n", 2), 2);
	ck_assert_str_eq(look("x\ny\n", 1020, true), "x\ny\nhalf\n");
	ck_assert_int_eq(write(writer, "z", 1), 1);
	ck_assert_str_eq(look("x\ny\nhalf\n", 1030, true), "x\ny\nhalf\n");
	/* Who stops there for long means it so, and so does who is gone. */
	ck_assert_str_eq(look("x\ny\nhalf\n", 5000, true), "x\ny\nhalf\nz");
	close(writer);
	hf_hosts_late_free(&lates);
}
END_TEST

/* One that somebody put there, with `text`, in the instant in which we put ours over `base`. */
static void held(const char *base, const char *text)
{
	struct hf_hosts_late one;

	replaced(text);
	close(writer);
	one = lates.at[0];
	lates.n = 0;
	free(one.bytes);
	hf_hosts_late_add_held(&lates, one.fd, strdup(base), strlen(base), 1000);
}

START_TEST(what_is_held_is_brought_in_until_it_was_there_for_long)
{
	held("x\n", "x\ny\n");
	/* On a slow disk, and beside an editor that is faster. */
	ck_assert_str_eq(look("x\n", 1000, false), "x\ny\n");
	ck_assert_str_eq(look("x\n", 9000, true), "x\ny\n");
	ck_assert_str_eq(look("x\nz\n", 9100, true), "x\nz\ny\n");
	ck_assert_str_eq(look("x\nz\n", 11050, true), "x\nz\ny\n");
	ck_assert_str_eq(look("x\nz\ny\n", 13000, true), "x\nz\ny\n");
	ck_assert_uint_eq(lates.n, 1);
	ck_assert_str_eq(look("x\nz\ny\n", 13100, true), "x\nz\ny\n");
	ck_assert_uint_eq(lates.n, 0);
	/* But not for ever. */
	held("x\n", "x\ny\n");
	for (int64_t now = 1000; now < 60000; now += 1000)
		ck_assert_str_eq(look("x\n", now, true), "x\ny\n");
	look("x\n", 61100, true);
	ck_assert_uint_eq(lates.n, 0);
}
END_TEST

START_TEST(a_file_that_nobody_can_write_is_read_once_and_forgotten)
{
	replaced("x\n");
	close(writer);
	ck_assert_str_eq(look("x\n", 1000, true), "x\n");
	ck_assert_uint_eq(lates.n, 0);
}
END_TEST

START_TEST(what_could_not_be_written_is_found_again)
{
	replaced("x\n");
	ck_assert_int_eq(write(writer, "y\n", 2), 2);
	close(writer);
	ck_assert_str_eq(look("x\n", 1000, false), "x\ny\n");
	ck_assert_uint_eq(lates.n, 1);
	ck_assert_str_eq(look("x\n", 2000, true), "x\ny\n");
	ck_assert_uint_eq(lates.n, 0);
}
END_TEST

START_TEST(a_half_written_file_is_not_taken)
{
	replaced("x\ny\n");
	rewrite("y\n");
	ck_assert_str_eq(look("x\ny\n", 1000, true), "x\ny\n");
	ck_assert_int_eq(write(writer, "x\nz\n", 4), 4);
	close(writer);
	ck_assert_str_eq(look("x\ny\n", 1100, true), "y\nx\nz\n");
}
END_TEST

START_TEST(a_writer_that_stops_half_way_is_not_waited_for_for_ever)
{
	replaced("x\ny\n");
	rewrite("y\n");
	ck_assert_str_eq(look("x\ny\n", 1000, true), "x\ny\n");
	ck_assert_str_eq(look("x\ny\n", 5000, true), "y\n");
	close(writer);
	hf_hosts_late_free(&lates);
}
END_TEST

START_TEST(the_oldest_is_forgotten_when_there_are_too_many)
{
	replaced("x\n");
	for (int i = 0; i < 2 * HF_HOSTS_LATE_MAX; i++)
		hf_hosts_late_add(
		    &lates, open("/dev/null", O_RDONLY | O_CLOEXEC), strdup(""), 0, 1000);
	ck_assert_uint_eq(lates.n, HF_HOSTS_LATE_MAX);
	close(writer);
	hf_hosts_late_free(&lates);
}
END_TEST

Suite *hosts_late_suite(void);
Suite *hosts_late_suite(void)
{
	Suite *s = suite_create("hosts_late");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, what_is_appended_late_is_found_as_long_as_somebody_can_write);
	tcase_add_test(tc, half_a_line_is_taken_when_it_is_whole);
	tcase_add_test(tc, what_is_held_is_brought_in_until_it_was_there_for_long);
	tcase_add_test(tc, a_file_that_nobody_can_write_is_read_once_and_forgotten);
	tcase_add_test(tc, what_could_not_be_written_is_found_again);
	tcase_add_test(tc, a_half_written_file_is_not_taken);
	tcase_add_test(tc, a_writer_that_stops_half_way_is_not_waited_for_for_ever);
	tcase_add_test(tc, the_oldest_is_forgotten_when_there_are_too_many);
	suite_add_tcase(s, tc);
	return s;
}
