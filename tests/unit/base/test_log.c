/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

Suite *log_suite(void);

#define T "2001-09-09T01:46:40.007Z"

static struct hf_fake_clock fake;
static int fd;
static uint64_t dropped_before; /* by other tests, where all share a process */
static char got[1 << 20];

/* What was logged since the last call. */
static const char *logged(void)
{
	ssize_t n = pread(fd, got, sizeof(got) - 1, 0);

	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	lseek(fd, 0, SEEK_SET);
	return got;
}

static uint64_t dropped(void)
{
	return hf_log_dropped() - dropped_before;
}

static void setup(void)
{
	hf_fake_clock_init(&fake, 5000, 1000000000007);
	fd = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	hf_log_init(fd, HF_LOG_INFO, HF_LOG_TEXT, &fake.clock);
	hf_log_info("what was lost before is told with this line");
	logged();
	dropped_before = hf_log_dropped();
}

static void teardown(void)
{
	close(fd);
}

/* --- levels and formats --- */

START_TEST(lines_below_the_level_are_not_written)
{
	for (int level = HF_LOG_ERROR; level <= HF_LOG_DEBUG; level++) {
		static const char *const want[] = {
			T " error: e\n",
			T " error: e\n" T " warn: w\n",
			T " error: e\n" T " warn: w\n" T " info: i\n",
			T " error: e\n" T " warn: w\n" T " info: i\n" T " debug: d\n",
		};

		hf_log_set_level((enum hf_log_level)level);
		ck_assert_int_eq(hf_log_get_level(), level);
		hf_log_error("e");
		hf_log_warn("w");
		hf_log_info("i");
		hf_log_debug("d");
		ck_assert_str_eq(logged(), want[level]);
	}
	ck_assert_uint_eq(dropped(), 0);
}
END_TEST

START_TEST(levels_and_formats_are_read_by_name)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	enum hf_log_format format = HF_LOG_TEXT;
	enum hf_log_level level = HF_LOG_WARN;

	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(hf_log_level_parse(levels[i], &level), 0);
		ck_assert_int_eq(level, i);
	}
	ck_assert_int_eq(hf_log_level_parse("Debug", &level), -EINVAL);
	ck_assert_int_eq(hf_log_level_parse("", &level), -EINVAL);
	ck_assert_int_eq(level, HF_LOG_DEBUG);
	ck_assert_int_eq(hf_log_format_parse("json", &format), 0);
	ck_assert_int_eq(format, HF_LOG_JSON);
	ck_assert_int_eq(hf_log_format_parse("xml", &format), -EINVAL);
	ck_assert_int_eq(format, HF_LOG_JSON);
	ck_assert_int_eq(hf_log_format_parse("text", &format), 0);
	ck_assert_int_eq(format, HF_LOG_TEXT);
}
END_TEST

START_TEST(json_is_an_object_a_line)
{
	hf_log_init(fd, HF_LOG_INFO, HF_LOG_JSON, &fake.clock);
	hf_log_warn("adapter '%s': \"%d\"\n", "unbound", 3);
	ck_assert_str_eq(logged(),
	    "{\"time\":\"" T
	    "\",\"level\":\"warn\",\"text\":\"adapter 'unbound': \\\"3\\\"\\u000a\"}\n");
}
END_TEST

START_TEST(peer_can_forge_no_line)
{
	hf_log_info("peer says '%s'", "x\n" T " error: all is lost");
	ck_assert_str_eq(logged(), T " info: peer says 'x\\x0a" T " error: all is lost'\n");
}
END_TEST

START_TEST(errno_is_left_alone)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	errno = EXDEV;
	hf_log_error("%s", strerror(errno));
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_str_eq(logged(), T " error: Invalid cross-device link\n");
	hf_log_init(full, HF_LOG_INFO, HF_LOG_TEXT, &fake.clock);
	errno = EXDEV;
	hf_log_error("to nobody");
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_uint_eq(dropped(), 1);
	close(full);
}
END_TEST

START_TEST(what_cannot_be_formatted_is_told_by_its_format)
{
	static const wchar_t no_text[] = { 0x110000, 0 };

	hf_log_warn("odd: %ls", no_text);
	ck_assert_str_eq(logged(), T " warn: odd: %ls\n");
}
END_TEST

START_TEST(long_text_is_one_line_that_shows_its_cut)
{
	static char text[20000];
	size_t len;

	memset(text, 'x', sizeof(text) - 1);
	hf_log_info("%s", text);
	len = strlen(logged());
	ck_assert_uint_gt(len, 4000);
	ck_assert_uint_le(len, 4096);
	ck_assert_str_eq(got + len - 5, "x...\n");
}
END_TEST

START_TEST(system_clock_is_the_default)
{
	hf_log_init(fd, HF_LOG_INFO, HF_LOG_TEXT, NULL);
	hf_log_info("now");
	ck_assert_int_eq(logged()[0], '2');
	ck_assert_ptr_null(strstr(got, "2001"));
}
END_TEST

/* --- lines that are lost --- */

