/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_start_file: the names in a file that unbound reads at its own start, so that it has them also
 * while the bridge is down. This is when it is written: whole, in slices, after what changed is
 * confirmed in unbound. Additions at most once in start-interval; a removal before unbound gets it
 * if that is quick, else soon after, since a name that is gone must not come back with unbound's
 * next start; and at our own end. Once in each life of
 * the bridge in any case, since nothing tells what happened to the file before. What is in it:
 * ub_start_write.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "adapters/unbound/ub_start_private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/timing.h"

enum {
	SLICE = 500,     /* records a turn of the loop */
	SOON_MS = 200,   /* after a removal */
	COST_SHARE = 20, /* and writing takes at most this part of all time */
	LOOK_MS = 2000,  /* a file that others remove all the time is not written all the time */
	AGAIN_MS = 1000,
	LATE_MS = 10000, /* so much later than it should be written: a person should know */
	QUICK_MS = 100,  /* what takes no longer is waited for before a removal */
};

static int64_t start_file_now_ms(const struct hf_ub_start_file *f)
{
	return hf_boot_ms(f->a->base.host->clock);
}

/* --- what people are told --- */

static void start_file_warn(struct hf_ub_start_file *f, const char *text)
{
	struct hf_ub *a = f->a;

	if (text || f->warned)
		a->base.host->warn(a->base.host->arg, "start-file", text);
	f->warned = text != NULL;
}

static void start_file_report(struct hf_ub_start_file *f, int code)
{
	char text[HF_UB_TEXT_MAX];

	if (!code) {
		start_file_warn(f, NULL);
		return;
	}
	snprintf(text, sizeof(text), "the start file '%s' cannot be written: %s",
	    f->a->base.config->unbound.start_file, hf_strerror(code));
	start_file_warn(f, text);
}

static void tell_late(struct hf_ub_start_file *f)
{
	int64_t late_ms = f->a->base.config->unbound.start_interval_ms + LATE_MS;
	char text[HF_UB_TEXT_MAX];

	if (!f->touched || f->warned || start_file_now_ms(f) - f->touched_ms < late_ms)
		return;
	snprintf(text, sizeof(text),
	    "the start file '%s' is older than what unbound has%s: an unbound that starts now, while the bridge is down, knows other names",
	    f->a->base.config->unbound.start_file,
	    f->confirmed ? "" : ", which is not confirmed yet");
	start_file_warn(f, text);
}

/* --- when --- */

static void start_file_arm(struct hf_ub_start_file *f, int64_t ms)
{
	struct timeval tv = hf_time_of_ms(ms);

	event_add(f->turn, &tv);
}

/* Whether it is to be written, and then when: 0 is now. */
static bool start_file_is_due(const struct hf_ub_start_file *f, int64_t *ret_wait_ms)
{
	int64_t at = f->removed || !f->written ? f->soon_ms : f->next_ms,
		wait = at - start_file_now_ms(f);

	*ret_wait_ms = wait > 0 ? wait : 0;
	return f->confirmed && (f->touched || !f->written);
}

static void start_file_schedule(struct hf_ub_start_file *f)
{
	int64_t wait_ms;

	if (f->dir < 0 && start_file_is_due(f, &wait_ms))
		start_file_arm(f, wait_ms);
}

static int64_t start_file_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void start_file_end(struct hf_ub_start_file *f, int code)
{
	int64_t interval_ms = f->a->base.config->unbound.start_interval_ms,
		now = start_file_now_ms(f);
	hf_ub_step then = f->then;

	hf_ub_start_outs_close(f);
	f->took_ms = now - f->began_ms;
	f->next_ms = now + interval_ms;
	f->soon_ms = now + start_file_least(interval_ms, code ? LOOK_MS : SOON_MS);
	/* However large it is, most of the time it is not being written. */
	if (f->soon_ms < now + COST_SHARE * (now - f->began_ms))
		f->soon_ms = now + COST_SHARE * (now - f->began_ms);
	f->written = !code;
	f->confirmed = f->confirmed || code;
	start_file_report(f, code);
	start_file_schedule(f);
	f->then = NULL;
	if (then)
		then(f->a);
}

