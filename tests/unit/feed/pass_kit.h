/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pass_kit: one pass on the parts that it works with. All that the adapter hears is written down as
 * text: "put NAME ADDR;", "take ...", "ask ...", "complete;". `*` is primary, `!` is to be gone,
 * `<ADDR` is the address that it had, `=` the same one.
 */
#include "bridge/feed/pass.h"
#include "tests/unit/feed/peer_kit.h"

struct run {
	struct peer p;
	struct parts s;
	struct hf_pass *pass; /* NULL: none has begun */
	uint64_t random;
	char heard[8000];
	size_t heard_len;
	unsigned n_completes; /* that are in `heard` */
	int verified;         /* of the last answer; -2: there was none */
};

void run_init(struct run *r);
void run_done(struct run *r);

struct hf_pass_env run_env(struct run *r);
void run_full(struct run *r, bool refill);
/* `before` is overtaken, and freed here; NULL: there is none. */
void run_log(struct run *r, struct hf_pass *before);
/* The change log is read from here on. */
void run_reached(struct run *r);
/* What was heard is forgotten. */
void run_forget(struct run *r);

/* Until the adapter has something to answer, it fails, or there is no more to do. */
struct hf_feed_step run_on(struct run *r);
/* The batch is through; `fates` NULL: all of it is done. */
struct hf_feed_step run_receipt(struct run *r, const uint8_t *fates);
/* What the lot says now is the answer. */
struct hf_feed_step run_answered(struct run *r, int code, const char *text);
/* All of the lot is so. */
struct hf_feed_step run_answer(struct run *r, enum hf_is is);

/* To the next question; all batches are done. */
void run_to_question(struct run *r);
/* To the end: all is done, and answered as it should be. */
void run_all(struct run *r);
