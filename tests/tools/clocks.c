/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clocks: an LD_PRELOAD library for a program whose clocks a test moves while it runs. The file of
 * HF_CLOCKS holds two numbers of 8 bytes: milliseconds that are added to the wall clock, and to
 * boottime (which goes on in a sleep).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static volatile const int64_t *shift;

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("HF_CLOCKS");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	shift = at == MAP_FAILED ? NULL : at;
}

static void add(struct timespec *ts, int64_t ms)
{
	int64_t ns = ts->tv_nsec + ms % 1000 * 1000000;

	ts->tv_sec += ms / 1000 + (ns >= 1000000000) - (ns < 0);
	ts->tv_nsec = ns >= 1000000000 ? ns - 1000000000 : ns < 0 ? ns + 1000000000 : ns;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, ts);

	if (rc || !shift)
		return rc;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		add(ts, shift[0]);
	else if (clock == CLOCK_BOOTTIME)
		add(ts, shift[1]);
	return 0;
}

EXPORT time_t time(time_t *at)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (at)
		*at = ts.tv_sec;
	return ts.tv_sec;
}

EXPORT int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	*tv = (struct timeval){ .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000 };
	return 0;
}

/* A timer on the wall clock, which the kernel looks at with its own. */
EXPORT int timerfd_settime(
    int fd, int flags, const struct itimerspec *value, struct itimerspec *old_value)
{
	struct itimerspec moved = *value;

	if (shift && (flags & TFD_TIMER_CANCEL_ON_SET)) {
		add(&moved.it_value, -shift[0]);
		if (moved.it_value.tv_sec < 1)
			moved.it_value.tv_sec = 1; /* it is in the past, and rings at once */
	}
	return (int)syscall(SYS_timerfd_settime, fd, flags, &moved, old_value);
}
