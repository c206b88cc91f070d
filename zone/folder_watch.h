/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * folder_watch: the process's view of a zone folder: notices that `current` is another one, loads
 * what it names, and says which picture is in force. The half of reader.h that all threads share;
 * for reader.c alone.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "zone/picture.h"
#include "zone/reader.h"

/*
 * Looks at `current` if it is time and no other thread does; the first ever waits for the outcome.
 */
void hf_zone_look(struct hf_zone *z, int64_t now_ms);
/* Looks in any case, and returns when what `current` names is in force: 0, or why it is not. */
int hf_zone_look_and_wait(struct hf_zone *z, int64_t now_ms);

/*
 * True if the picture in force is known to be what is published: a look of at most a second ago
 * found that, and none found another one since. To be asked before hf_zone_get_picture(), so that
 * what is got then is at least as new.
 */
bool hf_zone_is_in_force(const struct hf_zone *z, int64_t now_ms);

/* How many pictures there have been: one atomic load. Another number: get the new one. */
uint64_t hf_zone_shown(const struct hf_zone *z);
/* The newest, or NULL. The caller ends it with hf_picture_unref(). */
struct hf_picture *hf_zone_get_picture(struct hf_zone *z);
/* Put a picture in force; the reference is taken over. */
void hf_zone_show(struct hf_zone *z, struct hf_picture *p);

/*
 * Where a reader leaves its picture while it does not look into it. The zone's thread takes one
 * that is not in force any more out of there, so that an idle reader keeps no memory of old ones.
 */
struct hf_zone_seat {
	_Atomic(struct hf_picture *) parked; /* owned reference of whoever takes it out */
	struct hf_zone_seat *next;
};
void hf_zone_add_seat(struct hf_zone *z, struct hf_zone_seat *seat);
void hf_zone_del_seat(struct hf_zone *z, struct hf_zone_seat *seat);

const struct hf_clock *hf_zone_clock(const struct hf_zone *z);
const char *hf_zone_dir(const struct hf_zone *z);
