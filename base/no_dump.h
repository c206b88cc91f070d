/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * no_dump: a process that holds secrets leaves no core file, and no other process of its user reads
 * its memory.
 */
#include <stdbool.h>

/*
 * Call it first in main, before anything secret is read. False: it was not done, since
 * HOLDFAST_DUMPABLE is set in the environment (a developer wants a core file or a debugger), or the
 * system refused; the caller says so in its log.
 *
 * The files of such a process in /proc belong to root, but for the process itself: its own
 * /proc/self/fd goes on working. Programs that it runs have none of it.
 */
bool hf_no_dump(void);
