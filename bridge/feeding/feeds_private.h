/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feeds_private: what the files of this room share.
 *
 *   feeds.c        who is to be fed: configured, changed, taken out, at the end
 *   feeds_entry.c  one adapter: its feed, its timer, the configuration that it borrows
 *   feeds_place.c  what an adapter feeds: by that, and not by its name, it is known again
 */
#include "bridge/feeding/feeds.h"

#include <event2/event.h>

#include "bridge/engine/engine.h"
#include "config/config.h"

enum { HF_FEEDS_ENTRIES_MAX = 2 * HF_CONFIG_ADAPTERS_MAX };

/* A configuration that is no longer in force, but lent to an adapter. */
struct hf_feeds_kept {
	struct hf_config *config; /* owned; NULL: the one in force, which is not ours */
	unsigned users;
	struct hf_feeds_kept *next;
};

struct hf_feeds_entry {
	struct hf_feeds *feeds;
	struct hf_feed *feed;                   /* owned */
	struct event *timer;                    /* owned: hf_feed_work() is due */
	const struct hf_config_adapter *config; /* of `kept`: what the feed was made by */
	struct hf_feeds_kept *kept;
	const struct hf_config_adapter
	    *now; /* the same in what is in force; NULL: it is not there */
	char name[HF_TEXT_MAX];
	char ledger[HF_TEXT_MAX]; /* by which the store knows it: its place */
	bool leaving;             /* it is no longer configured, and takes its names out */
	int64_t left_ms;          /* boottime: since when */
};

struct hf_feeds {
	struct event_base *base;
	struct hf_engine *engine;
	const struct hf_clock *clock;
	const struct hf_config *config;
	struct hf_feeds_kept *kept;    /* owned list; the first is the one in force */
	struct hf_feeds_kept *reserve; /* owned: for the next configuration; NULL: none */
	int64_t again_ms; /* boottime: when those that could not be made are tried again */
	struct hf_feeds_entry *entries[HF_FEEDS_ENTRIES_MAX]; /* owned; those that leave are last */
	size_t n;
	struct event *sweep; /* owned: an entry has left */
	struct event *limit; /* owned: the end has taken long enough */
	struct event *turn;  /* owned: one that leaves has kept another waiting long enough */
	void (*done)(void *arg);
	void *done_arg;
};

/* --- feeds_entry.c --- */

/* The reserve becomes the one in force. */
void hf_feeds_kept_begin(struct hf_feeds *s);
/* One user fewer; with the last one it is freed, unless it is in force. */
void hf_feeds_kept_drop(struct hf_feeds *s, struct hf_feeds_kept *k);

/* At the end of those that do not leave. 0 or a code, which is logged. */
int hf_feeds_entry_add(struct hf_feeds *s, const struct hf_config_adapter *config);
/* The same place by its new configuration; the feed before it is closed. 0 or a code. */
int hf_feeds_entry_reopen(struct hf_feeds_entry *e, const struct hf_config_adapter *config);
/* All that is its own is taken; then the sweep finds it. It is the last one now. */
void hf_feeds_entry_leave(struct hf_feeds *s, size_t i);
/* Its resolver keeps what it has. */
void hf_feeds_entry_drop(struct hf_feeds *s, size_t i);
void hf_feeds_entry_wake(struct hf_feeds_entry *e);

/* --- feeds_place.c: pure but for the paths that it resolves --- */

/* "unbound /run/unbound.ctl"; of a hook its program. Never a name that an adapter can have. */
void hf_feeds_place_text(const struct hf_config_adapter *c, char out[static HF_TEXT_MAX]);
/* The same kind of adapter, and what it feeds is the same, also by another path. */
bool hf_feeds_place_is_same(const struct hf_config_adapter *a, const struct hf_config_adapter *b);
/* Adapters of two kinds write one file. */
bool hf_feeds_place_is_shared(const struct hf_config_adapter *a, const struct hf_config_adapter *b);
/* Nothing but the name is different, and what happens when it is taken out. */
bool hf_feeds_place_is_unchanged(
    const struct hf_config_adapter *a, const struct hf_config_adapter *b);
