#pragma once
/*
 * offline: the same answers out of the published zone, with no bridge. What only the bridge knows is
 * null.
 */
#include <jansson.h>

#include "bridge/ctl/ask.h"

/* Status, as one row; records, a row each. 0, cb's non-zero value, or why there is no zone. */
int hf_offline_status(const char *zone, hf_row_cb cb, void *arg);
int hf_offline_records(const char *zone, hf_row_cb cb, void *arg);
