/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * service_manager: what the service manager is told beside "ready" and "stopping": a status line
 * whenever it changes, and, where it asks for that, a sign of life. The sign is given from the
 * loop, and only while the engine is called when it wanted to be. Without a service manager it does
 * nothing.
 */
#include <stdint.h>

struct event_base;
struct hf_clock;
struct hf_engine;
struct hf_listeners;
struct hf_service_manager; /* opaque */

/* All are borrowed and outlive it. 0 or -ENOMEM. */
int hf_service_manager_new(struct event_base *base, const struct hf_clock *clock,
    struct hf_engine *engine, struct hf_service_manager **ret_service);
/* From now on the status line says whether anybody answers; borrowed. */
void hf_service_manager_watch(struct hf_service_manager *s, const struct hf_listeners *listeners);
/* The engine was called, and wants to be again in `wait_ms`. */
void hf_service_manager_worked(struct hf_service_manager *s, int64_t wait_ms);
void hf_service_manager_free(struct hf_service_manager *s); /* NULL is fine */
