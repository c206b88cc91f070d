/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed_zones: the suffixes of one adapter: those that are ours now, and former ones below which
 * names of ours may be left. A suffix is told to the adapter until no name of ours is below it. The
 * ledger has a row for each that was told, so that the next life knows which are to be emptied.
 */
#include "bridge/feed/feed_peer.h"
#include "bridge/feed/ledger.h"
#include "zone/record.h"

struct hf_feed_zones {
	const struct hf_feed_peer *peer; /* borrowed, as the next */
	struct hf_ledger *ledger;
	struct hf_name now[HF_ZONE_SOURCES_MAX]; /* ours */
	size_t n_now;
	struct hf_name old[HF_ZONE_SOURCES_MAX]; /* were told, and names may be left */
	size_t n_old;
	uint32_t ttl_s;
	uint32_t told_ttl_s; /* 0: the adapter was told nothing yet */
	bool changed;        /* the adapter is to be told */
	bool leave;          /* it is to be seen whether any of `old` can go */
};

/*
 * The suffixes and the TTL of all names. False: they are as they were. *ret_ttl: the adapter was
 * told another TTL.
 */
bool hf_feed_zones_set(struct hf_feed_zones *z, const struct hf_name *suffixes, size_t n,
    uint32_t ttl_s, bool *ret_ttl);
/* The former ones out of the ledger. 0 or a code. */
int hf_feed_zones_load(struct hf_feed_zones *z);
/*
 * One that was ours is in the resolver again, by a file of an earlier state: it is a former one,
 * also in the next life.
 */
void hf_feed_zones_former(struct hf_feed_zones *z, const struct hf_name *suffix);
/* Tells the adapter, if they changed. */
void hf_feed_zones_tell(struct hf_feed_zones *z);
/* Former ones with nothing left below them go, and the adapter is told. False: none of them. */
bool hf_feed_zones_leave(struct hf_feed_zones *z);
/* A pass is through: former ones may be empty now. */
void hf_feed_zones_passed(struct hf_feed_zones *z);
/* The name is below one of them. */
bool hf_feed_zones_have(const struct hf_feed_zones *z, const struct hf_name *name);
