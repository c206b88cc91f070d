/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * world: everything a scenario acts on: a folder of its own, a configuration that is built up line
 * by line, the bridge's engine on a fake clock, and a reader of the published zone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "bridge/engine/engine.h"
#include "config/config.h"
#include "zone/answer.h"

enum { WORLD_SOURCES = 8, WORLD_KEYS = 32, WORLD_OWNERS = 32, WORLD_SOURCE_KEYS = 8 };

struct world_source {
	char name[64], suffix[64], url[64];
	struct {
		char key[64], value[256];
	} keys[WORLD_SOURCE_KEYS]; /* more of its map */
	size_t n_keys;
	char owners[512];     /* the words of its key `owners`, a space between two */
	int64_t asked_ms;     /* boottime at which REST was asked last */
	int64_t connected_ms; /* boottime at which the connection of its messages was opened */
	char login[256];      /* the last line that said who answers */
};

struct world {
	struct hf_fake_clock clock;
	char dir[256];
	struct world_source sources[WORLD_SOURCES];
	size_t n_sources;
	struct {
		char key[64], value[128];
	} keys[WORLD_KEYS];
	size_t n_keys;
	char owners[WORLD_OWNERS][64]; /* index + 1 is the user's id */
	size_t n_owners;
	struct hf_config *config; /* owned */
	struct hf_engine *engine; /* owned; NULL while it is down */
	struct hf_zone *zone;     /* owned */
	struct hf_zone_reader *reader;
	bool in_contact[WORLD_SOURCES];
	bool at_once; /* no time passes after a message */
	bool asked;   /* for a snapshot, by the judgement of the last message */
	struct {
		uint64_t commits, generation;
		uint8_t epoch[16];
		long log; /* the place in it */
	} mark;
	FILE *log;       /* borrowed; what the bridge wrote to its log */
	char error[512]; /* of the line that failed */
};

/* In `dir`, with the log in `log`, which outlives it. */
void world_open(struct world *w, const char *dir, FILE *log);
void world_close(struct world *w);
/* One line of a scenario. False: w->error says why. */
bool world_line(struct world *w, char *line);

/* For the verbs: each remembers in w->error why it returns false. */
/* NULL and an error: there is none */
struct world_source *world_source(struct world *w, const char *name);
bool world_start(struct world *w);
bool world_reload(struct world *w);
void world_after(struct world *w, int64_t ms); /* second by second */
void world_settle(struct world *w); /* until a reader sees what came of the last message */
/*
 * Whenever nothing waits for the store: the sum that the state keeps with each change is what
 * counting gives.
 */
bool world_sum_is_right(struct world *w);
bool world_ask(struct world *w, const char *name, uint16_t type, struct hf_answer *ret_answer);
bool world_count(struct world *w, unsigned long long *ret_n);
void world_stop_reading(struct world *w); /* until the next question */

bool world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
