/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* kit_packet: DNS packets by hand, also such as no library would build. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/byteorder.h"

struct packet {
	uint8_t b[2048];
	size_t len;
};

static inline void packet_u16(struct packet *p, unsigned v)
{
	hf_be16_put(p->b + p->len, (uint16_t)v);
	p->len += 2;
}

static inline void packet_bytes(struct packet *p, const void *bytes, size_t len)
{
	memcpy(p->b + p->len, bytes, len);
	p->len += len;
}

/* Case is kept. */
static inline void packet_name(struct packet *p, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ".");

		p->b[p->len++] = (uint8_t)n;
		packet_bytes(p, text, n);
		text += n + (text[n] == '.');
	}
	p->b[p->len++] = 0;
}

/* id 0xbeef, RD, one question, no more. */
static inline void packet_begin(struct packet *p, const char *name, unsigned type)
{
	static const uint8_t head[12] = { 0xbe, 0xef, 0x01, 0, 0, 1 };

	p->len = 0;
	packet_bytes(p, head, sizeof(head));
	packet_name(p, name);
	packet_u16(p, type);
	packet_u16(p, 1);
}

static inline void packet_opt(struct packet *p, unsigned size, unsigned version, unsigned flags,
    const void *options, size_t len)
{
	p->b[11]++;
	p->b[p->len++] = 0;
	packet_u16(p, 41);
	packet_u16(p, size);
	packet_u16(p, version);
	packet_u16(p, flags);
	packet_u16(p, (unsigned)len);
	packet_bytes(p, options, len);
}

/* The bytes, exactly as long as they are, so that a sanitizer sees one too far. */
static inline uint8_t *packet_exact(const struct packet *p, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	memcpy(exact, p->b, len);
	return exact;
}
