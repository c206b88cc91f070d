#pragma once
/*
 * files: what dnsmasq reads, in either form: the many files of a hostsdir, or one addn-hosts file
 * and a signal. The rest of the adapter knows files by number.
 */
#include "adapters/table.h"

struct hf_config_dnsmasq;
struct hf_files; /* opaque */

/* `d` is borrowed and outlives it. Touches nothing. Owns the table that it makes. */
int hf_files_new(const struct hf_config_dnsmasq *d, struct hf_files **ret_files);
void hf_files_free(struct hf_files *f); /* NULL is fine */

struct hf_table *hf_files_table(const struct hf_files *f); /* lent */
unsigned hf_files_count(const struct hf_files *f);
/* "the folder /x", "the file /x": lent. */
const char *hf_files_what(const struct hf_files *f);

/* Each with a text that says what mends it. The results are those of shards.h. */
int hf_files_open(struct hf_files *f, char *ret_why, size_t why_size);
int hf_files_load(struct hf_files *f, unsigned i, char *ret_why, size_t why_size);
/* Also tells dnsmasq, where it does not see it by itself. */
int hf_files_write(struct hf_files *f, unsigned i, char *ret_why, size_t why_size);

int hf_files_sync(struct hf_files *f, unsigned i);
int hf_files_sync_folder(struct hf_files *f);
bool hf_files_changed(const struct hf_files *f, unsigned i);
bool hf_files_blocked(const struct hf_files *f, unsigned i);
/* The folder is another one than that which was opened: dnsmasq watches the old one. */
bool hf_files_replaced(const struct hf_files *f);
/* As hf_shards_foreign(); of one file there is none. */
int hf_files_foreign(const struct hf_files *f, char *ret_name);
