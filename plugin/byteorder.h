/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * byteorder: numbers in network byte order, as DNS packets have them. The caller has checked the
 * room.
 */
#include <stdint.h>

static inline uint16_t hf_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint8_t *hf_be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static inline uint8_t *hf_be32_put(uint8_t *p, uint32_t v)
{
	return hf_be16_put(hf_be16_put(p, (uint16_t)(v >> 16)), (uint16_t)v);
}
