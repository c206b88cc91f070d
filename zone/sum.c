#include "zone/sum.h"

#include "base/wire.h"
#include "base/xxh.h"
#include "zone/record.h"

uint64_t hf_sum_of(const struct hf_name *name, const uint8_t addr[static 16], uint8_t flags, uint32_t source,
    uint32_t owner)
{
	uint8_t bytes[HF_NAME_MAX + 16 + 1 + 2 + 2];
	struct hf_wr wr = hf_wr(bytes, sizeof(bytes));

	hf_wr_bytes(&wr, addr, 16);
	hf_wr_u8(&wr, flags);
	hf_wr_u16(&wr, (uint16_t)source);
	hf_wr_u16(&wr, owner < HF_ZONE_OWNERS_MAX ? (uint16_t)owner : HF_ZONE_OWNER_NONE);
	hf_wr_bytes(&wr, name->wire, name->len);
	return XXH3_64bits(bytes, hf_wr_len(&wr));
}
