/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/dns_answer.h"

#include <arpa/inet.h>

#include "base/error.h"
#include "base/wire.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1 };

static uint16_t rd_be16(struct hf_rd *r)
{
	uint16_t high = hf_rd_u8(r);

	return (uint16_t)(high << 8 | hf_rd_u8(r));
}

/* A name is not read, only passed: no pointer is followed. */
static void dns_answer_skip_name(struct hf_rd *r)
{
	while (!r->error) {
		uint8_t n = hf_rd_u8(r);

		if (n >= 0xc0) {
			hf_rd_u8(r);
			return;
		}
		if (!n)
			return;
		hf_rd_bytes(r, n);
	}
}

static void dns_answer_read_record(struct hf_rd *r, struct hf_addresses *addresses)
{
	char text[INET6_ADDRSTRLEN];
	uint16_t type, class, len;
	const uint8_t *data;

	dns_answer_skip_name(r);
	type = rd_be16(r);
	class = rd_be16(r);
	hf_rd_bytes(r, 4);
	len = rd_be16(r);
	data = hf_rd_bytes(r, len);
	if (r->error || class != CLASS_IN)
		return;
	if (type == TYPE_A && len == 4 && inet_ntop(AF_INET, data, text, sizeof(text)))
		hf_addresses_add(addresses, text);
	if (type == TYPE_AAAA && len == 16 && inet_ntop(AF_INET6, data, text, sizeof(text)))
		hf_addresses_add(addresses, text);
}

int hf_dns_answer(const uint8_t *packet, size_t len, struct hf_addresses *addresses)
{
	struct hf_rd r = hf_rd(packet, len);
	unsigned questions, answers;

	hf_rd_bytes(&r, 4);
	questions = rd_be16(&r);
	answers = rd_be16(&r);
	hf_rd_bytes(&r, 4);
	while (questions-- && !r.error) {
		dns_answer_skip_name(&r);
		hf_rd_bytes(&r, 4);
	}
	while (answers-- && !r.error)
		dns_answer_read_record(&r, addresses);
	return r.error ? HF_EFORMAT : 0;
}
