/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/printable.h"

#include <stdint.h>
#include <string.h>

static size_t byte_escape(uint8_t c, char out[4])
{
	static const char hex[] = "0123456789abcdef";

	if (c == '\\') {
		out[0] = out[1] = '\\';
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

char *hf_printable_copy(char *out, size_t size, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	size_t at = 0, safe = 0; /* safe: the longest prefix that leaves room for "..." */

	for (size_t i = 0; i < len; i++) {
		char e[4];
		size_t n = byte_escape(in[i], e);

		if (at + n + 1 > size) {
			memcpy(out + safe, "...", 4);
			return out;
		}
		memcpy(out + at, e, n);
		at += n;
		if (at + 4 <= size)
			safe = at;
	}
	out[at] = '\0';
	return out;
}
