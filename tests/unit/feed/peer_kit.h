/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * peer_kit: what one object of a feed needs beside itself: a store, a fake clock, and an adapter
 * that only notes what it is told. Its answers are the test's to give.
 */
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/ledger.h"
#include "tests/unit/store/store_kit.h"

enum { PEER_ZONES_MAX = 8 };

struct peer {
	struct fixture fx;
	struct hf_adapter_type type;
	struct hf_feed_peer peer;
	/* what the adapter was told */
	const struct hf_batch *batch; /* lent until the receipt */
	unsigned n_applies, n_completes, n_lists, n_verifies, n_zones;
	struct hf_expect *expect;
	size_t n_expect;
	char zones[PEER_ZONES_MAX][40];
	size_t n_told;
	uint32_t ttl_s;
	/* Of the change that is handed over, as the store has it at that moment. */
	uint8_t row_at_apply;
};

void peer_init(struct peer *p);
void peer_done(struct peer *p);
/* Addresses are a last byte of ours. */
struct hf_record peer_record(const char *name, uint8_t addr, bool primary);
/* The state of a row as the store has it; ROW_NONE. */
uint8_t peer_row(struct peer *p, const char *name, uint8_t addr);
