/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * source: one source of the configuration and the client that follows it, with the engine behind
 * it.
 */
#include "bridge/stream/client/client.h"

struct event_base;
struct hf_clock;
struct hf_config;
struct hf_config_source;
struct hf_engine;
struct hf_http;
struct hf_source; /* opaque */

struct hf_source_env {
	struct hf_http *http; /* all borrowed; they outlive it */
	struct hf_engine *engine;
	const struct hf_clock *clock;
	/* The engine has something to do: call hf_engine_work() soon, not from within. */
	void (*work)(void *arg);
	void *work_arg;
};

/*
 * Begins to follow. `conf` is borrowed until hf_source_rebind(); `sole`: it is the only source.
 * 0 or -ENOMEM. End it with hf_source_free().
 */
int hf_source_new(const struct hf_source_env *env, const struct hf_config_source *conf, bool sole,
    struct hf_source **ret_source);
void hf_source_free(struct hf_source *s); /* NULL is fine */

/* The same configuration at another place in memory. */
void hf_source_rebind(struct hf_source *s, const struct hf_config_source *conf, bool sole);

/* After each hf_engine_work(): what had to wait for the store is done. */
void hf_source_poke(struct hf_source *s);

const char *hf_source_name(const struct hf_source *s);
const char *hf_source_url(const struct hf_source *s); /* "" if none is to be found */
struct hf_client *hf_source_client(struct hf_source *s);
