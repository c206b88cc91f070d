/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/folder_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "zone/loader.h"

enum {
	LOOK_EVERY_MS = 10,
	LOOK_ABSENT_MS = 1000,
	/*
	 * Two versions of `current` nearer than its file system's clock ticks can bear the same
	 * marks.
	 */
	SETTLE_MS = 2000,
	RETRY_FLOOR_MS = 10,
	RETRY_CAP_MS = 5000,
	/* What is at most this long is read by the thread that has found it. */
	READ_HERE_DELTA = 4 << 20,
	READ_HERE_FIRST = 1 << 20,
	/*
	 * Of a bridge that publishes as fast as it can: by a thread that answers with what it has,
	 * and by others.
	 */
	VANISHED_TRIES_IN_TURN = 10,
	VANISHED_TRIES = 1000,
	/* So long a look is good for: then what it found may be old. */
	LOOK_GOOD_MS = 1000,
	/* How often it is seen to whether the last base can go, and for how long. */
	TIDY_FIRST_MS = 2,
	TIDY_LAST_MS = 500,
	TIDY_ALL_MS = 10000,
	STAY_AGAIN_MS = 1000, /* where no thread is to be had */
};

/* What tells one `current` from the next without reading it. */
struct marks {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
	struct timespec modified;
};

struct hf_zone {
	char *dir;     /* owned */
	char *current; /* owned; its path */
	const struct hf_clock *clock;

	_Atomic int64_t next_look_ms;
	atomic_bool looked;          /* the first look is over: whoever comes before waits for it */
	_Atomic int64_t in_force_ms; /* of the last look that found in force what is published */
	atomic_bool behind;     /* something else is published: it is being loaded, or cannot be */
	_Atomic uint64_t shown; /* how many pictures there have been */

	/* Whoever has it looks and loads; others go on with what they have. */
	pthread_mutex_t look_lock;
	struct marks seen; /* of the `current` that was read last; zero: none */
	int64_t settle_ms; /* until then equal marks are no proof */
	bool settled;
	struct hf_backoff backoff; /* failures > 0: what was seen is not in use */
	int64_t retry_ms;

	struct hf_loader loader;
	bool keeps_up;                /* the loader looks, too */
	int64_t stay_at_ms;           /* when to ask for its thread again */
	bool awaited;                 /* the loader has been started, its result not yet taken */
	struct hf_fmt_current wanted; /* the loader's while it is busy */
	atomic_bool stop;

	/* The thread's own. */
	/* owned reference: the base before, for the thread to be the last who has it */
	struct hf_sealed *leaving;
	int64_t tidy_ms, tidied_ms;

	pthread_mutex_t lock;       /* of what follows; held for a few instructions */
	struct hf_picture *picture; /* owned reference; the newest */
	struct hf_zone_seat *seats; /* of all readers */
	char trouble[512];
};

/* --- what went wrong --- */

static void zone_set_trouble(struct hf_zone *z, const char *file, int rc)
{
	pthread_mutex_lock(&z->lock);
	if (rc)
		snprintf(z->trouble, sizeof(z->trouble), "%s/%s: %s%s", z->dir, file,
		    hf_strerror(rc), z->picture ? " (the last good picture stays)" : "");
	else
		z->trouble[0] = '\0';
	pthread_mutex_unlock(&z->lock);
}

int hf_zone_trouble(struct hf_zone *z, char *out, size_t size)
{
	int n;

	pthread_mutex_lock(&z->lock);
	n = snprintf(out, size, "%s", z->trouble);
	pthread_mutex_unlock(&z->lock);
	return n;
}

/* --- the picture in force --- */

void hf_zone_show(struct hf_zone *z, struct hf_picture *p)
{
	struct hf_picture *old;

	pthread_mutex_lock(&z->lock);
	old = z->picture;
	z->picture = p;
	atomic_fetch_add_explicit(&z->shown, 1, memory_order_release);
	pthread_mutex_unlock(&z->lock);
	hf_picture_unref(old);
}

struct hf_picture *hf_zone_get_picture(struct hf_zone *z)
{
	struct hf_picture *p;

	pthread_mutex_lock(&z->lock);
	p = z->picture ? hf_picture_ref(z->picture) : NULL;
	pthread_mutex_unlock(&z->lock);
	return p;
}

uint64_t hf_zone_shown(const struct hf_zone *z)
{
	return atomic_load_explicit(&z->shown, memory_order_acquire);
}

/* --- loading --- */

static int zone_read_current(struct hf_zone *z, struct hf_fmt_current *ret_current)
{
	uint8_t *bytes;
	size_t len;
	int rc = hf_file_read(AT_FDCWD, z->current, HF_FMT_CURRENT_MAX, &bytes, &len);

	if (!rc) {
		rc = hf_fmt_current_get(bytes, len, ret_current);
		free(bytes);
	}
	if (rc)
		zone_set_trouble(z, "current", rc);
	return rc;
}

