/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/rebuild.h"
#include "bridge/store/store_private.h"

/*
 * A crash in the midst is gone on with, but not for ever: perhaps it is the copy that makes it
 * crash, or the making.
 */
enum { TRIES_WITH_COPY = 3, TRIES_MAX = 5 };

bool hf_recovery_exhausted(const struct hf_store *s)
{
	return s->attempt.state == HF_RECOVERY_NOTE_STARTED && s->attempt.tries >= TRIES_MAX;
}

void hf_recovery_plan(struct hf_store *s, const struct hf_image *image, const char *found)
{
	struct hf_recovery_note *a = &s->attempt;

	if (a->state != HF_RECOVERY_NOTE_STARTED) {
		*a = (struct hf_recovery_note){ .state = HF_RECOVERY_NOTE_STARTED,
			.began_s = hf_store_now_s(s) };
		hf_store_random_epoch(a->epoch);
		snprintf(a->reason, sizeof(a->reason), "%.255s", found);
	}
	a->tries++;
	a->from = image                         ? HF_STORE_IMAGE
		  : a->tries <= TRIES_WITH_COPY ? HF_STORE_COPY
						: HF_STORE_EMPTY;
	a->generation = 0;
	/* Memory is newer than anything. */
	a->zone_due = !image;
	s->moved_in = false;
}

void hf_recovery_tell(const struct hf_store *s, struct hf_store_opened *ret_opened)
{
	char path[PATH_MAX];
	const char *tail = s->attempt.aside;

	ret_opened->origin = s->attempt.from;
	if (tail[0])
		snprintf(ret_opened->aside, sizeof(ret_opened->aside), "%.250s%.255s",
		    hf_store_files_path(&s->files, "", path), tail + strlen(s->files.base));
	snprintf(ret_opened->reason, sizeof(ret_opened->reason), "%s", s->attempt.reason);
	ret_opened->generation = s->attempt.generation;
	ret_opened->zone_due = s->attempt.zone_due;
}

/* A recovery that is done, but for what the zone knows: a crash came first. */
void hf_recovery_remind(const struct hf_store *s, struct hf_store_opened *ret_opened)
{
	const struct hf_recovery_note *a = &s->attempt;

	if (!a->zone_due || memcmp(s->meta.epoch, a->epoch, sizeof(a->epoch)) != 0)
		return;
	ret_opened->generation = a->generation;
	ret_opened->zone_due = true;
}

static int recovery_write_note(struct hf_store *s)
{
	struct hf_recovery_note *a = &s->attempt;
	int rc =
	    a->aside[0] ? 0 : hf_store_files_aside_name(&s->files, hf_store_now_s(s), a->aside);

	return rc ? rc : hf_recovery_note_write(&s->files, a);
}

/*
 * Under the name that the note has; where that is taken (by an earlier try), under another, noted
 * first.
 */
static int set_aside(struct hf_store *s)
{
	struct hf_recovery_note *a = &s->attempt;
	int rc = hf_store_files_set_aside(&s->files, a->aside, true);

	if (rc != -EEXIST)
		return rc;
	a->aside[0] = '\0';
	rc = recovery_write_note(s);
	return rc ? rc : hf_store_files_set_aside(&s->files, a->aside, true);
}

static int make_empty(struct hf_store *s)
{
	struct hf_meta meta = { .made_s = s->attempt.began_s };

	memcpy(meta.epoch, s->attempt.epoch, sizeof(meta.epoch));
	return hf_rebuild_new(&s->files, s->schema, &meta, NULL);
}

static int make_from_image(struct hf_store *s, const struct hf_image *image)
{
	const struct hf_meta *old = &s->meta;
	struct hf_meta meta = { .made_s = hf_store_now_s(s), .ready = old->ready };

	memcpy(meta.epoch, s->attempt.epoch, sizeof(meta.epoch));
	meta.generation = hf_store_next_generation(s);
	meta.log_floor = meta.generation;
	meta.next_workspace = image->next_workspace > old->next_workspace ? image->next_workspace
									  : old->next_workspace;
	meta.next_agent = image->next_agent > old->next_agent ? image->next_agent : old->next_agent;
	return hf_rebuild_new(&s->files, s->schema, &meta, image);
}

/* There is none, or it is no good; and not: it cannot be read or written now. */
static bool no_good_copy(int rc)
{
	return rc == -ENOENT || rc == HF_EDAMAGED || rc == HF_ESCHEMA || rc == HF_EREFUSED ||
	       rc == HF_EUNSAFE || rc == HF_ESTORE;
}

static int make_from_copy(struct hf_store *s)
{
	struct hf_meta meta = { .generation = s->known ? s->meta.generation : 0 };
	uint64_t generation = 0;
	int rc;

	memcpy(meta.epoch, s->attempt.epoch, sizeof(meta.epoch));
	rc = hf_rebuild_from_copy(&s->files, s->schema, hf_store_now_s(s), &meta, &generation);
	if (!rc) {
		/*
		 * Before it has the store's place: whoever opens that after a crash needs to know
		 * it.
		 */
		s->attempt.generation = generation;
		return hf_recovery_note_write(&s->files, &s->attempt);
	}
	if (s->known || !no_good_copy(rc))
		return rc;
	s->attempt.from = HF_STORE_EMPTY;
	rc = hf_recovery_note_write(&s->files, &s->attempt);
	return rc ? rc : make_empty(s);
}

