/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ledger: what one adapter owns in its resolver and how far it came, as the store keeps it. What
 * was not written yet waits here: receipts are written many at once, an intent before what it
 * announces. Reading does not see what waits: flush first where that matters.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/store/store.h"

/* `state` of a row, with ROW_PRIMARY where the address's PTR is to point to the name. */
enum hf_row {
	ROW_NONE,
	ROW_TRIED, /* it was about to be put: whether it is there has to be asked */
	ROW_PUT,   /* it was put there */
	ROW_STALE, /* left there by an earlier run whose ledger is lost */
	ROW_CLASH, /* wanted, but somebody else has the name: not ours */
	ROW_UNFIT, /* wanted, but it does not fit: not there */
	ROW_ZONE,  /* the name is a suffix that the adapter was told */
	/*
	 * Set aside (aside.h). Earlier programs do not know these two, and leave or forget them.
	 */
	ROW_FAILED, /* it could not be put or taken, or only by half: tried again by itself */
	ROW_STUCK,  /* it was taken, and was not seen to be gone */
	ROW_LAST,
	ROW_PRIMARY = 0x80,
};

enum { HF_LEDGER_ROWS_MAX = 16 };

struct hf_ledger {
	struct hf_store *store; /* borrowed */
	const struct hf_clock *clock;
	char adapter[HF_TEXT_MAX];
	bool loaded;
	struct hf_cursor cursor;   /* generation 0: nothing was finished yet */
	uint64_t counts[ROW_LAST]; /* with what waits */
	struct hf_owned *set;      /* owned, as `gone` */
	size_t n_set, size_set;
	struct hf_owned *gone;
	size_t n_gone, size_gone;
	bool cursor_moved;
	uint64_t n_written; /* transactions of this life */
	int64_t since;      /* boottime at which the oldest of what waits came; 0: nothing waits */
};

void hf_ledger_init(
    struct hf_ledger *l, struct hf_store *store, const struct hf_clock *clock, const char *adapter);
void hf_ledger_done(struct hf_ledger *l);

/* What the store knows. 1, 0 if it does not know the adapter in this epoch, or a code. */
int hf_ledger_load(struct hf_ledger *l);

static inline enum hf_row hf_ledger_row_of(uint8_t state)
{
	return (enum hf_row)(state & 0x0f);
}
static inline bool hf_ledger_row_is_there(uint8_t state)
{
	return hf_ledger_row_of(state) >= ROW_TRIED && hf_ledger_row_of(state) <= ROW_STALE;
}
static inline bool hf_ledger_row_is_aside(uint8_t state)
{
	return hf_ledger_row_of(state) == ROW_FAILED || hf_ledger_row_of(state) == ROW_STUCK;
}
/* Where it is no longer wanted it has to be taken. */
static inline bool hf_ledger_row_may_be_there(uint8_t state)
{
	return hf_ledger_row_is_there(state) || hf_ledger_row_is_aside(state);
}
static inline bool hf_ledger_row_is_skipped(uint8_t state)
{
	return hf_ledger_row_of(state) == ROW_CLASH || hf_ledger_row_of(state) == ROW_UNFIT;
}

/* `before` is the row's state until now, ROW_NONE: there was none. 0 or -ENOMEM. */
int hf_ledger_set(struct hf_ledger *l, const struct hf_name *name, const uint8_t addr[16],
    uint8_t before, uint8_t state);
int hf_ledger_gone(
    struct hf_ledger *l, const struct hf_name *name, const uint8_t addr[16], uint8_t before);
/* How far it came. `keep`: worth a write of its own. */
void hf_ledger_reached(
    struct hf_ledger *l, const uint8_t epoch[16], uint64_t generation, bool keep);
size_t hf_ledger_waiting(const struct hf_ledger *l);
/* Writes what waits. -EBUSY: not now; another code: it stays. */
int hf_ledger_flush(struct hf_ledger *l);
/* All is forgotten, here and in the store. */
int hf_ledger_forget(struct hf_ledger *l);

/* Whether a state of that row waits to be written, and which. */
bool hf_ledger_waits(const struct hf_ledger *l, const struct hf_name *name, const uint8_t addr[16],
    uint8_t *ret_state);

/* The rows of one name. */
struct hf_rows {
	struct hf_owned at[HF_LEDGER_ROWS_MAX];
	size_t n;
};
int hf_ledger_rows(struct hf_ledger *l, const struct hf_name *name, struct hf_rows *ret_rows);
/* The state of one row; ROW_NONE. */
uint8_t hf_ledger_rows_state(const struct hf_rows *rows, const uint8_t addr[16]);
