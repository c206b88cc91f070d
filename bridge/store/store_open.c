/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "bridge/store/rebuild.h"
#include "bridge/store/store_private.h"
#include "bridge/store/background.h"

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

int hf_store_attach(struct hf_store *s, struct hf_checked *checked)
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

/* Sound: it is opened. On a code with *ret_sound it is, but could not be opened for writing. */
static int open_there(
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
		rc = hf_store_attach(s, &checked);
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

	return rc ? rc : open_there(s, 0, &ignored, &sound);
}

int hf_store_move_in(struct hf_store *s)
{
	int rc = hf_store_files_install(&s->files, ".new", "");

	if (rc)
		return rc;
	s->moved_in = true;
	return hf_store_open_moved_in(s);
}

static int make_new(struct hf_store *s)
{
	char aside[NAME_MAX + 1];
	int rc;

	/*
	 * A WAL without its store is not ours to throw away, nor may it be taken for the new one's.
	 */
	rc = hf_store_files_aside_name(&s->files, hf_store_now_s(s), aside);
	if (!rc)
		rc = hf_store_files_set_aside(&s->files, aside, false);
	if (!rc)
		rc = hf_rebuild_new(&s->files, s->schema, &s->meta, NULL);
	if (!rc)
		rc = hf_store_move_in(s);
	return rc == HF_EDAMAGED ? -EIO : rc; /* just made: it is the disk */
}

/* --- the first time --- */

static void new_meta(struct hf_store *s)
{
	s->meta = (struct hf_meta){ .made_s = hf_store_now_s(s) };
	hf_store_random_epoch(s->meta.epoch);
}

/*
 * Nothing can be written now. What can be read of what there is, is; it is that which a later write
 * begins from.
 */
static int store_open_reader(struct hf_store *s, bool sound)
{
	int rc;

	if (sound)
		return hf_sql_open(s->files.path, HF_SQL_FROZEN, &s->r);
	rc = hf_sql_open(NULL, HF_SQL_MEMORY, &s->r);
	return rc ? rc : hf_schema_make(s->r, s->schema, &s->meta);
}

/* Damaged, and the one recovery is spent: the file stays where it is. */
static int open_failed(struct hf_store *s, struct hf_store_opened *opened)
{
	char why[512];

	snprintf(why, sizeof(why),
	    "damaged again (%.160s) after its one recovery; '%.120s' is left as it is, nothing is written. 'holdfastctl resync --recover' allows another recovery at the next start",
	    opened->reason, s->files.path);
	opened->origin = HF_STORE_SPENT;
	new_meta(s);
	hf_store_enter(s, HF_STORE_FAILED, why);
	return store_open_reader(s, false);
}

static int open_unwritten(struct hf_store *s, int code, bool sound)
{
	char why[256];
	int rc = 0;

	hf_store_why(why, sizeof(why), code, NULL);
	if (s->pending == HF_PENDING_RECOVERY)
		rc = hf_recovery_read(s);
	else
		rc = store_open_reader(s, sound);
	hf_store_enter(s, HF_STORE_NOT_WRITTEN, why);
	return rc ? rc : hf_change_log_open(s, s->r);
}

/* Opens what is there, or makes what is missing. *ret_sound as of open_there(). */
static int store_settle(
    struct hf_store *s, int lock_rc, struct hf_store_opened *opened, bool *ret_sound)
{
	int kind = hf_store_files_look_all(&s->files, opened->reason, sizeof(opened->reason));
	int rc;

	*ret_sound = false;
	if (kind < 0)
		return kind;
	if (kind == HF_FILE_THERE) {
		rc = open_there(s, lock_rc, opened, ret_sound);
		if (!rc && s->attempt.state == HF_RECOVERY_NOTE_STARTED)
			hf_recovery_settle(s, opened);
		else if (!rc)
			hf_recovery_remind(s, opened);
		if (rc != HF_EDAMAGED)
			return rc;
	} else if (s->attempt.state != HF_RECOVERY_NOTE_STARTED) {
		opened->origin = HF_STORE_NEW;
		s->pending = HF_PENDING_NEW;
		new_meta(s);
		return lock_rc ? lock_rc : make_new(s);
	}
	if (s->attempt.state == HF_RECOVERY_NOTE_SPENT || hf_recovery_exhausted(s))
		return HF_EDAMAGED;
	s->pending = HF_PENDING_RECOVERY;
	hf_recovery_plan(s, NULL, opened->reason);
	rc = lock_rc ? lock_rc : hf_recovery_run(s, NULL);
	hf_recovery_tell(s, opened);
	return rc;
}

static bool is_refusal(int rc)
{
	return rc == HF_EUNSAFE || rc == HF_ESCHEMA || rc == HF_ELOCKED || rc == -ENOMEM;
}

