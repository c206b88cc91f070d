/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * image: everything that the store knows, handed to state at start.
 * Owned by whoever got it; end it with hf_image_free() (bridge/store/store.h).
 */
#include <stddef.h>

#include "bridge/types/rows.h"

/*
 * Each array is sorted by rid (restored: by name); every row's source, owner and workspace is there
 * too.
 */
struct hf_image {
	struct hf_source_row *sources;
	size_t n_sources;
	struct hf_owner_row *owners;
	size_t n_owners;
	struct hf_workspace_row *workspaces;
	size_t n_workspaces;
	struct hf_agent_row *agents;
	size_t n_agents;
	struct hf_hold_row *holds;
	size_t n_holds;
	struct hf_restored_row *restored;
	size_t n_restored;
	struct hf_text_row *texts;
	size_t n_texts;
	uint32_t next_workspace; /* rids from here on were never used */
	uint32_t next_agent;
};
