/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/dns/sandbox.h"
#include "tests/unit/tmpdir.h"

Suite *sandbox_suite(void);

/*
 * What is tried from within: by a process of its own, as there is no way back. DIR has state/zone/,
 * which is the zone, the configuration conf/c.yaml, and others/secret. Each returns 0 if it was
 * possible, else errno.
 */
static struct tmpdir dir;
static int zone_fd, spare_fd;

static void make_file(const char *name)
{
	int fd = openat(dir.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
}

static void make_folder(const char *name)
{
	ck_assert_int_eq(mkdirat(dir.fd, name, 0755), 0);
}

static void setup(void)
{
	static const char *const folders[] = { "state", "state/zone", "state/later", "conf",
		"others" };

	tmpdir_make(&dir);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		make_folder(folders[i]);
	make_file("state/zone/current");
	make_file("state/later/current");
	make_file("conf/c.yaml");
	make_file("others/secret");
	zone_fd = openat(dir.fd, "state/zone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	spare_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void teardown(void)
{
	close(zone_fd);
	close(spare_fd);
	tmpdir_remove(&dir);
}

static int result(int rc)
{
	return rc < 0 ? errno : 0;
}

static int try_open(const char *name, int flags)
{
	char path[TMPDIR_MAX + 64];
	int fd = open(tmpdir_path(&dir, name, path, sizeof(path)), flags | O_CLOEXEC, 0600);
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return result(fd);
}

static int zone_file(void)
{
	return try_open("state/zone/current", O_RDONLY);
}

static int zone_listing(void)
{
	return try_open("state/zone", O_RDONLY | O_DIRECTORY);
}

/* The bridge's folder was replaced by a copy of it. */
static int new_zone_in_its_place(void)
{
	return try_open("state/later/current", O_RDONLY);
}

static int config_file(void)
{
	return try_open("conf/c.yaml", O_RDONLY);
}

static void *do_nothing(void *arg)
{
	return arg;
}

static int thread(void)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, do_nothing, NULL);

	return rc ? rc : pthread_join(t, NULL);
}

static int signal_to_own_thread(void)
{
	return pthread_kill(pthread_self(), SIGURG);
}

static int own_limits(void)
{
	struct rlimit limit;

	return result(getrlimit(RLIMIT_NOFILE, &limit));
}

static int other_file(void)
{
	return try_open("others/secret", O_RDONLY);
}

static int system_file(void)
{
	return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int zone_writing(void)
{
	return try_open("state/zone/current", O_RDWR);
}

static int new_file(void)
{
	return try_open("state/zone/mine", O_RDONLY | O_CREAT);
}

static int truncation(void)
{
	return try_open("state/zone/current", O_RDONLY | O_TRUNC);
}

static int removal(void)
{
	return result(unlinkat(zone_fd, "current", 0));
}

/* The bridge would then take itself for a second one. */
static int lock_on_the_zone(void)
{
	return result(flock(zone_fd, LOCK_EX | LOCK_NB));
}

static int internet_socket(void)
{
	return result(socket(AF_INET, SOCK_DGRAM, 0));
}

static int unix_socket(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int connection(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/run/holdfast/control.sock" };

	return result(connect(spare_fd, (struct sockaddr *)&to, sizeof(to))) == ENOSYS ? ENOSYS : 0;
}

static int socket_option(void)
{
	int on = 1;

	return result(setsockopt(spare_fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
}

static int signal_to_the_parent(void)
{
	return result((int)syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int signal_by_kill(void)
{
	return result(kill(getppid(), 0));
}

static int signal_by_a_descriptor(void)
{
	return result(fcntl(spare_fd, F_SETOWN, getppid()));
}

static int limits_of_the_parent(void)
{
	struct rlimit limit;

	return result(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static int own_new_limits(void)
{
	struct rlimit limit = { 100, 100 };

	return result(setrlimit(RLIMIT_NOFILE, &limit));
}

static int program(void)
{
	return result(execl("/bin/true", "true", (char *)NULL));
}

static int code_in_memory(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? errno : 0;
}

struct attempt {
	const char *name;
	int (*try)(void);
	bool by_landlock;
};

#define ATTEMPT(function)                                                                          \
	{                                                                                          \
#function, function, false                                                         \
	}
#define BY_LANDLOCK(function)                                                                      \
	{                                                                                          \
#function, function, true                                                          \
	}

static const struct attempt possible[] = { ATTEMPT(zone_file), ATTEMPT(zone_listing),
	ATTEMPT(new_zone_in_its_place), ATTEMPT(config_file), ATTEMPT(thread),
	ATTEMPT(signal_to_own_thread), ATTEMPT(own_limits) };

static const struct attempt impossible[] = { BY_LANDLOCK(other_file), BY_LANDLOCK(system_file),
	ATTEMPT(zone_writing), ATTEMPT(new_file), ATTEMPT(truncation), ATTEMPT(removal),
	ATTEMPT(lock_on_the_zone), ATTEMPT(internet_socket), ATTEMPT(unix_socket),
	ATTEMPT(connection), ATTEMPT(socket_option), ATTEMPT(signal_to_the_parent),
	ATTEMPT(signal_by_kill), ATTEMPT(signal_by_a_descriptor), ATTEMPT(limits_of_the_parent),
	ATTEMPT(own_new_limits), ATTEMPT(program), ATTEMPT(code_in_memory) };

/* The errno that it gets in the sandbox; 255 stands for none that fits. */
static int in_sandbox(const struct attempt *a)
{
	char zone[TMPDIR_MAX + 64], config[TMPDIR_MAX + 64];
	int status;
	pid_t pid;

	tmpdir_path(&dir, "state/zone", zone, sizeof(zone));
	tmpdir_path(&dir, "conf/c.yaml", config, sizeof(config));
	pid = fork();
	if (pid == 0) {
		signal(SIGURG, SIG_IGN);
		hf_sandbox_enter(zone, config);
		_exit(a->try());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%s: ended by signal %d", a->name, WTERMSIG(status));
	return WEXITSTATUS(status);
}

START_TEST(what_answering_needs_is_possible)
{
	ck_assert_msg(possible[_i].try() == 0, "%s: not even outside", possible[_i].name);
	ck_assert_msg(in_sandbox(&possible[_i]) == 0, "%s", possible[_i].name);
}
END_TEST

START_TEST(what_answering_does_not_need_is_not)
{
	const struct attempt *a = &impossible[_i];

	if (a->by_landlock &&
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
		return;
	ck_assert_msg(in_sandbox(a) != 0, "%s", a->name);
}
END_TEST

/* That what_answering_does_not_need_is_not() is worth something. */
START_TEST(outside_it_would_be_possible)
{
	const struct attempt *a = &impossible[_i];
	pid_t pid;
	int status;

	pid = fork();
	if (pid == 0)
		_exit(a->try());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %d", a->name, status);
}
END_TEST

Suite *sandbox_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");
	size_t n = sizeof(impossible) / sizeof(impossible[0]);

	suite_add_tcase(s, tc);
	/* Within a sandbox Valgrind itself cannot do what it needs. */
	if (getenv("HF_VALGRIND"))
		return s;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, what_answering_needs_is_possible, 0, sizeof(possible) / sizeof(possible[0]));
	tcase_add_loop_test(tc, what_answering_does_not_need_is_not, 0, (int)n);
	tcase_add_loop_test(tc, outside_it_would_be_possible, 0, (int)n);
	return s;
}
