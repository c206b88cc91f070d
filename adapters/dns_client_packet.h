/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dns_client_packet: the packets of ask: a question to bytes, bytes to what came back. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/dns_client.h"

enum {
	HF_DNS_CLIENT_QUERY_MAX = 12 + HF_NAME_MAX + 4 + 11, /* with an OPT record */
	HF_DNS_CLIENT_UDP_SIZE = 1232,                       /* what we can take by UDP */
};

/* Returns its length. */
size_t hf_dns_client_packet_query(const struct hf_name *name, uint16_t type, uint16_t id,
    bool recurse, uint8_t out[static HF_DNS_CLIENT_QUERY_MAX]);

/* The id of a packet that may be an answer; -1 for what cannot be one. */
int hf_dns_client_packet_id(const uint8_t *packet, size_t len);

/*
 * The answer to that question. HF_EPEER: it is the answer to something else, or no answer;
 * HF_EFORMAT: it is malformed. *ret_cut (set with 0 only): only a part came, ask again by TCP.
 */
int hf_dns_client_packet_answer(const uint8_t *packet, size_t len, const struct hf_name *name,
    uint16_t type, struct hf_asked *ret_asked, bool *ret_cut);
