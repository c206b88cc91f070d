/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/stream/kit_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_add(struct bytes *b, const void *at, size_t len)
{
	if (!b->at || b->room - b->len < len) {
		b->room = (b->room + len + 16) * 2;
		b->at = realloc(b->at, b->room);
		if (!b->at)
			abort();
	}
	if (len)
		memcpy(b->at + b->len, at, len);
	b->len += len;
}

void bytes_u8(struct bytes *b, uint8_t v)
{
	bytes_add(b, &v, 1);
}

void bytes_varint(struct bytes *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		bytes_u8(b, (uint8_t)(v | 0x80));
	bytes_u8(b, (uint8_t)v);
}

static uint8_t hex_byte(const char *text)
{
	char two[3] = { text[0], text[0] ? text[1] : '\0', '\0' }, *end;
	unsigned long v = strtoul(two, &end, 16);

	if (end != two + 2) {
		fprintf(stderr, "not a byte: %s\n", text);
		abort();
	}
	return (uint8_t)v;
}

static const char *parse_until(struct bytes *b, const char *text, char stop);

static const char *parse_one(struct bytes *b, const char *t)
{
	struct bytes inner = { 0 };
	const char *text;
	char *end;

	switch (*t) {
	case ' ':
		return t + 1;
	case '\'':
		for (t++; *t && *t != '\''; t++)
			bytes_add(b, t, 1);
		return t + 1;
	case '$':
		for (int i = 0; i < 16; i++)
			bytes_u8(b, t[1] == '0' ? 0 : (uint8_t)t[1]);
		return t + 2;
	case '{':
		t = parse_until(&inner, t + 1, '}');
		bytes_varint(b, inner.len);
		bytes_add(b, inner.at, inner.len);
		bytes_done(&inner);
		return t;
	case '*':
		text = t;
		t = parse_until(&inner, strchr(t, '(') + 1, ')');
		for (unsigned long n = strtoul(text + 1, NULL, 10); n; n--)
			bytes_add(b, inner.at, inner.len);
		bytes_done(&inner);
		return t;
	case 'x':
		for (unsigned long n = strtoul(t + 1, &end, 10); n; n--)
			bytes_u8(b, hex_byte(end + 1));
		return end + 3;
	default:
		bytes_u8(b, hex_byte(t));
		return t + 2;
	}
}

static const char *parse_until(struct bytes *b, const char *t, char stop)
{
	while (*t && *t != stop)
		t = parse_one(b, t);
	return *t ? t + 1 : t;
}

void bytes_parse(struct bytes *b, const char *text)
{
	bytes_add(b, "", 0); /* never NULL */
	parse_until(b, text, '\0');
}

void bytes_done(struct bytes *b)
{
	free(b->at);
	*b = (struct bytes){ 0 };
}
