/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dns_client: plain DNS questions to one resolver, on the loop: read-back, canaries, doctors. Each
 * is asked of that address and of nobody else, nothing is cached, and what came is told as it came.
 * A socket of its own (UDP, TCP where the answer was cut), random ids, the question checked, a few
 * tries, a window of questions under way, and at most so many a second that the resolver has other
 * things to do.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

struct event_base;
struct hf_dns_client; /* opaque */
struct hf_dns_pace;   /* adapters/dns_pace.h */
struct hf_endpoint;   /* config/config.h */

enum { HF_DNS_CLIENT_ADDRS_MAX = 8, HF_DNS_CLIENT_TEXT_MAX = 256 };

struct hf_dns_client_opts {
	const struct hf_endpoint *server; /* copied */
	uint32_t timeout_ms;              /* of one try; 0: 200 */
	unsigned tries;                   /* 0: 3 */
	unsigned window;                  /* under way at once; 0: 100. The rest waits its turn */
	uint32_t per_second;              /* 0: 500 */
	bool no_recursion;                /* RD=0 */
	/* Of the server, for all who ask it; borrowed. NULL: only per_second counts. */
	struct hf_dns_pace *pace;
	/*
	 * The server may have a limit of its own, above which it answers nothing: each try waits
	 * twice as long as the one before, and the next one keeps to the pace too, before anything
	 * new is asked. A try counts only if the server answered something else meanwhile, and a
	 * server that answers nobody is given up after the time of 15 tries.
	 */
	bool gentle;
};

/* What came back. Lent for the call. */
struct hf_asked {
	int code; /* 0: there was an answer, whatever it says; -ETIMEDOUT, -ECONNREFUSED, HF_E... */
	uint8_t rcode;
	bool aa;
	bool ad;
	uint32_t ttl_s; /* the lowest of the answer section */
	size_t
	    n_records;  /* of the asked type in the answer section, also those beyond the arrays */
	size_t n_addrs; /* AAAA */
	uint8_t addrs[HF_DNS_CLIENT_ADDRS_MAX][16];
	bool has_target; /* PTR, CNAME: the first one's; SOA: its server */
	struct hf_name target;
	size_t text_len; /* TXT: the first record's strings in a row */
	char text[HF_DNS_CLIENT_TEXT_MAX];
	bool has_soa;            /* in the authority section, as a negative answer should have it */
	uint32_t negative_ttl_s; /* what it allows */
	int ede;                 /* -1: none */
};
typedef void (*hf_asked_cb)(const struct hf_asked *asked, void *arg);

int hf_dns_client_new(
    struct event_base *base, const struct hf_dns_client_opts *opts, struct hf_dns_client **ret_ask);
/* No callback is called any more. NULL is fine. Not within a callback. */
void hf_dns_client_free(struct hf_dns_client *a);

/* `type` as DNS numbers it. cb is called once, from the loop. 0 or -ENOMEM. */
int hf_dns_client_send(
    struct hf_dns_client *a, const struct hf_name *name, uint16_t type, hf_asked_cb cb, void *arg);
/* Questions that have no answer yet. */
size_t hf_dns_client_waiting(const struct hf_dns_client *a);
