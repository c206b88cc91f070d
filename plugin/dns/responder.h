#pragma once
/*
 * responder: one packet in, one reply out, from one thread's view of the published zone. It knows no
 * socket; UDP and TCP call it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/counters.h"
#include "zone/answer.h"

struct hf_zone_reader;

struct hf_responder {
	struct hf_zone_reader *reader;   /* borrowed; this thread's */
	struct hf_counters *own;         /* borrowed; this thread's, one of `all` */
	const struct hf_counters *all;   /* borrowed; what TXT shows is their sum */
	size_t n_all;
	struct hf_answer answer;         /* scratch */
};

enum hf_transport { HF_OVER_UDP, HF_OVER_TCP };

/* Where a packet comes from. */
struct hf_peer {
	bool allowed;  /* by dns.allow; else REFUSED */
	bool loopback; /* may see provenance and counters */
};

/*
 * Reply to one packet. `out` has room for `room` bytes, HF_WIRE_UDP_MAX or more by UDP. Returns the
 * length of the reply, 0 for none. hf_zone_reader_refresh() was called for the batch it is in.
 */
size_t hf_responder_reply(struct hf_responder *r, const uint8_t *packet, size_t len,
    struct hf_peer peer, enum hf_transport over, uint8_t *out, size_t room);
