/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * update: one whole message of the control stream, decoded and checked for form (ids, lengths,
 * encoding) by stream. What it means (references, names, identity, the guard) is state's to judge.
 *
 * Made by stream; all memory belongs to the update and goes with hf_update_free()
 * (bridge/stream/wire/update_builder.h). Two names may share their bytes.
 * Names are the peer's bytes: not NUL-terminated, any byte, at most a record's limit long.
 */
#include <stddef.h>
#include <stdint.h>

#include "zone/addr.h"

enum hf_update_kind { HF_UPDATE_SNAPSHOT, HF_UPDATE_DIFF };

struct hf_bytes {
	const char *at;
	uint32_t len;
};

struct hf_update_workspace {
	struct hf_uuid id;
	struct hf_bytes name;
	int32_t status;
};

struct hf_update_agent {
	struct hf_uuid id;
	struct hf_uuid workspace; /* all zero only in deleted_agents, where it may be missing */
	struct hf_bytes name;
};

/*
 * A record that was refused alone. A snapshot with such a record removes nothing of its owner.
 * (An id of a wrong length refuses a diff whole; it never gets here.)
 */
struct hf_update_refused {
	char what[16]; /* "workspace", "agent" */
	char reason[64];
	char name[64]; /* printable */
};

struct hf_update_text; /* stream's: the bytes of all names */

struct hf_update {
	enum hf_update_kind kind;
	struct hf_uuid owner;
	/* boottime at which its connection was asked for: its rights are of then */
	int64_t connected_ms;
	struct hf_update_workspace *upserted_workspaces;
	size_t n_upserted_workspaces;
	struct hf_update_agent *upserted_agents;
	size_t n_upserted_agents;
	struct hf_update_workspace *deleted_workspaces;
	size_t n_deleted_workspaces;
	struct hf_update_agent *deleted_agents;
	size_t n_deleted_agents;
	struct hf_update_refused *refused; /* the first few */
	size_t n_refused;                  /* of the array */
	uint64_t refused_total;
	struct hf_update_text *text; /* owned */
};
