/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_epoll: an LD_PRELOAD library for a program whose kernel does not watch a descriptor. The file
 * of HF_NO_EPOLL holds a number of 8 bytes: how many descriptors from now on are refused. A test
 * writes it while the program runs; it is counted down here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static _Atomic int64_t *left;

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("HF_NO_EPOLL");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED
			  : mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	left = at == MAP_FAILED ? NULL : at;
}

EXPORT int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (op == EPOLL_CTL_ADD && left && *left > 0) {
		--*left;
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}
