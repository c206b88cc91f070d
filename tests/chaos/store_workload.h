/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store_workload: a deployment that follows from one number alone. After step k the store holds
 * exactly workload_at(k); so what was mixed out of two steps, or lost in part, is found out.
 */
#include <stddef.h>
#include <stdint.h>

#include "bridge/store/store.h"

enum {
	WORKLOAD_PLACES = 30, /* workspaces that come, change and go, each with one agent */
	WORKLOAD_OWNERS = 3,
	WORKLOAD_SNAPSHOT = 25, /* each so many steps all places change at once */
	WORKLOAD_OWNED = 40,    /* rows of each receipt */
	WORKLOAD_NAMES = 3 * WORKLOAD_PLACES,
};

struct workload {
	uint64_t k;
	struct hf_source_row source;
	struct hf_owner_row owners[WORKLOAD_OWNERS];
	size_t n; /* places that are taken; rows are in the order of their rid */
	struct hf_workspace_row workspaces[WORKLOAD_PLACES];
	struct hf_agent_row agents[WORKLOAD_PLACES];
	size_t n_names;
	struct hf_name_change names[WORKLOAD_NAMES];
};

void workload_at(uint64_t k, struct workload *ret);

/* What takes the store from step k - 1 to step k. */
struct workload_changes {
	struct hf_changeset set;
	struct workload before, after;
	struct hf_row_change rows[1 + WORKLOAD_OWNERS + 4 * WORKLOAD_PLACES];
	struct hf_name_change names[2 * WORKLOAD_NAMES];
};
void workload_changes(uint64_t k, struct workload_changes *ret);

/* The step that the store is at, or why it is at none: 0 and *ret_k, or -1 and a text. */
int workload_find(struct hf_store *s, uint64_t *ret_k, const char **ret_why);
/* NULL if the store holds workload_at(k) and its receipts are whole, or why it does not. */
const char *workload_wrong(struct hf_store *s, uint64_t k);

/* One receipt that follows from the generation; as a whole or not at all. */
int workload_receipt(struct hf_store *s);
