/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * settle: rows of what was under way when a life was cut off. Whether it was done has to be asked
 * before anything else.
 */
#include "bridge/feed/feed_step.h"
#include "bridge/feed/ledger.h"
#include "bridge/feed/questions.h"

/* Fills the lot with such rows: their number, or a code. 0: there are none. */
int hf_settle_fill(struct hf_ledger *l, struct hf_questions *q);
/* The answer. FAILED: some are not known yet. */
struct hf_feed_step hf_settle_answered(
    struct hf_ledger *l, const struct hf_questions *q, int code, const char *text);
