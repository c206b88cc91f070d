/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rows: the model as it crosses from room to room and lies on disk. Plain values; nothing to free.
 * Texts end with NUL within their array; a label may be "" where it is not known.
 *
 * `rid` is a row's number, given by state: for sources and owners the lowest free one (it is also
 * the number by which the zone and its pulse know them), for workspaces and agents one more than
 * ever before. Names were checked when they entered (letters, digits, '-', '_', lower case).
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/types/rights.h"
#include "zone/addr.h"
#include "zone/name.h"

enum { HF_TEXT_MAX = 128, HF_REMOVALS_MAX = 1024 };

enum hf_row_kind {
	HF_ROW_SOURCE,
	HF_ROW_OWNER,
	HF_ROW_WORKSPACE,
	HF_ROW_AGENT,
	HF_ROW_HOLD,
	HF_ROW_TEXT,
	HF_ROW_LAST,
};

/* Of coder.tailnet.v2.Workspace.Status; other numbers are kept as they came. */
enum hf_ws_status {
	HF_WS_UNKNOWN,
	HF_WS_PENDING,
	HF_WS_STARTING,
	HF_WS_RUNNING,
	HF_WS_STOPPING,
	HF_WS_STOPPED,
	HF_WS_FAILED,
	HF_WS_CANCELING,
	HF_WS_CANCELED,
	HF_WS_DELETING,
	HF_WS_DELETED,
};

struct hf_source_row {
	uint32_t rid;
	char name[HF_LABEL_MAX + 1]; /* the key: its name in the configuration */
	char url[512];
	struct hf_name suffix;           /* pinned; len 0 while unknown */
	char deployment_id[HF_TEXT_MAX]; /* pinned; "" while unknown */
	struct hf_uuid user;             /* the token's own user */
	char user_name[HF_LABEL_MAX + 1];
	bool withdrawn;              /* a hold policy took its names out of the answers */
	uint64_t away_ms;            /* how long it has been unreachable, counted up to ... */
	struct hf_uuid counted_boot; /* ... this boot's ... */
	int64_t counted_ms;          /* ... boottime, ... */
	int64_t counted_s;           /* ... which was this wall clock; 0: it was not synchronised */
	int64_t contact_s;           /* wall clock of the last proof of life */
	/*
	 * the name that tells the coder CLI that a tunnel is there is published, as this source's
	 */
	bool sentinel;
	/*
	 * Explained removals of late (guard rule 3c), "BOOTTIME:N ..." of counted_boot, in
	 * milliseconds, the newest first.
	 */
	char removals[HF_REMOVALS_MAX];
	uint8_t marks; /* HF_SOURCE_... */
};

enum {
	/* all owners whom REST named had a snapshot without a refused record, once */
	HF_SOURCE_CONFIRMED = 1,
	HF_SOURCE_MARKS = 1,
};

struct hf_owner_row {
	uint32_t rid;
	uint32_t source; /* rid */
	struct hf_uuid id;
	char name[HF_LABEL_MAX + 1];
	int64_t confirmed_s; /* wall clock of the last accepted snapshot or diff; 0: never */
	/* of the configuration, by which it was followed; a space between two */
	char words[HF_TEXT_MAX];
	/* text: the token's rights at this owner's last good state; 0: not known */
	uint32_t rights;
	uint8_t marks; /* HF_OWNER_... */
};

enum {
	/* was the token's own user: its names in the forms `me` and short are kept */
	HF_OWNER_FORMER = 1,
	/* older than the published zone: nothing of it is served before its snapshot */
	HF_OWNER_UNSEEN = 2,
	HF_OWNER_MARKS = 3,
};

struct hf_workspace_row {
	uint32_t rid;
	uint32_t owner; /* rid */
	struct hf_uuid id;
	char name[HF_LABEL_MAX + 1];
	uint8_t status;
	bool held;     /* upstream no longer lists it; the guard keeps it and its agents */
	uint8_t marks; /* HF_WS_... of one that is held */
	int64_t first_seen_s;
};

enum {
	HF_WS_KEPT = 1, /* the operator rejected its removal */
	/* upstream lists it as running, but none of its agents: it is those that are held */
	HF_WS_LISTED = 2,
	HF_WS_MARKS = 3,
};

struct hf_agent_row {
	uint32_t rid;
	uint32_t workspace; /* rid */
	struct hf_uuid id;
	char name[HF_LABEL_MAX + 1];
	uint8_t names;   /* HF_NAME_... bits: those of its names that are published */
	uint8_t primary; /* the one bit of `names` that its PTR tells; 0: none */
	int64_t first_seen_s;
};

/* A removal that waits (contract, guard). The workspaces concerned carry `held`. */
struct hf_hold_row {
	uint32_t rid;
	uint32_t source;          /* rid */
	uint32_t owner;           /* rid, UINT32_MAX: the source as a whole */
	char kind[32];            /* "removal", "restored", "user", "deployment", "suffix" */
	char detail[HF_TEXT_MAX]; /* what was seen: the other deployment's id, the other suffix */
	int64_t since_s;          /* wall clock */
	uint64_t fresh_ms;        /* fresh time spent of `grace` */
	/* the operator keeps what it holds until it is listed again or accepted */
	bool rejected;
};

/* A name that came out of the published zone after the store was lost. Served as stale. */
struct hf_restored_row {
	struct hf_name name;
	uint8_t addr[16];
	bool primary;
	uint32_t source; /* rid */
	int64_t first_seen_s;
	uint8_t flags; /* HF_REC_HELD, HF_REC_WITHDRAWN: as it was published */
	bool kept;     /* the operator rejected its removal */
};

/* A long text that rows refer to by its rid (from 1). */
struct hf_text_row {
	uint32_t rid;
	char text[HF_RIGHTS_MAX];
};
