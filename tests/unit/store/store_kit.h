/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store_kit: a store in a folder of its own, and what tests do to its files.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "bridge/store/store.h"

struct fixture {
	char dir[64];
	char path[80];
	struct hf_fake_clock clock;
	struct hf_store_opts opts;
	struct hf_store_opened opened;
	struct hf_store *store; /* NULL while it is not open */
};

/* 2023-11-14 22:13:20 */
enum { FIXTURE_WALL_S = 1700000000 };

void fixture_init(struct fixture *f);
/* Closes the store and removes the folder. */
void fixture_done(struct fixture *f);

/* Must succeed; `opened` has what it told. */
void fixture_open(struct fixture *f);
int fixture_try_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* What a kill leaves: the files as they are now take the store's place after it was closed. */
void fixture_crash(struct fixture *f);
/* Removes all files but those whose name has ".good" in it. */
void fixture_sweep(struct fixture *f);

/* The file PATH + tail. */
const char *fixture_file(const struct fixture *f, const char *tail);
bool fixture_exists(const struct fixture *f, const char *tail);
off_t fixture_size(const struct fixture *f, const char *tail);
/* How many files begin with PATH + tail. */
size_t fixture_count(const struct fixture *f, const char *tail);
void fixture_write(const struct fixture *f, const char *tail, const void *bytes, size_t len);
void fixture_copy(const struct fixture *f, const char *from, const char *to);
void fixture_remove(const struct fixture *f, const char *tail);
void fixture_truncate(const struct fixture *f, const char *tail, off_t len);
void fixture_flip(const struct fixture *f, const char *tail, off_t at, uint8_t bits);
/* The first place of these bytes in the file, or -1. */
off_t fixture_find(const struct fixture *f, const char *tail, const void *bytes, size_t len);
/* Statements that the sqlite3 shell would run. */
void fixture_sql(const struct fixture *f, const char *tail, const char *sql);
int64_t fixture_number(const struct fixture *f, const char *tail, const char *sql);

enum hf_store_state fixture_state(const struct fixture *f);
const char *fixture_reason(const struct fixture *f);
/* Until the thread has nothing to do; fails after some seconds. */
void fixture_wait_copy(const struct fixture *f);
void fixture_wait_checkpoint(const struct fixture *f, uint64_t n);
