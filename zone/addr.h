/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * addr: the address of an agent, and the way between an address and its PTR name.
 * All addresses of Coder agents lie in one /48; nothing outside of it is ever published.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/name.h"

struct hf_uuid {
	uint8_t b[16];
};

enum { HF_UUID_TEXT_MAX = 37, HF_ADDR_TEXT_MAX = 46 };

/* "00112233-4455-6677-8899-aabbccddeeff", any case. 0 or HF_EFORMAT. */
int hf_uuid_parse(const char *text, struct hf_uuid *ret_id);
char *hf_uuid_text(const struct hf_uuid *id, char out[static HF_UUID_TEXT_MAX]);
bool hf_uuid_is_zero(const struct hf_uuid *id);
bool hf_uuid_equal(const struct hf_uuid *a, const struct hf_uuid *b);

/* fd60:627a:a42b::/48 */
extern const uint8_t hf_addr_prefix[6];

/* The agent id with its first six bytes replaced by the prefix. */
void hf_addr_of_agent(const struct hf_uuid *agent, uint8_t ret_addr[static 16]);
bool hf_addr_is_ours(const uint8_t addr[static 16]);
char *hf_addr_text(const uint8_t addr[static 16], char out[static HF_ADDR_TEXT_MAX]);

/* The reverse zone of the /48: b.2.4.a.a.7.2.6.0.6.d.f.ip6.arpa */
extern const struct hf_name hf_addr_reverse_apex;

void hf_ptr_name(const uint8_t addr[static 16], struct hf_name *ret_name);

enum hf_ptr_kind {
	HF_PTR_OUTSIDE, /* not at or below the reverse zone of the /48 */
	HF_PTR_APEX,
	HF_PTR_PARTIAL, /* nibbles, but fewer than an address has: an empty non-terminal */
	HF_PTR_ADDR,    /* a whole address, in ret_addr */
	HF_PTR_BELOW,   /* below a whole address, or a label that is no nibble */
};
enum hf_ptr_kind hf_ptr_parse(const struct hf_name *name, uint8_t ret_addr[static 16]);
