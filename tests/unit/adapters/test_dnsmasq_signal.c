/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_signal.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/tmpdir.h"

Suite *dnsmasq_signal_suite(void);

static struct tmpdir dir;
static char path[TMPDIR_MAX + 8], why[400];

static void setup(void)
{
	tmpdir_make(&dir);
	tmpdir_path(&dir, "pid", path, sizeof(path));
}

static void teardown(void)
{
	tmpdir_remove(&dir);
}

static void write_pid(const char *text)
{
	ck_assert_int_eq(hf_file_replace(dir.fd, "pid", text, strlen(text), 0644), 0);
}

/* A process of that name, which ends by SIGHUP; its pid is in the file. */
static pid_t start(const char *name)
{
	int ready[2];
	char text[32], byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		signal(SIGHUP, SIG_DFL);
		prctl(PR_SET_NAME, name);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	write_pid(text);
	return pid;
}

START_TEST(a_dnsmasq_is_found_and_signalled)
{
	pid_t pid = start("dnsmasq");
	int status;

	ck_assert_int_eq(hf_dnsmasq_pid(path, why, sizeof(why)), pid);
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0); /* nothing was sent */
	ck_assert_int_eq(hf_dnsmasq_hup(path, why, sizeof(why)), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	/* The file is old now. */
	ck_assert_int_eq(hf_dnsmasq_hup(path, why, sizeof(why)), -ESRCH);
	ck_assert_ptr_nonnull(strstr(why, "does not run"));
}
END_TEST

START_TEST(another_process_is_not_signalled)
{
	pid_t pid = start("sshd");
	int status;

	ck_assert_int_eq(hf_dnsmasq_hup(path, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_ptr_nonnull(strstr(why, "not called dnsmasq"));
	ck_assert_int_eq(hf_dnsmasq_pid(path, why, sizeof(why)), HF_EUNSAFE);
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}
END_TEST

static const char *const junk[] = { "", "x\n", "0\n", "1\n", "-7\n", "12x\n",
	"99999999999999999999\n", "7 8\n" };

START_TEST(junk_is_no_pid)
{
	write_pid(junk[_i]);
	ck_assert_int_eq(hf_dnsmasq_hup(path, why, sizeof(why)), HF_EFORMAT);
	ck_assert_ptr_nonnull(strstr(why, path));
}
END_TEST

START_TEST(a_missing_file_is_a_dnsmasq_that_does_not_run)
{
	ck_assert_int_eq(hf_dnsmasq_hup(path, why, sizeof(why)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "does not run"));
}
END_TEST

Suite *dnsmasq_signal_suite(void)
{
	Suite *s = suite_create("dnsmasq_signal");
	TCase *tc = tcase_create("signal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_dnsmasq_is_found_and_signalled);
	tcase_add_test(tc, another_process_is_not_signalled);
	tcase_add_loop_test(tc, junk_is_no_pid, 0, (int)(sizeof(junk) / sizeof(junk[0])));
	tcase_add_test(tc, a_missing_file_is_a_dnsmasq_that_does_not_run);
	suite_add_tcase(s, tc);
	return s;
}
