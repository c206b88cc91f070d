/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_attach: the checking and opening of one file, which becomes the store's, and the letting go
 * of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "bridge/store/background.h"
#include "bridge/store/rebuild.h"
#include "bridge/store/store_private.h"

void hf_store_random_epoch(uint8_t epoch[16])
{
	while (getrandom(epoch, 16, 0) != 16)
		;
}

/* --- reading and writing a file that is sound --- */

void hf_store_detach(struct hf_store *s)
{
	hf_sql_close(s->r);
	hf_sql_close(s->w); /* last, so that it is this one that writes the WAL back */
	s->r = s->w = NULL;
}

static int use_wal_mode(struct hf_sql *q)
{
	char mode[16];
	int rc = hf_sql_word(q, "PRAGMA journal_mode=WAL", mode, sizeof(mode));

	return rc ? rc : strcmp(mode, "wal") ? HF_ESTORE : 0;
}

/*
 * What is put right at open: rows without an owner go, and a copy that took the store's place gets
 * its own epoch.
 */
static int put_right(struct hf_sql *q, uint64_t orphans, struct hf_meta *meta)
{
	int rc;

	if (!orphans && !meta->copied)
		return 0;
	rc = hf_sql_exec(q, "BEGIN IMMEDIATE");
	if (!rc && orphans)
		rc = hf_image_orphans_remove(q);
	if (!rc && meta->copied) {
		meta->log_floor = meta->generation;
		meta->copied = false;
		rc = hf_schema_meta_set(q, meta);
	}
	if (!rc)
		rc = hf_sql_exec(q, "COMMIT");
	if (rc && hf_sql_in_transaction(q))
		hf_sql_exec(q, "ROLLBACK");
	return rc;
}

/*
 * All that is needed to write; at the end the WAL is empty, so that all that is known of it is
 * true.
 */
static int attach_writer(struct hf_store *s, struct hf_meta *meta, uint64_t orphans)
{
	int64_t page_size = 0;
	int rc;

	rc = hf_sql_open(s->files.path, HF_SQL_WRITE, &s->w);
	if (!rc)
		rc = use_wal_mode(s->w);
	if (!rc)
		rc = put_right(s->w, orphans, meta);
	if (!rc)
		rc = hf_sql_number(s->w, "PRAGMA page_size", &page_size);
	if (rc)
		return rc;
	s->page_size = (uint32_t)page_size;
	rc = hf_sql_checkpoint_all(s->w);
	if (rc == 1 && s->wal.suspect)
		rc = -EBUSY;
	return rc < 0 ? rc : hf_wal_open(&s->wal, &s->files, rc == 0);
}

static void take_image(struct hf_store *s, struct hf_checked *checked)
{
	hf_image_free(s->image);
	s->image = checked->image;
	checked->image = NULL;
}

static int store_attach(struct hf_store *s, struct hf_checked *checked)
{
	struct hf_meta meta = checked->meta;
	struct hf_sql *reader = NULL;
	int rc;

	/* Closing any descriptor of a file drops this process's locks on it: so first. */
	hf_sql_close(checked->sql);
	checked->sql = NULL;
	rc = attach_writer(s, &meta, checked->orphans);
	if (!rc)
		rc = hf_sql_open(s->files.path, HF_SQL_READ, &reader);
	if (!rc)
		rc = hf_change_log_open(s, reader);
	if (rc) {
		hf_sql_close(reader);
		hf_sql_close(s->w);
		s->w = NULL;
		return rc;
	}
	hf_sql_close(s->r);
	s->r = reader;
	s->wal.suspect = false;
	s->meta = meta;
	take_image(s, checked);
	return 0;
}

/* --- looking at what is there --- */

/*
 * A journal that is to be played back first (of a file that a person restored): SQLite does that
 * for a writer.
 */
static int play_back(struct hf_store *s)
{
	char why[256];
	struct hf_sql *q;
	int64_t version;
	int rc;

	if (hf_store_files_look(&s->files, "-journal", why, sizeof(why)) != HF_FILE_THERE)
		return 0;
	rc = hf_sql_open(s->files.path, HF_SQL_WRITE, &q);
	if (rc)
		return rc;
	hf_sql_leave(q);
	rc = hf_sql_number(q, "PRAGMA user_version", &version);
	hf_sql_close(q);
	return rc == HF_EDAMAGED ? 0 : rc; /* which the check will find, too */
}

