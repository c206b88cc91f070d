/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dnsmasq/dnsmasq_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static int pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int pidfd_signal(int fd, int sig)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) < 0 ? -errno : 0;
}

static int read_pid(const char *path, pid_t *ret_pid)
{
	uint8_t *bytes;
	size_t len;
	char *end;
	long pid;
	int rc = hf_file_read(AT_FDCWD, path, 64, &bytes, &len);

	if (rc)
		return rc;
	errno = 0;
	pid = strtol((char *)bytes, &end, 10);
	if (errno || end == (char *)bytes || (*end && *end != '\n') || pid <= 1 || pid > INT_MAX)
		rc = HF_EFORMAT;
	free(bytes);
	*ret_pid = (pid_t)pid;
	return rc;
}

static int is_dnsmasq(pid_t pid)
{
	char path[64], comm[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	n = read(fd, comm, sizeof(comm) - 1);
	close(fd);
	return n > 0 && !strcmp(comm, "dnsmasq\n") ? 0 : HF_EUNSAFE;
}

static int signal_explain(int rc, const char *pid_file, pid_t pid, char *why, size_t size)
{
	if (rc == -ENOENT || rc == -ESRCH)
		snprintf(why, size, "dnsmasq does not run: pid-file %s%s", pid_file,
		    rc == -ENOENT ? " is not there" : " names a process that is no more");
	else if (rc == HF_EUNSAFE && pid)
		snprintf(why, size,
		    "pid-file %s names process %d, which is not called dnsmasq; it is not signalled",
		    pid_file, (int)pid);
	else if (rc == -EPERM)
		snprintf(why, size,
		    "user %u may not signal dnsmasq (process %d): leave pid-file out and enable holdfast-dnsmasq-reload.path, which does it",
		    (unsigned)geteuid(), (int)pid);
	else
		snprintf(why, size, "pid-file %s: %s", pid_file, hf_strerror(rc));
	return rc;
}

/* A pidfd of it; the name was looked at after it was opened, so it is the same process. */
static int process_find(const char *pid_file, pid_t *ret_pid)
{
	int fd, rc = read_pid(pid_file, ret_pid);

	if (rc)
		return rc;
	fd = pidfd_open(*ret_pid);
	if (fd < 0)
		return -errno;
	rc = is_dnsmasq(*ret_pid);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

pid_t hf_dnsmasq_pid(const char *pid_file, char *ret_why, size_t why_size)
{
	pid_t pid = 0;
	int rc, fd = process_find(pid_file, &pid);

	if (fd < 0)
		return signal_explain(fd, pid_file, pid, ret_why, why_size);
	rc = pidfd_signal(fd, 0);
	close(fd);
	return rc ? signal_explain(rc, pid_file, pid, ret_why, why_size) : pid;
}

int hf_dnsmasq_hup(const char *pid_file, char *ret_why, size_t why_size)
{
	pid_t pid = 0;
	int rc = 0, fd = process_find(pid_file, &pid);

	if (fd >= 0) {
		rc = pidfd_signal(fd, SIGHUP);
		close(fd);
	}
	if (fd < 0)
		rc = fd;
	return rc ? signal_explain(rc, pid_file, pid, ret_why, why_size) : 0;
}
