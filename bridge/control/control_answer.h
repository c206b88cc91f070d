/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * control_answer: what a request is answered, as lines of JSON.
 */
#include <stdio.h>

#include "bridge/control/control_request.h"

struct hf_clock;
struct hf_config;
struct hf_engine;
struct hf_feeds;
struct hf_listeners;
struct hf_sources;

/* Reloads since the bridge began. */
struct hf_reloads {
	uint64_t done;
	uint64_t rejected; /* the configuration that ran before stayed */
	uint64_t waited;   /* of both: until a change that was being written was on the disk */
};

/* What answers are made of; all borrowed. */
struct hf_control_env {
	struct hf_engine *engine;
	struct hf_sources *sources;
	struct hf_feeds *feeds;
	const struct hf_listeners *listeners;
	const struct hf_reloads *reloads;
	const struct hf_config *config;
	const struct hf_clock *clock;
	/* The engine has something to do. */
	void (*work)(void *arg);
	void *work_arg;
};

/* All lines, the last one included. Whether `out` took them is the caller's to see. */
void hf_control_answer(
    const struct hf_control_env *env, const struct hf_control_request *request, FILE *out);
