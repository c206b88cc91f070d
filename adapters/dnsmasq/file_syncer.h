/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * file_syncer: makes files durable some time after they were written. A change does not wait for
 * the disk: what a power cut undoes is found at the next start.
 */
#include <stdint.h>

struct event_base;
struct hf_file_syncer; /* opaque */
struct hf_host_files;

/* `files` is borrowed and outlives it. `after_ms`: from the first write that is not durable. */
int hf_file_syncer_new(struct event_base *base, struct hf_host_files *files, uint32_t after_ms,
    struct hf_file_syncer **ret_syncer);
void hf_file_syncer_free(struct hf_file_syncer *s); /* NULL is fine */

void hf_file_syncer_written(struct hf_file_syncer *s, unsigned file);
