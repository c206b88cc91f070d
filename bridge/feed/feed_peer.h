/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed_peer: whom a feed feeds, and from what: what all objects of one feed know. All of it is
 * borrowed from the feed and outlives the objects.
 */
#include "adapters/adapter.h"
#include "base/clock.h"

struct hf_store;

struct hf_feed_peer {
	const struct hf_adapter_type *type;
	struct hf_adapter *adapter;
	struct hf_store *store;
	const struct hf_clock *clock;
	const char *who; /* for the log: "adapter 'NAME'" */
};

enum { HF_FEED_SLICE_MS = 4 /* how long a step may hold the loop */ };

static inline int64_t hf_feed_peer_now(const struct hf_feed_peer *peer)
{
	return hf_boot_ms(peer->clock);
}
