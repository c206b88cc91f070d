/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sum: what all published names tell, as one number: the sum (modulo 2^64) of a hash of each name
 * with one of its addresses. It does not depend on their order, and follows a change at the cost of
 * that change. Two sides that hold the same names have the same sum; two that differ do not, unless
 * somebody made them so: it is no signature.
 */
#include <stdint.h>

struct hf_name;

/*
 * `owner`: what is no slot of an owner (record.h) counts as HF_ZONE_OWNER_NONE. When it was first
 * seen does not count.
 */
uint64_t hf_sum_of(const struct hf_name *name, const uint8_t addr[static 16], uint8_t flags,
    uint32_t source, uint32_t owner);
