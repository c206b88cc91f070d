/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dns_answer: the addresses in a DNS message. Pure: bytes in, values out.
 */
#include <stddef.h>
#include <stdint.h>

#include "bridge/stream/wire/address.h"

/* Adds all A and AAAA records of the answer section. 0, or HF_EFORMAT where it is malformed. */
int hf_dns_answer(const uint8_t *packet, size_t len, struct hf_addresses *addresses);
