/* SPDX-License-Identifier: Apache-2.0 */
#undef _FORTIFY_SOURCE /* its inline poll() would be in the way of ours */
#include "tests/unit/base/kit_greedy_poll.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

static int greedy_fd = -1;

void greedy_poll(int pipe_fd)
{
	greedy_fd = pipe_fd;
}

static void fill_pipe(int fd)
{
	static const char block[PIPE_BUF];
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	fcntl(fd, F_SETFL, flags);
}

/* In place of libc's, for the whole test program. */
int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec wait = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

	if (greedy_fd < 0)
		return ppoll(fds, n, timeout_ms < 0 ? NULL : &wait, NULL);
	fill_pipe(greedy_fd);
	fds[0].revents = POLLOUT;
	return 1;
}
