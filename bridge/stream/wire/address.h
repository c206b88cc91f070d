/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * address: the IP addresses of a host, in the order in which they are to be tried.
 */
#include <stddef.h>
#include <stdbool.h>

enum { HF_ADDRESSES_MAX = 16, HF_ADDRESS_TEXT = 64 };

struct hf_addresses {
	char at[HF_ADDRESSES_MAX][HF_ADDRESS_TEXT]; /* "192.0.2.1", "fe80::1%eth0" */
	size_t n;
};

/* Adds one that is not there yet; what does not fit is left out. True if it was added. */
bool hf_addresses_add(struct hf_addresses *a, const char *text);
/* Is this a numeric address, with or without a zone? */
bool hf_address_is(const char *text);
/* Families take turns, IPv6 first, as RFC 8305 has it; else the order stays. */
void hf_addresses_interleave(struct hf_addresses *a);
/* The one that worked is tried first from now on. */
void hf_addresses_prefer(struct hf_addresses *a, size_t i);
