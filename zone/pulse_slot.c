/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/pulse_slot.h"

#include <string.h>

#include "base/error.h"
#include "base/wire.h"
#include "zone/hash.h"

enum { CHECKED_LEN = HF_PULSE_SLOT_LEN - 4 };

const uint8_t hf_pulse_head[HF_PULSE_HEAD_LEN] = "HFPULSE1";

void hf_pulse_slot_put(
    const struct hf_pulse_slot *s, uint32_t slot, uint8_t out[static HF_PULSE_SLOT_LEN])
{
	static const uint8_t pad[3];
	struct hf_wr wr = hf_wr(out, HF_PULSE_SLOT_LEN);

	hf_wr_bytes(&wr, s->boot_id, sizeof(s->boot_id));
	hf_wr_u64(&wr, (uint64_t)s->boot_ms);
	hf_wr_u64(&wr, (uint64_t)s->wall_ms);
	hf_wr_u8(&wr, s->live);
	hf_wr_bytes(&wr, pad, sizeof(pad));
	hf_wr_u32(&wr, XXH32(out, CHECKED_LEN, slot));
}

int hf_pulse_slot_get(
    const uint8_t bytes[static HF_PULSE_SLOT_LEN], uint32_t slot, struct hf_pulse_slot *ret_slot)
{
	static const uint8_t never[HF_PULSE_SLOT_LEN];
	struct hf_rd rd = hf_rd(bytes, HF_PULSE_SLOT_LEN);

	if (!memcmp(bytes, never, sizeof(never)))
		return 0;
	memcpy(ret_slot->boot_id, hf_rd_bytes(&rd, sizeof(ret_slot->boot_id)),
	    sizeof(ret_slot->boot_id));
	ret_slot->boot_ms = (int64_t)hf_rd_u64(&rd);
	ret_slot->wall_ms = (int64_t)hf_rd_u64(&rd);
	ret_slot->live = hf_rd_u8(&rd) == 1;
	hf_rd_bytes(&rd, 3);
	return hf_rd_u32(&rd) == XXH32(bytes, CHECKED_LEN, slot) ? 1 : HF_ECHECKSUM;
}
