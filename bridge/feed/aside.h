/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * aside: changes of names that are in trouble by themselves, so that no other name waits for them:
 * the adapter could not do them, or what was taken goes on to be answered. Each has a wait of its
 * own, which doubles. The ledger has these names too, and keeps them over a restart: here is when
 * each is tried again, and why it failed. Some beyond the limit are known to the ledger alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "base/backoff.h"

struct hf_clock;

enum { HF_ASIDE_MAX = 1024, HF_ASIDE_WHY_MAX = 480 };

struct hf_aside_change {
	struct hf_record record;
	bool take;    /* it is to go; else it is to be put */
	uint8_t kind; /* of the caller, to find the first one of a kind */
	struct hf_backoff wait;
	int64_t at; /* boottime at which it is due */
	char why[HF_ASIDE_WHY_MAX];
};

struct hf_aside {
	const struct hf_clock *clock; /* borrowed */
	uint32_t floor_ms, cap_ms;
	struct hf_aside_change *changes; /* owned; in the order in which they came */
	size_t n, size;
};

void hf_aside_init(
    struct hf_aside *s, const struct hf_clock *clock, uint32_t floor_ms, uint32_t cap_ms);
void hf_aside_done(struct hf_aside *s);

/*
 * It failed, for the first time or again: the next wait is twice as long, and least_ms or more
 * (what trying it has cost the others). A name and address are here once; of one that is to be
 * put other addresses are to go from now on. Returns whether it is
 * held here.
 */
bool hf_aside_failed(struct hf_aside *s, const struct hf_record *record, bool take, uint8_t kind,
    int64_t least_ms, const char *why);
bool hf_aside_has(const struct hf_aside *s, const struct hf_name *name, const uint8_t addr[16]);
/* A name that is to be put with this address. */
bool hf_aside_puts(const struct hf_aside *s, const uint8_t addr[16]);
/* It was done, or is no longer wanted. */
void hf_aside_drop(struct hf_aside *s, const struct hf_name *name, const uint8_t addr[16]);

/* Milliseconds until the first is due; 0: now, -1: nothing is here. */
int64_t hf_aside_wait(const struct hf_aside *s);
/*
 * One that is due, of those to be taken or of those to be put; lent until the next call. It is not
 * due again before the longest wait is over, unless it fails. NULL: none is.
 */
const struct hf_aside_change *hf_aside_next(struct hf_aside *s, bool take);
/* The oldest of that kind, lent until the next call; NULL. */
const struct hf_aside_change *hf_aside_first(const struct hf_aside *s, uint8_t kind);
