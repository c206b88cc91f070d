/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/notify.h"
#include "tests/unit/tmpdir.h"

Suite *notify_suite(void);

static struct tmpdir dir;

static void setup(void)
{
	tmpdir_make(&dir);
}

static void teardown(void)
{
	unsetenv("NOTIFY_SOCKET");
	tmpdir_remove(&dir);
}

/* The service manager's end. `name` as in NOTIFY_SOCKET. */
static int listen_at(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	memcpy(a.sun_path, name, strlen(name));
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void expect(int fd, const char *want)
{
	char got[200];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	ck_assert_str_eq(got, want);
}

START_TEST(nobody_is_told_without_a_manager)
{
	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(hf_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(hf_notify("READY=1"), 0);
}
END_TEST

START_TEST(manager_is_told_at_its_path_or_abstract_name)
{
	char path[100];
	int fd = listen_at(tmpdir_path(&dir, "notify", path, sizeof(path)));

	ck_assert_int_eq(hf_notify("READY=1\nSTATUS=well"), 1);
	expect(fd, "READY=1\nSTATUS=well");
	close(fd);
	snprintf(path, sizeof(path), "@holdfast-test-%d", getpid());
	fd = listen_at(path);
	ck_assert_int_eq(hf_notify("STOPPING=1"), 1);
	expect(fd, "STOPPING=1");
	close(fd);
}
END_TEST

START_TEST(reload_is_told_with_its_time)
{
	char path[100], got[200] = "";
	int fd = listen_at(tmpdir_path(&dir, "notify", path, sizeof(path)));

	ck_assert_int_eq(hf_notify_reloading(), 1);
	ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, 0), 0);
	ck_assert(!strncmp(got, "RELOADING=1\nMONOTONIC_USEC=", 27));
	ck_assert_uint_gt(strspn(got + 27, "0123456789"), 0);
	close(fd);
}
END_TEST

START_TEST(manager_that_is_not_there_or_too_busy_is_no_reason_to_wait)
{
	char path[200];
	int fd, rc, n = 0;

	setenv("NOTIFY_SOCKET", tmpdir_path(&dir, "none", path, sizeof(path)), 1);
	ck_assert_int_eq(hf_notify("READY=1"), -ENOENT);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	ck_assert_int_eq(hf_notify("READY=1"), -EAFNOSUPPORT);
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	ck_assert_int_eq(hf_notify("READY=1"), -EAFNOSUPPORT);
	fd = listen_at(tmpdir_path(&dir, "notify", path, sizeof(path)));
	while ((rc = hf_notify("WATCHDOG=1")) == 1)
		ck_assert_int_lt(n++, 100000);
	ck_assert_int_eq(rc, -EAGAIN);
	close(fd);
}
END_TEST

/* In a process of its own, which no other test shares a kept socket with. */
static int keep_and_change_user(const char *path, const char *folder)
{
	if (hf_notify_keep() != 1 || hf_notify_keep() != 1)
		return 1;
	/* Root can no longer reach the path by being root, as it was when it kept the socket. */
	if (chmod(folder, 0) || (geteuid() == 0 && setresuid(65534, 65534, 65534)))
		return 2;
	if (access(path, F_OK) == 0 || hf_notify("READY=1") != 1)
		return 3;
	return 0;
}

START_TEST(socket_that_is_kept_outlives_a_change_of_user)
{
	char path[100];
	int fd = listen_at(tmpdir_path(&dir, "notify", path, sizeof(path))), status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(keep_and_change_user(path, dir.path));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(chmod(dir.path, 0700), 0);
	ck_assert_int_eq(status, 0);
	expect(fd, "READY=1");
	close(fd);
}
END_TEST

static int keep_while_the_manager_restarts(const char *path)
{
	int fd = listen_at(path);

	if (hf_notify_keep() != 1)
		return 1;
	close(fd);
	if (hf_notify("STATUS=nobody") != -ECONNREFUSED)
		return 2;
	unlink(path);
	fd = listen_at(path);
	if (hf_notify("READY=1") != 1)
		return 3;
	expect(fd, "READY=1");
	return 0;
}

START_TEST(manager_with_a_new_socket_is_found_again)
{
	char path[100];
	pid_t pid;
	int status;

	tmpdir_path(&dir, "notify", path, sizeof(path));
	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(hf_notify_keep(), 0);
	pid = fork();
	if (pid == 0)
		_exit(keep_while_the_manager_restarts(path));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

Suite *notify_suite(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nobody_is_told_without_a_manager);
	tcase_add_test(tc, manager_is_told_at_its_path_or_abstract_name);
	tcase_add_test(tc, reload_is_told_with_its_time);
	tcase_add_test(tc, manager_that_is_not_there_or_too_busy_is_no_reason_to_wait);
	tcase_add_test(tc, socket_that_is_kept_outlives_a_change_of_user);
	tcase_add_test(tc, manager_with_a_new_socket_is_found_again);
	suite_add_tcase(s, tc);
	return s;
}
