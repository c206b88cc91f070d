/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dirty_names: names that something may have changed since the last commit, each with what the
 * store has of it. Private to state.
 */
#include "bridge/state/claimant.h"

struct st_dirty_name {
	const struct st_record *before; /* in the arena; NULL: not published */
	uint32_t hash;
	bool unresolved;
	bool published; /* as last resolved */
	uint8_t why;
	uint8_t len;
	uint8_t wire[];
};

/* Before anything changes what the name tells. */
void hf_st_touch(struct hf_state *s, uint32_t hash, const struct hf_name *name);
/* The same for the name that `who` publishes now, if it does. */
void hf_st_touch_published(struct hf_state *s, uint32_t who);
/* It publishes more or less than before: its PTR may change. */
void hf_st_note_changed(struct hf_state *s, uint32_t who);
void hf_st_set_published(struct hf_state *s, uint32_t who, bool published);

/* Changed names since the last commit, for hf_state_take(). */
int hf_st_names_take(struct hf_state *s);
void hf_st_names_committed(struct hf_state *s);
void hf_st_names_not_committed(struct hf_state *s);
void hf_st_names_forget(struct hf_state *s); /* the same, of a state that ends */
