/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * changeset: what state decided, handed to the store as one transaction and from there to the zone:
 * all of it is on disk, or none.
 *
 * All pointers are borrowed from state and outlive the call (or, where it is applied in slices, the
 * last slice).
 */
#include <stddef.h>
#include <stdint.h>

#include "bridge/types/rows.h"

/* Why something changed; in the history and in `holdfastctl why`. */
enum hf_reason {
	HF_WHY_SNAPSHOT, /* a snapshot lists it, or no longer lists it */
	HF_WHY_DIFF,     /* a diff said so */
	HF_WHY_ACCEPTED, /* the operator accepted a held removal */
	HF_WHY_RELEASED, /* the guard released it */
	HF_WHY_HELD,     /* the guard holds its removal */
	HF_WHY_CONFIG,   /* the operator changed the configuration */
	HF_WHY_CLASH,    /* another record has the name by rule */
	HF_WHY_POLICY,   /* a hold policy */
	HF_WHY_RESTORED, /* out of the published zone after the store was lost */
	HF_WHY_IDENTITY, /* renamed, moved */
	HF_WHY_LAST,
};

/* What happened to a published name, for the history. */
enum hf_what {
	HF_WHAT_CHANGED, /* another address, agent or flags */
	HF_WHAT_ADDED,
	HF_WHAT_REMOVED,
	HF_WHAT_HELD,      /* upstream no longer lists it; the guard keeps it */
	HF_WHAT_RELEASED,  /* held before, listed again */
	HF_WHAT_WITHDRAWN, /* a hold policy took it out of the answers */
	HF_WHAT_RETURNED,  /* withdrawn before, answered again */
	HF_WHAT_LAST,
};

struct hf_row_change {
	enum hf_row_kind kind;
	bool removed; /* by rid; else the row is set as a whole */
	enum hf_reason why;
	uint32_t rid; /* always; of a row that is set it is the row's own */
	union {       /* unused for what is removed */
		const struct hf_source_row *source;
		const struct hf_owner_row *owner;
		const struct hf_workspace_row *workspace;
		const struct hf_agent_row *agent;
		const struct hf_hold_row *hold;
		const struct hf_text_row *text;
	} row;
};

/* A published name set or removed: for the zone, the adapters, and the history. */
struct hf_name_change {
	struct hf_name name;
	bool removed;
	enum hf_what what; /* where `removed` is set it is written as removed, whatever this says */
	enum hf_reason why;
	uint8_t flags; /* HF_REC_... */
	uint8_t addr[16];
	uint32_t source; /* rid */
	uint32_t owner;  /* rid; UINT32_MAX: none (restored) */
	uint32_t agent;  /* rid; UINT32_MAX: none (restored, sentinel) */
	int64_t first_seen_s;
};

struct hf_changeset {
	const struct hf_row_change *rows;
	size_t n_rows;
	/*
	 * The names as an array or, where `name_at` is set, one by one: 300,000 of them need not
	 * lie in memory at once. Use hf_changeset_name().
	 */
	const struct hf_name_change *names;
	void (*name_at)(const struct hf_changeset *c, size_t i, struct hf_name_change *ret_change);
	void *names_arg;
	size_t n_names;
	/*
	 * More names changed than are worth listing (300,000 changes are 100 MB): `names` is empty,
	 * and whoever follows the names takes all of them anew (hf_store_names_since() answers
	 * -ESTALE).
	 */
	bool names_reset;
	/* added; one that is there by that name is replaced */
	const struct hf_restored_row *restored;
	size_t n_restored;
	const struct hf_name *restored_gone; /* removed, before `restored` is added */
	size_t n_restored_gone;
	int64_t wall_s; /* when, by the wall clock */
};

static inline void hf_changeset_name(
    const struct hf_changeset *c, size_t i, struct hf_name_change *ret_change)
{
	if (c->name_at)
		c->name_at(c, i, ret_change);
	else
		*ret_change = c->names[i];
}
