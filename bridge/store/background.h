/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * background: the thread that writes the WAL back and makes the copy, each with connections of its
 * own, so that the loop never waits for it. It is started when there is work for the first time.
 * All functions are the loop's.
 */
#include <stdbool.h>

#include "bridge/store/store_files.h"
#include "bridge/store/schema.h"
#include "bridge/store/store.h"

struct hf_background; /* opaque */

/*
 * `files` and `schema` are borrowed and outlive it. End with hf_background_free(), which ends the
 * work under way.
 */
int hf_background_new(const struct hf_store_files *files, const struct hf_schema *schema,
    struct hf_background **ret_work);
void hf_background_free(struct hf_background *w);

/* 0; -EAGAIN and the like if there can be no thread: nothing will be done. */
int hf_background_checkpoint(struct hf_background *w);
/* The same; -EALREADY if one is being made. */
int hf_background_copy(struct hf_background *w);
/*
 * True if nothing is under way. Else what is under way is told to end, and what was asked for is
 * dropped.
 */
bool hf_background_halt(struct hf_background *w);
/* What it did so far, into its part of the stats; true, once, if it found the store damaged. */
bool hf_background_collect(struct hf_background *w, struct hf_store_stats *stats);