static int start_file_begin(struct hf_ub_start_file *f)
{
	struct hf_ub *a = f->a;
	int rc = a->base.host->walk_new(a->base.host->arg, &f->walk);

	f->began_ms = start_file_now_ms(f);
	if (rc)
		f->walk = NULL;
	else
		rc = hf_ub_start_outs_open(f);
	/* What comes from now on is for the next one. */
	if (!rc)
		f->touched = f->removed = false;
	return rc;
}

/* Returns 1 (more), 0 (it is written) or a code. */
static int start_file_step(struct hf_ub_start_file *f)
{
	int rc = f->a->base.host->walk_step(f->walk, SLICE, hf_ub_start_outs_record, f), wrote;

	if (rc < 0)
		return rc;
	wrote = hf_ub_start_outs_flush(f);
	if (wrote)
		return wrote;
	return rc ? 1 : hf_ub_start_outs_finish(f, false);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct hf_ub_start_file *f = arg;
	int rc = f->walk ? 0 : start_file_begin(f);

	if (rc == -EAGAIN) { /* nothing is known of the names yet */
		start_file_arm(f, AGAIN_MS);
		return;
	}
	if (!rc)
		rc = start_file_step(f);
	if (rc > 0)
		start_file_arm(f, 0);
	else
		start_file_end(f, rc);
}

/* --- what happens --- */

bool hf_ub_start_file_before_removal(struct hf_ub_start_file *f, hf_ub_step then)
{
	int rc;

	if (!f || !f->a->n_zones || !f->written || f->took_ms > QUICK_MS)
		return false;
	/* One under way may have them still. */
	hf_ub_start_outs_close(f);
	rc = start_file_begin(f);
	if (rc && rc != -EAGAIN)
		start_file_end(f, rc);
	if (rc)
		return false;
	f->then = then;
	start_file_arm(f, 0);
	return true;
}

void hf_ub_start_file_touched(struct hf_ub_start_file *f, bool removed)
{
	if (!f)
		return;
	if (!f->touched)
		f->touched_ms = start_file_now_ms(f);
	f->touched = true;
	f->removed = f->removed || removed;
	f->confirmed = false;
}

void hf_ub_start_file_confirmed(struct hf_ub_start_file *f)
{
	if (!f)
		return;
	f->confirmed = true;
	start_file_schedule(f);
}

void hf_ub_start_file_rezone(struct hf_ub_start_file *f)
{
	if (!f)
		return;
	hf_ub_start_file_touched(f, true);
	if (f->dir >= 0) {
		hf_ub_start_outs_close(f);
		event_del(f->turn);
	}
}

