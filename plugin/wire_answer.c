/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/wire_answer.h"

#include <string.h>

#include "plugin/byteorder.h"
#include "zone/answer.h"

enum { TYPE_OPT = 41, OPTION_EDE = 15 };
enum { OPT_LEN = 11, EDE_LEN = 6, RR_FIXED = 10 };
enum {
	FLAG_QR = 0x8000,
	FLAG_OPCODE = 0x7800,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_CD = 0x0010
};

/*
 * A reply in the making. `room` is what records may still take; OPT's share is set aside at the
 * start.
 */
struct reply {
	uint8_t *start;
	uint8_t *at;
	size_t room;
	const struct hf_wire_query *query;
	uint16_t flags;
	uint16_t n_answer;
	uint16_t n_authority;
};

/* Header space and the question. Opcode, RD and CD are the client's; AD and RA are never set. */
static void wire_reply_begin(
    struct reply *r, const struct hf_wire_query *q, size_t max, size_t aside, uint8_t *out)
{
	uint16_t asked = hf_be16(q->packet + 2);

	*r = (struct reply){ .start = out, .at = out + HF_WIRE_HEADER, .query = q };
	r->flags = FLAG_QR | (asked & (FLAG_OPCODE | FLAG_RD | FLAG_CD));
	if (q->question) {
		memcpy(r->at, q->question, q->question_len);
		r->at += q->question_len;
	}
	r->room = max - (size_t)(r->at - out) - aside;
}

static void put_opt(struct reply *r, uint16_t rcode, int ede)
{
	uint8_t *p = r->at;

	*p++ = 0;
	p = hf_be16_put(p, TYPE_OPT);
	p = hf_be16_put(p, HF_WIRE_UDP_MAX);
	*p++ = (uint8_t)(rcode >> 4);
	*p++ = 0;
	p = hf_be16_put(p, r->query->dnssec_ok ? 0x8000 : 0);
	p = hf_be16_put(p, ede >= 0 ? EDE_LEN : 0);
	if (ede >= 0) {
		p = hf_be16_put(p, OPTION_EDE);
		p = hf_be16_put(p, EDE_LEN - 4);
		p = hf_be16_put(p, (uint16_t)ede);
	}
	r->at = p;
}

static size_t wire_reply_finish(struct reply *r, uint16_t rcode, int ede)
{
	const struct hf_wire_query *q = r->query;
	uint8_t *p = r->start;

	if (q->has_opt)
		put_opt(r, rcode, ede);
	memcpy(p, q->packet, 2);
	p = hf_be16_put(p + 2, r->flags | (rcode & 0xf));
	p = hf_be16_put(p, q->question != NULL);
	p = hf_be16_put(p, r->n_answer);
	p = hf_be16_put(p, r->n_authority);
	hf_be16_put(p, q->has_opt);
	return (size_t)(r->at - r->start);
}

/*
 * Where in the packet `owner` is written already: the question's name or, by whole labels, its end.
 * 0 if nowhere.
 */
static uint16_t place_in_question(const struct hf_name *name, const uint8_t *owner, size_t len)
{
	size_t skip;

	if (!owner)
		return HF_WIRE_HEADER;
	if (len > name->len)
		return 0;
	for (skip = 0; skip < name->len - len; skip += (size_t)name->wire[skip] + 1)
		;
	if (skip != name->len - len || memcmp(name->wire + skip, owner, len))
		return 0;
	return (uint16_t)(HF_WIRE_HEADER + skip);
}

/* Puts as many of the records as fit. Returns their number; TC is set if that is not all. */
static uint16_t put_rrset(struct reply *r, const struct hf_rrset *set)
{
	uint16_t place = place_in_question(&r->query->name, set->owner, set->owner_len);
	size_t owner_len = place ? 2 : set->owner_len;
	size_t each = owner_len + RR_FIXED + set->rdlen;
	const uint8_t *rdata = set->rdata;
	uint16_t n = 0;

	for (; n < set->n && each <= r->room; n++) {
		if (place)
			r->at = hf_be16_put(r->at, 0xc000 | place);
		else
			r->at = (uint8_t *)memcpy(r->at, set->owner, owner_len) + owner_len;
		r->at = hf_be16_put(r->at, set->type);
		r->at = hf_be16_put(r->at, HF_CLASS_IN);
		r->at = hf_be32_put(r->at, set->ttl_s);
		r->at = hf_be16_put(r->at, set->rdlen);
		memcpy(r->at, rdata, set->rdlen);
		r->at += set->rdlen;
		rdata += set->rdlen;
		r->room -= each;
	}
	if (n < set->n)
		r->flags |= FLAG_TC;
	return n;
}

size_t hf_wire_answer_put(
    const struct hf_wire_query *q, const struct hf_answer *a, size_t max, uint8_t *out)
{
	struct reply r;

	if (!a->ours)
		return hf_wire_answer_put_error(q, HF_RCODE_REFUSED, out);
	wire_reply_begin(&r, q, max, q->has_opt ? OPT_LEN + (a->ede >= 0 ? EDE_LEN : 0) : 0, out);
	r.flags |= FLAG_AA;
	if (a->has_answer)
		r.n_answer = put_rrset(&r, &a->answer);
	if (a->has_soa)
		r.n_authority = put_rrset(&r, &a->soa);
	return wire_reply_finish(&r, a->rcode, a->ede);
}

size_t hf_wire_answer_put_error(const struct hf_wire_query *q, uint16_t rcode, uint8_t *out)
{
	struct reply r;

	wire_reply_begin(&r, q, HF_WIRE_REPLY_MIN, 0, out);
	return wire_reply_finish(&r, rcode, HF_EDE_NONE);
}
