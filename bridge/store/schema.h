/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema: the tables, their version, and the rule for one step up and down (docs/store.md tells it
 * to people).
 *
 * A file says which version made it and which is the oldest whose program may use it. A step that
 * only adds (tables, columns with a default) leaves `oldest` alone: the program before it goes on
 * working with the file, since it names the columns that it knows, and a row's sum goes on covering
 * those of version 1. What such a program writes has the new columns' defaults, so these must mean
 * "not known". Any other step raises `oldest`; an older program then refuses the file (HF_ESCHEMA)
 * and leaves it untouched. The columns of `meta` never change, so that every version can tell.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/store/store_rows.h"
#include "bridge/store/sql.h"

enum { HF_SCHEMA_APPLICATION = 0x48466473 }; /* "HFds": PRAGMA application_id */

struct hf_schema_step {
	uint32_t to;     /* from the version before it */
	uint32_t oldest; /* what the file's `oldest` becomes */
	const char *sql;
};

struct hf_schema {
	uint32_t version;
	uint32_t oldest;                    /* of a file that it makes anew */
	const char *sql;                    /* makes all tables */
	const struct hf_schema_step *steps; /* ascending; one with to 0 ends them */
};

/* What this program makes and uses. */
extern const struct hf_schema hf_schema;

/*
 * All tables and the row of `meta`, whose version, oldest and schema_sum are filled in. Within a
 * transaction of the caller's.
 */
int hf_schema_make(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *meta);

/*
 * Whether this file is for us. 0: yes, and *ret_meta; HF_ESCHEMA: a newer version's, not to be
 * touched; HF_EREFUSED: a sound database of another program; HF_EDAMAGED; or another code.
 * ret_meta->version less than schema->version: it is to be migrated.
 */
int hf_schema_check(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *ret_meta);

/* All steps that are missing, in one transaction. */
int hf_schema_migrate(struct hf_sql *q, const struct hf_schema *schema, struct hf_meta *meta);

int hf_schema_meta_get(struct hf_sql *q, struct hf_meta *ret_meta);
int hf_schema_meta_set(struct hf_sql *q, const struct hf_meta *meta);
