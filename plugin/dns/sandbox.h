#pragma once
/*
 * sandbox: what holdfast-dns gives up once its sockets are open. Nothing here can make it stop
 * answering: what the kernel cannot do is told once and left out, and a forbidden system call fails, it does not kill.
 */
#include <stddef.h>

/*
 * As root: become `user` and its groups, and the group that `zone` belongs to, so that it can be read. Is there no such
 * user, stay root without any capability but reading. Not as root: give up all capabilities.
 * 0, or a code and one line in `why`.
 */
int hf_sandbox_drop(const char *user, const char *zone, char *why, size_t size);

/*
 * From here on: no new privileges, and no system calls but those that answering, reading files and starting threads
 * take. No file can be written, no program run, no socket opened but to the service manager. Before
 * the first thread. 0 or a code: then it goes on as it was.
 */
int hf_sandbox_enter(void);
