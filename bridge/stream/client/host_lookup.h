/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * host_lookup: the addresses of a host, asked for on the loop by libunbound, as /etc/resolv.conf
 * and /etc/hosts say. Never blocks; nothing is cached here: who asks keeps what was good.
 */
#include "bridge/stream/wire/address.h"
#include "bridge/stream/wire/problem.h"

struct event_base;
struct hf_host_lookup; /* opaque */

/* Told once; both are lent. `problem` NULL: there is at least one address. The resolve is gone. */
typedef void (*hf_host_lookup_cb)(
    void *arg, const struct hf_addresses *addresses, const struct hf_problem *problem);

struct hf_host_lookup_config {
	struct event_base *base; /* borrowed; outlives it */
	const char *host;        /* a name, or an address, which is known at once */
	const char *resolv_conf; /* NULL: /etc/resolv.conf */
	const char *hosts;       /* NULL: /etc/hosts */
	int64_t limit_ms;        /* for all of it */
};

/* The callback never comes from within. End it before its time with hf_host_lookup_free(). */
int hf_host_lookup_new(const struct hf_host_lookup_config *config, hf_host_lookup_cb cb, void *arg,
    struct hf_host_lookup **ret_resolve);
void hf_host_lookup_free(struct hf_host_lookup *r); /* NULL is fine */

/* libunbound's version, of the library that runs. */
const char *hf_host_lookup_library(void);
