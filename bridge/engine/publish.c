/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/engine/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "zone/pulse.h"
#include "zone/writer.h"

/* Names of a full walk that are taken at once: a millisecond or two. */
enum { NAMES_A_SLICE = 1000 };

struct hf_publish {
	char *dir; /* owned */
	const struct hf_clock *clock;
	struct hf_zone_writer *writer; /* owned */
	struct hf_pulse_writer *pulse; /* owned */
	struct hf_zone_meta meta;      /* as last published */
	struct hf_zone_stamp found;    /* at open */
	bool any;                      /* something was published by this process */
	uint64_t taken; /* the writer holds all names up to this generation of `epoch` */
	uint8_t epoch[16];
	struct hf_store_walk *walk; /* owned: all names are being taken in slices */
	uint64_t n_refused;         /* of the names that are being taken, and the first of them */
	struct hf_name first_refused;
	struct hf_fault refused;
	struct hf_fault damage;
	struct hf_fault moved;
	uint32_t pulse_ms;
	dev_t dev; /* of the folder that writer and pulse have open */
	ino_t ino;
	struct hf_fault pulse_fault;
	struct hf_fault clock_fault;
};

/* Writer and pulse of the folder that is there now, and what is in it. */
static int open_folder(struct hf_publish *p)
{
	const struct hf_zone_writer_opts writer_opts = { .clock = p->clock };
	struct stat st;
	int rc = hf_zone_writer_open(p->dir, &writer_opts, &p->found, &p->writer), dirfd;

	if (rc < 0)
		return rc;
	if (rc == 0)
		memset(&p->found, 0, sizeof(p->found));
	p->taken = p->found.generation;
	p->any = false;
	memcpy(p->epoch, p->found.epoch, sizeof(p->epoch));
	dirfd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	if (fstat(dirfd, &st) < 0)
		rc = -errno;
	else if (p->pulse)
		/* who is live and confirmed does not change with the folder */
		rc = hf_pulse_writer_move(p->pulse, dirfd);
	else
		rc = hf_pulse_writer_open(dirfd, p->clock, &p->pulse);
	close(dirfd);
	if (rc < 0)
		return rc;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	if (p->pulse_ms)
		hf_pulse_writer_pace(p->pulse, p->pulse_ms);
	return 0;
}

static void close_folder(struct hf_publish *p)
{
	hf_store_walk_free(p->walk);
	hf_zone_writer_free(p->writer);
	p->walk = NULL;
	p->writer = NULL;
}

int hf_publish_open(const struct hf_publish_opts *opts, struct hf_zone_stamp *ret_stamp,
    struct hf_publish **ret_publish)
{
	struct hf_publish *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	p->clock = opts->clock;
	p->pulse_ms = opts->pulse_ms;
	p->dir = strdup(opts->dir);
	rc = p->dir ? open_folder(p) : -ENOMEM;
	if (rc < 0) {
		hf_publish_free(p);
		return rc;
	}
	*ret_stamp = p->found;
	*ret_publish = p;
	return 0;
}

int hf_publish_look(struct hf_publish *p)
{
	struct stat st;
	int rc;

	if (p->writer && stat(p->dir, &st) == 0 && st.st_dev == p->dev && st.st_ino == p->ino)
		return 0;
	hf_fault_set(&p->moved, p->clock, HF_LOG_ERROR,
	    "zone: the folder '%s' was removed or replaced; it is made anew out of the store",
	    p->dir);
	close_folder(p);
	rc = open_folder(p);
	if (rc < 0) {
		close_folder(p);
		return rc;
	}
	hf_fault_clear(&p->moved, p->clock, "zone:");
	return 1;
}

void hf_publish_let_go(struct hf_publish *p)
{
	hf_store_walk_free(p->walk);
	p->walk = NULL;
	p->taken = 0;
}

void hf_publish_free(struct hf_publish *p)
{
	if (!p)
		return;
	close_folder(p);
	hf_pulse_writer_free(p->pulse);
	free(p->dir);
	free(p);
}

/* --- names --- */

static int publish_set_name(struct hf_publish *p, const struct hf_name_change *change)
{
	struct hf_zone_rec rec = {
		.name = &change->name,
		.addrs = &change->addr,
		.n_addrs = 1,
		.flags = change->flags,
		.source = (uint16_t)change->source,
		.owner = change->owner < HF_ZONE_OWNERS_MAX ? (uint16_t)change->owner
							    : HF_ZONE_OWNER_NONE,
		.first_seen_s = change->first_seen_s,
	};

	return hf_zone_writer_set(p->writer, &rec);
}

/*
 * Names go while the old settings are in force, and come with the new ones: a suffix may change
 * between the two.
 */
static int on_removed(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	struct hf_publish *p = arg;

	return change->removed ? hf_zone_writer_del(p->writer, &change->name) : 0;
}

static int on_set(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	struct hf_publish *p = arg;
	int rc = change->removed ? 0 : publish_set_name(p, change);

	if (rc != HF_EREFUSED)
		return rc;
	/*
	 * Not this one, but the others: state and zone disagree, which is ours to mend, not the
	 * user's to suffer.
	 */
	if (!p->n_refused++)
		p->first_refused = change->name;
	return 0;
}

