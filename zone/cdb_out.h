/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cdb_out: a file of the zone while it is made: under a dot name until it is whole and synced.
 */
#include <stddef.h>
#include <stdint.h>

#include "zone/format.h"

struct hf_folder;
struct hf_cdb_out;

enum { HF_CDB_RECORD_COST = 24 }; /* bytes that a record takes beside key and value */
#define HF_CDB_SIZE_MAX 0xffffffffull

/*
 * Begin `name` in the folder (borrowed until the end). A file that would be larger than size_max
 * (HF_CDB_SIZE_MAX is the form's own limit) is HF_ELIMIT when it is met.
 * End it with hf_cdb_out_commit() or hf_cdb_out_abort().
 */
int hf_cdb_out_begin(const struct hf_folder *folder, const char *name, uint64_t size_max,
    struct hf_cdb_out **ret_out);
/* Keys are the caller's to keep unique. */
int hf_cdb_out_add(struct hf_cdb_out *o, const uint8_t *key, size_t key_len, const uint8_t *value,
    size_t value_len);
/* What each file has beside its names. */
int hf_cdb_out_add_settings(struct hf_cdb_out *o, const struct hf_fmt_settings *settings);
/*
 * Sync it and give it its name; the name is durable after the folder's next sync. Ends `o`; if it
 * fails, nothing of it is left.
 */
int hf_cdb_out_commit(struct hf_cdb_out *o, struct hf_fmt_file *ret_file);
/* NULL is fine. */
void hf_cdb_out_abort(struct hf_cdb_out *o);