/*
 * The new file is made and read back before the old one is touched: where even that cannot be read
 * it is the disk that is away, and perhaps nothing is wrong with the store.
 */
static int recovery_make(struct hf_store *s, const struct hf_image *image)
{
	int rc;

	if (s->attempt.from == HF_STORE_IMAGE)
		rc = make_from_image(s, image);
	else if (s->attempt.from == HF_STORE_COPY)
		rc = make_from_copy(s);
	else
		rc = make_empty(s);
	if (rc)
		return rc;
	rc = hf_rebuild_check(&s->files, s->schema);
	s->unreadable = rc == HF_EDAMAGED || rc == -EIO;
	return rc;
}

static void note_done(struct hf_store *s)
{
	s->attempt.state = HF_RECOVERY_NOTE_SPENT;
	/* If it cannot be written, the next open sees by the epoch that it is done. */
	hf_recovery_note_write(&s->files, &s->attempt);
}

int hf_recovery_run(struct hf_store *s, const struct hf_image *image)
{
	int rc;

	if (s->moved_in) {
		rc = hf_store_open_moved_in(s);
	} else {
		rc = recovery_write_note(s);
		if (!rc)
			rc = recovery_make(s, image);
		if (!rc)
			rc = set_aside(s);
		hf_wal_done(&s->wal); /* it was the old file's */
		if (!rc)
			rc = hf_store_move_in(s);
	}
	if (!rc)
		note_done(s);
	return rc == HF_EDAMAGED ? -EIO : rc; /* what was just made and read is not damaged */
}

void hf_recovery_settle(struct hf_store *s, struct hf_store_opened *opened)
{
	if (!memcmp(s->meta.epoch, s->attempt.epoch, sizeof(s->attempt.epoch))) {
		note_done(s);
		hf_recovery_tell(s, opened);
		return;
	}
	/* The store is sound after all: begun, and the crash came before anything was done. */
	if (!hf_recovery_note_remove(&s->files))
		s->attempt = (struct hf_recovery_note){ 0 };
}

/* --- nothing can be written: what it will be made of --- */

static int read_copy(struct hf_store *s)
{
	struct hf_meta target = { 0 };
	struct hf_checked checked;
	char path[PATH_MAX];
	int rc = hf_image_check_file(
	    hf_store_files_path(&s->files, ".copy", path), s->schema, NULL, 0, &checked);

	if (rc)
		return rc;
	memcpy(target.epoch, s->attempt.epoch, sizeof(target.epoch));
	s->attempt.generation = checked.meta.generation;
	hf_rebuild_renew(&checked.meta, hf_store_now_s(s), &target);
	s->meta = checked.meta;
	hf_sql_close(s->r);
	s->r = checked.sql;
	hf_image_free(s->image);
	s->image = checked.image;
	return 0;
}

int hf_recovery_read(struct hf_store *s)
{
	int rc = s->attempt.from == HF_STORE_COPY ? read_copy(s) : -ENOENT;

	if (rc == HF_EDAMAGED)
		rc = -EIO; /* nobody has found that before: more likely nothing can be read now */
	if (!no_good_copy(rc))
		return rc;
	s->attempt.from = HF_STORE_EMPTY;
	s->meta = (struct hf_meta){ .made_s = s->attempt.began_s };
	memcpy(s->meta.epoch, s->attempt.epoch, sizeof(s->meta.epoch));
	rc = hf_sql_open(NULL, HF_SQL_MEMORY, &s->r);
	return rc ? rc : hf_schema_make(s->r, s->schema, &s->meta);
}

/* --- while it runs --- */

/* The file is simply gone: nothing is damaged, so nothing is spent. */
static int make_again(struct hf_store *s, const struct hf_image *image)
{
	char aside[NAME_MAX + 1];
	int rc;

	hf_store_random_epoch(s->attempt.epoch);
	hf_wal_done(&s->wal);
	rc = hf_store_files_aside_name(&s->files, hf_store_now_s(s), aside);
	if (!rc)
		rc = hf_store_files_set_aside(&s->files, aside, false);
	if (!rc)
		rc = make_from_image(s, image);
	return rc ? rc : hf_store_move_in(s);
}

int hf_recovery_from_memory(
    struct hf_store *s, const struct hf_image *image, struct hf_store_opened *opened)
{
	char why[256];
	int rc = hf_store_files_lock(&s->files, why, sizeof(why));

	if (rc)
		return rc;
	hf_store_detach(s);
	if (hf_store_files_look(&s->files, "", why, sizeof(why)) == HF_FILE_ABSENT &&
	    s->attempt.state != HF_RECOVERY_NOTE_STARTED) {
		opened->origin = HF_STORE_IMAGE;
		return make_again(s, image);
	}
	if (s->attempt.state == HF_RECOVERY_NOTE_SPENT)
		return HF_EDAMAGED;
	if (s->attempt.state == HF_RECOVERY_NOTE_NONE || s->attempt.from != HF_STORE_IMAGE)
		hf_recovery_plan(s, image, s->reason);
	rc = hf_recovery_run(s, image);
	hf_recovery_tell(s, opened);
	return rc;
}
