/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cdb_view: a cdb (https://cr.yp.to/cdb/cdb.txt) that lies in memory, read in place. It stays
 * within its bytes and comes to an end whatever they are. Never changed once it is made: any number
 * of threads use one.
 *
 * tinycdb makes these files; it is not what reads them here, because a look-up in two files (base
 * and delta) hashes its key once this way, and its result needs no copy of the view: half the
 * instructions of a look-up.
 */
#include <stddef.h>
#include <stdint.h>

struct hf_cdb_view {
	const uint8_t *bytes; /* borrowed; NULL: an empty view */
	size_t len;
};

/* HF_EFORMAT: shorter than any cdb, or longer than one can be. */
int hf_cdb_view_init(struct hf_cdb_view *v, const uint8_t *bytes, size_t len);

uint32_t hf_cdb_view_hash(const uint8_t *key, size_t len);

/* `hash` is the key's. Returns 1 and where the value lies, 0 if there is none, or HF_EFORMAT. */
int hf_cdb_view_find(const struct hf_cdb_view *v, uint32_t hash, const uint8_t *key, size_t len,
    const uint8_t **ret_value, size_t *ret_len);

struct hf_cdb_view_record {
	const uint8_t *key;
	size_t key_len;
	const uint8_t *value;
	size_t value_len;
};
/* The next record; *at is 0 before the first. Returns 1, 0 at the end, or HF_EFORMAT. */
int hf_cdb_view_next(
    const struct hf_cdb_view *v, size_t *at, struct hf_cdb_view_record *ret_record);

/*
 * What a find for `hash` will look at first is fetched from memory: the slot where the search
 * begins (NULL: there is none), and then what the slots name. They change nothing and promise
 * nothing.
 */
struct hf_cdb_view_slot {
	const uint8_t *at;
	size_t n; /* to the end of its table */
};
struct hf_cdb_view_slot hf_cdb_view_warm_slot(const struct hf_cdb_view *v, uint32_t hash);
void hf_cdb_view_warm_record(
    const struct hf_cdb_view *v, uint32_t hash, struct hf_cdb_view_slot slot);
