/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * listeners: whether anybody answers DNS out of what the bridge publishes. Every dns.probe-interval
 * each address of dns.listen is asked for our suffix, on the loop, and where none of them answers
 * the usual places of an unbound with our module. What was found is for status, /readyz and the
 * service manager.
 */
#include "bridge/front/answering.h"

struct event_base;
struct hf_clock;
struct hf_config;
struct hf_engine;
struct hf_feeds;
struct hf_listeners; /* opaque */

struct hf_listeners_env {
	struct event_base *base; /* all borrowed; they outlive it */
	const struct hf_clock *clock;
	struct hf_engine *engine;
	struct hf_feeds *feeds;
};

/* `config` is borrowed until hf_listeners_configure(). 0 or -ENOMEM. */
int hf_listeners_new(const struct hf_listeners_env *env, const struct hf_config *config,
    struct hf_listeners **ret_listeners);
void hf_listeners_configure(struct hf_listeners *l, const struct hf_config *config);
void hf_listeners_free(struct hf_listeners *l); /* NULL is fine */

/* What is known now. */
void hf_listeners_answering(const struct hf_listeners *l, struct hf_answering *ret_answering);
/*
 * Those of dns.listen, as last asked; at most HF_LISTENERS_MAX of them. Lent until the next turn of
 * the loop.
 */
enum { HF_LISTENERS_MAX = 32 };
const struct hf_listener *hf_listeners_get(const struct hf_listeners *l, size_t *ret_n);
