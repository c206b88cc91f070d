/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * picture: one generation of the published zone in memory: a base, perhaps a delta over it, and
 * what they say about the zone. Never changed once it is made, so any number of threads look into
 * it without a lock. For reader.c and answer.c; others use reader.h.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/format.h"
#include "zone/record.h"
#include "zone/sealed.h"
#include "zone/cdb_view.h"

/* A suffix that we serve, once each, and the sources that publish under it. */
struct hf_picture_suffix {
	const struct hf_name *name; /* within the picture's meta */
	uint64_t sources;           /* bit i: meta.sources[i] */
};

struct hf_picture {
	atomic_uint refs;
	struct hf_sealed *base;  /* owned reference */
	struct hf_sealed *delta; /* owned reference; NULL: none */
	struct hf_cdb_view base_view;
	struct hf_cdb_view delta_view; /* empty: there is none */
	struct hf_zone_meta meta;
	struct hf_zone_stamp stamp;
	struct hf_picture_suffix suffixes[HF_ZONE_SOURCES_MAX]; /* the longest first */
	size_t n_suffixes;
};

/*
 * Load what `current` names out of the folder dirfd. A base that `old` (may be NULL) has already is
 * shared and not read. On failure nothing is made, and ret_file (never NULL) says which file it was
 * about. Codes as of hf_sealed_load(), and HF_EFORMAT. The caller owns *ret_picture; end it with
 * hf_picture_unref().
 */
int hf_picture_load(int dirfd, const struct hf_fmt_current *current, const struct hf_picture *old,
    const atomic_bool *stop, const char **ret_file, struct hf_picture **ret_picture);

/*
 * The same of bytes at hand, unchecked: `base` and `delta` (may be NULL) are taken over, also on
 * failure.
 */
int hf_picture_make(struct hf_sealed *base, struct hf_sealed *delta, const uint8_t epoch[static 16],
    uint64_t generation, struct hf_picture **ret_picture);

struct hf_picture *hf_picture_ref(struct hf_picture *p);
void hf_picture_unref(struct hf_picture *p); /* NULL is fine */

/* True if it is the picture that `current` names. */
bool hf_picture_is(const struct hf_picture *p, const struct hf_fmt_current *current);

/*
 * The value of a key, out of the delta or else the base. Returns 1, 0 if there is none, or
 * HF_EFORMAT. It lies in the picture.
 */
int hf_picture_get(
    const struct hf_picture *p, const uint8_t *key, size_t len, struct hf_fmt_value *ret_value);

/*
 * Has the processor fetch what hf_picture_get() of each of these names will look at, from many
 * places at once instead of one after the other. `names` may hold NULLs. It changes nothing and
 * promises nothing.
 */
void hf_picture_warm(const struct hf_picture *p, const struct hf_name *const *names, size_t n);

/* Every name with its value, that of the delta where there is one. See hf_zone_reader_walk(). */
typedef int (*hf_picture_walk_cb)(
    const struct hf_name *name, const struct hf_fmt_value *value, void *arg);
int hf_picture_walk(const struct hf_picture *p, hf_picture_walk_cb cb, void *arg);
