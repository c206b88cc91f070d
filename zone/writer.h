/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * writer: publishes the zone. One per folder, the bridge's alone.
 *
 * Names are set and removed one at a time; hf_zone_writer_publish() makes all that came since the
 * last one visible at once. The writer derives the rest by itself: empty non-terminals, PTR
 * entries, apexes.
 *
 * A publication is a rewritten delta (small, at once) or, when more than about 10,000 names
 * changed, a new base. Bases are made by a worker thread, which only reads immutable files and
 * writes a new one: the caller's loop never waits for it. The owner of the loop watches
 * hf_zone_writer_fd() and calls hf_zone_writer_work() when it is readable.
 *
 * Order on disk: a file that `current` names was synced, its folder too, before `current` was
 * renamed; the files of the previous picture are unlinked only after that rename is durable. So a
 * power cut shows the last publication or the one before it, whole; see hf_zone_writer_sync().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/record.h"

struct hf_clock;
struct hf_zone_writer; /* opaque; not thread safe */

struct hf_zone_writer_opts {
	const struct hf_clock *clock; /* borrowed; outlives the writer */
	/* Both count entries: names, empty non-terminals and PTR alike. */
	uint32_t fold_names;    /* delta size that starts a fold; 0: 1,000 */
	uint32_t direct_names;  /* larger changes go into a base at once; 0: 10,000 */
	uint32_t fold_every_ms; /* folds are this far apart; 0: 5,000 */
};

/*
 * Open `dir` (made 0750 if it is not there; refused with HF_EUNSAFE if others may write it, or if
 * it is a symlink: the log says which; HF_ELOCKED if another writer has it). A valid picture in it
 * is taken up and published further; otherwise the writer starts empty and, until the first
 * publish, leaves what is there untouched. Returns 1 and *ret_stamp if there was a picture, 0 if
 * none, or a code. End with hf_zone_writer_free(), which waits for the worker.
 */
int hf_zone_writer_open(const char *dir, const struct hf_zone_writer_opts *opts,
    struct hf_zone_stamp *ret_stamp, struct hf_zone_writer **ret_writer);
void hf_zone_writer_free(struct hf_zone_writer *w);

/*
 * Settings for the next publication; copied. Names under a suffix that is taken out are to be taken
 * out before.
 */
void hf_zone_writer_set_meta(struct hf_zone_writer *w, const struct hf_zone_meta *meta);

/* Forget every name (the next publication is what is set after this, and no more). */
int hf_zone_writer_clear(struct hf_zone_writer *w);
/*
 * Set or replace a name. HF_EREFUSED if it is under no suffix of the meta, its source is not in the
 * meta, or an address is not ours. Every code leaves all as it was. HF_EDAMAGED, of any call: the
 * base on disk is not what was written; hf_zone_writer_clear(), set everything and publish.
 */
int hf_zone_writer_set(struct hf_zone_writer *w, const struct hf_zone_rec *rec);
/* Take a name's addresses out. No error if it was not there. */
int hf_zone_writer_del(struct hf_zone_writer *w, const struct hf_name *name);

/*
 * Make it visible as `generation` of `epoch`. Returns 1 if it is published now, 0 if a base is
 * being made and hf_zone_writer_work() will say when, or a code: then nothing of it is visible, it
 * is kept, and the call may be repeated (ENOSPC and the like); hf_zone_writer_work() repeats it
 * too. HF_EREFUSED: a lower generation than before in the same epoch, no meta, or one that no
 * reader would take; HF_ELIMIT: more than a cdb holds (4 GiB).
 */
int hf_zone_writer_publish(
    struct hf_zone_writer *w, const uint8_t epoch[static 16], uint64_t generation);

/* Readable when hf_zone_writer_work() has something to do. */
int hf_zone_writer_fd(const struct hf_zone_writer *w);
/*
 * Take up a finished base, begin a due fold. Never waits. Returns 1 if something was published by
 * it, 0 if not, or a code (the picture that is published stays; it will be tried again after
 * fold_every_ms).
 */
int hf_zone_writer_work(struct hf_zone_writer *w);
/*
 * Milliseconds until hf_zone_writer_work() wants to be called though the fd is silent; -1: never.
 */
int64_t hf_zone_writer_wait_ms(const struct hf_zone_writer *w);

/*
 * Make sure that what readers see now survives a power cut, and that what it replaced is gone. The
 * next publication and hf_zone_writer_work() (fold_every_ms after the last one) do the same; this
 * is for whoever cannot wait.
 */
int hf_zone_writer_sync(struct hf_zone_writer *w);

/* The generation that readers see now; 0 while none. */
uint64_t hf_zone_writer_published(const struct hf_zone_writer *w);

/*
 * True while something that was asked for is not yet to be seen: a base is being made, or the disk
 * would not take it.
 */
bool hf_zone_writer_is_behind(const struct hf_zone_writer *w);

/*
 * Of all names that were set, as set (sum.h); at the open, of what was found, counted name by name.
 */
uint64_t hf_zone_writer_sum(const struct hf_zone_writer *w);

/*
 * What readers find, read back from the folder and not from memory: `current`, and one record of
 * the file that it names. Returns 1 and *ret_stamp; *ret_own says whether it is the picture that
 * this writer made or took up last, which its checksums tell to the byte. 0 if there is no picture,
 * or a code: HF_EDAMAGED if the base is not the one that was written (its size, its times),
 * HF_ECHECKSUM and the like of `current`.
 */
int hf_zone_writer_read_back(
    const struct hf_zone_writer *w, struct hf_zone_stamp *ret_stamp, bool *ret_own);