/*
 * There is one, and what is in it cannot be known now. To begin from nothing would be to lose it.
 */
static bool store_is_unknown(const struct hf_store *s, int rc, bool sound)
{
	return rc && rc != HF_EDAMAGED && !sound &&
	       (s->pending == HF_PENDING_NONE || s->unreadable);
}

static int open_all(struct hf_store *s, struct hf_store_opened *opened)
{
	int lock_rc = hf_store_files_lock(&s->files, opened->reason, sizeof(opened->reason));
	bool sound = false;
	int rc;

	if (is_refusal(lock_rc))
		return lock_rc;
	if (!lock_rc) {
		hf_store_files_discard(&s->files, ".new");
		hf_store_files_discard(&s->files, ".copy.tmp");
	}
	hf_recovery_note_read(&s->files, &s->attempt);
	rc = store_settle(s, lock_rc, opened, &sound);
	if (is_refusal(rc) || store_is_unknown(s, rc, sound))
		return rc;
	if (rc == HF_EDAMAGED)
		rc = open_failed(s, opened);
	else if (rc)
		rc = open_unwritten(s, rc, sound);
	else
		s->pending = HF_PENDING_NONE;
	return rc;
}

int hf_store_open_schema(const char *path, const struct hf_schema *schema,
    const struct hf_store_opts *opts, struct hf_store_opened *ret_opened,
    struct hf_store **ret_store)
{
	struct hf_store *s = calloc(1, sizeof(*s));
	int rc;

	*ret_opened = (struct hf_store_opened){ 0 };
	if (!s)
		return -ENOMEM;
	s->files.dirfd = s->files.lock_fd = -1;
	hf_wal_init(&s->wal);
	s->schema = schema;
	s->opts = *opts;
	s->opts.log_max = opts->log_max ? opts->log_max : 20000;
	s->opts.history_max = opts->history_max ? opts->history_max : 100000;
	s->opts.checkpoint_pages = opts->checkpoint_pages ? opts->checkpoint_pages : 1000;
	s->since_s = hf_store_now_s(s);
	rc = hf_store_files_open(path, &s->files);
	if (!rc)
		rc = hf_background_new(&s->files, schema, &s->work);
	if (!rc)
		rc = open_all(s, ret_opened);
	if (rc) {
		hf_store_free(s);
		return rc;
	}
	s->known = true;
	*ret_store = s;
	return 0;
}

int hf_store_open(const char *path, const struct hf_store_opts *opts,
    struct hf_store_opened *ret_opened, struct hf_store **ret_store)
{
	return hf_store_open_schema(path, &hf_schema, opts, ret_opened, ret_store);
}

/* --- again, after the disk failed it --- */

/* The owner's memory goes with this very content. */
static int same_content(struct hf_store *s, const struct hf_meta *before)
{
	if (s->meta.generation == before->generation &&
	    !memcmp(s->meta.epoch, before->epoch, sizeof(before->epoch)))
		return 0;
	hf_store_detach(s);
	s->meta = *before;
	return HF_EDAMAGED;
}

static int open_again(struct hf_store *s)
{
	struct hf_store_opened opened = { 0 };
	bool sound;
	int rc = hf_store_files_look_all(&s->files, opened.reason, sizeof(opened.reason));

	if (rc < 0)
		return rc;
	return rc == HF_FILE_THERE ? open_there(s, 0, &opened, &sound) : HF_EDAMAGED;
}

static int store_revive(struct hf_store *s)
{
	char why[256];
	int rc = hf_store_files_lock(&s->files, why, sizeof(why));

	if (rc)
		return rc;
	if (s->wal.suspect) {
		rc = hf_wal_cut(&s->wal);
		if (rc && rc != -ESTALE)
			return rc;
	}
	switch (s->pending) {
	case HF_PENDING_NEW:
		return make_new(s);
	case HF_PENDING_RECOVERY:
		return hf_recovery_run(s, NULL);
	case HF_PENDING_NONE:
		break;
	}
	return open_again(s);
}

int hf_store_revive(struct hf_store *s)
{
	struct hf_meta before = s->meta;
	int rc;

	if (!hf_background_halt(s->work))
		return -EAGAIN;
	/* A reader of a frozen file or of memory stays until there is a better one. */
	if (s->w)
		hf_store_detach(s);
	else if (s->pending == HF_PENDING_NONE)
		hf_store_detach(s); /* its descriptor would drop the writer's locks later */
	rc = store_revive(s);
	if (!rc)
		rc = same_content(s, &before);
	if (!rc)
		s->pending = HF_PENDING_NONE;
	else if (!s->r && !s->wal.suspect && rc != HF_EDAMAGED)
		store_open_reader(s, true);
	return rc;
}
