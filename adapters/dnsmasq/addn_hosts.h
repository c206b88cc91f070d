/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * addn_hosts: the one file of an addn-hosts. dnsmasq reads it as a whole, when it is told to. Ours
 * is what is empty or begins with our mark; another file is never written over.
 */
#include <stdbool.h>
#include <stddef.h>

#include "adapters/record_table.h"

struct hf_addn_hosts; /* opaque */

/* `path` is borrowed and outlives it, the table of one bucket too. Touches nothing. */
int hf_addn_hosts_new(
    const char *path, struct hf_record_table *table, struct hf_addn_hosts **ret_single);
void hf_addn_hosts_free(struct hf_addn_hosts *s); /* NULL is fine */

/* Opens the folder that it is in. On failure ret_why says what mends it. */
int hf_addn_hosts_open(struct hf_addn_hosts *s, char *ret_why, size_t why_size);
/* As hf_hostsdir_sweep(). */
void hf_addn_hosts_sweep(struct hf_addn_hosts *s);
/* As hf_hostsdir_load(). */
int hf_addn_hosts_load(struct hf_addn_hosts *s);
/* As hf_hostsdir_peek(). */
int hf_addn_hosts_peek(const struct hf_addn_hosts *s, struct hf_record_table *table);
/* Also when the table is empty: dnsmasq expects the file. Durable when it returns. */
int hf_addn_hosts_write(struct hf_addn_hosts *s);
/* Whether the file is no longer what was last written or loaded. */
bool hf_addn_hosts_changed(const struct hf_addn_hosts *s);
