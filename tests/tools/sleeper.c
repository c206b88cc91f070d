/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sleeper: an LD_PRELOAD library for a program that watches for sleep and for a wall clock that is
 * set. The FIFO of HF_SLEEPER takes the place of its timer on the wall clock: 8 bytes written to it
 * are the milliseconds that the machine slept, 0 for a clock that was only set.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static int fifo = -1;
static int64_t slept_ms;

EXPORT int timerfd_create(clockid_t clock, int flags)
{
	const char *path = getenv("HF_SLEEPER");

	if (clock != CLOCK_REALTIME || !path)
		return (int)syscall(SYS_timerfd_create, clock, flags);
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fifo;
}

EXPORT int timerfd_settime(
    int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value)
{
	if (fd == fifo && fd >= 0)
		return 0;
	return (int)syscall(SYS_timerfd_settime, fd, flags, new_value, old_value);
}

EXPORT ssize_t read(int fd, void *buf, size_t len)
{
	ssize_t n = syscall(SYS_read, fd, buf, len);

	if (fd != fifo || fd < 0 || n != sizeof(int64_t))
		return n;
	slept_ms += *(const int64_t *)buf;
	errno = ECANCELED;
	return -1;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, ts);

	if (!rc && (clock == CLOCK_BOOTTIME || clock == CLOCK_REALTIME))
		ts->tv_sec += slept_ms / 1000;
	return rc;
}