static bool start_file_is_missing(
    const struct hf_ub_start_file *f, const char *base, const struct hf_name *zone)
{
	char name[NAME_MAX + 1];

	return hf_ub_start_name(f, base, zone, name) == 0 &&
	       faccessat(f->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Whether a file that unbound reads is not there, or is not ours any more. */
static bool is_spoilt(struct hf_ub_start_file *f)
{
	const struct hf_ub *a = f->a;
	bool bad = false;
	const char *base;

	if (hf_ub_start_folder_open(f, &base)) {
		f->dir = -1;
		return f->n_seen > 0;
	}
	if (hf_ub_start_is_include(f))
		bad = faccessat(f->dir, base, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	for (size_t i = 0; i < a->n_zones && !hf_ub_start_is_include(f); i++)
		bad = bad || start_file_is_missing(f, base, &a->zones[i].name);
	for (size_t i = 0; i < f->n_seen; i++)
		bad = bad || hf_ub_start_is_foreign(f->dir, &f->seen[i]);
	close(f->dir);
	f->dir = -1;
	return bad;
}

/* With all names that are known, confirmed or not: without the file unbound does not start. */
static void start_file_repair(struct hf_ub_start_file *f)
{
	if (f->n_seen)
		hf_log_warn(
		    "adapter '%s': the start file '%s' was removed or changed by others: it is written again",
		    f->a->base.config->name, f->a->base.config->unbound.start_file);
	f->n_seen = 0;
	f->written = false;
	f->confirmed = true;
	f->soon_ms = start_file_now_ms(f) + LOOK_MS;
	start_file_arm(f, 0);
}

void hf_ub_start_file_tick(struct hf_ub_start_file *f)
{
	bool waits;

	if (!f || f->dir >= 0 || !f->a->n_zones)
		return;
	waits = !f->written && evtimer_pending(f->turn, NULL);
	if (!waits && start_file_now_ms(f) >= f->soon_ms && is_spoilt(f))
		start_file_repair(f);
	tell_late(f);
}

static int write_left(struct hf_ub_start_file *f)
{
	const char *base;
	int rc = hf_ub_start_folder_open(f, &base);

	if (rc)
		return rc;
	f->writing = f->a->generation;
	hf_ub_start_bare_read(f, base);
	rc = hf_ub_start_left_open(f, base);
	return rc ? rc : hf_ub_start_outs_finish(f, false);
}

static int write_without_names(struct hf_ub_start_file *f, bool only_missing)
{
	int rc = hf_ub_start_outs_open(f);

	return rc ? rc : hf_ub_start_outs_finish(f, only_missing);
}

void hf_ub_start_file_prepare(struct hf_ub_start_file *f)
{
	int rc;

	if (!f || f->dir >= 0 || !f->a->n_zones || f->n_seen || !is_spoilt(f))
		return;
	rc = write_without_names(f, true);
	hf_ub_start_outs_close(f);
	if (rc)
		start_file_report(f, rc);
}

int hf_ub_start_file_leave(struct hf_ub_start_file *f)
{
	int rc;

	if (!f || (hf_ub_start_is_include(f) && f->a->n_zones))
		return 0;
	hf_ub_start_file_rezone(f);
	rc = f->a->n_zones ? write_left(f) : write_without_names(f, false);
	hf_ub_start_outs_close(f);
	if (rc)
		start_file_report(f, rc);
	return rc;
}

void hf_ub_start_file_succeed(struct hf_ub_start_file *f, const struct hf_config_unbound *next)
{
	const struct hf_config_unbound *u = f ? &f->a->base.config->unbound : NULL;

	if (!f || !f->a->n_zones ||
	    (next->start_file && next->start_form == u->start_form &&
		strcmp(next->start_file, u->start_file) == 0))
		return;
	f->a->n_zones = 0;
	if (hf_ub_start_file_leave(f) == 0)
		hf_log_info(
		    "adapter '%s': the start file '%s' is no longer used: it has no names now",
		    f->a->base.config->name, u->start_file);
}

/* --- life --- */

int hf_ub_start_file_new(struct hf_ub *a, struct hf_ub_start_file **ret_file)
{
	struct hf_ub_start_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->a = a;
	f->dir = -1;
	f->turn = evtimer_new(a->base.host->base, on_turn, f);
	if (!f->turn) {
		free(f);
		return -ENOMEM;
	}
	*ret_file = f;
	return 0;
}

/* With what waits: the next start of unbound may come before the next one of the bridge. */
static void write_last(struct hf_ub_start_file *f)
{
	int rc;

	if (!f->a->n_zones || (!f->touched && f->dir < 0))
		return;
	hf_ub_start_outs_close(f);
	rc = start_file_begin(f);
	while (!rc && (rc = start_file_step(f)) > 0)
		rc = 0;
	hf_ub_start_outs_close(f);
	if (rc < 0 && rc != -EAGAIN)
		hf_log_warn("adapter '%s': the start file '%s' cannot be written: %s",
		    f->a->base.config->name, f->a->base.config->unbound.start_file,
		    hf_strerror(rc));
}

void hf_ub_start_file_free(struct hf_ub_start_file *f)
{
	if (!f)
		return;
	write_last(f);
	hf_ub_start_outs_close(f);
	hf_ub_start_read_end(f);
	event_free(f->turn);
	free(f);
}
