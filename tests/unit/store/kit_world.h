/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_world: a small deployment in plain arrays, the reference that a store is compared with. It
 * makes changesets as state would: rows, and the names that change by them, found by comparing all
 * names before and after.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/types/changeset.h"
#include "bridge/types/image.h"
#include "tests/unit/prng.h"

struct hf_store;

enum {
	WORLD_SOURCES = 2,
	WORLD_OWNERS = 6,
	WORLD_WORKSPACES = 24,
	WORLD_AGENTS = 32,
	WORLD_HOLDS = 3,
	WORLD_RESTORED = 8,
	WORLD_TEXTS = 3
};
enum { WORLD_NAMES_MAX = WORLD_AGENTS * 3 + WORLD_RESTORED + WORLD_SOURCES };

/* A row is there where `on` says so. */
struct world {
	struct {
		bool on;
		struct hf_source_row row;
	} sources[WORLD_SOURCES];
	struct {
		bool on;
		struct hf_owner_row row;
	} owners[WORLD_OWNERS];
	struct {
		bool on;
		struct hf_workspace_row row;
	} workspaces[WORLD_WORKSPACES];
	struct {
		bool on;
		struct hf_agent_row row;
	} agents[WORLD_AGENTS];
	struct {
		bool on;
		struct hf_hold_row row;
	} holds[WORLD_HOLDS];
	struct {
		bool on;
		struct hf_restored_row row;
	} restored[WORLD_RESTORED];
	struct {
		bool on;
		struct hf_text_row row;
	} texts[WORLD_TEXTS];
	uint32_t next_workspace, next_agent;
};

/* All published names, sorted; the last one set where a restored name is live, too. */
struct world_names {
	struct hf_name_change names[WORLD_NAMES_MAX];
	size_t n;
};

/* A changeset with its memory. */
struct world_changes {
	struct hf_changeset set;
	struct hf_row_change rows[WORLD_SOURCES + WORLD_OWNERS + WORLD_WORKSPACES + WORLD_AGENTS +
				  WORLD_HOLDS + WORLD_TEXTS];
	struct hf_name_change names[2 * WORLD_NAMES_MAX];
	struct hf_restored_row restored[WORLD_RESTORED];
	struct hf_name gone[WORLD_RESTORED];
	struct world before, after; /* the rows point into these */
};

/* A few rows of each kind. */
void world_init(struct world *w, uint64_t seed);
/* Some steps further: things come, change and go, as they do together. */
void world_change(struct world *w, struct prng *p, size_t steps);
void world_names(const struct world *w, struct world_names *ret_names);
/* What takes `before` to `after`. */
void world_diff(const struct world *before, const struct world *after, int64_t wall_s,
    struct world_changes *ret);
/* Everything of `w`, as a first snapshot. */
void world_all(const struct world *w, int64_t wall_s, struct world_changes *ret);

/* As the store has it, in memory that goes with the next call. */
const struct hf_image *world_image(const struct world *w);

/* The store's image and names are this world. */
void world_check(struct hf_store *s, const struct world *w);
/* The same without failing: NULL, or what is different. */
const char *world_compare(struct hf_store *s, const struct world *w);
void world_names_get(struct hf_store *s, struct world_names *ret_names);
bool world_names_equal(const struct world_names *a, const struct world_names *b);
/* Applies a changed name as a follower does. */
void world_names_follow(struct world_names *names, const struct hf_name_change *c);
