/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * format: the bytes of the published zone's files, for its writer and its reader. Nothing else
 * includes it. Little endian throughout. docs/zone.md tells the same to people.
 *
 * base-N.cdb, delta-N-M.cdb (tinycdb); in a delta a key of the base is replaced as a whole:
 *   key: wire name, lower case     value: HF_FMT_ADDRS or HF_FMT_EMPTY, or HF_FMT_GONE
 *                                  (deltas only)
 *   key: 0xfe, address bytes 6-15  value: HF_FMT_PTR and a wire name, or HF_FMT_GONE
 *   key: 0xff 'm'                  value: the meta; the delta's counts where there is one
 *   key: 0xff 'i'                  value: the identity, likewise; a zone of an earlier version
 *                                  has none
 *   key: 0xff 'u'                  value: the URLs, likewise
 *   key: 0xff and something else   of a later version: readers pass it over, a writer drops it
 *
 * HF_FMT_ADDRS: u8 kind, u8 flags (HF_REC_..., 0x80: children follow), u8 source, u16 owner,
 *   u32 first seen (s), [u32 children], 16 bytes an address
 * HF_FMT_EMPTY: u8 kind, u32 children
 * HF_FMT_PTR: u8 kind, wire name. HF_FMT_GONE: u8 kind
 * Children are the entries one label below. Only the writer needs them: it knows by them when an
 * empty non-terminal ends.
 *
 * Meta: u8 1, u32 ttl, u8 not ready policy, u8 provenance, u8 ready, u64 names with addresses, u8 n
 * sources, and for each: u8 length, name, u8 length, suffix (wire; length 0: not known, or no
 * source has this number), u32 fresh ms, u32 snapshot ms
 *
 * Identity: u8 1, u8 n sources (that of the meta), and for each: u8 length, deployment id, 16 bytes
 * id of the user.
 *
 * URLs: u8 1, u8 n sources (that of the meta), and for each: u64 a sum of its URL, 0: not known.
 *
 * What may be added without another version in `current`: keys that begin with 0xff. Nothing else
 * changes its form.
 *
 * current: text, so that people can read it:
 *   holdfast-zone 1
 *   epoch HEX32
 *   generation DECIMAL
 *   base NAME SIZE XXH3_128-HEX
 *   delta NAME SIZE XXH3_128-HEX   (or "delta - 0 -")
 *   end XXH3_128-HEX of all bytes before this line
 *
 * pulse: 16 bytes "HFPULSE1" and 8 zero bytes, then slots of 40 bytes: 64 of sources, then owners:
 *   boot id (16), i64 boottime ms, i64 wall ms, u8 live, 3 zero bytes, u32 XXH32 of the 36 bytes
 *   before with the slot's number as seed. All zero: never written.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/record.h"

enum { HF_FMT_GONE = 0, HF_FMT_ADDRS = 1, HF_FMT_EMPTY = 2, HF_FMT_PTR = 3 };

enum {
	HF_FMT_PTR_KEY = 0xfe,
	HF_FMT_META_KEY = 0xff,
	HF_FMT_PTR_KEY_LEN = 11,
	HF_FMT_META_KEY_LEN = 2,
	HF_FMT_KEY_MAX = HF_NAME_MAX,
	HF_FMT_VALUE_MAX = 16 + 16 * HF_REC_ADDRS_MAX, /* of all but the meta */
	HF_FMT_META_MAX = 64 + HF_ZONE_SOURCES_MAX * 400,
	HF_FMT_IDENTITY_MAX = 16 + HF_ZONE_SOURCES_MAX * (HF_ZONE_TEXT_MAX + 17),
	HF_FMT_URLS_MAX = 2 + HF_ZONE_SOURCES_MAX * 8,
	HF_FMT_CURRENT_MAX = 1024,
	HF_FMT_FILE_NAME_MAX = 64,
	HF_FMT_HASH_LEN = 16,
};

/* XXH3 128 of bytes, as `current` has it. */
void hf_fmt_hash(const void *bytes, size_t len, uint8_t ret_hash[static HF_FMT_HASH_LEN]);

extern const uint8_t hf_fmt_meta_key[HF_FMT_META_KEY_LEN];
void hf_fmt_ptr_key(const uint8_t addr[static 16], uint8_t ret_key[static HF_FMT_PTR_KEY_LEN]);

