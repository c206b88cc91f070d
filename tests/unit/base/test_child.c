/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/child.h"
#include "base/error.h"

Suite *child_suite(void);

enum { OUTPUT_MAX = 1000, LONG_MS = 20000 };

static struct event_base *base;
static struct hf_child *child;
static struct {
	int n, code;
	char what[64], output[OUTPUT_MAX + 1], errors[HF_CHILD_ERRORS_MAX + 1];
	size_t len;
} told;

static void on_end(void *arg, struct hf_child_end *end)
{
	told.n++;
	told.code = end->code;
	told.len = end->output_len;
	snprintf(told.what, sizeof(told.what), "%s", end->what);
	memcpy(told.output, end->output, end->output_len + 1);
	snprintf(told.errors, sizeof(told.errors), "%s", end->errors);
	hf_child_free(child);
	child = NULL;
	event_base_loopbreak(base);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	memset(&told, 0, sizeof(told));
	base = event_base_new();
}

static void teardown(void)
{
	hf_child_free(child);
	child = NULL;
	event_base_free(base);
}

static void run(const char *script, struct hf_child_opts o)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	char why[HF_CHILD_WHY_MAX];

	memset(&told, 0, sizeof(told));
	o.argv = argv;
	o.output_max = OUTPUT_MAX;
	if (!o.limit_ms)
		o.limit_ms = LONG_MS;
	ck_assert_msg(hf_child_run(base, &o, on_end, NULL, &child, why) == 0, "%s", why);
	event_base_dispatch(base);
	ck_assert_int_eq(told.n, 1);
}

static const struct {
	const char *script;
	int code;
	const char *what, *output;
} rows[] = {
	{ "echo a; echo b", 0, "", "a\nb\n" },
	{ "true", 0, "", "" },
	{ "cat", 0, "", "" }, /* its input is empty, and not ours */
	{ "echo a; exit 3", HF_EREFUSED, "ended with status 3", "a\n" },
	{ "kill -9 $$", HF_EREFUSED, "was ended by signal 9", "" },
	{ "yes", HF_ELIMIT, "printed too much and was ended", NULL },
	{ "head -c 1000 /dev/zero | tr '\\0' x", 0, "", NULL },
	{ "head -c 1001 /dev/zero | tr '\\0' x", HF_ELIMIT, NULL, NULL },
	/* What it leaves running keeps the output open, and nobody waits for that. */
	{ "(sleep 20 2>/dev/null & exit 0); echo done", 0, "", "done\n" },
};

START_TEST(how_a_program_ended_is_told_with_what_it_printed)
{
	int64_t begin = now_ms();

	/*
	 * Its standard error is not ours: who waits for the end of ours waits for nobody left
	 * behind.
	 */
	run(rows[_i].script, (struct hf_child_opts){ .errors_kept = true });
	ck_assert_int_eq(told.code, rows[_i].code);
	if (rows[_i].what)
		ck_assert_str_eq(told.what, rows[_i].what);
	if (rows[_i].output)
		ck_assert_str_eq(told.output, rows[_i].output);
	ck_assert_int_lt(now_ms() - begin, 10000);
}
END_TEST

