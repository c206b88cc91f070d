/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries lie one after the other in `arena`: u8 key length, u16 value length with DEAD on top,
 * key, value. `slots` is a hash table with linear probing of their positions; 0 is a free slot, so
 * the arena begins at 1. A value of another length is a new entry; the old one is dead until the
 * arena is compacted, which happens when it must grow and half of it is dead.
 */
#include "zone/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "zone/hash.h"

enum {
	HEAD_LEN = 3,
	DEAD = 0x8000,
	FEW_SLOTS = 64,
	FEW_BYTES = 4096,
	FIRST = 1, /* position of the first entry */
};

struct hf_overlay {
	uint8_t *arena; /* owned */
	size_t used;
	size_t size;
	size_t dead;
	uint32_t *slots; /* owned; a power of two, at most three quarters in use */
	size_t n_slots;
	size_t count;
	uint64_t seed; /* whoever chooses names does not choose where they fall */
};

/* --- an entry's bytes --- */

static size_t key_len_of(const uint8_t *e)
{
	return e[0];
}

static size_t value_len_of(const uint8_t *e)
{
	return (size_t)(e[1] | e[2] << 8) & ~(size_t)DEAD;
}

static bool is_dead(const uint8_t *e)
{
	return e[2] & (DEAD >> 8);
}

static size_t len_of(const uint8_t *e)
{
	return HEAD_LEN + key_len_of(e) + value_len_of(e);
}

/* --- memory --- */

int hf_overlay_new(struct hf_overlay **ret_overlay)
{
	struct hf_overlay *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->used = FIRST;
	/* Without randomness at hand the table is as good as any other. */
	if (getrandom(&o->seed, sizeof(o->seed), GRND_NONBLOCK) != (ssize_t)sizeof(o->seed))
		o->seed = (uintptr_t)o;
	*ret_overlay = o;
	return 0;
}

static void free_memory(struct hf_overlay *o)
{
	free(o->arena);
	free(o->slots);
	o->arena = NULL;
	o->slots = NULL;
	o->size = 0;
	o->n_slots = 0;
}

void hf_overlay_free(struct hf_overlay *o)
{
	if (!o)
		return;
	free_memory(o);
	free(o);
}

void hf_overlay_clear(struct hf_overlay *o)
{
	if (o->size > FEW_BYTES || o->n_slots > FEW_SLOTS)
		free_memory(o);
	else if (o->count)
		memset(o->slots, 0, o->n_slots * sizeof(*o->slots));
	o->used = FIRST;
	o->dead = 0;
	o->count = 0;
}

size_t hf_overlay_count(const struct hf_overlay *o)
{
	return o->count;
}

size_t hf_overlay_memory(const struct hf_overlay *o)
{
	return sizeof(*o) + o->size + o->n_slots * sizeof(*o->slots);
}

/* --- the table --- */

static size_t home_of(const struct hf_overlay *o, size_t n_slots, const uint8_t *key, size_t len)
{
	return XXH3_64bits_withSeed(key, len, o->seed) & (n_slots - 1);
}

/* The slot that has the key, or the free one where it would be. */
static uint32_t *find_slot(
    const struct hf_overlay *o, uint32_t *slots, size_t n_slots, const uint8_t *key, size_t key_len)
{
	size_t i = home_of(o, n_slots, key, key_len);

	for (; slots[i]; i = (i + 1) & (n_slots - 1)) {
		const uint8_t *e = o->arena + slots[i];

		if (key_len_of(e) == key_len && !memcmp(e + HEAD_LEN, key, key_len))
			break;
	}
	return &slots[i];
}

/*
 * No two of what lives have one key: none is looked at twice, which for half a million is most of
 * the time.
 */
static void fill_slots(const struct hf_overlay *o, uint32_t *slots, size_t n_slots)
{
	for (size_t at = FIRST; at < o->used; at += len_of(o->arena + at)) {
		const uint8_t *e = o->arena + at;

		size_t i;

		if (is_dead(e))
			continue;
		i = home_of(o, n_slots, e + HEAD_LEN, key_len_of(e));
		while (slots[i])
			i = (i + 1) & (n_slots - 1);
		slots[i] = (uint32_t)at;
	}
}

static int reserve_slots(struct hf_overlay *o, size_t n)
{
	size_t n_slots = o->n_slots ? o->n_slots : FEW_SLOTS;
	uint32_t *slots;

	while ((o->count + n) > n_slots / 4 * 3)
		n_slots *= 2;
	if (n_slots == o->n_slots)
		return 0;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	fill_slots(o, slots, n_slots);
	free(o->slots);
	o->slots = slots;
	o->n_slots = n_slots;
	return 0;
}

