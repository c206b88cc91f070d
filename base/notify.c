/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int kept_fd = -1;

/* Returns the length of the address in *ret_to, 0 if nobody listens, or -EAFNOSUPPORT. */
static int manager_address(struct sockaddr_un *ret_to)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (!len)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(ret_to->sun_path))
		return -EAFNOSUPPORT;
	*ret_to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret_to->sun_path, path, len);
	if (path[0] == '@') /* an abstract name */
		ret_to->sun_path[0] = '\0';
	return (int)(offsetof(struct sockaddr_un, sun_path) + len);
}

int hf_notify_keep(void)
{
	struct sockaddr_un to;
	int len = manager_address(&to);

	if (len <= 0 || kept_fd >= 0)
		return len < 0 ? len : kept_fd >= 0;
	kept_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (kept_fd < 0)
		return -errno;
	/* If that fails, each message looks for the manager by its path. */
	(void)!connect(kept_fd, (struct sockaddr *)&to, (socklen_t)len);
	return 1;
}

int hf_notify(const char *state)
{
	struct sockaddr_un to;
	int len = manager_address(&to), fd, error;
	ssize_t n = -1;

	if (len <= 0)
		return len;
	fd = kept_fd >= 0 ? kept_fd : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (fd == kept_fd)
		n = send(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
	/* Also a manager whose socket is another one since. */
	if (n < 0)
		n = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		    (struct sockaddr *)&to, (socklen_t)len);
	error = errno;
	if (fd != kept_fd)
		close(fd);
	return n < 0 ? -error : 1;
}

int hf_notify_reloading(void)
{
	struct timespec now;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	return hf_notify(text);
}
