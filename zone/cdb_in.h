/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cdb_in: a published file as its writer reads it: by pread, a few bytes at a time. Not mapped:
 * whoever cuts a mapped file kills the process that looks at it. Immutable; several threads may use
 * one at once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/format.h"

struct hf_cdb_in;

/*
 * Open `file` under dirfd. With `check` all of it is read and its checksum compared (HF_ECHECKSUM);
 * without, hf_cdb_in_walk() does it. HF_EUNSAFE if it is no regular file, HF_EDAMAGED if it has
 * another size. End with hf_cdb_in_free().
 */
int hf_cdb_in_open(
    int dirfd, const struct hf_fmt_file *file, bool check, struct hf_cdb_in **ret_cdb);
void hf_cdb_in_free(struct hf_cdb_in *c); /* NULL is fine */

const struct hf_fmt_file *hf_cdb_in_file(const struct hf_cdb_in *c);
/* Its name under dirfd still leads to it, and nobody has written to it since it was opened. */
bool hf_cdb_in_intact(const struct hf_cdb_in *c, int dirfd);

/*
 * Copies the value of a key out. Returns its length, 0 if there is none, HF_EDAMAGED for what
 * cannot be, or -errno.
 */
int hf_cdb_in_find(
    const struct hf_cdb_in *c, const uint8_t *key, size_t key_len, uint8_t *out, size_t size);

/* Non-zero ends the walk and is returned. */
typedef int (*hf_cdb_in_cb)(
    const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *arg);

/*
 * All records, read in one go from start to end with the checksum on the way: HF_ECHECKSUM at the
 * end means that what cb got was not to be trusted. HF_EDAMAGED for what cannot be.
 */
int hf_cdb_in_walk(const struct hf_cdb_in *c, hf_cdb_in_cb cb, void *arg);

/* Size and checksum of what `fd` holds: its name is the caller's to fill in. */
int hf_cdb_in_measure(int fd, struct hf_fmt_file *ret_file);
