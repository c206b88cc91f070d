/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `current`, of any bytes, and again with the right checksum put under them, so that the fuzzer
 * gets past it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/format.h"

static void check(const char *text, size_t len)
{
	char again[HF_FMT_CURRENT_MAX];
	struct hf_fmt_current current;
	int n;

	if (hf_fmt_current_get(text, len, &current))
		return;
	if (hf_fmt_file_kind(current.base.name, NULL, NULL) != HF_FMT_FILE_BASE)
		abort();
	n = hf_fmt_current_put(&current, again, sizeof(again));
	if (n < 0 || (size_t)n != len || memcmp(again, text, len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[HF_FMT_CURRENT_MAX];
	uint8_t hash[HF_FMT_HASH_LEN];
	size_t len = size;

	check((const char *)data, size);
	if (size > sizeof(text) - 40)
		return 0;
	memcpy(text, data, size);
	hf_fmt_hash(data, size, hash);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "end ");
	for (size_t i = 0; i < sizeof(hash); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%02x", hash[i]);
	text[len++] = '\n';
	check(text, len);
	return 0;
}
