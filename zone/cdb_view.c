/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of a cdb: 256 pairs of (position, number of slots) of hash tables; records of key
 * length, value length, key, value; the tables, pairs of (hash, position of the record). All u32,
 * little endian. Nothing in it is trusted: each position is compared with the end before it is
 * followed.
 */
#include "zone/cdb_view.h"

#include <endian.h>
#include <string.h>

#include "base/error.h"

enum { TABLES = 256, PAIR = 8, TOC = TABLES * PAIR, CACHE_LINE = 64, WARM_SLOTS = 16 };

static uint32_t u32_at(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return le32toh(v);
}

int hf_cdb_view_init(struct hf_cdb_view *v, const uint8_t *bytes, size_t len)
{
	if (len < TOC || len > UINT32_MAX)
		return HF_EFORMAT;
	*v = (struct hf_cdb_view){ bytes, len };
	return 0;
}

uint32_t hf_cdb_view_hash(const uint8_t *key, size_t len)
{
	uint32_t hash = 5381;

	for (size_t i = 0; i < len; i++)
		hash = (hash * 33) ^ key[i];
	return hash;
}

struct table {
	const uint8_t *slots;
	uint32_t n; /* 0: no key of this hash is there */
};

static int table_of(const struct hf_cdb_view *v, uint32_t hash, struct table *ret_table)
{
	const uint8_t *pair;
	uint32_t pos;

	*ret_table = (struct table){ NULL, 0 };
	if (!v->bytes)
		return 0;
	pair = v->bytes + hash % TABLES * PAIR;
	pos = u32_at(pair);
	ret_table->n = u32_at(pair + 4);
	if (!ret_table->n)
		return 0;
	if (pos > v->len || ret_table->n > (v->len - pos) / PAIR)
		return HF_EFORMAT;
	ret_table->slots = v->bytes + pos;
	return 0;
}

/* The record at pos. Returns 0, or HF_EFORMAT if it does not lie within the view whole. */
static int record_at(const struct hf_cdb_view *v, size_t pos, struct hf_cdb_view_record *ret_record)
{
	struct hf_cdb_view_record r;

	if (pos < TOC || pos > v->len || v->len - pos < PAIR)
		return HF_EFORMAT;
	r.key_len = u32_at(v->bytes + pos);
	r.value_len = u32_at(v->bytes + pos + 4);
	pos += PAIR;
	if (r.key_len > v->len - pos || r.value_len > v->len - pos - r.key_len)
		return HF_EFORMAT;
	r.key = v->bytes + pos;
	r.value = r.key + r.key_len;
	*ret_record = r;
	return 0;
}

int hf_cdb_view_find(const struct hf_cdb_view *v, uint32_t hash, const uint8_t *key, size_t len,
    const uint8_t **ret_value, size_t *ret_len)
{
	struct hf_cdb_view_record r;
	struct table t;
	int rc = table_of(v, hash, &t);
	uint32_t at;

	if (rc || !t.n)
		return rc;
	at = (hash / TABLES) % t.n;
	for (uint32_t left = t.n; left; left--) {
		const uint8_t *slot = t.slots + (size_t)at * PAIR;
		uint32_t pos = u32_at(slot + 4);

		if (!pos)
			return 0;
		if (u32_at(slot) == hash) {
			rc = record_at(v, pos, &r);
			if (rc)
				return rc;
			if (r.key_len == len && !memcmp(r.key, key, len)) {
				*ret_value = r.value;
				*ret_len = r.value_len;
				return 1;
			}
		}
		if (++at == t.n)
			at = 0;
	}
	return 0;
}

int hf_cdb_view_next(const struct hf_cdb_view *v, size_t *at, struct hf_cdb_view_record *ret_record)
{
	size_t end, pos = *at ? *at : TOC;
	int rc;

	if (!v->bytes)
		return 0;
	/* The records end where the first hash table begins. */
	end = u32_at(v->bytes);
	if (end > v->len)
		end = v->len;
	if (pos >= end)
		return 0;
	rc = record_at(&(struct hf_cdb_view){ v->bytes, end }, pos, ret_record);
	if (rc)
		return rc;
	*at = (size_t)(ret_record->value - v->bytes) + ret_record->value_len;
	return 1;
}

/*
 * A read that the compiler keeps: unlike a prefetch it is not dropped where the page must be looked
 * up.
 */
static void cdb_view_touch(const uint8_t *at)
{
	(void)*(const volatile uint8_t *)at;
}

struct hf_cdb_view_slot hf_cdb_view_warm_slot(const struct hf_cdb_view *v, uint32_t hash)
{
	struct hf_cdb_view_slot slot = { NULL, 0 };
	struct table t;
	uint32_t first;

	if (table_of(v, hash, &t) || !t.n)
		return slot;
	first = (hash / TABLES) % t.n;
	slot.at = t.slots + (size_t)first * PAIR;
	slot.n = t.n - first;
	cdb_view_touch(slot.at);
	return slot;
}

void hf_cdb_view_warm_record(
    const struct hf_cdb_view *v, uint32_t hash, struct hf_cdb_view_slot slot)
{
	for (size_t i = 0; i < slot.n && i < WARM_SLOTS; i++) {
		const uint8_t *s = slot.at + i * PAIR;
		size_t pos = u32_at(s + 4);

		if (!pos)
			return;
		if (u32_at(s) != hash || pos + CACHE_LINE > v->len)
			continue;
		cdb_view_touch(v->bytes + pos);
		cdb_view_touch(v->bytes + pos + CACHE_LINE - 1);
		return;
	}
}
