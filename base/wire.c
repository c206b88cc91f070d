#include "base/wire.h"

#include "base/error.h"

void hf_wr_bytes(struct hf_wr *w, const void *bytes, size_t len)
{
	if (w->error || (size_t)(w->end - w->at) < len) {
		w->error = HF_ELIMIT;
		return;
	}
	if (!len)
		return;
	memcpy(w->at, bytes, len);
	w->at += len;
}

static void wr_le(struct hf_wr *w, uint64_t v, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	hf_wr_bytes(w, bytes, size);
}

void hf_wr_u8(struct hf_wr *w, uint8_t v)
{
	wr_le(w, v, 1);
}

void hf_wr_u16(struct hf_wr *w, uint16_t v)
{
	wr_le(w, v, 2);
}

void hf_wr_u32(struct hf_wr *w, uint32_t v)
{
	wr_le(w, v, 4);
}

void hf_wr_u64(struct hf_wr *w, uint64_t v)
{
	wr_le(w, v, 8);
}
