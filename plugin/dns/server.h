/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * server: holdfast-dns as one object: the view of the zone, a thread for each UDP socket, one for
 * TCP, and what they share.
 */
#include "plugin/dns/tcp.h"

struct hf_clock;
struct hf_prefixes; /* config/config.h */
struct hf_server;
struct hf_socks;

struct hf_server_opts {
	const char *zone;                /* its folder; copied */
	const struct hf_socks *socks;    /* borrowed; outlives the server */
	const struct hf_prefixes *allow; /* copied */
	const struct hf_clock *clock;    /* borrowed; outlives the server */
	struct hf_tcp_limits tcp;
};

/*
 * Reads the zone, if there is one, and then answers. 0 or a code. Only what the machine cannot give
 * makes it fail, nothing that is in the zone's folder. End it with hf_server_free().
 */
int hf_server_start(const struct hf_server_opts *opts, struct hf_server **ret_server);
void hf_server_free(struct hf_server *s); /* NULL is fine */

/* From the next batch on. 0 or -ENOMEM: then the old list stays. */
int hf_server_allow(struct hf_server *s, const struct hf_prefixes *allow);

/*
 * Now and then, from the thread that started it: logs when the zone gets in trouble or out of it.
 */
void hf_server_watch(struct hf_server *s);
