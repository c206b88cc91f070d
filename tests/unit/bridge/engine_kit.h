/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * engine_kit: an engine on a store and a zone in a folder of their own, with a clock that only the
 * test moves.
 */
#include "base/clock.h"
#include "bridge/engine/engine.h"
#include "tests/unit/tmpdir.h"

struct hf_config;

struct engine_kit {
	struct tmpdir dir;
	struct hf_fake_clock clock;
	struct hf_config *config; /* owned */
	struct hf_engine *engine; /* owned; NULL while it is not open */
};

/* The folder and the configuration: one source "main", owner alice, suffix coder. */
void engine_kit_init(struct engine_kit *k);
void engine_kit_done(struct engine_kit *k);
/* Other sources, as lines of the configuration; an engine that is open gets them, too. */
void engine_kit_sources(struct engine_kit *k, const char *sources);
/* The one source as at the start, and more lines of the configuration. */
void engine_kit_more(struct engine_kit *k, const char *lines);

int engine_kit_try_open(struct engine_kit *k);
/* Opens, and tells who alice is. */
void engine_kit_open(struct engine_kit *k);
/* As SIGTERM does. */
void engine_kit_stop(struct engine_kit *k);
/* A process that opens it, takes a snapshot of `n` workspaces and is killed. */
void engine_kit_killed_life(struct engine_kit *k, unsigned n);

/* A snapshot of alice with workspaces w1 to wN of one agent each; settles. */
void engine_kit_snapshot(struct engine_kit *k, unsigned n);
/* That message, until the next call. */
const struct hf_update *engine_kit_message(unsigned n);
/* It alone; what became of it. */
int engine_kit_try_snapshot(struct engine_kit *k, unsigned n);
/*
 * The first slice of the change that the last message made, and no more: it is being written now,
 * on a machine of any speed, until engine_kit_settle() or the next turns of work end it.
 */
void engine_kit_begin_writing(struct engine_kit *k);
/* Until all is durable and readers see it, or the store has failed. */
void engine_kit_settle(struct engine_kit *k);

/* Names that a reader finds in the published zone. */
size_t engine_kit_published(const struct engine_kit *k);
enum hf_store_state engine_kit_store(const struct engine_kit *k);
/* "store.db" + tail */
const char *engine_kit_file(const struct engine_kit *k, const char *tail);
bool engine_kit_exists(const struct engine_kit *k, const char *tail);
/* Files that were set aside. */
size_t engine_kit_aside(const struct engine_kit *k);
/* Nothing of it can be read any more. */
void engine_kit_damage(const struct engine_kit *k);
