/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pulse_slot: the bytes of the file `pulse` (zone/format.h), for its two sides.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/record.h"

enum {
	HF_PULSE_HEAD_LEN = 16,
	HF_PULSE_SLOT_LEN = 40,
	HF_PULSE_SLOTS_MAX = HF_ZONE_SOURCES_MAX + HF_ZONE_OWNERS_MAX,
};

extern const uint8_t hf_pulse_head[HF_PULSE_HEAD_LEN];

struct hf_pulse_slot {
	uint8_t boot_id[16];
	int64_t boot_ms;
	int64_t wall_ms;
	bool live;
};

static inline int64_t hf_pulse_offset(uint32_t slot)
{
	return HF_PULSE_HEAD_LEN + (int64_t)slot * HF_PULSE_SLOT_LEN;
}

/* `slot` is the slot's number: a slot that was copied to another's place fails its check. */
void hf_pulse_slot_put(
    const struct hf_pulse_slot *s, uint32_t slot, uint8_t out[static HF_PULSE_SLOT_LEN]);

/*
 * 1 and *ret_slot, 0 if it was never written (all zero), or HF_ECHECKSUM: *ret_slot is then of no
 * use.
 */
int hf_pulse_slot_get(
    const uint8_t bytes[static HF_PULSE_SLOT_LEN], uint32_t slot, struct hf_pulse_slot *ret_slot);
