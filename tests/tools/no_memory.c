/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_memory: an LD_PRELOAD library for a program that memory runs out of. The file of HF_NO_MEMORY
 * holds three numbers of 8 bytes: allocations that still succeed, how many fail then (one after the
 * other; -1: all), and whether only those count that the program itself asks for (1), or those of
 * its libraries, too (0). A test writes them while the program runs; the first is counted down
 * here.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *at, size_t size);

static _Atomic int64_t *left;
static uintptr_t own_from, own_to; /* where the program itself lies */

/* The first object is the program. */
static int note_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			own_from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			own_to = own_from + info->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("HF_NO_MEMORY");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 24, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	dl_iterate_phdr(note_program, NULL);
	left = at == MAP_FAILED ? NULL : at;
}

static int fails(const void *caller)
{
	if (!left || !left[1])
		return 0;
	if (left[2] && ((uintptr_t)caller < own_from || (uintptr_t)caller >= own_to))
		return 0;
	if (left[0] > 0) {
		left[0]--;
		return 0;
	}
	if (left[1] > 0)
		left[1]--;
	errno = ENOMEM;
	return 1;
}

EXPORT void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *at, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(at, size);
}
