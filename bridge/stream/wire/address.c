/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/wire/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool is_v6(const char *text)
{
	return strchr(text, ':');
}

bool hf_address_is(const char *text)
{
	unsigned char bytes[16];
	char bare[HF_ADDRESS_TEXT];
	size_t n = strcspn(text, "%");

	if (n >= sizeof(bare))
		return false;
	memcpy(bare, text, n);
	bare[n] = '\0';
	if (inet_pton(AF_INET6, bare, bytes) == 1)
		return strlen(text) < HF_ADDRESS_TEXT;
	return !text[n] && inet_pton(AF_INET, bare, bytes) == 1;
}

bool hf_addresses_add(struct hf_addresses *a, const char *text)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->at[i], text))
			return false;
	if (a->n == HF_ADDRESSES_MAX || strlen(text) >= HF_ADDRESS_TEXT)
		return false;
	snprintf(a->at[a->n++], HF_ADDRESS_TEXT, "%s", text);
	return true;
}

/* The next of one family at or after *at; NULL when there is none. */
static const char *next_of(const struct hf_addresses *a, size_t *at, bool v6)
{
	while (*at < a->n && is_v6(a->at[*at]) != v6)
		++*at;
	return *at < a->n ? a->at[(*at)++] : NULL;
}

void hf_addresses_interleave(struct hf_addresses *a)
{
	struct hf_addresses out = { .n = 0 };
	size_t at6 = 0, at4 = 0;
	const char *six, *four;

	do {
		six = next_of(a, &at6, true);
		if (six)
			hf_addresses_add(&out, six);
		four = next_of(a, &at4, false);
		if (four)
			hf_addresses_add(&out, four);
	} while (six || four);
	*a = out;
}

void hf_addresses_prefer(struct hf_addresses *a, size_t i)
{
	char first[HF_ADDRESS_TEXT];

	if (i >= a->n)
		return;
	memcpy(first, a->at[i], sizeof(first));
	memmove(a->at[1], a->at[0], i * sizeof(first));
	memcpy(a->at[0], first, sizeof(first));
}
