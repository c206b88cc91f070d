/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wire_query: what a packet asks, or how it fails to. Pure: takes hostile bytes, reads each at most
 * once or twice, follows no pointer, allocates nothing. RFC 1035 4.1, RFC 6891, RFC 6895.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

enum {
	HF_WIRE_HEADER = 12,
	HF_WIRE_UDP_PLAIN = 512, /* a client without EDNS takes no more */
	HF_WIRE_UDP_MAX = 1232,  /* what we take and send by UDP, and advertise */
	HF_WIRE_TCP_MAX = 65535,
	HF_RCODE_BADVERS = 16,
};

enum hf_wire_verdict {
	HF_WIRE_DROP,  /* no answer at all: too short to answer, or itself an answer */
	HF_WIRE_ERROR, /* answer with `rcode` */
	HF_WIRE_ASK,   /* a whole question of class IN */
};

/* `packet` and `question` are borrowed from the caller's packet, which outlives it. */
struct hf_wire_query {
	const uint8_t *packet;
	enum hf_wire_verdict verdict;
	uint16_t rcode;          /* of HF_WIRE_ERROR; HF_RCODE_BADVERS is the one over 15 */
	const uint8_t *question; /* name, type and class as they came; NULL: none to echo */
	size_t question_len;
	struct hf_name name; /* canonical; valid where there is a question */
	uint16_t type;
	uint16_t class;
	bool has_opt;
	bool dnssec_ok;
	uint16_t udp_size; /* what the client can take by UDP: 512 to HF_WIRE_UDP_MAX */
};

/* Never fails: the verdict says it. `name` is written only where there is a question. */
void hf_wire_query_parse(const uint8_t *packet, size_t len, struct hf_wire_query *ret_query);
