/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * host_files: what dnsmasq reads, in either form: the many files of a hostsdir, or one addn-hosts file
 * and a signal. The rest of the adapter knows files by number.
 */
#include "adapters/record_table.h"

struct hf_config_dnsmasq;
struct hf_hostfiles; /* opaque */

/* `d` is borrowed and outlives it. Touches nothing. Owns the table that it makes. */
int hf_hostfiles_new(const struct hf_config_dnsmasq *d, struct hf_hostfiles **ret_files);
void hf_hostfiles_free(struct hf_hostfiles *f); /* NULL is fine */

struct hf_table *hf_hostfiles_table(const struct hf_hostfiles *f); /* lent */
unsigned hf_hostfiles_count(const struct hf_hostfiles *f);
/* "the folder /x", "the file /x": lent. */
const char *hf_hostfiles_what(const struct hf_hostfiles *f);

/* What a killed run left half written, as hf_shards_sweep(). The folder is open. */
void hf_hostfiles_sweep(struct hf_hostfiles *f);

/* Each with a text that says what mends it. The results are those of hostsdir.h. */
int hf_hostfiles_open(struct hf_hostfiles *f, char *ret_why, size_t why_size);
int hf_hostfiles_load(struct hf_hostfiles *f, unsigned i, char *ret_why, size_t why_size);
/* Also tells dnsmasq, where it does not see it by itself. */
int hf_hostfiles_write(struct hf_hostfiles *f, unsigned i, char *ret_why, size_t why_size);

int hf_hostfiles_sync(struct hf_hostfiles *f, unsigned i);
int hf_hostfiles_sync_folder(struct hf_hostfiles *f);
bool hf_hostfiles_changed(const struct hf_hostfiles *f, unsigned i);
bool hf_hostfiles_blocked(const struct hf_hostfiles *f, unsigned i);
/* The folder is another one than that which was opened: dnsmasq watches the old one. */
bool hf_hostfiles_replaced(const struct hf_hostfiles *f);
/* As hf_shards_foreign(); of one file there is none. */
int hf_hostfiles_foreign(const struct hf_hostfiles *f, char *ret_name);
