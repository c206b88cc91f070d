/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"
#include "base/hex.h"

enum {
	PREFIX_LEN = 6,
	NIBBLES = 32,
	NIBBLES_BELOW_APEX = NIBBLES - 2 * PREFIX_LEN,
	NIBBLE_LABEL_LEN = 2, /* a length byte and the digit */
};

static const char digits[] = "0123456789abcdef";

const uint8_t hf_addr_prefix[PREFIX_LEN] = { 0xfd, 0x60, 0x62, 0x7a, 0xa4, 0x2b };

const struct hf_name hf_addr_reverse_apex = {
	.len = 34,
	.wire = "\001b\0012\0014\001a\001a\0017\0012\0016\0010\0016\001d\001f\003ip6\004arpa",
};

static bool dash_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int hf_uuid_parse(const char *text, struct hf_uuid *ret_id)
{
	struct hf_uuid id;

	if (strnlen(text, HF_UUID_TEXT_MAX) != HF_UUID_TEXT_MAX - 1)
		return HF_EFORMAT;
	for (size_t i = 0; i < sizeof(id.b); i++) {
		int high, low;

		if (dash_before(i) && *text++ != '-')
			return HF_EFORMAT;
		high = hf_hex_value(*text++);
		low = hf_hex_value(*text++);
		if (high < 0 || low < 0)
			return HF_EFORMAT;
		id.b[i] = (uint8_t)(high << 4 | low);
	}
	*ret_id = id;
	return 0;
}

char *hf_uuid_text(const struct hf_uuid *id, char out[static HF_UUID_TEXT_MAX])
{
	char *to = out;

	for (size_t i = 0; i < sizeof(id->b); i++) {
		if (dash_before(i))
			*to++ = '-';
		*to++ = digits[id->b[i] >> 4];
		*to++ = digits[id->b[i] & 15];
	}
	*to = '\0';
	return out;
}

bool hf_uuid_is_zero(const struct hf_uuid *id)
{
	static const struct hf_uuid zero;

	return hf_uuid_equal(id, &zero);
}

bool hf_uuid_equal(const struct hf_uuid *a, const struct hf_uuid *b)
{
	return !memcmp(a->b, b->b, sizeof(a->b));
}

void hf_addr_of_agent(const struct hf_uuid *agent, uint8_t ret_addr[static 16])
{
	memcpy(ret_addr, hf_addr_prefix, PREFIX_LEN);
	memcpy(ret_addr + PREFIX_LEN, agent->b + PREFIX_LEN, 16 - PREFIX_LEN);
}

bool hf_addr_is_ours(const uint8_t addr[static 16])
{
	return !memcmp(addr, hf_addr_prefix, PREFIX_LEN);
}

char *hf_addr_text(const uint8_t addr[static 16], char out[static HF_ADDR_TEXT_MAX])
{
	/* It fails only where there is no room, and there is. */
	inet_ntop(AF_INET6, addr, out, HF_ADDR_TEXT_MAX);
	return out;
}

void hf_ptr_name(const uint8_t addr[static 16], struct hf_name *ret_name)
{
	static const uint8_t arpa[] = "\003ip6\004arpa"; /* with its NUL, the root */
	uint8_t *to = ret_name->wire;

	for (size_t i = 16; i-- > 0;) {
		*to++ = 1;
		*to++ = (uint8_t)digits[addr[i] & 15];
		*to++ = 1;
		*to++ = (uint8_t)digits[addr[i] >> 4];
	}
	memcpy(to, arpa, sizeof(arpa));
	ret_name->len = NIBBLES * NIBBLE_LABEL_LEN + sizeof(arpa);
}

enum hf_ptr_kind hf_ptr_parse(const struct hf_name *name, uint8_t ret_addr[static 16])
{
	const uint8_t *label = name->wire;
	uint8_t addr[16] = { 0 };
	size_t n;

	if (!hf_name_is_under(name, &hf_addr_reverse_apex))
		return HF_PTR_OUTSIDE;
	n = hf_name_labels(name) - hf_name_labels(&hf_addr_reverse_apex);
	if (n > NIBBLES_BELOW_APEX)
		return HF_PTR_BELOW;
	for (size_t i = 0; i < n; i++, label += NIBBLE_LABEL_LEN) {
		int v = label[0] == 1 ? hf_hex_value((char)label[1]) : -1;

		if (v < 0)
			return HF_PTR_BELOW;
		addr[15 - i / 2] |= (uint8_t)(i % 2 ? v << 4 : v);
	}
	if (n == 0)
		return HF_PTR_APEX;
	if (n < NIBBLES_BELOW_APEX)
		return HF_PTR_PARTIAL;
	memcpy(addr, hf_addr_prefix, PREFIX_LEN);
	memcpy(ret_addr, addr, sizeof(addr));
	return HF_PTR_ADDR;
}
