/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reader: a read-only view of the published zone for whoever answers or shows names.
 *
 * struct hf_zone is the process's view of one folder; struct hf_zone_reader is one thread's. A
 * thread looks up in a picture that never changes under it: read-only memory, checked when it was
 * loaded. When a query comes and the last look is 10 ms old, one thread looks at `current` by one
 * system call; a new delta is read there and then, a new base by the zone's own thread, which
 * hf_zone_close() joins. A file that fails its check is not used and the old picture stays: nothing
 * in the folder can crash a reader or yield a wrong address.
 *
 * An old picture is never given as fresh: while another one is published than the one in hand (its
 * base is still being checked, it cannot be used, nobody could look for a second), nothing is
 * fresh. With hf_zone_keep_up() the thread looks each second, so that also the first query after
 * hours finds what was published a second ago.
 *
 * Looking up takes no lock and no memory. Only a change of picture does.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/pulse.h"
#include "zone/record.h"

struct hf_clock;
struct hf_picture;     /* zone/picture.h */
struct hf_zone;        /* thread safe */
struct hf_zone_reader; /* belongs to one thread */

/*
 * Never fails because of what is in the folder or because there is none: it is looked for again, at
 * most once a second while there is none. `dir` is copied; `clock` is borrowed and outlives the
 * zone. No thread is started and nothing is read before the first hf_zone_reader_refresh() or
 * hf_zone_begin().
 */
int hf_zone_open(const char *dir, const struct hf_clock *clock, struct hf_zone **ret_zone);
/* All its readers must have ended before. Joins the thread. NULL is fine. */
void hf_zone_close(struct hf_zone *z);

/*
 * For whoever answers for long: the zone's thread looks at the folder each second, whether or not
 * anybody asks (one stat() while nothing is new). It starts with the first refresh of the process,
 * so that a process may fork before; a fork starts its own.
 */
void hf_zone_keep_up(struct hf_zone *z);
/*
 * The same, for a process that forks no more: the thread starts now, and loads what is there before
 * anybody asks.
 */
void hf_zone_begin(struct hf_zone *z);
/*
 * Why the newest files are not in use, "" if they are: for status and log. Any thread. Returns the
 * number of bytes, as snprintf() does.
 */
int hf_zone_trouble(struct hf_zone *z, char *out, size_t size);

int hf_zone_reader_new(struct hf_zone *z, struct hf_zone_reader **ret_reader);
void hf_zone_reader_free(struct hf_zone_reader *r);

/*
 * Call before each query (or batch of queries): takes up the newest picture. What was lent before
 * ends here. Returns true if there is a picture.
 */
bool hf_zone_reader_refresh(struct hf_zone_reader *r);
/*
 * The same, but waits until the newest base is loaded: for tools such as holdfastctl. 0 or a code
 * that says why not.
 */
int hf_zone_reader_load(struct hf_zone_reader *r);
/*
 * Nothing that was lent is used any more, and the next call is a refresh: a picture that is
 * replaced meanwhile need not stay in memory for this thread. Costs next to nothing; without it a
 * thread keeps its picture while it is idle.
 */
void hf_zone_reader_rest(struct hf_zone_reader *r);

/* Lent until the next refresh. NULL while there is no picture. */
const struct hf_zone_meta *hf_zone_reader_meta(const struct hf_zone_reader *r);
const struct hf_pulse *hf_zone_reader_pulse(const struct hf_zone_reader *r);
bool hf_zone_reader_stamp(const struct hf_zone_reader *r, struct hf_zone_stamp *ret_stamp);

/* What it looks into since the last refresh, for answer.c. NULL while there is no picture. */
const struct hf_picture *hf_zone_reader_picture(const struct hf_zone_reader *r);

enum hf_entry_kind {
	HF_ENTRY_ADDRS,
	HF_ENTRY_EMPTY, /* an empty non-terminal, or an apex */
};

/* Lent until the next refresh. */
struct hf_zone_entry {
	enum hf_entry_kind kind;
	uint8_t flags; /* HF_REC_... */
	uint16_t source;
	uint16_t owner;
	int64_t first_seen_s;
	bool has_children; /* there are names below it */
	const uint8_t (*addrs)[16];
	size_t n_addrs;
};

/*
 * `name` in canonical wire form. Returns 1 and fills ret_entry, 0 if there is no such name, or a
 * code.
 */
int hf_zone_reader_find(
    struct hf_zone_reader *r, const uint8_t *name, size_t len, struct hf_zone_entry *ret_entry);
/*
 * Of use before hf_zone_reader_find() of many names at once: it has the processor fetch from all
 * over the picture what they will look at, instead of waiting for it name by name. `names` may hold
 * NULLs; of more than 64 the rest is left out.
 */
void hf_zone_reader_warm(struct hf_zone_reader *r, const struct hf_name *const *names, size_t n);
/* The name that `addr`'s PTR tells, in wire form, lent until the next refresh. 1, 0 or a code. */
int hf_zone_reader_find_ptr(struct hf_zone_reader *r, const uint8_t addr[static 16],
    const uint8_t **ret_name, size_t *ret_len);

/*
 * True if this source and owner were fresh at the last refresh: the source is live and gave proof
 * of life within its fresh window, the owner was confirmed within twice the snapshot interval, and
 * the picture is the one that is published.
 */
bool hf_zone_reader_fresh(const struct hf_zone_reader *r, uint16_t source, uint16_t owner);
/* The same without the owner. */
bool hf_zone_reader_source_fresh(const struct hf_zone_reader *r, uint16_t source);

/*
 * All names with addresses, in no order. Returning non-zero from cb ends the walk and is returned.
 * Not for the query path.
 */
typedef int (*hf_zone_walk_cb)(
    const struct hf_name *name, const struct hf_zone_entry *entry, void *arg);
int hf_zone_reader_walk(struct hf_zone_reader *r, hf_zone_walk_cb cb, void *arg);