/* One line, however many they are. */
static void tell_refused(struct hf_publish *p)
{
	char text[HF_NAME_TEXT_MAX];

	if (p->n_refused)
		hf_fault_set(&p->refused, p->clock, HF_LOG_ERROR,
		    "zone: %llu name%s cannot be published (%s), such as '%.100s'",
		    (unsigned long long)p->n_refused, p->n_refused == 1 ? "" : "s",
		    hf_strerror(HF_EREFUSED), hf_name_text(&p->first_refused, text));
	p->n_refused = 0;
}

static void publish_taken(struct hf_publish *p, const struct hf_store *store, uint64_t generation)
{
	p->taken = generation;
	memcpy(p->epoch, hf_store_epoch(store), sizeof(p->epoch));
	tell_refused(p);
}

/* A slice of all names. -EAGAIN while there are more. */
static int take_slice(struct hf_publish *p, struct hf_store *store)
{
	int rc = hf_store_walk_step(p->walk, NAMES_A_SLICE, on_set, p);

	if (rc == 1)
		return -EAGAIN;
	if (rc == 0)
		publish_taken(p, store, hf_store_walk_generation(p->walk));
	hf_store_walk_free(p->walk);
	p->walk = NULL;
	return rc;
}

static int take_all(struct hf_publish *p, struct hf_store *store, const struct hf_zone_meta *meta)
{
	int rc = hf_zone_writer_clear(p->writer);

	/* Until the walk is through, what the writer holds is of no generation. */
	p->taken = 0;
	p->n_refused = 0;
	hf_zone_writer_set_meta(p->writer, meta);
	if (!rc)
		rc = hf_store_walk_new(store, &p->walk);
	return rc ? rc : take_slice(p, store);
}

static int take_changes(
    struct hf_publish *p, struct hf_store *store, const struct hf_zone_meta *meta)
{
	uint64_t since = p->taken;
	int rc;

	if (since == hf_store_generation(store)) {
		hf_zone_writer_set_meta(p->writer, meta);
		return 0;
	}
	rc = hf_store_names_since(store, since, on_removed, p);
	if (rc)
		return rc;
	/* Half of it is with the writer now: only the rest makes it a generation. */
	hf_zone_writer_set_meta(p->writer, meta);
	rc = hf_store_names_since(store, since, on_set, p);
	if (!rc)
		publish_taken(p, store, hf_store_generation(store));
	return rc;
}

static int take_names(struct hf_publish *p, struct hf_store *store, const struct hf_zone_meta *meta)
{
	bool same = p->taken && !memcmp(p->epoch, hf_store_epoch(store), sizeof(p->epoch));
	int rc = -ESTALE;

	if (p->walk)
		return take_slice(p, store);
	if (same && p->taken <= hf_store_generation(store))
		rc = take_changes(p, store, meta);
	return rc == -ESTALE ? take_all(p, store, meta) : rc;
}

bool hf_publish_same_meta(const struct hf_zone_meta *a, const struct hf_zone_meta *b)
{
	/* Whoever fills a meta zeroes it first. */
	return !memcmp(a, b, sizeof(*a));
}

/*
 * What lies on the disk is not what was written: everything is taken from the store again. -EAGAIN;
 * HF_EDAMAGED if it is so again, before it was whole once: then it waits as after any failure.
 */
static int begin_again(struct hf_publish *p)
{
	bool first = hf_fault_set(&p->damage, p->clock, HF_LOG_ERROR,
	    "zone: '%s' is not as it was written: published again out of the store; readers keep what they have",
	    p->dir);

	hf_publish_let_go(p);
	return first ? -EAGAIN : HF_EDAMAGED;
}

/*
 * The store counts on by one where the clock would send the serial backwards: somebody has to set
 * the clock.
 */
static void look_at_clock(struct hf_publish *p, const struct hf_store *store)
{
	int64_t wall_s = hf_wall_ms(p->clock) / 1000;
	char now[HF_WALL_TEXT_MAX];

	if (hf_store_generation_may_be(hf_store_generation(store), wall_s))
		hf_fault_clear(&p->clock_fault, p->clock, "zone: the clock");
	else
		hf_fault_set(&p->clock_fault, p->clock, HF_LOG_WARN,
		    "zone: the clock says year %.4s, 68 years or more after the last change; the zone's serial does not follow it. Set the clock",
		    hf_wall_text(wall_s, now) ? now : "?");
}

bool hf_publish_has_zone(const struct hf_publish *p)
{
	return p->any || p->found.generation;
}

