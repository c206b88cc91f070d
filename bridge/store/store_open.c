/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/store/rebuild.h"
#include "bridge/store/store_private.h"
#include "bridge/store/background.h"

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
	return hf_store_open_reader(s, false);
}

static int open_unwritten(struct hf_store *s, int code, bool sound)
{
	char why[256];
	int rc = 0;

	hf_store_why(why, sizeof(why), code, NULL);
	if (s->pending == HF_PENDING_RECOVERY)
		rc = hf_recovery_read(s);
	else
		rc = hf_store_open_reader(s, sound);
	hf_store_enter(s, HF_STORE_NOT_WRITTEN, why);
	return rc ? rc : hf_change_log_open(s, s->r);
}

/* Opens what is there, or makes what is missing. *ret_sound as of hf_store_open_there(). */
static int store_settle(
    struct hf_store *s, int lock_rc, struct hf_store_opened *opened, bool *ret_sound)
{
	int kind = hf_store_files_look_all(&s->files, opened->reason, sizeof(opened->reason));
	int rc;

	*ret_sound = false;
	if (kind < 0)
		return kind;
	if (kind == HF_FILE_THERE) {
		rc = hf_store_open_there(s, lock_rc, opened, ret_sound);
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
		hf_store_dispose(s);
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
	return rc == HF_FILE_THERE ? hf_store_open_there(s, 0, &opened, &sound) : HF_EDAMAGED;
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
		hf_store_open_reader(s, true);
	return rc;
}
