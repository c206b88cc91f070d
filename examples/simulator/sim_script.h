/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sim_script: the commands that a simulator takes, one a line.
 */
#include <stddef.h>
#include <stdint.h>

struct sim_server;

enum { SIM_REPLY = 512 };
/* Not now: to be asked again soon. */
enum { SIM_AGAIN = 1 };

/*
 * Runs one line, which it takes apart. 0: done; SIM_AGAIN with *ret_wait_ms, after which the line
 * is done (`wait`), or 0 where it is to be run again (`await`). Negative: it is wrong. `ret_reply`
 * is what is to be said of it, "" for nothing.
 */
int hf_sim_script_run(
    struct sim_server *s, char *line, char ret_reply[SIM_REPLY], uint32_t *ret_wait_ms);
/* What --help says of the commands. */
void hf_sim_script_help(void);