int hf_publish_store(struct hf_publish *p, struct hf_store *store, const struct hf_zone_meta *meta)
{
	bool same_epoch = !memcmp(p->found.epoch, hf_store_epoch(store), sizeof(p->found.epoch));
	bool up_to_date = p->writer && p->any &&
			  hf_zone_writer_published(p->writer) == hf_store_generation(store) &&
			  !memcmp(p->epoch, hf_store_epoch(store), sizeof(p->epoch));
	int rc;

	if (!p->writer)
		return -ENOENT;
	look_at_clock(p, store);
	if (up_to_date && hf_publish_same_meta(&p->meta, meta))
		return 1;
	/*
	 * A store that knows nothing yet says nothing over a zone that does; one of its own does
	 * not.
	 */
	if (!meta->ready && p->found.generation && !same_epoch)
		return 1;
	rc = take_names(p, store, meta);
	/* Unless it is the store that is damaged, whose owner mends it. */
	if (rc == HF_EDAMAGED && hf_store_get_state(store, NULL, NULL) < HF_STORE_RECOVERING)
		rc = begin_again(p);
	/* A walk that came to its end may be of an earlier generation. */
	if (!rc && p->taken != hf_store_generation(store))
		rc = -EAGAIN;
	if (!rc)
		rc = hf_zone_writer_publish(
		    p->writer, hf_store_epoch(store), hf_store_generation(store));
	if (rc < 0)
		return rc;
	hf_fault_clear(&p->damage, p->clock, "zone:");
	p->meta = *meta;
	p->any = true;
	return rc;
}

int hf_publish_fd(const struct hf_publish *p)
{
	return p->writer ? hf_zone_writer_fd(p->writer) : -1;
}

int64_t hf_publish_wait_ms(const struct hf_publish *p)
{
	return p->writer ? hf_zone_writer_wait_ms(p->writer) : -1;
}

int hf_publish_work(struct hf_publish *p)
{
	int rc = p->writer ? hf_zone_writer_work(p->writer) : 0;

	/*
	 * Found by the thread that makes a base: the next hf_publish_store() begins with all names.
	 */
	if (rc == HF_EDAMAGED)
		begin_again(p);
	return rc;
}

uint64_t hf_publish_generation(const struct hf_publish *p)
{
	return p->writer ? hf_zone_writer_published(p->writer) : 0;
}

/* --- is it what it should be --- */

static int on_missed(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	return 1;
}

int hf_publish_check(struct hf_publish *p, struct hf_store *store, uint64_t n_names, uint64_t sum,
    struct hf_publish_found *ret_found)
{
	struct hf_zone_stamp *stamp = &ret_found->stamp;
	int rc;

	memset(ret_found, 0, sizeof(*ret_found));
	if (!p->writer || !p->any || p->walk || hf_zone_writer_is_behind(p->writer))
		return -EAGAIN;
	rc = hf_zone_writer_read_back(p->writer, stamp, &ret_found->own);
	if (rc <= 0)
		return rc;
	ret_found->sum = hf_zone_writer_sum(p->writer);
	if (memcmp(stamp->epoch, hf_store_epoch(store), sizeof(stamp->epoch)) != 0 ||
	    stamp->generation > hf_store_generation(store) || stamp->n_names != n_names ||
	    !ret_found->own || ret_found->sum != sum)
		return 0;
	/*
	 * Stamps alone make a generation that is not published; a name that changed is never left
	 * out.
	 */
	rc = hf_store_names_since(store, stamp->generation, on_missed, NULL);
	if (rc == 0)
		return 1;
	return rc == 1 || rc == -ESTALE ? 0 : rc;
}

void hf_publish_again(struct hf_publish *p)
{
	hf_publish_let_go(p);
	p->any = false;
}

/* --- pulse --- */

static void pulse_told(struct hf_publish *p, int rc)
{
	if (rc < 0)
		hf_fault_set(&p->pulse_fault, p->clock, HF_LOG_WARN,
		    "zone: pulse cannot be written (%s); readers will take the names for stale",
		    hf_strerror(rc));
	else
		hf_fault_clear(&p->pulse_fault, p->clock, "zone: pulse");
}

int hf_publish_pulse_look(struct hf_publish *p)
{
	int rc = p->pulse ? hf_pulse_look(p->pulse) : 0;

	pulse_told(p, rc);
	return rc;
}

int64_t hf_publish_seen_ms(const struct hf_publish *p, uint16_t source, uint32_t owner)
{
	if (!p->pulse)
		return INT64_MAX;
	return owner == UINT32_MAX ? hf_pulse_source_seen(p->pulse, source)
				   : hf_pulse_owner_seen(p->pulse, (uint16_t)owner);
}

const struct hf_fault *hf_publish_pulse_fault(const struct hf_publish *p)
{
	return &p->pulse_fault;
}

void hf_publish_source(struct hf_publish *p, uint16_t source, bool live)
{
	if (p->pulse)
		pulse_told(p, hf_pulse_source(p->pulse, source, live));
}

void hf_publish_owner(struct hf_publish *p, uint16_t owner)
{
	if (p->pulse)
		pulse_told(p, hf_pulse_owner(p->pulse, owner));
}

void hf_publish_owner_down(struct hf_publish *p, uint16_t owner)
{
	if (p->pulse)
		pulse_told(p, hf_pulse_owner_down(p->pulse, owner));
}

void hf_publish_owner_clear(struct hf_publish *p, uint16_t owner)
{
	if (p->pulse)
		pulse_told(p, hf_pulse_owner_clear(p->pulse, owner));
}
