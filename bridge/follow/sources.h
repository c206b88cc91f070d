/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sources: all that the bridge follows, on one loop, in step with the configuration; and what may
 * be reason for all of them to look again: sleep, network, the operator.
 */
#include "bridge/follow/source.h"

struct hf_sources; /* opaque */

/*
 * Begins to follow all sources; `env` as hf_source_new() takes it, but http, which is made here.
 * `config` is borrowed until the next hf_sources_configure().
 */
int hf_sources_new(struct event_base *base, const struct hf_source_env *env,
    const struct hf_config *config, struct hf_sources **ret_sources);
void hf_sources_free(struct hf_sources *s); /* NULL is fine */

/* A new configuration; a source that has not changed goes on undisturbed. The old one may go. */
void hf_sources_configure(struct hf_sources *s, const struct hf_config *config);
/* Each source begins a new connection now: identity, owners and snapshots are asked for anew. */
void hf_sources_redial(struct hf_sources *s);
/* The engine may have time again, or wishes. Cheap. */
void hf_sources_poke(struct hf_sources *s);

size_t hf_sources_n(const struct hf_sources *s);
struct hf_source *hf_sources_at(const struct hf_sources *s, size_t i);
struct hf_source *hf_sources_find(const struct hf_sources *s, const char *name); /* or NULL */
