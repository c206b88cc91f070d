/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * health: /healthz and /readyz by HTTP, on status.listen. /healthz is 200 as long as the loop goes
 * round, whatever upstream does; /readyz is 503 while there is nothing that could be answered, or
 * nobody who answers. How fresh the names are is in the body. Nobody's token is needed, nothing can
 * be changed; a client has a few seconds and a small head.
 */
struct event_base;
struct hf_config;
struct hf_engine;
struct hf_health; /* opaque */
struct hf_listeners;

/*
 * Listens where `config` says, if it does. An address that cannot be had is logged, and *ret_health
 * is there all the same: names matter more. `engine` and `listeners` are borrowed and outlive it. 0
 * or -ENOMEM.
 */
int hf_health_new(struct event_base *base, struct hf_engine *engine,
    const struct hf_listeners *listeners, const struct hf_config *config,
    struct hf_health **ret_health);
/* Another configuration: another address is listened on. */
void hf_health_configure(struct hf_health *h, const struct hf_config *config);
/* Where it could not be listened on it is tried again. Cheap. */
void hf_health_poke(struct hf_health *h);
void hf_health_free(struct hf_health *h); /* NULL is fine */
