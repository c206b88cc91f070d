/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * addn_hosts: the one file of an addn-hosts. dnsmasq reads it as a whole, when it is told to. Ours is
 * what is empty or begins with our mark; another file is never written over.
 */
#include <stdbool.h>
#include <stddef.h>

#include "adapters/record_table.h"

struct hf_single; /* opaque */

/* `path` is borrowed and outlives it, the table of one bucket too. Touches nothing. */
int hf_single_new(const char *path, struct hf_table *table, struct hf_single **ret_single);
void hf_single_free(struct hf_single *s); /* NULL is fine */

/* Opens the folder that it is in. On failure ret_why says what mends it. */
int hf_single_open(struct hf_single *s, char *ret_why, size_t why_size);
/* As hf_shards_sweep(). */
void hf_single_sweep(struct hf_single *s);
/* As hf_shards_load(). */
int hf_single_load(struct hf_single *s);
/* Also when the table is empty: dnsmasq expects the file. Durable when it returns. */
int hf_single_write(struct hf_single *s);
/* Whether the file is no longer what was last written or loaded. */
bool hf_single_changed(const struct hf_single *s);
