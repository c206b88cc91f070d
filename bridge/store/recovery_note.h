/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * recovery_note: the note beside the store that its one recovery was begun, or done. It is written
 * and synced before anything else is done, so that no crash makes two attempts of one, and none of
 * none.
 *
 *   no file    a recovery is allowed
 *   started    one is under way. Whoever opens the store goes on with it: a sound store of the
 *              epoch that is named here is its result; a sound store of another epoch needs none
 *              (the note goes); else it is tried again, a few times
 *   spent      it was done. A store that is damaged again stays as it is, until the note is taken
 *              away
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/store/store_files.h"
#include "bridge/store/store.h"

enum hf_recovery_note_state {
	HF_RECOVERY_NOTE_NONE,
	HF_RECOVERY_NOTE_STARTED,
	HF_RECOVERY_NOTE_SPENT
};

struct hf_recovery_note {
	enum hf_recovery_note_state state;
	/* how often it was begun: a crash in the midst makes one more */
	unsigned tries;
	uint8_t epoch[16];         /* of the store that it makes */
	enum hf_store_origin from; /* COPY, EMPTY or IMAGE */
	int64_t began_s;
	char aside[NAME_MAX + 1]; /* the name that the damaged file gets */
	char reason[256];
	uint64_t generation; /* of the copy that was taken; 0: nothing was */
	/*
	 * what the published zone knows beside it is not yet in the store, see
	 * hf_store_zone_taken()
	 */
	bool zone_due;
};

/* Absent or empty: NONE. What cannot be read or understood is SPENT: never one attempt too many. */
void hf_recovery_note_read(const struct hf_store_files *f, struct hf_recovery_note *ret_attempt);
int hf_recovery_note_write(const struct hf_store_files *f, const struct hf_recovery_note *attempt);
int hf_recovery_note_remove(const struct hf_store_files *f);
