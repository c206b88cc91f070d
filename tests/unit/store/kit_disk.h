/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_disk: a disk that fails, or a process that dies, at a chosen storage call. It takes the place
 * of the C library's calls in this program, so that SQLite's own calls are among them. Only calls
 * that change files are counted, and only those of regular files and of folders; anything else goes
 * through.
 */
#include <stdbool.h>
#include <stddef.h>

enum disk_call {
	DISK_CREATE, /* open with O_CREAT of a file that is not there */
	DISK_OPEN,   /* open for writing of one that is */
	DISK_WRITE,
	DISK_TRUNCATE,
	DISK_SYNC,
	DISK_RENAME,
	DISK_UNLINK,
	DISK_READ, /* counted only where it is asked for */
	DISK_LOCK, /* likewise: a lock is taken */
	DISK_LAST,
};

enum disk_fault {
	DISK_FINE,
	DISK_ONCE,     /* call n fails */
	DISK_ALWAYS,   /* call n and all after it */
	DISK_DIE,      /* the process ends before call n */
	DISK_DIE_HALF, /* the same, but of a write the first half is done */
	DISK_LOOK,     /* nothing fails; disk_look() has who is called */
};

enum { DISK_DIED = 77 };

/* Of the calls in `calls` (bits 1 << DISK_...) the n-th (from 1) fails with `error`. */
void disk_arm(enum disk_fault fault, unsigned calls, size_t n, int error);
/* All is well again. Gives the number of calls counted since it was armed. */
size_t disk_disarm(void);
/* All that a full disk refuses, that change anything, that a read-only disk refuses. */
extern const unsigned disk_growing, disk_changing, disk_readonly;
/*
 * Armed with DISK_LOOK: `look` is called before each call, with its number, and again (`half`)
 * where the first half of a write is done: a process that died there would leave the files as they
 * are now. It may make storage calls of its own, which are not counted. By the thread that makes
 * the call.
 */
void disk_look(void (*look)(size_t n, bool half));
/* Whether the fault came about. */
bool disk_hit(void);
