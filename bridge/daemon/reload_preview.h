/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reload_preview: what a configuration takes out of the answers, told before it does. It is the
 * operator's own act, so the guard has no say in it; he is to see the number.
 */
#include "bridge/engine/engine.h"

struct hf_config;

typedef void (*hf_reload_preview_cb)(const char *text, void *arg);

/* Against what the running bridge has: at reload. */
void hf_reload_preview_state(const struct hf_state *state, struct hf_when now,
    const struct hf_config *next, hf_reload_preview_cb cb, void *arg);
/*
 * Against what is published: for --check, which has no bridge. Where no zone can be read nothing is
 * told.
 */
void hf_reload_preview_zone(
    const char *dir, const struct hf_config *next, hf_reload_preview_cb cb, void *arg);
