/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_console: where lines of commands come from, and where it is told what became of each.
 */
#include <stdbool.h>

struct sim_console; /* opaque */
struct sim_server;

/*
 * Lines that come out of `fd`, and "ok" or "error" for each into `reply_fd`; both borrowed. `ended`
 * is called when there are no more. It frees nothing.
 */
int hf_sim_console_open(struct sim_server *s, int fd, int reply_fd, void (*ended)(void *arg),
    void *arg, struct sim_console **ret_console);
/*
 * The lines of a file; nothing is told but errors, on stderr. What stands before its first `wait`
 * or `await` is done when it returns.
 */
int hf_sim_console_file(struct sim_server *s, const char *path, struct sim_console **ret_console);
void hf_sim_console_free(struct sim_console *c); /* NULL is fine; not inside `ended` */
