/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * teardown: takes all that is ours out of a resolver, then its suffixes, and then the store forgets
 * the adapter.
 */
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/feed_step.h"
#include "bridge/feed/feed_zones.h"
#include "bridge/feed/outbox.h"

struct hf_feed_teardown {
	const struct hf_feed_peer *peer; /* borrowed, as the next two */
	struct hf_outbox *outbox;
	struct hf_feed_zones *zones;
	bool unreached;       /* nothing of ours was there or had been tried */
	bool ended;           /* all rows were gone through */
	bool clean;           /* all of it is done */
	struct hf_owned last; /* the row behind which to go on */
	bool has_last;
	uint64_t n_taken;
	unsigned n_emptied; /* attempts to have the suffixes taken out */
};

/*
 * Begins. `unreached`: one attempt is enough, nothing of ours is there. From here on the ledger has
 * come nowhere: one that is cut off and configured again has all that is wanted put.
 */
void hf_teardown_begin(struct hf_feed_teardown *t, bool unreached);
/* Until it is clean. */
struct hf_feed_step hf_teardown_step(struct hf_feed_teardown *t);
/* A change of it is through (hf_outbox_fate_cb, arg: the teardown). */
void hf_teardown_told(void *arg, const struct hf_change *change, enum hf_fate fate);
