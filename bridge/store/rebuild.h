/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rebuild: a store's file made under another name, whole, before it takes its place. A crash leaves
 * at most the other name behind, which the next one throws away.
 */
#include "bridge/store/store_files.h"
#include "bridge/store/schema.h"
#include "bridge/types/image.h"

/*
 * "BASE.new": all tables, *meta (its schema fields are filled in) and the rows of `image` (may be
 * NULL). It is closed and not yet synced: hf_store_files_install() does that.
 */
int hf_rebuild_new(const struct hf_store_files *f, const struct hf_schema *schema,
    struct hf_meta *meta, const struct hf_image *image);

/* Read it back, all of it. */
int hf_rebuild_check(const struct hf_store_files *f, const struct hf_schema *schema);

/* What a copy becomes when it is taken as the store. *meta as below. */
void hf_rebuild_renew(struct hf_meta *found, int64_t now_s, const struct hf_meta *meta);

/*
 * "BASE.new" out of the copy, if that is sound (else HF_EDAMAGED or the like): with the epoch of
 * *meta, and its generation or, where that is 0, the later of the copy's next one and now_s. Fills
 * *meta, and ret_generation with what the copy had.
 */
int hf_rebuild_from_copy(const struct hf_store_files *f, const struct hf_schema *schema,
    int64_t now_s, struct hf_meta *meta, uint64_t *ret_generation);

/*
 * A copy of the store's file as "BASE" + tail, checked, synced, renamed; the one that was there
 * goes only then. `running` (may be NULL) is called with each connection before it works and with
 * NULL after it, so that another thread can interrupt it; a value other than 0 ends the work with
 * that code. *ret_sound is false if the store itself is damaged.
 */
typedef int (*hf_rebuild_running_cb)(struct hf_sql *sql, void *arg);
int hf_rebuild_copy(const struct hf_store_files *f, const struct hf_schema *schema,
    const char *tail, hf_rebuild_running_cb running, void *arg, bool *ret_sound);
