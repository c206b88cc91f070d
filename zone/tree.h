/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tree: the names of the zone as its writer changes them. It derives what nobody tells it: empty
 * non-terminals and their counts of children, apexes, PTR entries. No table of all names is kept: a
 * lookup goes through the layers of what changed down to the base on disk.
 *
 * Each change happens as a whole or not at all.
 */
#include <stdint.h>

#include "zone/record.h"

struct hf_cdb_in;
struct hf_fmt_value;
struct hf_overlay;

/*
 * From the top; an entry of an upper layer replaces that of a lower one, HF_FMT_GONE takes it away.
 */
struct hf_layers {
	struct hf_overlay *stage;  /* owned; of the change that is being made */
	struct hf_overlay *fresh;  /* owned; since the last publication */
	struct hf_overlay *delta;  /* owned; since the base was last frozen */
	struct hf_overlay *frozen; /* owned, or NULL; being folded into a new base */
	struct hf_cdb_in *base;    /* owned, or NULL */
};

struct hf_tree {
	struct hf_layers layers;
	uint64_t n_names; /* with addresses, all layers together */
	uint64_t sum;     /* of what they tell (sum.h) */
	size_t n_apexes;
	struct hf_name apexes[HF_ZONE_SOURCES_MAX]; /* each once */
};

/* Zero it first. Returns 0 or -ENOMEM; end it with hf_tree_done() either way. */
int hf_tree_init(struct hf_tree *t);
void hf_tree_done(struct hf_tree *t);

/* The suffixes that are in the layers already (a picture that was taken up). */
void hf_tree_adopt(struct hf_tree *t, const struct hf_zone_meta *meta);
/* Make the apexes those of `meta`. Does nothing where they are. */
int hf_tree_settle(struct hf_tree *t, const struct hf_zone_meta *meta);

/* What one name adds to the sum. */
uint64_t hf_tree_sum_of(const struct hf_name *name, const struct hf_fmt_value *value);

/* As the functions of writer.h. */
int hf_tree_set(struct hf_tree *t, const struct hf_zone_rec *rec);
int hf_tree_del(struct hf_tree *t, const struct hf_name *name);

/* The value that counts. Returns its length, 0 if there is none, or a code. */
int hf_tree_get(
    const struct hf_tree *t, const uint8_t *key, size_t key_len, uint8_t *out, size_t size);
