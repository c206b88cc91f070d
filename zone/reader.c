/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "zone/folder_watch.h"

enum { PULSE_EVERY_MS = 1000 };

struct hf_zone_reader {
	struct hf_zone *zone; /* borrowed; outlives it */
	/* owned reference; what is lent lies in it. NULL while it rests */
	struct hf_picture *picture;
	uint64_t shown; /* the number that it had */
	bool in_force;  /* it is known to be what is published */
	struct hf_zone_seat seat;
	struct hf_pulse *pulse; /* owned */
	int64_t pulse_ms;       /* when it is to be read again */
	int64_t now_ms;         /* of the last refresh */
};

int hf_zone_reader_new(struct hf_zone *z, struct hf_zone_reader **ret_reader)
{
	struct hf_zone_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	r->zone = z;
	r->pulse_ms = INT64_MIN;
	rc = hf_pulse_new(&r->pulse);
	if (rc) {
		free(r);
		return rc;
	}
	hf_zone_add_seat(z, &r->seat);
	*ret_reader = r;
	return 0;
}

void hf_zone_reader_free(struct hf_zone_reader *r)
{
	if (!r)
		return;
	hf_zone_del_seat(r->zone, &r->seat);
	hf_picture_unref(r->picture);
	hf_pulse_free(r->pulse);
	free(r);
}

void hf_zone_reader_rest(struct hf_zone_reader *r)
{
	if (r->picture)
		atomic_store_explicit(&r->seat.parked, r->picture, memory_order_release);
	r->picture = NULL;
}

/* Its picture as it left it, unless that was taken away. */
static void reader_wake(struct hf_zone_reader *r)
{
	if (r->picture)
		return;
	r->picture = atomic_exchange_explicit(&r->seat.parked, NULL, memory_order_acquire);
	if (!r->picture)
		r->shown = 0;
}

static void reader_take_picture(struct hf_zone_reader *r, uint64_t shown)
{
	struct hf_picture *old = r->picture;

	/* The picture may be newer than the number: then it is taken once more, for nothing. */
	r->shown = shown;
	r->picture = hf_zone_get_picture(r->zone);
	/* Another store numbers its owners anew. */
	if (!old ||
	    memcmp(old->stamp.epoch, r->picture->stamp.epoch, sizeof(old->stamp.epoch)) != 0)
		r->pulse_ms = INT64_MIN;
	hf_picture_unref(old);
}

/* What cannot be read leaves the pulse as it was; it grows old by itself. */
static void take_pulse(struct hf_zone_reader *r)
{
	int dirfd = open(hf_zone_dir(r->zone), O_PATH | O_DIRECTORY | O_CLOEXEC);

	r->pulse_ms = r->now_ms + PULSE_EVERY_MS;
	if (dirfd < 0)
		return;
	hf_pulse_load(r->pulse, dirfd);
	close(dirfd);
}

/* Takes up what is in force, without a look at the folder. */
static bool catch_up(struct hf_zone_reader *r)
{
	uint64_t shown;

	reader_wake(r);
	r->in_force = hf_zone_is_in_force(r->zone, r->now_ms);
	shown = hf_zone_shown(r->zone);
	if (shown != r->shown)
		reader_take_picture(r, shown);
	if (r->picture && r->now_ms >= r->pulse_ms)
		take_pulse(r);
	return r->picture;
}

bool hf_zone_reader_refresh(struct hf_zone_reader *r)
{
	r->now_ms = hf_boot_ms(hf_zone_clock(r->zone));
	hf_zone_look(r->zone, r->now_ms);
	return catch_up(r);
}

int hf_zone_reader_load(struct hf_zone_reader *r)
{
	int rc;

	r->now_ms = hf_boot_ms(hf_zone_clock(r->zone));
	rc = hf_zone_look_and_wait(r->zone, r->now_ms);
	r->pulse_ms = INT64_MIN;
	catch_up(r);
	return rc;
}

const struct hf_picture *hf_zone_reader_picture(const struct hf_zone_reader *r)
{
	return r->picture;
}

const struct hf_zone_meta *hf_zone_reader_meta(const struct hf_zone_reader *r)
{
	return r->picture ? &r->picture->meta : NULL;
}

const struct hf_pulse *hf_zone_reader_pulse(const struct hf_zone_reader *r)
{
	return r->pulse;
}

bool hf_zone_reader_stamp(const struct hf_zone_reader *r, struct hf_zone_stamp *ret_stamp)
{
	if (!r->picture)
		return false;
	*ret_stamp = r->picture->stamp;
	return true;
}

