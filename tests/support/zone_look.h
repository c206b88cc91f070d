/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * zone_look: what is in a zone's folder, read with tinycdb and zone/format.h alone, checksums and
 * all: what a test of the writer compares with. Every function ends the program on trouble of its
 * own, not of the folder.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cdb.h>

#include "zone/format.h"

struct hf_zone_look {
	struct hf_fmt_current current;
	struct hf_zone_meta meta;
	uint64_t n_names; /* as the meta says */
	struct cdb base;
	struct cdb delta; /* only if has_delta */
	bool has_delta;
};

/*
 * 0 or a code: something in the folder is not as it must be. End it with hf_zone_look_close() if 0.
 */
int hf_zone_look_open(int dirfd, struct hf_zone_look *ret_look);
void hf_zone_look_close(struct hf_zone_look *l);

/* The value that counts, lent until the end; NULL if there is none. */
const uint8_t *hf_zone_look_get(
    struct hf_zone_look *l, const void *key, size_t key_len, size_t *ret_len);

struct hf_zone_look_entry {
	const uint8_t *key;
	size_t key_len;
	const uint8_t *value;
	size_t value_len;
};

/* Where a walk over all entries that count is (but the meta). Zero it first. */
struct hf_zone_look_at {
	bool begun;
	bool in_delta;
	unsigned pos;
};
bool hf_zone_look_next(
    struct hf_zone_look *l, struct hf_zone_look_at *at, struct hf_zone_look_entry *ret_entry);

/* Files of any kind in the folder, but for its lock. */
unsigned hf_zone_look_n_files(int dirfd);
/* A new empty folder, in memory where there is such a place, so that syncs cost nothing. */
void hf_zone_look_make_folder(char *path, size_t size);
void hf_zone_look_remove_folder(const char *path);
