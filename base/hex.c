/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include "base/error.h"

void hf_hex_put(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

static int hex_value_lower(char c)
{
	return c >= 'A' && c <= 'F' ? -1 : hf_hex_value(c);
}

int hf_hex_get(const char *text, size_t n, uint8_t *ret_bytes)
{
	for (size_t i = 0; i < n; i++) {
		int high = hex_value_lower(text[2 * i]);
		int low = high < 0 ? -1 : hex_value_lower(text[2 * i + 1]);

		if (low < 0)
			return HF_EFORMAT;
		ret_bytes[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}
