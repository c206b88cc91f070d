/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * start_audit: whether an adapter's files still had, at its start, all that they should have. Files
 * may have been edited or removed while nobody looked. Once in the life of an adapter, when all is
 * applied, its table is compared with what the host says should be there; if names are missing the
 * host is told that they were lost. In slices on the loop.
 */
#include "adapters/adapter.h"
#include "adapters/record_table.h"

struct hf_start_audit; /* opaque */

/* Both are borrowed and outlive it. `what` ("the folder /x") is copied. */
int hf_start_audit_new(const struct hf_adapter_host *host, const struct hf_record_table *table,
    const char *what, struct hf_start_audit **ret_audit);
void hf_start_audit_free(struct hf_start_audit *a); /* NULL is fine */

/* Begins; later calls do nothing. */
void hf_start_audit_begin(struct hf_start_audit *a);
