/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * image_load: everything that state gets at start, out of the tables, with every value and
 * reference checked.
 */
#include <stdint.h>

#include "bridge/store/schema.h"
#include "bridge/types/image.h"

/*
 * The whole image. Rows whose source, owner or workspace is not there are left out and counted:
 * they could one day belong to somebody else who gets that number. The caller owns *ret_image:
 * hf_image_free().
 */
int hf_image_load(struct hf_sql *q, const struct hf_meta *meta, struct hf_image **ret_image,
    uint64_t *ret_orphans);
/* Takes the rows that were left out from the file. Within a transaction of the caller's. */
int hf_image_orphans_remove(struct hf_sql *q);

/*
 * Look at a store file without touching it: is it ours, is it sound, and what is in it. Nobody else
 * writes it meanwhile. 0, HF_EDAMAGED, HF_ESCHEMA, HF_EREFUSED or another code; ret_why (may be
 * NULL) tells in words. A file of an earlier version of the schema has no image (NULL) before it is
 * migrated.
 */
struct hf_checked {
	struct hf_sql *sql; /* owned: the FROZEN connection by which it was read */
	struct hf_meta meta;
	struct hf_image *image; /* owned */
	uint64_t orphans;
};
int hf_image_check_file(const char *path, const struct hf_schema *schema, char *ret_why,
    size_t why_size, struct hf_checked *ret_checked);
void hf_image_checked_done(struct hf_checked *c);
