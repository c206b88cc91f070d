/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * Whether a write blocks is a property of the open file description, which we share with whoever
 * started us (a shell's terminal, a supervisor's pipe): to change it there would break them, and to
 * ask poll() first loses against another writer of the same pipe. A description of our own has
 * neither fault. It cannot be had for a socket (MSG_DONTWAIT does there) and where /proc or the
 * rights are missing.
 */
static int open_once_more(int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void hf_log_target_init(struct hf_log_target *t, int fd)
{
	struct stat st;
	bool known = fstat(fd, &st) == 0;

	memset(t, 0, sizeof(*t));
	t->fd = fd;
	t->own_fd = -1;
	if (!known)
		return;
	t->dev = st.st_dev;
	t->ino = st.st_ino;
	t->socket = S_ISSOCK(st.st_mode);
	/* A regular file does not block, and its offset is shared with other writers on purpose. */
	if (t->socket || S_ISREG(st.st_mode))
		return;
	t->own_fd = open_once_more(fd);
	t->ask_first = t->own_fd < 0;
}

void hf_log_target_done(struct hf_log_target *t)
{
	if (t->own_fd >= 0)
		close(t->own_fd);
	t->own_fd = -1;
}

void hf_log_target_change(struct hf_log_target *t, int fd)
{
	struct hf_log_target before = *t;

	hf_log_target_done(t);
	hf_log_target_init(t, fd);
	if (t->dev != before.dev || t->ino != before.ino)
		return;
	t->rest_len = before.rest_len;
	memcpy(t->rest, before.rest, before.rest_len);
}

/* Take back a signal to this thread that we caused, but none that had been waiting before. */
static void take_back(int sig, const sigset_t *waiting_before)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t one;

	if (sigismember(waiting_before, sig))
		return;
	sigemptyset(&one);
	sigaddset(&one, sig);
	sigtimedwait(&one, NULL, &at_once);
}

/* write() without the signals that a closed pipe or a limit of file size would kill us with. */
static ssize_t write_quietly(int fd, const char *bytes, size_t len)
{
	sigset_t quiet, before, pending;
	ssize_t n;
	int error;

	sigemptyset(&quiet);
	sigaddset(&quiet, SIGPIPE);
	sigaddset(&quiet, SIGXFSZ);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &quiet, &before);
	n = write(fd, bytes, len);
	error = errno;
	if (n < 0 && error == EPIPE)
		take_back(SIGPIPE, &pending);
	if (n < 0 && error == EFBIG)
		take_back(SIGXFSZ, &pending);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return n;
}

static bool takes_bytes(const struct hf_log_target *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLOUT };

	/* A pipe that says yes takes PIPE_BUF bytes. */
	return !t->ask_first || (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT));
}

/* Returns how many bytes were taken, 0 if none are at this time. */
static size_t write_some(const struct hf_log_target *t, const char *bytes, size_t len)
{
	ssize_t n;

	if (!takes_bytes(t))
		return 0;
	do {
		n = t->socket ? send(t->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL)
			      : write_quietly(t->own_fd >= 0 ? t->own_fd : t->fd, bytes, len);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

static bool write_rest(struct hf_log_target *t)
{
	size_t n;

	if (!t->rest_len)
		return true;
	n = write_some(t, t->rest, t->rest_len);
	t->rest_len -= n;
	memmove(t->rest, t->rest + n, t->rest_len);
	return !t->rest_len;
}

bool hf_log_target_write(struct hf_log_target *t, const char *line, size_t len)
{
	size_t n;

	if (!write_rest(t))
		return false;
	n = write_some(t, line, len);
	if (n == 0)
		return false;
	t->rest_len = len - n;
	memcpy(t->rest, line + n, t->rest_len);
	return true;
}
