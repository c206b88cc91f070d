/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * status_line: how the bridge does, in one line: for the health listener and the service manager.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/front/answering.h"
#include "bridge/engine/engine.h"

struct hf_engine;
struct hf_listeners;

struct hf_status_line {
	size_t names;
	struct hf_tally tally; /* of all sources */
	bool published;        /* there is a zone that answers can be made of */
	bool ready; /* it is published, and somebody is known or believed to answer from it */
	struct hf_answering answering;
	/* a large message is half taken up: numbers would be neither before nor after it */
	bool changing;
	bool fresh;            /* every source that has names is */
	int64_t stale_since_s; /* wall clock; 0: not known */
	unsigned held;         /* removals that wait */
	bool store_ok;
	bool zone_ok;  /* readers find what the model has */
	bool pulse_ok; /* ... and see who is live */
};

/* `listeners` NULL: whether anybody answers is not known. */
void hf_status_line_fill(struct hf_engine *engine, const struct hf_listeners *listeners,
    struct hf_status_line *ret_summary);

enum { HF_STATUS_LINE_MAX = 640 };
/*
 * "serving 312 names, live", "serving 312 names, stale since 2026-11-21T12:00:00Z, 1 removal
 * waits"; "serving, and a large message is being taken up"; "NOT ANSWERING: holdfast-dns at
 * 127.0.0.1@5453 (Connection refused); 312 names are published, live".
 */
char *hf_status_line_text(const struct hf_status_line *s, char out[static HF_STATUS_LINE_MAX]);