static int store_check(
    struct hf_store *s, struct hf_store_opened *opened, struct hf_checked *ret_checked)
{
	int rc = play_back(s);

	if (rc)
		return rc;
	rc = hf_image_check_file(
	    s->files.path, s->schema, opened->reason, sizeof(opened->reason), ret_checked);
	if (rc == HF_EREFUSED)
		snprintf(
		    opened->reason, sizeof(opened->reason), "it is another program's database");
	if (rc == HF_ESCHEMA)
		snprintf(opened->reason, sizeof(opened->reason),
		    "a newer version of Holdfast made it; this one knows schema %u",
		    s->schema->version);
	return rc == HF_EREFUSED ? HF_EUNSAFE : rc;
}

/*
 * An earlier schema: a copy beside it first, named for its version, which the program before this
 * one can use.
 */
static int store_migrate(
    struct hf_store *s, struct hf_checked *checked, struct hf_store_opened *opened)
{
	struct hf_meta meta = checked->meta;
	char tail[16];
	struct hf_sql *q;
	bool sound;
	int rc;

	hf_image_checked_done(checked);
	snprintf(tail, sizeof(tail), ".v%u", meta.version);
	rc = hf_rebuild_copy(&s->files, s->schema, tail, NULL, NULL, &sound);
	if (!rc)
		rc = hf_sql_open(s->files.path, HF_SQL_WRITE, &q);
	if (rc)
		return rc;
	opened->migrated_from = (int)meta.version;
	rc = hf_schema_migrate(q, s->schema, &meta);
	hf_sql_close(q);
	return rc ? rc : store_check(s, opened, checked);
}

int hf_store_open_there(
    struct hf_store *s, int lock_rc, struct hf_store_opened *opened, bool *ret_sound)
{
	struct hf_checked checked = { 0 };
	int rc = store_check(s, opened, &checked);

	*ret_sound = false;
	if (!rc && checked.meta.version < s->schema->version)
		rc = lock_rc ? lock_rc : store_migrate(s, &checked, opened);
	if (rc) {
		hf_image_checked_done(&checked);
		return rc;
	}
	opened->orphans = checked.orphans;
	opened->generation = checked.meta.generation;
	/* Somebody put the copy in the store's place: what was published since is not in it. */
	opened->zone_due = checked.meta.copied;
	*ret_sound = true;
	if (checked.meta.copied && s->known)
		memcpy(checked.meta.epoch, s->meta.epoch, sizeof(s->meta.epoch));
	else if (checked.meta.copied)
		hf_store_random_epoch(checked.meta.epoch);
	rc = lock_rc;
	if (!rc)
		rc = store_attach(s, &checked);
	if (rc == HF_EDAMAGED)
		rc = -EIO; /* it was sound a moment ago: a read failed */
	if (rc && !s->known) {
		s->meta = checked.meta;
		take_image(s, &checked);
	}
	hf_image_checked_done(&checked);
	return rc;
}

int hf_store_open_moved_in(struct hf_store *s)
{
	struct hf_store_opened ignored = { 0 };
	bool sound;
	int rc = hf_store_files_sync(&s->files);

	return rc ? rc : hf_store_open_there(s, 0, &ignored, &sound);
}

int hf_store_move_in(struct hf_store *s)
{
	int rc = hf_store_files_install(&s->files, ".new", "");

	if (rc)
		return rc;
	s->moved_in = true;
	return hf_store_open_moved_in(s);
}

int hf_store_open_reader(struct hf_store *s, bool sound)
{
	int rc;

	if (sound)
		return hf_sql_open(s->files.path, HF_SQL_FROZEN, &s->r);
	rc = hf_sql_open(NULL, HF_SQL_MEMORY, &s->r);
	return rc ? rc : hf_schema_make(s->r, s->schema, &s->meta);
}

void hf_store_dispose(struct hf_store *s)
{
	hf_background_free(s->work); /* first: the last connection's close writes the WAL back */
	hf_store_detach(s);
	hf_wal_done(&s->wal);
	hf_image_free(s->image);
	hf_store_files_close(&s->files);
	free(s);
}
