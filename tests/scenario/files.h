/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * files: what lies in a folder at one moment, to be put back later: as a process that is killed
 * leaves it.
 */
#include <stdbool.h>

struct files; /* opaque */

/* All files of the folder and of the folders in it; NULL: out of memory. */
struct files *files_take(const char *dir);
/* The folder has these files again, and no others. Ends `files`. False where that failed. */
bool files_put(struct files *files, const char *dir);
