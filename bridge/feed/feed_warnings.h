/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed_warnings: what people are warned of, of one adapter: by the adapter, and by the feed itself.
 * Each is logged when it comes, when its text changes, and when it is over.
 */
#include "bridge/feed/feed.h"
#include "bridge/feed/feed_peer.h"

#define HF_FEED_WARN_NOT_ADOPTED "not-adopted"
#define HF_FEED_WARN_UNEXPECTED "unexpected-names"
#define HF_FEED_WARN_CLASH "clash"

struct hf_feed_warnings {
	const struct hf_feed_peer *peer; /* borrowed */
	struct hf_feed_warning at[HF_FEED_WARNINGS_MAX];
	size_t n;
};

/* `code` is one word; text NULL: it is over. Beyond the limit it is not kept. */
void hf_feed_warnings_set(struct hf_feed_warnings *w, const char *code, const char *text);
/* The text of that code, lent until the next call; NULL: it is not warned of. */
const char *hf_feed_warnings_text(const struct hf_feed_warnings *w, const char *code);