/* A value as callers see it. HF_EFORMAT for a kind that no name can have. */
static int entry_of_value(const struct hf_fmt_value *v, struct hf_zone_entry *ret_entry)
{
	if (v->kind != HF_FMT_ADDRS && v->kind != HF_FMT_EMPTY)
		return HF_EFORMAT;
	*ret_entry = (struct hf_zone_entry){
		.kind = v->kind == HF_FMT_ADDRS ? HF_ENTRY_ADDRS : HF_ENTRY_EMPTY,
		.flags = v->flags,
		.source = v->source,
		.owner = v->owner,
		.first_seen_s = v->first_seen_s,
		.has_children = v->children > 0,
		.addrs = v->addrs,
		.n_addrs = v->n_addrs,
	};
	return 0;
}

int hf_zone_reader_find(
    struct hf_zone_reader *r, const uint8_t *name, size_t len, struct hf_zone_entry *ret_entry)
{
	struct hf_fmt_value value;
	int rc;

	if (!r->picture)
		return HF_ENOTREADY;
	/* Other keys than names begin with what no label can. */
	if (!len || len > HF_NAME_MAX || name[0] > HF_LABEL_MAX)
		return 0;
	rc = hf_picture_get(r->picture, name, len, &value);
	if (rc <= 0)
		return rc;
	rc = entry_of_value(&value, ret_entry);
	return rc ? rc : 1;
}

void hf_zone_reader_warm(struct hf_zone_reader *r, const struct hf_name *const *names, size_t n)
{
	if (r->picture)
		hf_picture_warm(r->picture, names, n);
}

int hf_zone_reader_find_ptr(struct hf_zone_reader *r, const uint8_t addr[static 16],
    const uint8_t **ret_name, size_t *ret_len)
{
	uint8_t key[HF_FMT_PTR_KEY_LEN];
	struct hf_fmt_value value;
	int rc;

	if (!r->picture)
		return HF_ENOTREADY;
	if (!hf_addr_is_ours(addr))
		return 0;
	hf_fmt_ptr_key(addr, key);
	rc = hf_picture_get(r->picture, key, sizeof(key), &value);
	if (rc <= 0)
		return rc;
	if (value.kind != HF_FMT_PTR)
		return HF_EFORMAT;
	*ret_name = value.ptr;
	*ret_len = value.ptr_len;
	return 1;
}

/* How long a proof of life is good for; one from the future is none. */
static bool is_young(const struct hf_pulse_stamp *stamp, int64_t now_ms, uint64_t good_ms)
{
	/*
	 * A little ahead it may be: the writer has stamped since this reader looked at its clock.
	 */
	return stamp->known && stamp->boot_ms >= now_ms - (int64_t)good_ms &&
	       stamp->boot_ms <= now_ms + (int64_t)good_ms;
}

bool hf_zone_reader_source_fresh(const struct hf_zone_reader *r, uint16_t source)
{
	struct hf_pulse_stamp stamp;

	if (!r->picture || !r->in_force || source >= r->picture->meta.n_sources)
		return false;
	stamp = hf_pulse_get_source(r->pulse, source);
	return stamp.live && is_young(&stamp, r->now_ms, r->picture->meta.sources[source].fresh_ms);
}

/* Both are looked at also where one is enough: a stale answer takes as long as a fresh one. */
bool hf_zone_reader_fresh(const struct hf_zone_reader *r, uint16_t source, uint16_t owner)
{
	bool is_fresh = hf_zone_reader_source_fresh(r, source);
	struct hf_pulse_stamp stamp;
	uint64_t good_ms;

	if (owner == HF_ZONE_OWNER_NONE || !r->picture || source >= r->picture->meta.n_sources)
		return is_fresh;
	good_ms = 2 * (uint64_t)r->picture->meta.sources[source].snapshot_ms;
	stamp = hf_pulse_get_owner(r->pulse, owner);
	return is_fresh & stamp.live & is_young(&stamp, r->now_ms, good_ms);
}

struct reader_walk {
	hf_zone_walk_cb cb;
	void *arg;
};

static int walk_one(const struct hf_name *name, const struct hf_fmt_value *value, void *arg)
{
	const struct reader_walk *w = arg;
	struct hf_zone_entry entry;
	int rc = entry_of_value(value, &entry);

	if (rc)
		return rc;
	return entry.kind == HF_ENTRY_ADDRS ? w->cb(name, &entry, w->arg) : 0;
}

int hf_zone_reader_walk(struct hf_zone_reader *r, hf_zone_walk_cb cb, void *arg)
{
	struct reader_walk w = { cb, arg };

	return r->picture ? hf_picture_walk(r->picture, walk_one, &w) : HF_ENOTREADY;
}
