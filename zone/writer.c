/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "zone/cdb_in.h"
#include "zone/fold.h"
#include "zone/overlay.h"
#include "zone/writer_state.h"

enum { FOLD_NAMES = 1000, DIRECT_NAMES = 10000, FOLD_EVERY_MS = 5000 };

static int64_t writer_later(const struct hf_zone_writer *w)
{
	return hf_boot_ms(w->clock) + w->fold_every_ms;
}

/* --- new bases --- */

/* The delta becomes the frozen layer, over what may still be frozen of a fold that failed. */
static int writer_freeze(struct hf_zone_writer *w)
{
	struct hf_layers *l = &w->tree.layers;
	struct hf_overlay *empty;
	int rc;

	if (l->frozen) {
		rc = hf_overlay_merge(l->frozen, l->delta);
	} else {
		rc = hf_overlay_new(&empty);
		if (!rc) {
			l->frozen = l->delta;
			l->delta = empty;
		}
	}
	if (rc)
		return rc;
	w->frozen = w->target;
	w->published_since = false;
	return 0;
}

static void describe_fold(struct hf_zone_writer *w, struct hf_fold_job *ret_job)
{
	*ret_job = (struct hf_fold_job){
		.folder = &w->folder,
		.base = w->tree.layers.base,
		.changes = w->tree.layers.frozen,
		.settings = &w->frozen.settings,
	};
	/* A number is used once, also where it fails. */
	snprintf(ret_job->name, sizeof(ret_job->name), "base-%" PRIu64 ".cdb", w->next_n++);
}

/*
 * Its file goes too if `current` never named it; else that is for the publication that replaces it.
 */
static void drop_base(struct hf_zone_writer *w, struct hf_cdb_in *base)
{
	if (!base)
		return;
	if (w->sweep_due || !strcmp(hf_cdb_in_file(base)->name, w->published.base.name)) {
		hf_fold_close_base(w->fold, w->former_base);
		w->former_base = base;
		return;
	}
	hf_folder_unlink(&w->folder, hf_cdb_in_file(base)->name);
	hf_fold_close_base(w->fold, base);
}

/* Base and frozen layer are one file now. */
static void writer_take_base(struct hf_zone_writer *w, struct hf_cdb_in *base)
{
	struct hf_layers *l = &w->tree.layers;

	drop_base(w, l->base);
	l->base = base;
	hf_overlay_free(l->frozen);
	l->frozen = NULL;
	w->base_settings = w->frozen.settings;
}

/* Everything is little: a base at once. */
static int fold_at_once(struct hf_zone_writer *w)
{
	struct hf_fold_job job;
	struct hf_cdb_in *base;
	int rc = writer_freeze(w);

	if (rc)
		return rc;
	describe_fold(w, &job);
	rc = hf_fold_now(&job, &base);
	if (rc)
		return rc;
	writer_take_base(w, base);
	return hf_writer_show_base(w, &w->target);
}

static int start_fold(struct hf_zone_writer *w)
{
	struct hf_fold_job job;
	int rc;

	w->fold_at_ms = writer_later(w);
	rc = writer_freeze(w);
	if (rc)
		return rc;
	describe_fold(w, &job);
	return hf_fold_start(w->fold, &job);
}

static bool fold_wanted(const struct hf_zone_writer *w)
{
	return w->has_target && w->tree.layers.base && !hf_fold_running(w->fold) &&
	       hf_writer_changes(w) >= w->fold_names;
}

static int start_due_fold(struct hf_zone_writer *w)
{
	if (!fold_wanted(w) || hf_boot_ms(w->clock) < w->fold_at_ms)
		return 0;
	return start_fold(w);
}

/* --- what is to be seen --- */

/*
 * Bring readers to the target: 1 if they are there, 0 if the fold that runs will bring them, or a
 * code.
 */
static int writer_push(struct hf_zone_writer *w)
{
	const struct hf_cdb_in *base = w->tree.layers.base;
	bool little = hf_writer_changes(w) <= w->direct_names;
	bool running = hf_fold_running(w->fold);

	/*
	 * A base that somebody took away or wrote to is made anew out of what is still open, or
	 * found damaged.
	 */
	if (base && little && hf_cdb_in_intact(base, w->folder.fd))
		return hf_writer_show_delta(w);
	if (!base && little && (!running || w->fold_lost))
		return fold_at_once(w);
	return running ? 0 : start_fold(w);
}

static int push_and_note(struct hf_zone_writer *w)
{
	int rc = writer_push(w);

	if (rc < 0)
		w->retry_at_ms = writer_later(w);
	return rc;
}

