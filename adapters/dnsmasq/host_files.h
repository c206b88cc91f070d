/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * host_files: what dnsmasq reads, in either form: the many files of a hostsdir, or one addn-hosts
 * file and a signal. The rest of the adapter knows files by number.
 */
#include "adapters/dnsmasq/addn_hosts.h"
#include "adapters/dnsmasq/hostsdir.h"
#include "adapters/record_table.h"

struct hf_config_dnsmasq;
struct hf_host_files; /* opaque */

/* `d` is borrowed and outlives it. Touches nothing. Owns the table that it makes. */
int hf_host_files_new(const struct hf_config_dnsmasq *d, struct hf_host_files **ret_files);
void hf_host_files_free(struct hf_host_files *f); /* NULL is fine */

struct hf_record_table *hf_host_files_table(const struct hf_host_files *f); /* lent */
unsigned hf_host_files_count(const struct hf_host_files *f);
/* "the folder /x", "the file /x": lent. */
const char *hf_host_files_what(const struct hf_host_files *f);

/* The name of a file of several; "it" for the only one. Returns out. */
const char *hf_host_files_name(
    const struct hf_host_files *f, unsigned i, char out[static HF_HOSTSDIR_FILE_NAME_MAX]);

/* What a killed run left half written, as hf_hostsdir_sweep(). The folder is open. */
void hf_host_files_sweep(struct hf_host_files *f);

/* Each with a text that says what mends it. The results are those of hostsdir.h. */
int hf_host_files_open(struct hf_host_files *f, char *ret_why, size_t why_size);
int hf_host_files_load(struct hf_host_files *f, unsigned i, char *ret_why, size_t why_size);
/* As hf_hostsdir_peek(). */
int hf_host_files_peek(
    const struct hf_host_files *f, unsigned i, struct hf_record_table *ret_table);
/* Also tells dnsmasq, where it does not see it by itself. */
int hf_host_files_write(struct hf_host_files *f, unsigned i, char *ret_why, size_t why_size);

int hf_host_files_sync(struct hf_host_files *f, unsigned i);
int hf_host_files_sync_folder(struct hf_host_files *f);
bool hf_host_files_changed(const struct hf_host_files *f, unsigned i);
bool hf_host_files_blocked(const struct hf_host_files *f, unsigned i);
/* The folder is another one than that which was opened: dnsmasq watches the old one. */
bool hf_host_files_replaced(const struct hf_host_files *f);
/* As hf_hostsdir_foreign(); of one file there is none. */
int hf_host_files_foreign(const struct hf_host_files *f, char *ret_name);
