/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * responder: a packet in, a reply out, from one thread's view of the published zone. It knows no
 * socket; UDP and TCP call it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/counters.h"
#include "plugin/wire_query.h"
#include "zone/answer.h"

struct hf_zone_reader;

struct hf_responder {
	struct hf_zone_reader *reader; /* borrowed; this thread's */
	struct hf_counters *own;       /* borrowed; this thread's, one of `all` */
	const struct hf_counters *all; /* borrowed; what TXT shows is their sum */
	size_t n_all;
	struct hf_answer answer; /* scratch */
};

enum hf_transport { HF_OVER_UDP, HF_OVER_TCP };

/* Where a packet comes from. */
struct hf_peer {
	bool allowed;  /* by dns.allow; else REFUSED */
	bool loopback; /* may see provenance and counters */
};

/* A packet that was read. `query` borrows from the packet, which outlives it. */
struct hf_job {
	struct hf_wire_query query;
	struct hf_peer peer;
};

void hf_responder_read(
    const uint8_t *packet, size_t len, struct hf_peer peer, struct hf_job *ret_job);

/* Makes the replies to many jobs quicker; see hf_zone_reader_warm(). */
void hf_responder_warm(struct hf_responder *r, const struct hf_job *jobs, size_t n);

/*
 * The reply to one job. `out` has room for `room` bytes, HF_WIRE_UDP_MAX or more by UDP. Returns
 * the length of the reply, 0 for none. hf_zone_reader_refresh() was called for the batch it is in.
 */
size_t hf_responder_reply(struct hf_responder *r, const struct hf_job *job, enum hf_transport over,
    uint8_t *out, size_t room);