/* A finished base brings what was frozen; what came later is a delta on it, or too much for one. */
static int take_fold(struct hf_zone_writer *w, struct hf_cdb_in *base)
{
	bool little = hf_overlay_count(w->tree.layers.delta) <= w->direct_names;
	int rc;

	if (!little && w->published_since) {
		/*
		 * Readers have seen more than this base has, less than there is: not a step back.
		 */
		drop_base(w, base);
		return start_fold(w);
	}
	writer_take_base(w, base);
	if (little)
		return hf_writer_show_delta(w);
	rc = hf_writer_show_base(w, &w->frozen);
	if (rc > 0 && start_fold(w) < 0)
		w->retry_at_ms = writer_later(w);
	return rc;
}

/* What a fold read whose result nobody wants, and that result. */
static void drop_lost(struct hf_zone_writer *w, struct hf_cdb_in *base)
{
	drop_base(w, base);
	drop_base(w, w->lost_base);
	hf_overlay_free(w->lost_changes);
	w->lost_base = NULL;
	w->lost_changes = NULL;
	w->fold_lost = false;
}

static int end_fold(struct hf_zone_writer *w, int code, struct hf_cdb_in *base)
{
	int rc;

	if (w->fold_lost) {
		drop_lost(w, base);
		return w->behind ? push_and_note(w) : 0;
	}
	/* Where it failed the frozen layer stays what it is and goes into the next one. */
	rc = code ? code : take_fold(w, base);
	if (rc < 0)
		w->fold_at_ms = w->retry_at_ms = writer_later(w);
	return rc;
}

/* --- the public side --- */

static int writer_settle(struct hf_zone_writer *w)
{
	int rc = w->settle_due ? hf_tree_settle(&w->tree, &w->meta) : 0;

	if (!rc)
		w->settle_due = false;
	return rc;
}

void hf_zone_writer_set_meta(struct hf_zone_writer *w, const struct hf_zone_meta *meta)
{
	w->meta = *meta;
	w->has_meta = true;
	w->settle_due = true;
}

int hf_zone_writer_set(struct hf_zone_writer *w, const struct hf_zone_rec *rec)
{
	int rc = writer_settle(w);

	if (rc)
		return rc;
	return rec->source < w->meta.n_sources ? hf_tree_set(&w->tree, rec) : HF_EREFUSED;
}

int hf_zone_writer_del(struct hf_zone_writer *w, const struct hf_name *name)
{
	int rc = writer_settle(w);

	return rc ? rc : hf_tree_del(&w->tree, name);
}

int hf_zone_writer_clear(struct hf_zone_writer *w)
{
	struct hf_layers *l = &w->tree.layers;

	if (hf_fold_running(w->fold) && !w->fold_lost) {
		hf_fold_cancel(w->fold);
		w->fold_lost = true;
		w->lost_changes = l->frozen;
		w->lost_base = l->base;
	} else {
		hf_overlay_free(l->frozen);
		drop_base(w, l->base);
	}
	l->frozen = NULL;
	l->base = NULL;
	hf_overlay_clear(l->fresh);
	hf_overlay_clear(l->delta);
	w->tree.n_names = 0;
	w->tree.sum = 0;
	w->tree.n_apexes = 0;
	w->settle_due = true;
	/* What was asked for and not yet seen is gone with the names. */
	w->has_target = false;
	w->behind = false;
	return 0;
}

static bool is_step_back(const struct hf_zone_writer *w, const uint8_t *epoch, uint64_t generation)
{
	if (w->has_target && !memcmp(w->target.epoch, epoch, sizeof(w->target.epoch)) &&
	    generation < w->target.generation)
		return true;
	return w->has_published && !memcmp(w->published.epoch, epoch, sizeof(w->published.epoch)) &&
	       generation < w->published.generation;
}

int hf_zone_writer_publish(
    struct hf_zone_writer *w, const uint8_t epoch[static 16], uint64_t generation)
{
	struct hf_fmt_settings settings;
	int rc;

	if (!w->has_meta || is_step_back(w, epoch, generation))
		return HF_EREFUSED;
	rc = writer_settle(w);
	if (rc)
		return rc;
	rc = hf_fmt_settings_put(&w->meta, w->tree.n_names, &settings);
	if (rc)
		return rc;
	rc = hf_overlay_merge(w->tree.layers.delta, w->tree.layers.fresh);
	if (rc)
		return rc;
	memcpy(w->target.epoch, epoch, sizeof(w->target.epoch));
	w->target.generation = generation;
	w->target.settings = settings;
	w->has_target = true;
	w->behind = true;
	rc = push_and_note(w);
	/* What is published is so whether or not the fold begins now. */
	if (rc > 0 && start_due_fold(w) < 0)
		w->fold_at_ms = writer_later(w);
	return rc;
}

