/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * zone_build: a published zone made by hand, record by record, with tinycdb and zone/format.h
 * alone. For tests of the reading side: unlike the writer it also makes what should never be. Every
 * function ends the program on trouble of its own.
 */
#include <stdbool.h>
#include <stdint.h>

#include <cdb.h>

#include "zone/format.h"
#include "zone/record.h"

struct hf_zone_build {
	char dir[64]; /* "" if it was made without a folder */
	int dirfd;
	struct hf_zone_meta meta;
	struct hf_fmt_current current;
	uint64_t n_names;
	bool is_older; /* as an earlier version writes it: without an identity */
	/* the file that is being made */
	struct cdb_make make;
	int fd;
	bool is_delta;
	unsigned n_files;
};

/*
 * A new folder, and a meta: ready, TTL 30, one source "main" with suffix "coder", fresh for 60 s,
 * snapshots 600 s.
 */
void hf_zone_build_open(struct hf_zone_build *b);
/* The same without a folder, for hf_zone_build_bytes(). */
void hf_zone_build_init(struct hf_zone_build *b);
/* Removes the folder and all that is in it. */
void hf_zone_build_close(struct hf_zone_build *b);
/* Empties the folder, but for what is never a zone's. */
void hf_zone_build_clear(struct hf_zone_build *b);

/* Begin a base, or a delta over the last base. */
void hf_zone_build_base(struct hf_zone_build *b);
void hf_zone_build_delta(struct hf_zone_build *b);

/* The address number k of the /48. */
void hf_zone_build_addr(uint32_t k, uint8_t ret_addr[static 16]);

/* One record. `name` is text ("main.dev.me.coder"). */
void hf_zone_build_put(struct hf_zone_build *b, const char *name, const struct hf_fmt_value *value);
void hf_zone_build_name(struct hf_zone_build *b, const char *name, uint32_t k, uint8_t flags);
void hf_zone_build_empty(struct hf_zone_build *b, const char *name);
void hf_zone_build_gone(struct hf_zone_build *b, const char *name);
void hf_zone_build_ptr(struct hf_zone_build *b, uint32_t k, const char *name);
void hf_zone_build_ptr_to(struct hf_zone_build *b, const uint8_t addr[static 16], const char *name);
void hf_zone_build_raw(
    struct hf_zone_build *b, const void *key, size_t key_len, const void *value, size_t value_len);

/* End the file: the meta and, in a folder, its line in `current`. */
void hf_zone_build_end(struct hf_zone_build *b);
/* End it and get its bytes; free() them. */
uint8_t *hf_zone_build_bytes(struct hf_zone_build *b, size_t *ret_len);
/* No delta from here on. */
void hf_zone_build_no_delta(struct hf_zone_build *b);
/* Replace `current`; generation is one more than the last. */
void hf_zone_build_publish(struct hf_zone_build *b);

/*
 * A base of that name alone, and no delta; a delta of that name alone over the last base.
 * Published.
 */
void hf_zone_build_one(struct hf_zone_build *b, const char *name, uint32_t k);
void hf_zone_build_one_changed(struct hf_zone_build *b, const char *name, uint32_t k);

/*
 * A base of n names "a<i>.w.me.coder" (address i) with PTR and empty non-terminals, not published.
 */
void hf_zone_build_many(struct hf_zone_build *b, uint32_t n);
