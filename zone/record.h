/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * record: what goes into the published zone: names with addresses, and the zone's own settings.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/addr.h"
#include "zone/name.h"

enum {
	HF_REC_HELD = 1,      /* upstream no longer lists it; the guard keeps it */
	HF_REC_PRIMARY = 2,   /* its addresses' PTR points to this name */
	HF_REC_WITHDRAWN = 4, /* a hold policy took it out: known, but not answered */
	HF_REC_RESTORED = 8,  /* came out of a zone after the store was lost: always stale */
};

enum { HF_REC_ADDRS_MAX = 128 };

/* A name and its addresses. The writer copies it. */
struct hf_zone_rec {
	const struct hf_name *name;
	const uint8_t (*addrs)[16];
	size_t n_addrs; /* 1 to HF_REC_ADDRS_MAX, each within the /48 */
	uint8_t flags;
	uint16_t source; /* index into hf_zone_meta.sources */
	/* slot of the owner's last confirmation in `pulse`, or HF_ZONE_OWNER_NONE */
	uint16_t owner;
	int64_t first_seen_s; /* wall clock */
};

enum {
	HF_ZONE_SOURCES_MAX = 64,
	HF_ZONE_TEXT_MAX = 128,
	HF_ZONE_OWNERS_MAX = 65535,
	HF_ZONE_OWNER_NONE = 65535, /* a name of the source itself: as fresh as its source */
};

enum hf_not_ready { HF_NOT_READY_SERVFAIL, HF_NOT_READY_NXDOMAIN };
enum hf_provenance { HF_PROVENANCE_OFF, HF_PROVENANCE_LOOPBACK, HF_PROVENANCE_ON };

struct hf_zone_source {
	char name[HF_LABEL_MAX + 1]; /* printable ASCII */
	/* len 0: not known yet, or no source has this number: readers pass it over */
	struct hf_name suffix;
	uint32_t fresh_ms;    /* how long a proof of life counts (default 60 s) */
	uint32_t snapshot_ms; /* twice this is how long an owner's snapshot counts */
	/*
	 * What it was pinned to: for a bridge that lost its store, no answer needs it. "" and
	 * zeros: not known.
	 */
	char deployment[HF_ZONE_TEXT_MAX]; /* printable ASCII */
	uint8_t user[16];                  /* id of the token's own user */
	/* of the server's URL: it is found again under another name. 0: not known */
	uint64_t url_sum;
};

/* All that an answer needs beside the names. Several sources may share a suffix. */
struct hf_zone_meta {
	uint32_t ttl_s; /* 1 to 30 */
	enum hf_not_ready not_ready;
	enum hf_provenance provenance;
	bool ready; /* false: nothing accepted yet, names are not known */
	size_t n_sources;
	struct hf_zone_source sources[HF_ZONE_SOURCES_MAX];
};

/* Which picture of the zone it is. */
struct hf_zone_stamp {
	uint8_t epoch[16];
	uint64_t generation;
	uint64_t n_names; /* with addresses */
};
