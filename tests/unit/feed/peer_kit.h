/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * peer_kit: what one object of a feed needs beside itself: a store, a fake clock, and an adapter
 * that only notes what it is told. Its answers are the test's to give. parts: what the larger
 * objects work with.
 */
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/feed_warnings.h"
#include "bridge/feed/feed_zones.h"
#include "bridge/feed/outbox.h"
#include "bridge/feed/questions.h"
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
/* A commit of one name. A withdrawn one withdraws all; one that is removed is told as it was. */
void peer_commit(struct peer *p, const char *name, uint8_t addr, uint8_t flags);
void peer_remove(struct peer *p, const char *name, uint8_t addr, uint8_t flags);

enum { PARTS_FLOOR_MS = 50, PARTS_SKIPPED_MS = 60000 };

struct parts {
	struct hf_outbox outbox;
	struct hf_feed_zones zones; /* "coder", and told */
	struct hf_questions questions;
	struct hf_feed_warnings warnings;
	char lot[4096];
};

void parts_init(struct parts *s, struct peer *p);
void parts_done(struct parts *s);
/* A row, on the disk; a name has one with that address at most. */
void parts_own(struct parts *s, const char *name, uint8_t addr, uint8_t state);
/* The lot that is asked for: "a.coder 1*;!b.coder 2;", * primary, ! absent; "": none is. */
const char *parts_lot(struct parts *s);
/* All of it is answered so. */
void parts_answer(struct parts *s, enum hf_is is);
/* One of it; before parts_answered(). */
void parts_answer_one(struct parts *s, const char *name, enum hf_is is);
void parts_answered(struct parts *s);