/* Moves what lives down over what is dead. */
static void overlay_compact(struct hf_overlay *o)
{
	size_t to = FIRST;

	for (size_t at = FIRST, len; at < o->used; at += len) {
		len = len_of(o->arena + at);
		if (is_dead(o->arena + at))
			continue;
		memmove(o->arena + to, o->arena + at, len);
		to += len;
	}
	o->used = to;
	o->dead = 0;
	memset(o->slots, 0, o->n_slots * sizeof(*o->slots));
	fill_slots(o, o->slots, o->n_slots);
}

static int reserve_bytes(struct hf_overlay *o, size_t n)
{
	size_t size = o->size + o->size / 2;
	uint8_t *arena;

	if (n <= o->size - o->used && o->size)
		return 0;
	if (o->dead > o->used / 2)
		overlay_compact(o);
	if (o->size && n <= o->size - o->used)
		return 0;
	if (size < o->used + n)
		size = o->used + n;
	if (size < FEW_BYTES)
		size = FEW_BYTES;
	if (size > UINT32_MAX)
		size = UINT32_MAX;
	if (size < o->used + n)
		return HF_ELIMIT;
	arena = realloc(o->arena, size);
	if (!arena)
		return -ENOMEM;
	o->arena = arena;
	o->size = size;
	return 0;
}

/* n puts of `bytes` in all cannot fail after this. */
static int overlay_reserve(struct hf_overlay *o, size_t n, size_t bytes)
{
	int rc = reserve_bytes(o, bytes);

	return rc ? rc : reserve_slots(o, n);
}

/* --- use --- */

const uint8_t *hf_overlay_get(
    const struct hf_overlay *o, const void *key, size_t key_len, size_t *ret_len)
{
	const uint8_t *e;
	uint32_t at;

	if (!o->count)
		return NULL;
	at = *find_slot(o, o->slots, o->n_slots, key, key_len);
	if (!at)
		return NULL;
	e = o->arena + at;
	*ret_len = value_len_of(e);
	return e + HEAD_LEN + key_len;
}

/* There is room for it. */
static void overlay_put_reserved(
    struct hf_overlay *o, const void *key, size_t key_len, const void *value, size_t value_len)
{
	uint32_t *slot = find_slot(o, o->slots, o->n_slots, key, key_len);
	uint8_t *e = o->arena + *slot;

	if (*slot && value_len_of(e) == value_len) {
		memcpy(e + HEAD_LEN + key_len, value, value_len);
		return;
	}
	if (*slot) {
		e[2] |= DEAD >> 8;
		o->dead += len_of(e);
		o->count--;
	}
	*slot = (uint32_t)o->used;
	e = o->arena + o->used;
	e[0] = (uint8_t)key_len;
	e[1] = (uint8_t)value_len;
	e[2] = (uint8_t)(value_len >> 8);
	memcpy(e + HEAD_LEN, key, key_len);
	memcpy(e + HEAD_LEN + key_len, value, value_len);
	o->used += len_of(e);
	o->count++;
}

int hf_overlay_put(
    struct hf_overlay *o, const void *key, size_t key_len, const void *value, size_t value_len)
{
	int rc;

	if (!key_len || key_len > HF_OVERLAY_KEY_MAX || !value_len ||
	    value_len > HF_OVERLAY_VALUE_MAX)
		return HF_ELIMIT;
	rc = overlay_reserve(o, 1, HEAD_LEN + key_len + value_len);
	if (!rc)
		overlay_put_reserved(o, key, key_len, value, value_len);
	return rc;
}

bool hf_overlay_next(const struct hf_overlay *o, size_t *at, struct hf_overlay_entry *ret_entry)
{
	const uint8_t *e;

	if (*at < FIRST)
		*at = FIRST;
	while (*at < o->used) {
		e = o->arena + *at;
		*at += len_of(e);
		if (is_dead(e))
			continue;
		ret_entry->key = e + HEAD_LEN;
		ret_entry->key_len = key_len_of(e);
		ret_entry->value = ret_entry->key + ret_entry->key_len;
		ret_entry->value_len = value_len_of(e);
		return true;
	}
	return false;
}

static void overlay_swap(struct hf_overlay *a, struct hf_overlay *b)
{
	struct hf_overlay was = *a;

	*a = *b;
	*b = was;
}

int hf_overlay_merge(struct hf_overlay *under, struct hf_overlay *over)
{
	bool small = over->count <= under->count;
	struct hf_overlay *from = small ? over : under, *to = small ? under : over;
	struct hf_overlay_entry e;
	size_t at = 0, len;
	int rc = from->count ? overlay_reserve(to, from->count, from->used) : 0;

	if (rc)
		return rc;
	/* The smaller is put into the larger; the younger of the two entries counts. */
	while (hf_overlay_next(from, &at, &e)) {
		if (small || !hf_overlay_get(to, e.key, e.key_len, &len))
			overlay_put_reserved(to, e.key, e.key_len, e.value, e.value_len);
	}
	if (!small)
		overlay_swap(under, over);
	hf_overlay_clear(over);
	return 0;
}