static int load_once(struct hf_zone *z, const struct hf_fmt_current *current)
{
	int dirfd = open(z->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct hf_picture *old, *p;
	const char *file;
	int rc;

	if (dirfd < 0) {
		rc = -errno;
		zone_set_trouble(z, "", rc);
		return rc;
	}
	old = hf_zone_get_picture(z);
	rc = hf_picture_load(dirfd, current, old, &z->stop, &file, &p);
	hf_picture_unref(old);
	close(dirfd);
	if (rc)
		zone_set_trouble(z, file, rc);
	else
		hf_zone_show(z, p);
	return rc;
}

static bool names_the_same(const struct hf_fmt_current *a, const struct hf_fmt_current *b)
{
	return !strcmp(a->base.name, b->base.name) && !strcmp(a->delta.name, b->delta.name);
}

/*
 * A file that is gone has made room for a newer one: then `current` names that by now. As long as
 * it moves on, whoever has no picture goes on, too; where it still names what is gone, that is
 * missing for good.
 */
static int zone_load(struct hf_zone *z, struct hf_fmt_current *current, int tries)
{
	int rc = load_once(z, current);

	while (
	    rc == -ENOENT && --tries > 0 && !atomic_load_explicit(&z->stop, memory_order_relaxed)) {
		struct hf_fmt_current gone = *current;

		rc = zone_read_current(z, current);
		if (rc)
			return rc;
		if (names_the_same(&gone, current))
			return -ENOENT;
		rc = load_once(z, current);
	}
	if (!rc)
		zone_set_trouble(z, "", 0);
	return rc;
}

/* --- what the zone's thread does --- */

static int load_wanted(void *arg)
{
	struct hf_zone *z = arg;
	struct hf_picture *old = hf_zone_get_picture(z);

	/* It is to be the last who has the old base: to give that much memory back takes long. */
	if (old && !hf_sealed_is(old->base, &z->wanted.base)) {
		hf_sealed_unref(z->leaving);
		z->leaving = hf_sealed_ref(old->base);
		z->tidy_ms = TIDY_FIRST_MS;
		z->tidied_ms = 0;
	}
	hf_picture_unref(old);
	return zone_load(z, &z->wanted, VANISHED_TRIES);
}

static void look_in_turn(void *arg)
{
	struct hf_zone *z = arg;

	hf_zone_look(z, hf_boot_ms(z->clock));
}

/* A picture that an idle reader has and that is not in force; NULL: there is none any more. */
static struct hf_picture *take_parked(struct hf_zone *z)
{
	struct hf_picture *p = NULL;

	pthread_mutex_lock(&z->lock);
	for (struct hf_zone_seat *s = z->seats; s && !p; s = s->next) {
		struct hf_picture *parked = atomic_load_explicit(&s->parked, memory_order_relaxed);

		/*
		 * Whose it is now is not known before it is taken out; one that is in force comes
		 * back by itself.
		 */
		if (parked && parked != z->picture)
			p = atomic_exchange_explicit(&s->parked, NULL, memory_order_acquire);
	}
	pthread_mutex_unlock(&z->lock);
	return p;
}

/* Those that answer leave at their next query; one that is stuck is not waited for for ever. */
static int64_t zone_tidy(void *arg)
{
	struct hf_zone *z = arg;
	struct hf_picture *p;

	while ((p = take_parked(z)))
		hf_picture_unref(p);
	if (!z->leaving)
		return -1;
	if (hf_sealed_is_shared(z->leaving) && z->tidied_ms < TIDY_ALL_MS) {
		int64_t wait_ms = z->tidy_ms;

		z->tidied_ms += wait_ms;
		z->tidy_ms = 2 * wait_ms < TIDY_LAST_MS ? 2 * wait_ms : TIDY_LAST_MS;
		return wait_ms;
	}
	hf_sealed_unref(z->leaving);
	z->leaving = NULL;
	return -1;
}

static bool start_loader(struct hf_zone *z, const struct hf_fmt_current *current)
{
	z->wanted = *current;
	z->awaited = hf_loader_start(&z->loader);
	return z->awaited;
}

void hf_zone_keep_up(struct hf_zone *z)
{
	pthread_mutex_lock(&z->look_lock);
	z->keeps_up = true;
	pthread_mutex_unlock(&z->look_lock);
}

void hf_zone_begin(struct hf_zone *z)
{
	pthread_mutex_lock(&z->look_lock);
	z->keeps_up = true;
	hf_loader_stay(&z->loader);
	pthread_mutex_unlock(&z->look_lock);
}

/* Where the process is a fork of the one that had the thread, it gets one of its own. */
static void keep_up(struct hf_zone *z, int64_t now_ms)
{
	if (!z->keeps_up || now_ms < z->stay_at_ms)
		return;
	if (!hf_loader_stay(&z->loader))
		z->stay_at_ms = now_ms + STAY_AGAIN_MS;
}

/* --- seats --- */

void hf_zone_add_seat(struct hf_zone *z, struct hf_zone_seat *seat)
{
	atomic_init(&seat->parked, NULL);
	pthread_mutex_lock(&z->lock);
	seat->next = z->seats;
	z->seats = seat;
	pthread_mutex_unlock(&z->lock);
}

void hf_zone_del_seat(struct hf_zone *z, struct hf_zone_seat *seat)
{
	struct hf_zone_seat **at = &z->seats;

	pthread_mutex_lock(&z->lock);
	while (*at != seat)
		at = &(*at)->next;
	*at = seat->next;
	pthread_mutex_unlock(&z->lock);
	hf_picture_unref(atomic_load(&seat->parked));
}

/* --- looking --- */

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Returns true if the marks are others than those that were noted, and notes them. */
static bool note_marks(struct hf_zone *z, const struct stat *st)
{
	struct marks *s = &z->seen;

	if (s->dev == st->st_dev && s->ino == st->st_ino && s->size == st->st_size &&
	    same_time(s->changed, st->st_ctim) && same_time(s->modified, st->st_mtim))
		return false;
	*s = (struct marks){ st->st_dev, st->st_ino, st->st_size, st->st_ctim, st->st_mtim };
	return true;
}

/*
 * What a look came to. 0: what is published is in force. 1: it is being loaded. Or why it cannot
 * be.
 */
static void note_result(struct hf_zone *z, int rc, int64_t now_ms)
{
	if (rc == 0) {
		hf_backoff_reset(&z->backoff);
		atomic_store_explicit(&z->in_force_ms, now_ms, memory_order_relaxed);
	} else if (rc < 0) {
		z->retry_ms = now_ms + hf_backoff_fail(&z->backoff);
	}
	/* Last: who sees this sees the picture, too. */
	atomic_store_explicit(&z->behind, rc != 0, memory_order_release);
}

bool hf_zone_is_in_force(const struct hf_zone *z, int64_t now_ms)
{
	return !atomic_load_explicit(&z->behind, memory_order_acquire) &&
	       now_ms - atomic_load_explicit(&z->in_force_ms, memory_order_relaxed) <= LOOK_GOOD_MS;
}

enum how { IN_TURN, FIRST, WAIT };

/* Small things are read at once; a base that takes long is not to hold up a thread that answers. */
static bool is_for_loader(struct hf_zone *z, const struct hf_fmt_current *c, enum how how)
{
	struct hf_picture *p;
	bool same_base;

	if (how != IN_TURN)
		return false;
	p = hf_zone_get_picture(z);
	if (!p)
		return c->base.size > READ_HERE_FIRST || c->delta.size > READ_HERE_DELTA;
	same_base = hf_sealed_is(p->base, &c->base);
	hf_picture_unref(p);
	return !same_base || c->delta.size > READ_HERE_DELTA;
}

static bool is_shown(struct hf_zone *z, const struct hf_fmt_current *c)
{
	struct hf_picture *p = hf_zone_get_picture(z);
	bool is = p && hf_picture_is(p, c);

	hf_picture_unref(p);
	return is;
}

/* `current` is new, or may be, or is to be tried again. As note_result(). */
static int take_up(struct hf_zone *z, enum how how)
{
	struct hf_fmt_current current;
	int rc = zone_read_current(z, &current);
	bool has_answers;

	if (rc)
		return rc;
	if (is_shown(z, &current)) {
		zone_set_trouble(z, "", 0);
		return 0;
	}
	/* Where no thread can be had, a short stall is better than names that never change. */
	if (is_for_loader(z, &current, how) && start_loader(z, &current))
		return 1;
	has_answers = how == IN_TURN && hf_zone_shown(z);
	return zone_load(z, &current, has_answers ? VANISHED_TRIES_IN_TURN : VANISHED_TRIES);
}

static void zone_unsettle(struct hf_zone *z, int64_t now_ms)
{
	z->settled = false;
	z->settle_ms = now_ms + SETTLE_MS;
}

/* What could not be used is not tried again yet. */
static bool is_waiting(const struct hf_zone *z, int64_t now_ms)
{
	return z->backoff.failures && now_ms < z->retry_ms;
}

/* What bears the marks that were noted, and is in force, needs no reading. */
static bool marks_are_known(const struct hf_zone *z)
{
	return !z->backoff.failures && z->settled;
}

/* `current` cannot be found: what is published is not known. */
static int note_absent(struct hf_zone *z, int64_t now_ms, int rc)
{
	zone_set_trouble(z, "current", rc);
	z->seen = (struct marks){ 0 };
	atomic_store_explicit(&z->next_look_ms, now_ms + LOOK_ABSENT_MS, memory_order_relaxed);
	atomic_store_explicit(&z->behind, true, memory_order_release);
	return rc;
}

/* One look, under look_lock: one system call while nothing is new. */
static int zone_look(struct hf_zone *z, int64_t now_ms, enum how how)
{
	struct stat st;
	int rc;

	if (z->awaited) {
		if (how != WAIT && hf_loader_is_busy(&z->loader))
			return 1;
		z->awaited = false;
		note_result(z, hf_loader_wait(&z->loader), now_ms);
	}
	if (stat(z->current, &st) < 0)
		return note_absent(z, now_ms, -errno);
	if (note_marks(z, &st)) {
		zone_unsettle(z, now_ms);
	} else if (how != WAIT) {
		if (is_waiting(z, now_ms))
			return 0;
		if (marks_are_known(z)) {
			note_result(z, 0, now_ms);
			return 0;
		}
	}
	rc = take_up(z, how);
	note_result(z, rc, now_ms);
	if (rc == 0 && now_ms >= z->settle_ms)
		z->settled = true;
	return rc;
}

static void look_first(struct hf_zone *z, int64_t now_ms)
{
	pthread_mutex_lock(&z->look_lock);
	if (!atomic_load_explicit(&z->looked, memory_order_relaxed)) {
		atomic_store_explicit(
		    &z->next_look_ms, now_ms + LOOK_EVERY_MS, memory_order_relaxed);
		keep_up(z, now_ms);
		zone_look(z, now_ms, FIRST);
		atomic_store_explicit(&z->looked, true, memory_order_release);
	}
	pthread_mutex_unlock(&z->look_lock);
}

void hf_zone_look(struct hf_zone *z, int64_t now_ms)
{
	int64_t due = atomic_load_explicit(&z->next_look_ms, memory_order_relaxed);

	if (!atomic_load_explicit(&z->looked, memory_order_acquire)) {
		look_first(z, now_ms);
		return;
	}
	if (now_ms < due)
		return;
	/* One thread has the turn; one that still has the last one makes this one needless. */
	if (!atomic_compare_exchange_strong(&z->next_look_ms, &due, now_ms + LOOK_EVERY_MS))
		return;
	if (pthread_mutex_trylock(&z->look_lock))
		return;
	keep_up(z, now_ms);
	zone_look(z, now_ms, IN_TURN);
	pthread_mutex_unlock(&z->look_lock);
}

int hf_zone_look_and_wait(struct hf_zone *z, int64_t now_ms)
{
	int rc;

	pthread_mutex_lock(&z->look_lock);
	rc = zone_look(z, now_ms, WAIT);
	atomic_store_explicit(&z->looked, true, memory_order_release);
	pthread_mutex_unlock(&z->look_lock);
	return rc;
}

/* --- open and close --- */

static char *join_path(const char *dir, const char *name)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	char *path = malloc(size);

	if (path)
		snprintf(path, size, "%s%s%s", dir, *name ? "/" : "", name);
	return path;
}

