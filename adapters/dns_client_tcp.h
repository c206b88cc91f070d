/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dns_client_tcp: one question by TCP, on a connection of its own.
 */
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct hf_dns_client_tcp; /* opaque */
struct hf_endpoint;

/* The answer's bytes (lent for the call), or why there is none. The owner may free it within. */
typedef void (*hf_dns_client_tcp_cb)(int code, const uint8_t *packet, size_t len, void *arg);

/* `query` is copied. cb is called once, from the loop, unless it is freed before. */
int hf_dns_client_tcp_new(struct event_base *base, const struct hf_endpoint *server,
    const uint8_t *query, size_t len, uint32_t timeout_ms, hf_dns_client_tcp_cb cb, void *arg,
    struct hf_dns_client_tcp **ret_tcp);
void hf_dns_client_tcp_free(struct hf_dns_client_tcp *t); /* NULL is fine */