START_TEST(one_that_takes_too_long_is_ended_with_all_that_it_started)
{
	char path[] = "/tmp/hf-child-XXXXXX", script[200];
	int fd = mkstemp(path);

	/* The grandchild holds the lock of the file for as long as it lives. */
	snprintf(script, sizeof(script), "(flock 9; sleep 100) 9>%s & sleep 100", path);
	run(script, (struct hf_child_opts){ .limit_ms = 300 });
	ck_assert_int_eq(told.code, -ETIMEDOUT);
	ck_assert_str_eq(told.what, "took too long and was ended");
	snprintf(script, sizeof(script), "flock -w 5 %s true", path);
	run(script, (struct hf_child_opts){ 0 });
	ck_assert_int_eq(told.code, 0);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(a_large_input_is_written_as_it_is_taken)
{
	static char input[300000];

	memset(input, 'x', sizeof(input));
	run("wc -c", (struct hf_child_opts){ .input = input, .input_len = sizeof(input) });
	ck_assert_int_eq(atoi(told.output), (int)sizeof(input));
}
END_TEST

START_TEST(an_input_that_is_not_taken_is_no_trouble)
{
	static char input[300000];

	run("exec 0<&-; sleep 0.05; echo ok",
	    (struct hf_child_opts){ .input = input, .input_len = sizeof(input) });
	ck_assert_int_eq(told.code, 0);
	ck_assert_str_eq(told.output, "ok\n");
}
END_TEST

START_TEST(output_can_be_clipped_and_errors_kept)
{
	run("head -c 100000 /dev/zero | tr '\\0' x; echo trouble >&2",
	    (struct hf_child_opts){ .output_clipped = true, .errors_kept = true });
	ck_assert_int_eq(told.code, 0);
	ck_assert_uint_eq(told.len, OUTPUT_MAX);
	ck_assert_str_eq(told.errors, "trouble\n");
}
END_TEST

START_TEST(it_gets_no_secret_and_no_descriptor_of_ours)
{
	static const char *const more[] = { "HOLDFAST_X=1 2", NULL };
	char script[200];
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

	setenv("CODER_SESSION_TOKEN", "secret", 1);
	setenv("HOLDFAST_Y", "ours", 1);
	ck_assert_int_gt(fd, 2);
	snprintf(script, sizeof(script),
	    "env | grep -E 'CODER|HOLDFAST'; for n in $(seq 0 %d); do test -e /proc/$$/fd/$n && echo $n; done",
	    fd);
	run(script, (struct hf_child_opts){ .env = more });
	ck_assert_str_eq(told.output, "HOLDFAST_X=1 2\n0\n1\n2\n");
	close(fd);
	unsetenv("CODER_SESSION_TOKEN");
	unsetenv("HOLDFAST_Y");
}
END_TEST

START_TEST(its_signals_are_not_blocked_and_it_has_a_group_of_its_own)
{
	unsigned long blocked, ignored;
	int pid, group;
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	/* A shell blocks signals for moments: it is asked as what it becomes. */
	run("echo $$ $(cut -d' ' -f5 /proc/$$/stat); exec grep -E 'SigBlk|SigIgn' /proc/self/status",
	    (struct hf_child_opts){ 0 });
	sigprocmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_eq(sscanf(told.output, "%d %d\nSigBlk:\t%lx\nSigIgn:\t%lx\n", &pid, &group,
			     &blocked, &ignored),
	    4);
	ck_assert_uint_eq(blocked, 0);
	ck_assert_uint_eq(ignored & 0x7fffffff, 0); /* libc has two above those that are ours */
	ck_assert_int_eq(pid, group);
}
END_TEST

static const struct {
	mode_t mode;
	const char *text;
	int rc; /* 0: any failure */
	const char *why;
} refused[] = {
	{ 0722, "#!/bin/sh\n", HF_EUNSAFE, "others may write it" },
	{ 0600, "#!/bin/sh\n", -EACCES, NULL },
	{ 0700, "no program", -ENOEXEC, NULL },
	{ 0, NULL, -ENOENT, NULL },
};

START_TEST(what_may_not_or_cannot_be_run_is_refused_at_once)
{
	char folder[] = "/tmp/hf-child-XXXXXX", path[64], why[HF_CHILD_WHY_MAX];
	const char *argv[] = { path, NULL };
	struct hf_child_opts o = { .argv = argv, .output_max = 10, .limit_ms = LONG_MS };

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/program", folder);
	if (refused[_i].text) {
		FILE *f = fopen(path, "w");

		fputs(refused[_i].text, f);
		fclose(f);
		chmod(path, refused[_i].mode);
	}
	ck_assert_int_eq(hf_child_run(base, &o, on_end, NULL, &child, why), refused[_i].rc);
	ck_assert(why[0] && (!refused[_i].why || strstr(why, refused[_i].why)));
	ck_assert_int_eq(told.n, 0);
	unlink(path);
	rmdir(folder);
}
END_TEST

START_TEST(one_that_is_freed_while_it_runs_is_ended_and_tells_nothing)
{
	const char *argv[] = { "/bin/sleep", "100", NULL };
	struct hf_child_opts o = { .argv = argv, .output_max = 10, .limit_ms = LONG_MS };
	char why[HF_CHILD_WHY_MAX];

	ck_assert_int_eq(hf_child_run(base, &o, on_end, NULL, &child, why), 0);
	hf_child_free(child);
	child = NULL;
	event_base_dispatch(base);
	ck_assert_int_eq(told.n, 0);
	hf_child_free(NULL);
}
END_TEST

Suite *child_suite(void)
{
	Suite *s = suite_create("child");
	TCase *tc = tcase_create("child");

	suite_add_tcase(s, tc);
	/* Valgrind has no close_range(), which each start of a program needs. */
	if (getenv("HF_VALGRIND"))
		return s;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, how_a_program_ended_is_told_with_what_it_printed, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, one_that_takes_too_long_is_ended_with_all_that_it_started);
	tcase_add_test(tc, a_large_input_is_written_as_it_is_taken);
	tcase_add_test(tc, an_input_that_is_not_taken_is_no_trouble);
	tcase_add_test(tc, output_can_be_clipped_and_errors_kept);
	tcase_add_test(tc, it_gets_no_secret_and_no_descriptor_of_ours);
	tcase_add_test(tc, its_signals_are_not_blocked_and_it_has_a_group_of_its_own);
	tcase_add_loop_test(tc, what_may_not_or_cannot_be_run_is_refused_at_once, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, one_that_is_freed_while_it_runs_is_ended_and_tells_nothing);
	return s;
}