/* A value, decoded; `addrs` and `ptr` point into the bytes it was decoded from. */
struct hf_fmt_value {
	uint8_t kind; /* HF_FMT_... */
	uint8_t flags;
	uint8_t source;
	uint16_t owner;
	uint32_t first_seen_s;
	uint32_t children;
	const uint8_t (*addrs)[16];
	size_t n_addrs;
	const uint8_t *ptr;
	size_t ptr_len;
};

/*
 * Bytes of any origin. 0 or HF_EFORMAT. Nothing else than what was checked here is ever used of a
 * value.
 */
int hf_fmt_value_get(const void *bytes, size_t len, struct hf_fmt_value *ret_value);
/* Returns the length, or HF_ELIMIT. */
int hf_fmt_value_put(const struct hf_fmt_value *value, uint8_t *out, size_t size);

/* HF_EFORMAT for bytes that are no meta. ret_n_names: how many names with addresses there are. */
int hf_fmt_meta_get(
    const void *bytes, size_t len, struct hf_zone_meta *ret_meta, uint64_t *ret_n_names);
/* Returns the length, HF_ELIMIT, or HF_EREFUSED for settings that no reader would take. */
int hf_fmt_meta_put(const struct hf_zone_meta *meta, uint64_t n_names, uint8_t *out, size_t size);

extern const uint8_t hf_fmt_identity_key[HF_FMT_META_KEY_LEN];
/*
 * Into a meta that was read before. HF_EFORMAT for bytes that are no identity of that meta: then
 * nothing changes.
 */
int hf_fmt_identity_get(const void *bytes, size_t len, struct hf_zone_meta *meta);
/* As hf_fmt_meta_put(). */
int hf_fmt_identity_put(const struct hf_zone_meta *meta, uint8_t *out, size_t size);

extern const uint8_t hf_fmt_urls_key[HF_FMT_META_KEY_LEN];
/* As those of the identity. */
int hf_fmt_urls_get(const void *bytes, size_t len, struct hf_zone_meta *meta);
int hf_fmt_urls_put(const struct hf_zone_meta *meta, uint8_t *out, size_t size);

/* What each file has beside the names: a record for each of the three keys. */
struct hf_fmt_settings {
	size_t meta_len;
	size_t identity_len; /* 0: there is none */
	size_t urls_len;     /* likewise */
	uint8_t meta[HF_FMT_META_MAX];
	uint8_t identity[HF_FMT_IDENTITY_MAX];
	uint8_t urls[HF_FMT_URLS_MAX];
};
/* 0, or as hf_fmt_meta_put(). */
int hf_fmt_settings_put(
    const struct hf_zone_meta *meta, uint64_t n_names, struct hf_fmt_settings *ret_settings);
bool hf_fmt_settings_equal(const struct hf_fmt_settings *a, const struct hf_fmt_settings *b);

struct hf_fmt_file {
	char name[HF_FMT_FILE_NAME_MAX]; /* "" if there is none; never a path */
	uint64_t size;
	uint8_t hash[HF_FMT_HASH_LEN];
};

struct hf_fmt_current {
	uint8_t epoch[16];
	uint64_t generation;
	struct hf_fmt_file base;
	struct hf_fmt_file delta;
};

enum hf_fmt_file_kind { HF_FMT_FILE_OTHER, HF_FMT_FILE_BASE, HF_FMT_FILE_DELTA };

/*
 * What a file name of the folder is: "base-N.cdb", "delta-N-M.cdb", decimal without leading zeros.
 * Fills ret_n with N and ret_m with M (0 for a base); both may be NULL.
 */
enum hf_fmt_file_kind hf_fmt_file_kind(const char *name, uint64_t *ret_n, uint64_t *ret_m);

/*
 * HF_EFORMAT, HF_ECHECKSUM, or HF_ESCHEMA for another version. There is always a base; a name that
 * is not of the form above is HF_EFORMAT, so it never leads out of the folder.
 */
int hf_fmt_current_get(const void *bytes, size_t len, struct hf_fmt_current *ret_current);
/*
 * Returns the length (a NUL follows it), HF_ELIMIT, or HF_EFORMAT for file names of another form.
 */
int hf_fmt_current_put(const struct hf_fmt_current *current, char *out, size_t size);
