#include "base/wire.h"

#include "base/error.h"

const uint8_t *hf_rd_bytes(struct hf_rd *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->error || hf_rd_left(r) < len) {
		r->error = HF_EFORMAT;
		r->at = r->end; /* so that a loop over what is left ends */
		return NULL;
	}
	r->at += len;
	return at;
}

static uint64_t rd_le(struct hf_rd *r, size_t size)
{
	const uint8_t *p = hf_rd_bytes(r, size);
	uint64_t v = 0;

	for (size_t i = 0; p && i < size; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t hf_rd_u8(struct hf_rd *r)
{
	return (uint8_t)rd_le(r, 1);
}

uint16_t hf_rd_u16(struct hf_rd *r)
{
	return (uint16_t)rd_le(r, 2);
}

uint32_t hf_rd_u32(struct hf_rd *r)
{
	return (uint32_t)rd_le(r, 4);
}

uint64_t hf_rd_u64(struct hf_rd *r)
{
	return rd_le(r, 8);
}

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
