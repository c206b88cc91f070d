/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * answer: the one function that says what a question gets: live and stale, inside unbound and
 * beside it.
 *
 * It takes a question in canonical form, looks it up in the reader's picture and fills a
 * description of rcode, RRsets, TTL and EDE; the caller only encodes it. No memory, no lock, no
 * system call but the reader's own. RFC 1035, 2308, 4592, 8020, 8482, 8767, 8914.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/reader.h"

enum {
	HF_TYPE_A = 1,
	HF_TYPE_NS = 2,
	HF_TYPE_CNAME = 5,
	HF_TYPE_SOA = 6,
	HF_TYPE_PTR = 12,
	HF_TYPE_TXT = 16,
	HF_TYPE_AAAA = 28,
	HF_TYPE_DS = 43,
	HF_TYPE_DNSKEY = 48,
	HF_TYPE_SVCB = 64,
	HF_TYPE_HTTPS = 65,
	HF_TYPE_ANY = 255,
	HF_CLASS_IN = 1,
	HF_RCODE_NOERROR = 0,
	HF_RCODE_FORMERR = 1,
	HF_RCODE_SERVFAIL = 2,
	HF_RCODE_NXDOMAIN = 3,
	HF_RCODE_NOTIMP = 4,
	HF_RCODE_REFUSED = 5,
	HF_EDE_NONE = -1,
	HF_EDE_STALE = 3,
	HF_EDE_NOT_READY = 14,
	HF_EDE_STALE_NXDOMAIN = 19,
};

/* n records of one owner and type, each rdata `rdlen` bytes, one after the other. All lent. */
struct hf_rrset {
	const uint8_t *owner; /* uncompressed wire form; NULL: the question's own name */
	size_t owner_len;
	uint16_t type;
	uint32_t ttl_s;
	uint16_t n;
	uint16_t rdlen;
	const uint8_t *rdata;
};

struct hf_question {
	const struct hf_name *name;
	uint16_t type;
	uint16_t class;
	bool from_loopback; /* provenance: loopback, and counters */
};

/* Lent until the next refresh of the reader or the next use of the same struct hf_answer. */
struct hf_answer {
	bool ours;     /* false: pass it on untouched, or REFUSED; nothing else is set */
	uint8_t rcode; /* AA is always set, AD never */
	int ede;       /* HF_EDE_NONE, or its code: only where the query had OPT */
	bool has_answer;
	struct hf_rrset answer;
	bool has_soa; /* authority section of NXDOMAIN and NODATA */
	struct hf_rrset soa;
	uint8_t scratch[1024]; /* rdata that is made for this answer: SOA, TXT */
};

/* Never fails: trouble with the picture is SERVFAIL with has_answer false. */
void hf_answer(struct hf_zone_reader *r, const struct hf_question *q, struct hf_answer *ret_answer);

/*
 * For who has no picture, but was told a suffix and what to say until there is one: what a zone of
 * that suffix says that is not ready. Knows no reader.
 */
void hf_answer_unpublished(const struct hf_name *suffix, enum hf_not_ready policy,
    const struct hf_question *q, struct hf_answer *ret_answer);
