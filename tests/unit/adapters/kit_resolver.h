/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kit_resolver: a small DNS server on the test's own loop, by UDP and TCP on one port of 127.0.0.1.
 * The test decides what each question gets.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "config/config.h"

enum { RESOLVER_PACKET_MAX = 4096 };

struct resolver_question {
	const uint8_t *packet; /* as it came */
	size_t len;
	bool tcp;
	unsigned nth; /* from 1, UDP and TCP together */
};

/* Writes an answer to `out` and returns its length; 0: none. */
typedef size_t (*resolver_cb)(
    const struct resolver_question *q, uint8_t out[static RESOLVER_PACKET_MAX], void *arg);

struct resolver {
	struct event_base *base; /* borrowed */
	struct hf_endpoint at;
	int udp;
	int tcp;
	struct event *on_udp;
	struct event *on_tcp;
	unsigned n;
	resolver_cb cb;
	void *arg;
};

void resolver_open(struct resolver *r, struct event_base *base, resolver_cb cb, void *arg);
void resolver_close(struct resolver *r);

/* An answer to it: header and question, with `flags` or'ed into bytes 2 and 3. Its length. */
size_t resolver_answer(
    const struct resolver_question *q, uint16_t flags, uint8_t out[static RESOLVER_PACKET_MAX]);
/* Adds a record whose owner is the question's name. Its length. */
size_t resolver_add(uint8_t out[static RESOLVER_PACKET_MAX], size_t len, uint16_t type,
    uint32_t ttl_s, const void *data, size_t n);
