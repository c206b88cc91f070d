/* SPDX-License-Identifier: Apache-2.0 */
/* Types whose value is an address of a network. */
#include "config/type.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/config.h"
#include "config/key.h"

/* A decimal number without sign, blanks or leading zeros. */
static int parse_number(const char *text, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (!*text || (*text == '0' && text[1]))
		return HF_EFORMAT;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return HF_EFORMAT;
		v = v * 10 + (unsigned)(*text - '0');
		if (v > max)
			return HF_EFORMAT;
	}
	*ret = v;
	return 0;
}

/* --- endpoint --- */

static int endpoint_parse(
    const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	char host[INET6_ADDRSTRLEN];
	const char *at = strchr(text, '@');
	struct hf_endpoint e;
	unsigned port = 0;

	memset(&e, 0, sizeof(e));
	if (!at || (size_t)(at - text) >= sizeof(host) || parse_number(at + 1, 65535, &port) ||
	    !port)
		return HF_EFORMAT;
	memcpy(host, text, (size_t)(at - text));
	host[at - text] = '\0';
	if (inet_pton(AF_INET, host, &e.in4.sin_addr) == 1) {
		e.in4.sin_family = AF_INET;
		e.in4.sin_port = htons((uint16_t)port);
		e.len = sizeof(e.in4);
	} else if (inet_pton(AF_INET6, host, &e.in6.sin6_addr) == 1) {
		e.in6.sin6_family = AF_INET6;
		e.in6.sin6_port = htons((uint16_t)port);
		e.len = sizeof(e.in6);
	} else {
		return HF_EFORMAT;
	}
	memcpy(ret, &e, sizeof(e));
	return 0;
}

static void endpoint_print(const struct hf_key *key, const void *value, FILE *out)
{
	const struct hf_endpoint *e = value;
	char host[INET6_ADDRSTRLEN] = "";

	if (e->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &e->in4.sin_addr, host, sizeof(host));
	else
		inet_ntop(AF_INET6, &e->in6.sin6_addr, host, sizeof(host));
	/* The port is at the same place in both. */
	fprintf(out, "%s@%u", host, ntohs(e->in4.sin_port));
}

static void endpoint_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	snprintf(out, HF_EXPECT_MAX, "ADDRESS@PORT, such as 127.0.0.1@5453 or \"::1@5453\"");
}

static bool endpoint_is_set(const void *value)
{
	return ((const struct hf_endpoint *)value)->len != 0;
}

const struct hf_type hf_type_endpoint = {
	.noun = "an address with a port",
	.size = sizeof(struct hf_endpoint),
	.parse = endpoint_parse,
	.print = endpoint_print,
	.expect = endpoint_expect,
	.is_set = endpoint_is_set,
};

/* --- prefix --- */

static bool has_bits_beyond(const struct hf_prefix *p, unsigned size)
{
	for (unsigned bit = p->bits; bit < size * 8; bit++) {
		if (p->addr[bit / 8] & (0x80 >> bit % 8))
			return true;
	}
	return false;
}

static int prefix_parse(const struct hf_key *key, const char *text, void *ret, const char **ret_why)
{
	char host[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	struct hf_prefix p = { 0 };
	unsigned size, bits;

	if (len >= sizeof(host))
		return HF_EFORMAT;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, p.addr) == 1)
		p.family = AF_INET;
	else if (inet_pton(AF_INET6, host, p.addr) == 1)
		p.family = AF_INET6;
	else
		return HF_EFORMAT;
	size = p.family == AF_INET ? 4 : 16;
	bits = size * 8;
	if (text[len] == '/' && parse_number(text + len + 1, size * 8, &bits))
		return HF_EFORMAT;
	p.bits = (uint8_t)bits;
	if (has_bits_beyond(&p, size)) {
		*ret_why = "it has bits set beyond its length";
		return HF_EREFUSED;
	}
	memcpy(ret, &p, sizeof(p));
	return 0;
}

static void prefix_print(const struct hf_key *key, const void *value, FILE *out)
{
	const struct hf_prefix *p = value;
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(p->family, p->addr, host, sizeof(host));
	fputs(host, out);
	if (p->bits < (p->family == AF_INET ? 32 : 128))
		fprintf(out, "/%u", p->bits);
}

static void prefix_expect(const struct hf_key *key, char out[static HF_EXPECT_MAX])
{
	snprintf(out, HF_EXPECT_MAX, "ADDRESS or ADDRESS/BITS, such as 10.0.0.0/8 or \"fd00::/8\"");
}

static bool prefix_is_set(const void *value)
{
	return true;
}

const struct hf_type hf_type_prefix = {
	.noun = "a network",
	.size = sizeof(struct hf_prefix),
	.parse = prefix_parse,
	.print = prefix_print,
	.expect = prefix_expect,
	.is_set = prefix_is_set,
};
