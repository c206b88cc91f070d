/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * record_table: the records that an adapter has put into its files, in memory: by name, and by the
 * file
 * ("bucket") in which all names of one address are. For adapters that write hosts files.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "base/hash_table.h"

/* One name with one address. Lent from the table, until it is deleted. */
struct hf_record_entry {
	UT_hash_handle hh;                      /* of the first entry of the name */
	struct hf_record_entry *same;           /* the next entry of the same name */
	struct hf_record_entry *next, **before; /* in its bucket */
	unsigned bucket;
	bool primary;
	uint8_t addr[16];
	struct hf_name *name; /* owned; only as long as the name is: not to be copied as a struct */
};

/* The name as a value of its own. */
void hf_record_table_entry_name(const struct hf_record_entry *e, struct hf_name *ret_name);

struct hf_record_table; /* opaque */

int hf_record_table_new(unsigned n_buckets, struct hf_record_table **ret_table);
void hf_record_table_free(struct hf_record_table *t); /* NULL is fine */
void hf_record_table_clear(struct hf_record_table *t);

size_t hf_record_table_count(const struct hf_record_table *t);
unsigned hf_record_table_bucket_of(const struct hf_record_table *t, const uint8_t addr[static 16]);
/* The first of a bucket, in no order, or NULL. */
struct hf_record_entry *hf_record_table_bucket(const struct hf_record_table *t, unsigned bucket);

/* The first entry of the name (more by ->same), or NULL. */
struct hf_record_entry *hf_record_table_find(
    const struct hf_record_table *t, const struct hf_name *name);
struct hf_record_entry *hf_record_table_find_addr(
    const struct hf_record_table *t, const struct hf_name *name, const uint8_t addr[static 16]);

/* Adds the record, or takes over its `primary`. 1: something changed, 0: it was so, -ENOMEM. */
int hf_record_table_put(struct hf_record_table *t, const struct hf_record *r);
void hf_record_table_del(struct hf_record_table *t, struct hf_record_entry *e);

/* Each entry whose name is below none of the suffixes, for `drop`, which may delete it. */
void hf_record_table_outside(struct hf_record_table *t, const struct hf_name *suffixes, size_t n,
    void (*drop)(struct hf_record_entry *e, void *arg), void *arg);

/*
 * The lines of a bucket: an address's lines follow each other, its primary name first (whoever
 * reads a hosts file takes the first name of an address for its PTR). The same records give the
 * same bytes. The caller owns *ret_text; end it with free().
 */
int hf_record_table_text(
    const struct hf_record_table *t, unsigned bucket, bool crlf, char **ret_text, size_t *ret_len);

/*
 * The records of a bucket as a reader of its lines would take them: the first name of each address
 * is primary. `bytes` may be anything. Returns the number of lines that are no record of ours
 * (each is told to `odd`, which may be NULL), or -ENOMEM.
 */
typedef void (*hf_odd_line_cb)(const char *line, size_t len, void *arg);
int hf_record_table_load(
    struct hf_record_table *t, const char *bytes, size_t len, hf_odd_line_cb odd, void *odd_arg);

/* The entries of a bucket into `cb`, as records. A non-zero value of it ends it and is returned. */
int hf_record_table_walk(
    const struct hf_record_table *t, unsigned bucket, hf_record_cb cb, void *arg);