static size_t read_now(int from)
{
	ssize_t n = read(from, got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = '\0';
	return strlen(got);
}

START_TEST(lost_lines_are_counted_and_told_before_the_next)
{
	unsigned n = 0;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	hf_log_init(fds[1], HF_LOG_ERROR, HF_LOG_TEXT, &fake.clock);
	ck_assert_int_gt(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	while (!dropped()) {
		hf_log_error("line %u %300s", n++, "");
		ck_assert_uint_lt(n, 20);
	}
	hf_log_error("another one");
	hf_log_info("not even tried");
	ck_assert_uint_eq(dropped(), 2);
	while (read_now(fds[0]) == sizeof(got) - 1)
		continue;
	/* Told even where warnings are not wanted, and once. */
	hf_log_error("again");
	read_now(fds[0]);
	ck_assert_str_eq(got,
	    T " warn: log: 2 lines were lost while the target did not take them\n" T
	      " error: again\n");
	hf_log_error("more");
	read_now(fds[0]);
	ck_assert_str_eq(got, T " error: more\n");
	ck_assert_uint_eq(dropped(), 2);
}
END_TEST

START_TEST(no_line_passes_the_notice_of_lost_ones)
{
	static const char block[4096];
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	hf_log_init(fds[1], HF_LOG_INFO, HF_LOG_TEXT, &fake.clock);
	while (write(fds[1], block, sizeof(block)) > 0)
		continue;
	hf_log_info("lost");
	/* The last page has 46 octets left: "x" would fit there, the notice needs more. */
	ck_assert_int_eq(read(fds[0], got, 4096), 4096);
	ck_assert_int_eq(write(fds[1], block, 4050), 4050);
	hf_log_info("x");
	ck_assert_uint_eq(dropped(), 2);
	read_now(fds[0]);
	hf_log_info("y");
	read_now(fds[0]);
	ck_assert_str_eq(got,
	    T " warn: log: 2 lines were lost while the target did not take them\n" T " info: y\n");
}
END_TEST

START_TEST(loss_is_remembered_by_a_new_target)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	hf_log_init(full, HF_LOG_INFO, HF_LOG_TEXT, &fake.clock);
	hf_log_info("lost");
	hf_log_init(fd, HF_LOG_INFO, HF_LOG_TEXT, &fake.clock);
	hf_log_info("found");
	ck_assert_str_eq(logged(), T
	    " warn: log: 1 line was lost while the target did not take them\n" T " info: found\n");
	ck_assert_uint_eq(dropped(), 1);
}
END_TEST

/* --- before hf_log_init() --- */

START_TEST(before_init_it_goes_to_stderr)
{
	const char *fork_mode = getenv("CK_FORK");
	int err = memfd_create("stderr", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	char text[200] = "";

	/* Where all tests share a process, another one has called it. */
	if (fork_mode && !strcmp(fork_mode, "no"))
		return;
	dup2(err, STDERR_FILENO);
	hf_log_debug("not this");
	hf_log_info("but this");
	dup2(saved, STDERR_FILENO);
	ck_assert_int_gt(pread(err, text, sizeof(text) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "Z info: but this\n"));
	ck_assert_ptr_null(strstr(text, "not this"));
}
END_TEST

/* --- threads --- */

enum { THREADS = 4, LINES = 500 };

static void *log_lines(void *arg)
{
	for (int i = 0; i < LINES; i++) {
		hf_log_debug("thread %d line %d end", *(const int *)arg, i);
		hf_log_set_level(HF_LOG_DEBUG);
	}
	return NULL;
}

START_TEST(lines_of_many_threads_stay_whole_and_in_order)
{
	pthread_t threads[THREADS];
	int ids[THREADS], next[THREADS] = { 0 }, n = 0;

	hf_log_set_level(HF_LOG_DEBUG);
	for (int i = 0; i < THREADS; i++) {
		ids[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_lines, &ids[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	logged();
	for (char *save, *at = strtok_r(got, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
		int thread, line, end = 0;

		ck_assert_int_eq(
		    sscanf(at, T " debug: thread %d line %d end%n", &thread, &line, &end), 2);
		ck_assert_int_eq(at[end], '\0');
		ck_assert_int_eq(line, next[thread]++);
		n++;
	}
	ck_assert_int_eq(n, THREADS * LINES);
}
END_TEST

Suite *log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lines_below_the_level_are_not_written);
	tcase_add_test(tc, levels_and_formats_are_read_by_name);
	tcase_add_test(tc, json_is_an_object_a_line);
	tcase_add_test(tc, peer_can_forge_no_line);
	tcase_add_test(tc, errno_is_left_alone);
	tcase_add_test(tc, what_cannot_be_formatted_is_told_by_its_format);
	tcase_add_test(tc, long_text_is_one_line_that_shows_its_cut);
	tcase_add_test(tc, system_clock_is_the_default);
	tcase_add_test(tc, lost_lines_are_counted_and_told_before_the_next);
	tcase_add_test(tc, no_line_passes_the_notice_of_lost_ones);
	tcase_add_test(tc, loss_is_remembered_by_a_new_target);
	tcase_add_test(tc, lines_of_many_threads_stay_whole_and_in_order);
	suite_add_tcase(s, tc);
	tc = tcase_create("before init");
	tcase_add_test(tc, before_init_it_goes_to_stderr);
	suite_add_tcase(s, tc);
	return s;
}
