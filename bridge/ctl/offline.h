/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * offline: the same answers out of the published zone, with no bridge. What only the bridge knows
 * is null.
 */
#include <jansson.h>

#include "bridge/ctl/ctl_client.h"
#include "bridge/front/record_row.h"

/* Status, as one row. 0, cb's non-zero value, or why there is no zone. */
int hf_offline_status(const char *zone, hf_row_cb cb, void *arg);
/* A status in which nothing is known, for programs; the caller's. */
json_t *hf_offline_unreached(const char *why);
/* Says in a status of the zone that this user may not ask the bridge, which may well run. */
void hf_offline_denied(json_t *status, const char *why);

/*
 * Some name that is answered, with its one address. 1; 0: there is none; or why there is no zone.
 */
int hf_offline_sample(const char *zone, struct hf_name *ret_name, uint8_t ret_addr[static 16]);

typedef int (*hf_offline_record_cb)(const struct hf_record_row *row, void *arg);
/* Those that the filter wants. 0, cb's non-zero value, or why there is no zone. */
int hf_offline_records(
    const char *zone, const struct hf_record_filter *filter, hf_offline_record_cb cb, void *arg);
