/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * publish: from the store to the published zone, after the commit. Owns the zone's writer and its
 * pulse.
 *
 * It asks the store for the names that changed since the generation that readers see (or for all of
 * them), so whatever failed or was missed before is made good by the next call.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bridge/store/store.h"
#include "zone/record.h"

struct hf_clock;
struct hf_publish; /* opaque */

struct hf_publish_opts {
	const char *dir;              /* the zone folder; copied */
	const struct hf_clock *clock; /* borrowed; outlives it */
	uint32_t pulse_ms;
};

/* *ret_stamp is of the zone that was found (generation 0: none). */
int hf_publish_open(const struct hf_publish_opts *opts, struct hf_zone_stamp *ret_stamp,
    struct hf_publish **ret_publish);
void hf_publish_free(struct hf_publish *p); /* waits for a base that is being made; NULL is fine */

/* There is something for readers: published by this process, or found. */
bool hf_publish_has_zone(const struct hf_publish *p);

/*
 * Bring the zone to the store's generation with these settings. Returns 1 if readers see it now, 0
 * if a base is being made (hf_publish_work() says when), or a code: the last picture stays, call
 * again later. While the store is not ready nothing is published over a zone that holds names.
 */
int hf_publish_store(struct hf_publish *p, struct hf_store *store, const struct hf_zone_meta *meta);

/* The store is about to be made anew: all names are taken from it again. */
void hf_publish_let_go(struct hf_publish *p);

/*
 * Whether the folder is still the one that is open; else it is opened or made anew, the pulse is
 * written into it, and everything is published into it by the next hf_publish_store(). 1 if it was
 * another one, 0 if not, or a code: look again later.
 */
int hf_publish_look(struct hf_publish *p);

/* Whether readers would see the same. */
bool hf_publish_same_meta(const struct hf_zone_meta *a, const struct hf_zone_meta *b);

/* The zone's own work: readable, and wanted after so many ms (-1: never). */
int hf_publish_fd(const struct hf_publish *p);
int64_t hf_publish_wait_ms(const struct hf_publish *p);
int hf_publish_work(struct hf_publish *p);

uint64_t hf_publish_generation(const struct hf_publish *p);

/* What readers find. */
struct hf_publish_found {
	struct hf_zone_stamp stamp; /* zeroed: nothing */
	uint64_t sum;               /* of all names that were published there (zone/sum.h) */
	bool own;                   /* it is the picture that this process made, byte by byte */
};

/*
 * Promise 16: whether what readers find in the folder (read back from there, cheaply) is what the
 * store says, and the names that the model has: as many (`n_names`), telling the same (`sum`).
 * Returns
 *   1        the same
 *   0        not the same; *ret_found is what readers find
 *   -EAGAIN  not to be judged now: a publication is under way, or this process has published
 *            nothing (a store that is not ready leaves a good zone alone)
 *   a code   readers find nothing whole there
 * To be asked when nothing waits for hf_publish_store(). A difference is healed by
 * hf_publish_again().
 */
int hf_publish_check(struct hf_publish *p, struct hf_store *store, uint64_t n_names, uint64_t sum,
    struct hf_publish_found *ret_found);

/*
 * The next hf_publish_store() takes every name from the store again and publishes it, whatever is
 * there.
 */
void hf_publish_again(struct hf_publish *p);

/* Proof of life, for readers (zone/pulse.h). */
void hf_publish_source(struct hf_publish *p, uint16_t source, bool live);
void hf_publish_owner(struct hf_publish *p, uint16_t owner);
/* No snapshot of his was accepted since the bridge began. */
void hf_publish_owner_down(struct hf_publish *p, uint16_t owner);
void hf_publish_owner_clear(struct hf_publish *p, uint16_t owner);
/*
 * Tries again what could not be written of it, and mends what was harmed. 0, or why readers do not
 * see all of it; the log says so.
 */
int hf_publish_pulse_look(struct hf_publish *p);
/* See hf_pulse_source_seen(); an owner's where that is not UINT32_MAX. */
int64_t hf_publish_seen_ms(const struct hf_publish *p, uint16_t source, uint32_t owner);
/* The text is empty while readers see all of it. */
const struct hf_fault *hf_publish_pulse_fault(const struct hf_publish *p);
