/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * adopt: what is there and in no row of the ledger. The adapter lists what it holds, and what is
 * below our suffixes and within our prefix (or between our marks) is compared with the ledger: what
 * is not in it becomes a stale row, which a full pass uses if it is wanted, and takes last if it is
 * not. Where not all can be listed, the names that were removed last are asked for.
 *
 * It is looked for where something may have come in: at the start of each life, after a loss, when
 * a suffix leaves, before all of it goes, and when somebody asks. With the ledger lost nothing
 * begins before it; else a look that fails is made again later, and delays nothing.
 */
#include "base/backoff.h"
#include "bridge/feed/feed.h"
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/feed_step.h"
#include "bridge/feed/feed_warnings.h"
#include "bridge/feed/feed_zones.h"
#include "bridge/feed/listed.h"
#include "bridge/feed/outbox.h"
#include "bridge/feed/questions.h"

enum hf_adopt_state {
	ADOPT_NOTHING,
	ADOPT_LISTING,   /* the adapter tells what is there */
	ADOPT_COMPARING, /* which of it is in no row? */
	ADOPT_SEEKING,   /* of names that were removed: are they there? */
};

struct hf_adopt {
	const struct hf_feed_peer *peer; /* borrowed, as the next four */
	struct hf_outbox *outbox;
	struct hf_feed_zones *zones;
	struct hf_questions *questions;
	struct hf_feed_warnings *warnings;

	enum hf_adopt_state state;
	bool due;               /* the adapter is to list what is there */
	int64_t at;             /* boottime before which it is not asked again */
	struct hf_backoff wait; /* after a look that failed */
	bool lost;              /* the ledger is of another epoch, or there is none */
	bool leaving;   /* the adapter goes: there is no time for questions, or a second try */
	bool asked;     /* the adapter is at it */
	bool whole;     /* all of it came */
	bool too_large; /* it is more than can be listed */
	int rc;         /* of keeping it */
	uint64_t check; /* the verification that it is for; 0: none */
	struct hf_listed listed;
	char name[HF_FEED_TEXT_MAX]; /* one that was found; "": none */
	char why[HF_FEED_TEXT_MAX];  /* of the last failure */
};

void hf_adopt_done(struct hf_adopt *a);

void hf_adopt_want(struct hf_adopt *a);          /* something may be there that nobody knows of */
int64_t hf_adopt_wait(const struct hf_adopt *a); /* until it is looked for; -1: never */

/* A look begins. `check`: the verification that it is for; 0: none. */
void hf_adopt_begin(struct hf_adopt *a, uint64_t check);
/* Until the state is ADOPT_NOTHING. Then rows are stale, or not. */
struct hf_feed_step hf_adopt_step(struct hf_adopt *a);
/* As hf_adapter_host has it. FAILED: it is to be listed once more. */
struct hf_feed_step hf_adopt_listed(
    struct hf_adopt *a, const struct hf_record *records, size_t n, int code, const char *text);
/* The answer to its question. */
void hf_adopt_answered(struct hf_adopt *a, int code, const char *text);
/* It is given up. */
void hf_adopt_drop(struct hf_adopt *a);
/* A pass is through: what was found may be gone by now. */
void hf_adopt_passed(struct hf_adopt *a);
