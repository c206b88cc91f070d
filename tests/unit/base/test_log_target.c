/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/log_target.h"
#include "tests/unit/base/kit_greedy_poll.h"

Suite *log_target_suite(void);

/* A test that blocks is a test that failed; so long it may take to see that. */
enum { BLOCKED_S = 5 };

#define LINE "a line of some length, so that not too many of them fit\n"

static struct hf_log_target target;

static bool put(const char *line)
{
	return hf_log_target_write(&target, line, strlen(line));
}

/* As many lines as are taken; the first that is not ends it. */
static unsigned put_until_full(void)
{
	unsigned n = 0;

	while (put(LINE))
		ck_assert_uint_lt(n++, 1000000);
	return n;
}

/* Reads what is there now without waiting. Returns the length. */
static size_t drain(int fd, char *out, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while (len < size && poll(&p, 1, 0) == 1 && (p.revents & POLLIN)) {
		ssize_t n = read(fd, out + len, size - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

/* Whole lines, all the same. Returns their number. */
static unsigned count_lines(const char *bytes, size_t len)
{
	const size_t one = strlen(LINE);

	ck_assert_uint_eq(len % one, 0);
	for (size_t at = 0; at < len; at += one)
		ck_assert(!memcmp(bytes + at, LINE, one));
	return (unsigned)(len / one);
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static bool is_nonblocking(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

/* --- pipes --- */

START_TEST(full_pipe_takes_no_line_and_does_not_block)
{
	static char got[1 << 20];
	int fds[2];
	unsigned n;

	ck_assert_int_eq(pipe(fds), 0);
	hf_log_target_init(&target, fds[1]);
	ck_assert_int_ge(target.own_fd, 0);
	ck_assert(is_nonblocking(target.own_fd));
	ck_assert_int_eq(fcntl(target.own_fd, F_GETFD), FD_CLOEXEC);
	/* Those who share the pipe with us see no difference. */
	ck_assert(!is_nonblocking(fds[1]));
	n = put_until_full();
	ck_assert_uint_gt(n, 100);
	ck_assert(!put(LINE));
	ck_assert_uint_eq(count_lines(got, drain(fds[0], got, sizeof(got))), n);
	ck_assert(put(LINE));
	ck_assert_uint_eq(count_lines(got, drain(fds[0], got, sizeof(got))), 1);
	hf_log_target_done(&target);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), 0); /* borrowed: still open */
	close_both(fds);
}
END_TEST

START_TEST(another_writer_who_is_quicker_cannot_block_us)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	hf_log_target_init(&target, fds[1]);
	greedy_poll(fds[1]);
	put(LINE);
	put_until_full();
	greedy_poll(-1);
	hf_log_target_done(&target);
	close_both(fds);
}
END_TEST

START_TEST(pipe_that_cannot_be_opened_once_more_is_asked_first)
{
	static char got[1 << 20];
	int fds[2];
	unsigned n;

	ck_assert_int_eq(pipe(fds), 0);
	/* Nobody may open it, and root must become somebody to feel that. */
	ck_assert_int_eq(fchmod(fds[1], 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	hf_log_target_init(&target, fds[1]);
	ck_assert_int_lt(target.own_fd, 0);
	ck_assert(target.ask_first);
	n = put_until_full();
	ck_assert_uint_gt(n, 100);
	ck_assert(!put(LINE));
	ck_assert_uint_eq(count_lines(got, drain(fds[0], got, sizeof(got))), n);
	ck_assert(put(LINE));
	hf_log_target_done(&target);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	close_both(fds);
}
END_TEST

static volatile sig_atomic_t n_signals;

static void on_signal(int sig)
{
	n_signals++;
}

static void catch_sigpipe(void)
{
	n_signals = 0;
	signal(SIGPIPE, on_signal);
}

START_TEST(closed_pipe_kills_nobody)
{
	sigset_t mask, before, pending;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	catch_sigpipe();
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	hf_log_target_init(&target, fds[1]);
	close(fds[0]);
	ck_assert(!put(LINE));
	ck_assert(!put(LINE));
	ck_assert_int_eq(n_signals, 0);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	ck_assert_int_eq(sigismember(&mask, SIGPIPE), sigismember(&before, SIGPIPE));
	/* One that came from elsewhere is not swallowed. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	raise(SIGPIPE);
	ck_assert(!put(LINE));
	sigpending(&pending);
	ck_assert(sigismember(&pending, SIGPIPE));
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	ck_assert_int_eq(n_signals, 1);
	hf_log_target_done(&target);
	close(fds[1]);
}
END_TEST

/* --- sockets --- */

static const int socket_kinds[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

START_TEST(full_socket_takes_no_line_and_does_not_block)
{
	static char got[1 << 22];
	int fds[2], small = 1;
	unsigned n;

	ck_assert_int_eq(socketpair(AF_UNIX, socket_kinds[_i], 0, fds), 0);
	ck_assert_int_eq(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	hf_log_target_init(&target, fds[1]);
	ck_assert(target.socket);
	n = put_until_full();
	ck_assert_uint_gt(n, 0);
	ck_assert(!put(LINE));
	ck_assert(!is_nonblocking(fds[1]));
	ck_assert_uint_eq(count_lines(got, drain(fds[0], got, sizeof(got))), n);
	ck_assert(put(LINE));
	ck_assert_uint_eq(count_lines(got, drain(fds[0], got, sizeof(got))), 1);
	close(fds[0]);
	catch_sigpipe();
	ck_assert(!put(LINE));
	ck_assert_int_eq(n_signals, 0);
	hf_log_target_done(&target);
	close(fds[1]);
}
END_TEST

/* --- terminals --- */

static int open_terminal(int *ret_master)
{
	struct termios raw;
	int fd;

	*ret_master = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(*ret_master, 0);
	ck_assert_int_eq(grantpt(*ret_master), 0);
	ck_assert_int_eq(unlockpt(*ret_master), 0);
	fd = open(ptsname(*ret_master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(tcgetattr(fd, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(fd, TCSANOW, &raw), 0);
	return fd;
}

START_TEST(stopped_terminal_does_not_block)
{
	static char got[1 << 20];
	int master, fd = open_terminal(&master);

	hf_log_target_init(&target, fd);
	ck_assert_int_ge(target.own_fd, 0);
	ck_assert(!is_nonblocking(fd));
	ck_assert_int_eq(tcflow(fd, TCOOFF), 0); /* Ctrl-S */
	ck_assert(!put(LINE));
	ck_assert_int_eq(tcflow(fd, TCOON), 0);
	ck_assert(put(LINE));
	ck_assert_uint_eq(count_lines(got, drain(master, got, sizeof(got))), 1);
	hf_log_target_done(&target);
	close(fd);
	close(master);
}
END_TEST

START_TEST(terminal_that_nobody_reads_does_not_block_and_gets_whole_lines)
{
	static char got[1 << 20];
	int master, fd = open_terminal(&master);
	unsigned n;
	size_t len;

	hf_log_target_init(&target, fd);
	n = put_until_full();
	/* What was taken in part goes on when there is room. */
	len = drain(master, got, sizeof(got));
	ck_assert(put(LINE));
	len += drain(master, got + len, sizeof(got) - len);
	ck_assert_uint_eq(count_lines(got, len), n + 1);
	hf_log_target_done(&target);
	close(fd);
	close(master);
}
END_TEST

/* --- files --- */

static int open_file(void)
{
	char path[] = "/tmp/holdfast-log-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	return fd;
}

static size_t read_file(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size, 0);

	ck_assert_int_ge(n, 0);
	return (size_t)n;
}

START_TEST(file_shares_its_offset_with_other_writers)
{
	char got[200] = "";
	int fd = open_file();

	hf_log_target_init(&target, fd);
	ck_assert_int_lt(target.own_fd, 0);
	ck_assert(put("one\n"));
	ck_assert_int_eq(write(fd, "two\n", 4), 4);
	ck_assert(put("three\n"));
	read_file(fd, got, sizeof(got) - 1);
	ck_assert_str_eq(got, "one\ntwo\nthree\n");
	hf_log_target_done(&target);
	close(fd);
}
END_TEST

/* In a process of its own, since Check writes files too. Exits 0 if all is as it must be. */
static void write_against_a_limit(int fd)
{
	struct rlimit full = { 10, RLIM_INFINITY }, room = { 1000, RLIM_INFINITY };
	char want[] = "first 7\nsecond, longer\nthird\n", got[200] = "";

	hf_log_target_init(&target, fd);
	setrlimit(RLIMIT_FSIZE, &full);
	if (!put("first 7\n") || !put("second, longer\n") || target.rest_len != 13)
		_exit(1);
	if (put("lost\n") || put("lost\n")) /* SIGXFSZ would end us here */
		_exit(2);
	setrlimit(RLIMIT_FSIZE, &room);
	if (!put("third\n"))
		_exit(3);
	read_file(fd, got, sizeof(got) - 1);
	_exit(strcmp(got, want) ? 4 : 0);
}

START_TEST(full_disk_loses_lines_but_cuts_none)
{
	int status, fd = open_file();
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		write_against_a_limit(fd);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(same_file_keeps_its_right_to_the_rest_and_another_has_none)
{
	char got[200] = "";
	int fd = open_file(), again = dup(fd), other = open_file();

	hf_log_target_init(&target, fd);
	memcpy(target.rest, "rest\n", 5);
	target.rest_len = 5;
	hf_log_target_change(&target, again);
	ck_assert(put("next\n"));
	read_file(fd, got, sizeof(got) - 1);
	ck_assert_str_eq(got, "rest\nnext\n");
	target.rest_len = 5;
	hf_log_target_change(&target, other);
	ck_assert(put("next\n"));
	memset(got, 0, sizeof(got));
	read_file(other, got, sizeof(got) - 1);
	ck_assert_str_eq(got, "next\n");
	hf_log_target_done(&target);
	close(fd);
	close(again);
	close(other);
}
END_TEST

/* --- the rest --- */

START_TEST(what_is_no_target_takes_nothing)
{
	int fd = open("/dev/null", O_RDONLY), folder = open("/tmp", O_RDONLY);

	hf_log_target_init(&target, -1);
	ck_assert(!put(LINE));
	hf_log_target_change(&target, folder);
	ck_assert(!put(LINE));
	hf_log_target_done(&target);
	close(fd);
	hf_log_target_init(&target, fd); /* closed */
	ck_assert(!put(LINE));
	hf_log_target_done(&target);
}
END_TEST

START_TEST(device_takes_all_or_says_why_not)
{
	int null = open("/dev/null", O_WRONLY), full = open("/dev/full", O_WRONLY);

	hf_log_target_init(&target, null);
	ck_assert(put(LINE));
	hf_log_target_change(&target, full);
	ck_assert(!put(LINE));
	hf_log_target_done(&target);
	close(null);
	close(full);
}
END_TEST

Suite *log_target_suite(void)
{
	Suite *s = suite_create("log_target");
	TCase *tc = tcase_create("never waits");

	tcase_set_timeout(tc, BLOCKED_S);
	tcase_add_test(tc, full_pipe_takes_no_line_and_does_not_block);
	tcase_add_test(tc, another_writer_who_is_quicker_cannot_block_us);
	tcase_add_test(tc, pipe_that_cannot_be_opened_once_more_is_asked_first);
	tcase_add_test(tc, closed_pipe_kills_nobody);
	tcase_add_loop_test(tc, full_socket_takes_no_line_and_does_not_block, 0,
	    sizeof(socket_kinds) / sizeof(socket_kinds[0]));
	tcase_add_test(tc, stopped_terminal_does_not_block);
	tcase_add_test(tc, terminal_that_nobody_reads_does_not_block_and_gets_whole_lines);
	suite_add_tcase(s, tc);
	tc = tcase_create("files");
	tcase_add_test(tc, file_shares_its_offset_with_other_writers);
	tcase_add_test(tc, full_disk_loses_lines_but_cuts_none);
	tcase_add_test(tc, same_file_keeps_its_right_to_the_rest_and_another_has_none);
	tcase_add_test(tc, what_is_no_target_takes_nothing);
	tcase_add_test(tc, device_takes_all_or_says_why_not);
	suite_add_tcase(s, tc);
	return s;
}
