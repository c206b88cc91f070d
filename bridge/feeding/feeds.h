/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feeds: all adapters of the configuration, each with its feed, on one loop. One that is in trouble
 * holds up none of the others.
 */
#include <stdbool.h>
#include <stddef.h>

#include "bridge/feed/feed.h"

struct hf_config;
struct hf_engine;
struct hf_feeds; /* opaque */

/*
 * Begins to feed what `config` names; it is borrowed until hf_feeds_configure(). `engine` and
 * `clock` are borrowed and outlive it. An adapter that cannot be made is logged, and the others are
 * there. 0 or -ENOMEM.
 */
int hf_feeds_new(struct event_base *base, struct hf_engine *engine, const struct hf_clock *clock,
    const struct hf_config *config, struct hf_feeds **ret_feeds);
/* The resolvers keep what they have. NULL is fine. */
void hf_feeds_free(struct hf_feeds *s);

/* Sets aside the memory that the next hf_feeds_configure() must not fail for. 0 or -ENOMEM. */
int hf_feeds_reserve(struct hf_feeds *s);
/*
 * Another configuration, after hf_feeds_reserve(). What has not changed goes on undisturbed, what
 * is gone is torn down as the old one says. `before` is the one that was borrowed until now: it is
 * taken over, and freed when no adapter needs it any more.
 */
void hf_feeds_configure(struct hf_feeds *s, const struct hf_config *next, struct hf_config *before);
/* The store or the state may have news. Cheap. */
void hf_feeds_poke(struct hf_feeds *s);

/*
 * The bridge ends: those with teardown clean take their names out, for at most so long; `done` is
 * called from the loop, at once where there is nothing to do.
 */
void hf_feeds_end(struct hf_feeds *s, int64_t limit_ms, void (*done)(void *arg), void *arg);

/* Those that are configured; in the order of the configuration where none was added since. */
size_t hf_feeds_n(const struct hf_feeds *s);
struct hf_feed *hf_feeds_at(const struct hf_feeds *s, size_t i);
struct hf_feed *hf_feeds_find(const struct hf_feeds *s, const char *name); /* or NULL */