int hf_zone_open(const char *dir, const struct hf_clock *clock, struct hf_zone **ret_zone)
{
	struct hf_zone *z = calloc(1, sizeof(*z));
	struct hf_loader_work work = { load_wanted, look_in_turn, zone_tidy, z };

	if (!z)
		return -ENOMEM;
	z->clock = clock;
	z->stay_at_ms = INT64_MIN;
	atomic_init(&z->in_force_ms, INT64_MIN / 2);
	z->backoff.floor_ms = RETRY_FLOOR_MS;
	z->backoff.cap_ms = RETRY_CAP_MS;
	pthread_mutex_init(&z->look_lock, NULL);
	pthread_mutex_init(&z->lock, NULL);
	hf_loader_init(&z->loader, &work);
	z->dir = join_path(dir, "");
	z->current = join_path(dir, "current");
	if (!z->dir || !z->current) {
		hf_zone_close(z);
		return -ENOMEM;
	}
	*ret_zone = z;
	return 0;
}

void hf_zone_close(struct hf_zone *z)
{
	if (!z)
		return;
	atomic_store(&z->stop, true);
	hf_loader_done(&z->loader);
	hf_sealed_unref(z->leaving);
	hf_picture_unref(z->picture);
	pthread_mutex_destroy(&z->look_lock);
	pthread_mutex_destroy(&z->lock);
	free(z->current);
	free(z->dir);
	free(z);
}

const struct hf_clock *hf_zone_clock(const struct hf_zone *z)
{
	return z->clock;
}

const char *hf_zone_dir(const struct hf_zone *z)
{
	return z->dir;
}
