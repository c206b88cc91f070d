/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hex: bytes as hexadecimal digits, two a byte.
 */
#include <stddef.h>
#include <stdint.h>

/* The value of a digit, lower or upper case; -1 if c is no hexadecimal digit. */
static inline int hf_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Fills `out` with 2 * n lower-case digits and a NUL. */
void hf_hex_put(const uint8_t *bytes, size_t n, char *out);

/*
 * Reads 2 * n lower-case digits, so that each value has one text only; what follows them is not
 * read. Returns 0, or HF_EFORMAT if there are fewer: then ret_bytes is not usable.
 */
int hf_hex_get(const char *text, size_t n, uint8_t *ret_bytes);
