/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * restore: what the published zone still knows, where the store was lost or is older than the zone.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/types/rows.h"
#include "zone/record.h"

struct hf_clock;
struct hf_state;
struct hf_zone_source;

/* Told before any name: a source of the state, by its rid, as the zone has it. */
typedef void (*hf_restore_source_cb)(
    uint32_t source, const struct hf_zone_source *found, void *arg);

struct hf_restored {
	struct hf_restored_row *rows; /* owned: free() */
	size_t n;
	bool whole;                      /* the zone was ready, and all of it could be read */
	bool known[HF_ZONE_SOURCES_MAX]; /* sources of the state, by rid, that the zone has, too */
};

/*
 * Reads all names of the zone in `dir` as restored rows, with the marks that they have there. The
 * zone's sources are found in `state`, which is only looked at, by their names or else by their
 * URLs; names of sources that it does not have are left out. Returns 0, also where nothing can be
 * read, or -ENOMEM.
 */
int hf_restore_read(const char *dir, const struct hf_clock *clock, const struct hf_state *state,
    hf_restore_source_cb cb, void *arg, struct hf_restored *ret_restored);
