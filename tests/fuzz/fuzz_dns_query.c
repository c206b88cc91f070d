/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any packet against a fixed answer: what comes out is a reply to it, within its bounds, or
 * nothing. The first byte chooses the answer and the room.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/byteorder.h"
#include "plugin/wire_answer.h"
#include "zone/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t owner[] = "\5coder";
static const uint8_t rdata[128 * 16];

static void check(int promise)
{
	if (!promise)
		abort();
}

static struct hf_answer choose(uint8_t bits)
{
	struct hf_answer a = { .ours = bits & 1, .ede = bits & 2 ? HF_EDE_STALE : HF_EDE_NONE };

	a.has_answer = bits & 4;
	a.answer = (struct hf_rrset){
		.type = HF_TYPE_AAAA, .n = bits & 8 ? 128 : 1, .rdlen = 16, .rdata = rdata
	};
	a.has_soa = bits & 16;
	a.soa = (struct hf_rrset){ .owner = owner,
		.owner_len = sizeof(owner),
		.type = HF_TYPE_SOA,
		.n = 1,
		.rdlen = 22,
		.rdata = rdata };
	return a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bits = size ? data[0] : 0;
	struct hf_answer a = choose(bits);
	struct hf_wire_query q;
	uint8_t *out;
	size_t max, len;

	data += size > 0;
	size -= size > 0;
	hf_wire_query_parse(data, size, &q);
	if (q.verdict == HF_WIRE_DROP) {
		check(size < HF_WIRE_HEADER || data[2] & 0x80);
		return 0;
	}
	max = bits & 32 ? HF_WIRE_TCP_MAX : q.udp_size;
	out = malloc(max);
	if (!out)
		return 0;
	len = q.verdict == HF_WIRE_ASK ? hf_wire_answer_put(&q, &a, max, out)
				       : hf_wire_answer_put_error(&q, q.rcode, out);
	check(len >= HF_WIRE_HEADER && len <= max && out[2] & 0x80 && !memcmp(out, data, 2));
	check(!q.question || !memcmp(out + HF_WIRE_HEADER, q.question, q.question_len));
	check(hf_be16(out + 4) == (q.question ? 1 : 0) && hf_be16(out + 10) == q.has_opt);
	check(!(out[3] & 0xa0)); /* RA and AD are never set */
	free(out);
	return 0;
}
