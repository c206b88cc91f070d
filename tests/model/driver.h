/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * driver: the bridge from its sources to its published zone, on a clock that only lines move: the
 * engine, the sources with a client that lines play (peer.h), and a reader of the zone.
 *
 * Lines come from standard input, each is answered with a line: "ok ...", "unreal" where no server
 * or machine could do that now, "failed WHY". README.md has the language. "? NAME..." is answered
 * by show.c.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "bridge/engine/engine.h"
#include "bridge/follow/sources.h"
#include "config/config.h"
#include "tests/scenario/words.h"
#include "zone/answer.h"

enum { DRIVER_SOURCES = 12, DRIVER_KEYS = 32, DRIVER_TEXT = 512 };

struct event_base;

struct driver {
	struct hf_fake_clock clock;
	char dir[256];
	struct {
		char name[64], text[DRIVER_TEXT]; /* text: its keys as YAML */
	} conf[DRIVER_SOURCES];
	size_t n_conf;
	struct {
		char key[64], value[128];
	} keys[DRIVER_KEYS];
	size_t n_keys;
	struct event_base *base; /* owned, as all below */
	struct hf_config *config;
	struct hf_engine *engine; /* NULL while the bridge is down */
	struct hf_sources *sources;
	struct hf_zone *zone;
	struct hf_zone_reader *reader;
	bool in_contact[DRIVER_SOURCES]; /* by place in conf: a pong comes with each wait */
	unsigned slices; /* not 0: so many steps of work after the next line, and no more */
	char why[512];   /* what failed */
};

/* Answers "? NAME...": all that readers and the operator see, and those names, "." at the end. */
void show(struct driver *d, const struct words *names);
/* 0; -ENOENT: there is no zone; or why it cannot be read. */
int driver_read(struct driver *d);
