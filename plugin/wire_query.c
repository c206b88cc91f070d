/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/wire_query.h"

#include "plugin/byteorder.h"
#include "zone/answer.h"

enum { TYPE_OPT = 41, TYPE_IXFR = 251, TYPE_AXFR = 252 };
enum { OPCODE_QUERY = 0 };

/* What is left of a packet. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static size_t query_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static void query_fail(struct hf_wire_query *q, uint16_t rcode)
{
	q->verdict = HF_WIRE_ERROR;
	q->rcode = rcode;
}

/*
 * The name is lower case in q->name; a pointer in it is an error, since there is nothing to point
 * to.
 */
static bool take_question(struct cursor *c, struct hf_wire_query *q)
{
	int n = hf_name_from_wire(c->at, query_left(c), &q->name);

	if (n < 0 || query_left(c) < (size_t)n + 4)
		return false;
	q->question = c->at;
	q->question_len = (size_t)n + 4;
	q->type = hf_be16(c->at + n);
	q->class = hf_be16(c->at + n + 2);
	c->at += q->question_len;
	return true;
}

/* An owner name of the additional section. Only its length matters, so a pointer just ends it. */
static bool query_skip_name(struct cursor *c)
{
	while (query_left(c) > 0) {
		uint8_t len = *c->at;
		size_t step = len >= 0xc0 ? 2 : (size_t)len + 1;

		if ((len > HF_LABEL_MAX && len < 0xc0) || query_left(c) < step)
			return false;
		c->at += step;
		if (!len || len >= 0xc0)
			return true;
	}
	return false;
}

/* The options within OPT must fill it exactly; what they say is of no use to us. */
static bool options_are_whole(const uint8_t *at, size_t len)
{
	while (len >= 4) {
		size_t step = 4 + (size_t)hf_be16(at + 2);

		if (len < step)
			return false;
		at += step;
		len -= step;
	}
	return len == 0;
}

static uint16_t clamp_udp_size(uint16_t size)
{
	if (size < HF_WIRE_UDP_PLAIN)
		return HF_WIRE_UDP_PLAIN;
	return size > HF_WIRE_UDP_MAX ? HF_WIRE_UDP_MAX : size;
}

/* One record of the additional section; of interest is OPT, which is there once and at the root. */
static bool take_extra(struct cursor *c, struct hf_wire_query *q, uint8_t *version)
{
	const uint8_t *owner = c->at, *fixed;
	size_t rdlen;

	if (!query_skip_name(c) || query_left(c) < 10)
		return false;
	fixed = c->at;
	rdlen = hf_be16(fixed + 8);
	c->at += 10;
	if (query_left(c) < rdlen)
		return false;
	c->at += rdlen;
	if (hf_be16(fixed) != TYPE_OPT)
		return true;
	if (q->has_opt || *owner || !options_are_whole(fixed + 10, rdlen))
		return false;
	q->has_opt = true;
	q->udp_size = clamp_udp_size(hf_be16(fixed + 2));
	q->dnssec_ok = fixed[6] & 0x80;
	*version = fixed[5];
	return true;
}

static void judge_question(struct hf_wire_query *q)
{
	bool meta = q->type == TYPE_OPT || (q->type >= 128 && q->type < HF_TYPE_ANY);

	if (q->class != HF_CLASS_IN)
		query_fail(q, HF_RCODE_REFUSED);
	else if (q->type == TYPE_AXFR || q->type == TYPE_IXFR)
		query_fail(q, HF_RCODE_REFUSED);
	else if (meta || !q->type)
		query_fail(q, HF_RCODE_FORMERR);
}

void hf_wire_query_parse(const uint8_t *packet, size_t len, struct hf_wire_query *q)
{
	struct cursor c = { packet, packet + len };
	uint8_t version = 0;

	q->packet = packet;
	q->verdict = HF_WIRE_DROP;
	q->question = NULL;
	q->question_len = 0;
	q->has_opt = q->dnssec_ok = false;
	q->udp_size = HF_WIRE_UDP_PLAIN;
	if (len < HF_WIRE_HEADER || packet[2] & 0x80)
		return;
	c.at += HF_WIRE_HEADER;
	q->verdict = HF_WIRE_ASK;
	if ((packet[2] >> 3 & 0xf) != OPCODE_QUERY) {
		query_fail(q, HF_RCODE_NOTIMP);
		return;
	}
	/* One question, no answers, no authority: anything else is no query. */
	if (hf_be16(packet + 4) != 1 || hf_be16(packet + 6) || hf_be16(packet + 8) ||
	    !take_question(&c, q)) {
		query_fail(q, HF_RCODE_FORMERR);
		return;
	}
	for (unsigned n = hf_be16(packet + 10); n; n--) {
		if (take_extra(&c, q, &version))
			continue;
		q->has_opt = false;
		query_fail(q, HF_RCODE_FORMERR);
		return;
	}
	if (query_left(&c))
		query_fail(q, HF_RCODE_FORMERR);
	else if (q->has_opt && version)
		query_fail(q, HF_RCODE_BADVERS);
	else
		judge_question(q);
}
