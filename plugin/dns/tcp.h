/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tcp: one thread that answers questions by TCP. RFC 7766: many on one connection, also sent
 * before the first was answered; answers come in the order of the questions.
 *
 * Nothing that a client does costs more than its own connection: each has fixed buffers; one that
 * does not finish a question, or does not take its answers, for `idle_ms` is closed; where there
 * are too many, of one client or in all, the one that has been silent longest makes room.
 */
#include <stddef.h>
#include <stdint.h>

#include "plugin/dns/responder.h"

struct hf_acl_box;
struct hf_clock;
struct hf_socks;
struct hf_tcp;

struct hf_tcp_limits {
	size_t connections;
	size_t per_client; /* an address of IPv4, a /64 of IPv6, an address of the link */
	int64_t idle_ms;
};

/*
 * Serves the stream sockets among `socks`. Everything is borrowed and outlives it but `limits` and
 * `responder`, which are copied. 0 or a code. End it with hf_tcp_free().
 */
int hf_tcp_start(const struct hf_socks *socks, const struct hf_responder *responder,
    struct hf_acl_box *acl, const struct hf_clock *clock, const struct hf_tcp_limits *limits,
    struct hf_tcp **ret_tcp);
void hf_tcp_free(struct hf_tcp *t); /* NULL is fine */
