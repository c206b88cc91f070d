/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wire: reading and writing fields of outside bytes with a sticky error. Read all fields, check
 * once: after the first read past the end every further read gives 0, nothing is left to read and
 * `error` stays set. Neither side allocates; the bytes are borrowed and outlive it.
 */
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

struct hf_rd {
	const uint8_t *at;
	const uint8_t *end;
	int error; /* 0 or HF_EFORMAT */
};

static inline struct hf_rd hf_rd(const void *bytes, size_t len)
{
	/* NULL and 0 are no bytes; NULL + 0 is no C. */
	const uint8_t *at = len ? bytes : (const uint8_t *)"";

	return (struct hf_rd){ .at = at, .end = at + len };
}

static inline size_t hf_rd_left(const struct hf_rd *r)
{
	return (size_t)(r->end - r->at);
}

/* A pointer to the next len bytes, NULL past the end. */
static inline const uint8_t *hf_rd_bytes(struct hf_rd *r, size_t len)
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

/* Little endian. Here and not in wire.c: looking a name up is mostly these. */
static inline uint64_t hf_rd_le(struct hf_rd *r, size_t size)
{
	const uint8_t *p = hf_rd_bytes(r, size);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, size);
	return le64toh(v);
}

static inline uint8_t hf_rd_u8(struct hf_rd *r)
{
	return (uint8_t)hf_rd_le(r, 1);
}

static inline uint16_t hf_rd_u16(struct hf_rd *r)
{
	return (uint16_t)hf_rd_le(r, 2);
}

static inline uint32_t hf_rd_u32(struct hf_rd *r)
{
	return (uint32_t)hf_rd_le(r, 4);
}

static inline uint64_t hf_rd_u64(struct hf_rd *r)
{
	return hf_rd_le(r, 8);
}

struct hf_wr {
	uint8_t *at;
	uint8_t *start;
	uint8_t *end;
	int error; /* 0 or HF_ELIMIT: what was written is not whole */
};

static inline struct hf_wr hf_wr(void *bytes, size_t len)
{
	uint8_t *at = bytes;

	return (struct hf_wr){ .at = at, .start = at, .end = len ? at + len : at };
}

static inline size_t hf_wr_len(const struct hf_wr *w)
{
	return (size_t)(w->at - w->start);
}

void hf_wr_bytes(struct hf_wr *w, const void *bytes, size_t len);

/* Little endian. Here, as what reads it: a row of the store is summed by these. */
static inline void hf_wr_le(struct hf_wr *w, uint64_t v, size_t size)
{
	if (w->error || (size_t)(w->end - w->at) < size) {
		w->error = HF_ELIMIT;
		return;
	}
	v = htole64(v);
	memcpy(w->at, &v, size);
	w->at += size;
}

static inline void hf_wr_u8(struct hf_wr *w, uint8_t v)
{
	hf_wr_le(w, v, 1);
}

static inline void hf_wr_u16(struct hf_wr *w, uint16_t v)
{
	hf_wr_le(w, v, 2);
}

static inline void hf_wr_u32(struct hf_wr *w, uint32_t v)
{
	hf_wr_le(w, v, 4);
}

static inline void hf_wr_u64(struct hf_wr *w, uint64_t v)
{
	hf_wr_le(w, v, 8);
}