int hf_zone_writer_fd(const struct hf_zone_writer *w)
{
	return hf_fold_fd(w->fold);
}

int hf_zone_writer_work(struct hf_zone_writer *w)
{
	struct hf_cdb_in *base = NULL;
	int code, rc = 0, fold_rc;

	if (hf_fold_take(w->fold, &code, &base))
		rc = end_fold(w, code, base);
	else if (w->behind && !hf_fold_running(w->fold) && hf_boot_ms(w->clock) >= w->retry_at_ms)
		rc = push_and_note(w);
	fold_rc = start_due_fold(w);
	if (w->sync_due && hf_boot_ms(w->clock) >= w->sync_at_ms && hf_writer_settle_rename(w) < 0)
		w->sync_at_ms = writer_later(w);
	return rc ? rc : fold_rc;
}

int64_t hf_zone_writer_wait_ms(const struct hf_zone_writer *w)
{
	int64_t at = INT64_MAX, now = hf_boot_ms(w->clock);

	if (w->behind && !hf_fold_running(w->fold))
		at = w->retry_at_ms;
	if (fold_wanted(w) && w->fold_at_ms < at)
		at = w->fold_at_ms;
	if (w->sync_due && w->sync_at_ms < at)
		at = w->sync_at_ms;
	if (at == INT64_MAX)
		return -1;
	return at > now ? at - now : 0;
}

int hf_zone_writer_sync(struct hf_zone_writer *w)
{
	return w->sync_due ? hf_writer_settle_rename(w) : 0;
}

uint64_t hf_zone_writer_published(const struct hf_zone_writer *w)
{
	return w->has_published ? w->published.generation : 0;
}

uint64_t hf_zone_writer_sum(const struct hf_zone_writer *w)
{
	return w->tree.sum;
}

bool hf_zone_writer_is_behind(const struct hf_zone_writer *w)
{
	return w->behind;
}

/* --- the whole --- */

/* What cannot be used stays where it is until something better is there. */
static int writer_take_picture(
    struct hf_zone_writer *w, const char *dir, struct hf_zone_stamp *ret_stamp)
{
	int rc = hf_writer_take_picture(w, ret_stamp);

	w->sweep_due = true;
	if (rc == -ENOENT)
		return 0;
	/*
	 * That says nothing of what is in it: it may be newer than whatever would take its place.
	 */
	if (rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE)
		return rc;
	if (rc < 0) {
		hf_log_warn(
		    "zone '%s': what is in it cannot be used (%s: %s); it stays until names are published again",
		    dir, hf_errname(rc), hf_strerror(rc));
		return 0;
	}
	/* A power cut must not bring back a `current` that names what the sweep removes. */
	if (hf_file_sync_dir(w->folder.fd) == 0)
		w->sweep_due = hf_folder_sweep(&w->folder, &w->published) != 0;
	return 1;
}

static int writer_start(struct hf_zone_writer *w, const char *dir)
{
	int rc = hf_folder_open(dir, &w->folder);

	if (!rc)
		rc = hf_tree_init(&w->tree);
	if (!rc)
		rc = hf_fold_new(&w->fold);
	if (!rc)
		rc = hf_folder_numbers(&w->folder, &w->next_n, &w->next_m);
	w->next_n++;
	w->next_m++;
	return rc;
}

int hf_zone_writer_open(const char *dir, const struct hf_zone_writer_opts *opts,
    struct hf_zone_stamp *ret_stamp, struct hf_zone_writer **ret_writer)
{
	struct hf_zone_writer *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->clock = opts->clock;
	w->fold_names = opts->fold_names ? opts->fold_names : FOLD_NAMES;
	w->direct_names = opts->direct_names ? opts->direct_names : DIRECT_NAMES;
	w->fold_every_ms = opts->fold_every_ms ? opts->fold_every_ms : FOLD_EVERY_MS;
	w->folder.fd = -1;
	rc = writer_start(w, dir);
	if (rc) {
		hf_zone_writer_free(w);
		return rc;
	}
	rc = writer_take_picture(w, dir, ret_stamp);
	if (rc < 0) {
		hf_zone_writer_free(w);
		return rc;
	}
	*ret_writer = w;
	return rc;
}

void hf_zone_writer_free(struct hf_zone_writer *w)
{
	if (!w)
		return;
	hf_fold_free(w->fold);
	hf_overlay_free(w->lost_changes);
	hf_cdb_in_free(w->lost_base);
	hf_cdb_in_free(w->former_base);
	hf_tree_done(&w->tree);
	hf_folder_close(&w->folder);
	free(w);
}
