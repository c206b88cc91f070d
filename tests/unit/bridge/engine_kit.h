/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * engine_kit: a core on a store and a zone in a folder of their own, with a clock that only the test moves.
 */
#include "base/clock.h"
#include "bridge/engine/engine.h"
#include "tests/unit/tmpdir.h"

struct hf_config;

struct core_kit {
	struct tmpdir dir;
	struct hf_fake_clock clock;
	struct hf_config *config; /* owned */
	struct hf_core *core;     /* owned; NULL while it is not open */
};

/* The folder and the configuration: one source "main", owner alice, suffix coder. */
void core_kit_init(struct core_kit *k);
void core_kit_done(struct core_kit *k);
/* Other sources, as lines of the configuration; a core that is open gets them, too. */
void core_kit_sources(struct core_kit *k, const char *sources);
/* The one source as at the start, and more lines of the configuration. */
void core_kit_more(struct core_kit *k, const char *lines);

int core_kit_try_open(struct core_kit *k);
/* Opens, and tells who alice is. */
void core_kit_open(struct core_kit *k);
/* As SIGTERM does. */
void core_kit_stop(struct core_kit *k);
/* A process that opens it, takes a snapshot of `n` workspaces and is killed. */
void core_kit_killed_life(struct core_kit *k, unsigned n);

/* A snapshot of alice with workspaces w1 to wN of one agent each; settles. */
void core_kit_snapshot(struct core_kit *k, unsigned n);
/* That message, until the next call. */
const struct hf_update *core_kit_message(unsigned n);
/* It alone; what became of it. */
int core_kit_try_snapshot(struct core_kit *k, unsigned n);
/*
 * The first slice of the change that the last message made, and no more: it is being written now, on a machine of any
 * speed, until core_kit_settle() or the next turns of work end it.
 */
void core_kit_begin_writing(struct core_kit *k);
/* Until all is durable and readers see it, or the store has failed. */
void core_kit_settle(struct core_kit *k);

/* Names that a reader finds in the published zone. */
size_t core_kit_published(const struct core_kit *k);
enum hf_store_state core_kit_store(const struct core_kit *k);
/* "store.db" + tail */
const char *core_kit_file(const struct core_kit *k, const char *tail);
bool core_kit_exists(const struct core_kit *k, const char *tail);
/* Files that were set aside. */
size_t core_kit_aside(const struct core_kit *k);
/* Nothing of it can be read any more. */
void core_kit_damage(const struct core_kit *k);
