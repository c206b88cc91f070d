/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which a picture reaches the disk: each new file synced, the folder synced, `current`
 * renamed. What the former `current` named is unlinked after a later sync of the folder, when no
 * power cut can bring it back.
 */
#include "zone/writer_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "zone/cdb_in.h"
#include "zone/cdb_out.h"
#include "zone/fold.h"
#include "zone/overlay.h"

static const char current_name[] = "current";

size_t hf_writer_changes(const struct hf_zone_writer *w)
{
	const struct hf_layers *l = &w->tree.layers;

	return hf_overlay_count(l->delta) + (l->frozen ? hf_overlay_count(l->frozen) : 0);
}

/* --- files that go --- */

static void writer_retire(
    struct hf_zone_writer *w, const struct hf_fmt_file *old, const struct hf_fmt_file *now)
{
	if (!old->name[0] || !strcmp(old->name, now->name))
		return;
	if (w->n_retired ==
	    HF_RETIRED_MAX) { /* cannot be: each publication takes care of the last */
		w->sweep_due = true;
		return;
	}
	memcpy(w->retired[w->n_retired++], old->name, sizeof(old->name));
}

static void unlink_retired(struct hf_zone_writer *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hf_folder_unlink(&w->folder, w->retired[i]);
	w->n_retired -= n;
	memmove(w->retired, w->retired + n, w->n_retired * sizeof(w->retired[0]));
}

int hf_writer_settle_rename(struct hf_zone_writer *w)
{
	int rc = hf_file_sync_dir(w->folder.fd);

	if (rc)
		return rc;
	w->sync_due = false;
	unlink_retired(w, w->n_retired);
	hf_fold_close_base(w->fold, w->former_base);
	w->former_base = NULL;
	/* An unfinished file may be that of the thread. */
	if (w->sweep_due && !hf_fold_running(w->fold))
		w->sweep_due = hf_folder_sweep(&w->folder, &w->published) != 0;
	return 0;
}

/* --- `current` --- */

static int write_current(struct hf_zone_writer *w, const struct hf_fmt_current *c)
{
	char text[HF_FMT_CURRENT_MAX];
	int len = hf_fmt_current_put(c, text, sizeof(text)), fd, rc;

	if (len < 0)
		return len;
	fd = hf_folder_create(&w->folder, current_name);
	if (fd < 0)
		return fd;
	rc = hf_file_write_all(fd, text, (size_t)len);
	if (rc) {
		hf_folder_discard(&w->folder, current_name, fd);
		return rc;
	}
	rc = hf_folder_finish(&w->folder, current_name, fd);
	if (rc)
		return rc;
	/* What it names has its name for good, and so has what it replaces. */
	rc = hf_file_sync_dir(w->folder.fd);
	if (rc)
		hf_folder_discard(&w->folder, current_name, -1);
	return rc;
}

/* If it fails the delta goes; the base stays for the next attempt. */
static int writer_show(struct hf_zone_writer *w, const struct hf_publication *p,
    const struct hf_fmt_file *base, const struct hf_fmt_file *delta)
{
	struct hf_fmt_current c = { .generation = p->generation, .base = *base, .delta = *delta };
	bool new_base = strcmp(base->name, w->published.base.name) != 0;
	size_t n_durable;
	int rc;

	memcpy(c.epoch, p->epoch, sizeof(c.epoch));
	rc = write_current(w, &c);
	if (rc) {
		if (delta->name[0])
			hf_folder_unlink(&w->folder, delta->name);
		return rc;
	}
	n_durable = w->n_retired; /* by the folder's sync just now */
	rc = hf_folder_rename(&w->folder, current_name);
	if (rc) {
		/*
		 * It may have happened all the same: nothing that it names goes before the next
		 * one.
		 */
		w->sweep_due = true;
		return rc;
	}
	writer_retire(w, &w->published.base, base);
	writer_retire(w, &w->published.delta, delta);
	w->published = c;
	w->has_published = true;
	w->published_since = true;
	if (p == &w->target)
		w->behind = false;
	w->sync_due = true;
	w->sync_at_ms = hf_boot_ms(w->clock) + w->fold_every_ms;
	unlink_retired(w, n_durable);
	/*
	 * A base is as large as all the rest: the old one does not wait for the next publication.
	 */
	if (new_base || w->sweep_due)
		hf_writer_settle_rename(w);
	return 1;
}

int hf_writer_show_base(struct hf_zone_writer *w, const struct hf_publication *p)
{
	static const struct hf_fmt_file none;

	return writer_show(w, p, hf_cdb_in_file(w->tree.layers.base), &none);
}

/* --- delta --- */

static int add_all(
    struct hf_cdb_out *out, const struct hf_overlay *o, const struct hf_overlay *over)
{
	struct hf_overlay_entry e;
	size_t at = 0, len;
	int rc = 0;

	while (!rc && hf_overlay_next(o, &at, &e)) {
		if (!over || !hf_overlay_get(over, e.key, e.key_len, &len))
			rc = hf_cdb_out_add(out, e.key, e.key_len, e.value, e.value_len);
	}
	return rc;
}

static int write_delta(struct hf_zone_writer *w, struct hf_fmt_file *ret_file)
{
	const struct hf_layers *l = &w->tree.layers;
	char name[HF_FMT_FILE_NAME_MAX];
	struct hf_cdb_out *out;
	uint64_t n = 0;
	int rc;

	hf_fmt_file_kind(hf_cdb_in_file(l->base)->name, &n, NULL);
	/*
	 * A name is used once: whoever still has the older file open never meets another under its
	 * name.
	 */
	snprintf(name, sizeof(name), "delta-%" PRIu64 "-%" PRIu64 ".cdb", n, w->next_m++);
	rc = hf_cdb_out_begin(&w->folder, name, HF_CDB_SIZE_MAX, &out);
	if (rc)
		return rc;
	rc = add_all(out, l->delta, NULL);
	if (!rc && l->frozen)
		rc = add_all(out, l->frozen, l->delta);
	if (!rc)
		rc = hf_cdb_out_add_settings(out, &w->target.settings);
	if (rc) {
		hf_cdb_out_abort(out);
		return rc;
	}
	return hf_cdb_out_commit(out, ret_file);
}

int hf_writer_show_delta(struct hf_zone_writer *w)
{
	struct hf_fmt_file delta = { .size = 0 };
	int rc;

	if (!hf_writer_changes(w) && hf_fmt_settings_equal(&w->target.settings, &w->base_settings))
		return hf_writer_show_base(w, &w->target);
	rc = write_delta(w, &delta);
	if (rc)
		return rc;
	return writer_show(w, &w->target, hf_cdb_in_file(w->tree.layers.base), &delta);
}
