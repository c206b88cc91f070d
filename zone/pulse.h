/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pulse: when each source last gave proof of life, and when each owner was last confirmed.
 * One small file in the zone folder, slots written in place, never synced. A slot of another boot,
 * a torn or an old one reads as stale: the safe side.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_clock;

/* --- the bridge's side --- */

/*
 * What is noted is kept until it is in the file. Each call that notes something returns 0, or why
 * something that was noted, now or before, of this slot or another, is not there: of that readers
 * know nothing. HF_ELIMIT: there is no such slot; -ENOMEM: it is not noted.
 */
struct hf_pulse_writer;

/*
 * Opens or makes `pulse` under dirfd (borrowed for the call only). A file that cannot be made now
 * is no error: see hf_pulse_look(). End it with hf_pulse_writer_free().
 */
int hf_pulse_writer_open(
    int dirfd, const struct hf_clock *clock, struct hf_pulse_writer **ret_writer);
void hf_pulse_writer_free(struct hf_pulse_writer *w);

/*
 * Note proof of life of source `i` now; `live` false means it is known to be down. Written at once
 * when `live` changes, else at most every 15 s (every_ms; hf_pulse_writer_pace() for tests).
 */
int hf_pulse_source(struct hf_pulse_writer *w, uint16_t i, bool live);
/* Owner `i` was confirmed now by an accepted snapshot. Same pace. */
int hf_pulse_owner(struct hf_pulse_writer *w, uint16_t i);
/*
 * The bridge has accepted no snapshot of owner `i` since it began: its slot keeps the times of
 * before, and reads as not live. Written once; one that was never confirmed stays so.
 */
int hf_pulse_owner_down(struct hf_pulse_writer *w, uint16_t i);
/* Owner `i` is no more, or starts anew: its slot reads as never confirmed. */
int hf_pulse_owner_clear(struct hf_pulse_writer *w, uint16_t i);
/*
 * To be called from time to time, and before anybody is told what readers see: the file is made
 * again where it is gone, and what it should have and has not is written. 0 or a code, as above.
 */
int hf_pulse_look(struct hf_pulse_writer *w);
/*
 * The last proof of life that readers find in the file, in boottime, where what was noted of the
 * slot could not be written: INT64_MIN for none. INT64_MAX: all that was noted is there.
 */
int64_t hf_pulse_source_seen(const struct hf_pulse_writer *w, uint16_t i);
int64_t hf_pulse_owner_seen(const struct hf_pulse_writer *w, uint16_t i);
void hf_pulse_writer_pace(struct hf_pulse_writer *w, uint32_t every_ms);
/*
 * The folder was replaced: from now on the file is the one under `dirfd` (borrowed for the call
 * only), and has what this writer knows. 0, or a code: the folder of before is still the writer's.
 */
int hf_pulse_writer_move(struct hf_pulse_writer *w, int dirfd);

/* --- the reader's side --- */

struct hf_pulse_stamp {
	bool known; /* ever written in this boot, and its checksum right */
	/* heard from, or confirmed, by the bridge that wrote it last, and not known to be down */
	bool live;
	int64_t boot_ms; /* of this boot */
	int64_t wall_ms;
};

/* A copy of all slots; one per thread. */
struct hf_pulse;

int hf_pulse_new(struct hf_pulse **ret_pulse);
void hf_pulse_free(struct hf_pulse *p);
/*
 * Read the file under dirfd again. A slot that cannot be read keeps its last good value. 0 or a
 * code.
 */
int hf_pulse_load(struct hf_pulse *p, int dirfd);
struct hf_pulse_stamp hf_pulse_get_source(const struct hf_pulse *p, uint16_t i);
struct hf_pulse_stamp hf_pulse_get_owner(const struct hf_pulse *p, uint16_t i);
