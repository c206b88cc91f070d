/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/timing.h"
#include "bridge/store/store_private.h"
#include "bridge/store/background.h"

/* A write that did not come about. What the disk refused may be tried again; damage may not. */
static int txn_fail(struct hf_store *s, int rc)
{
	char why[256];

	if (rc == -EINVAL)
		return rc;
	hf_store_why(why, sizeof(why), rc, s->w);
	/*
	 * What SQLite calls damage may be a read that failed: the next begin opens it anew and
	 * looks.
	 */
	if (rc == HF_EDAMAGED && s->w && hf_sql_is_broken(s->w))
		rc = -EIO;
	hf_store_enter(s, rc == HF_EDAMAGED ? HF_STORE_RECOVERING : HF_STORE_NOT_WRITTEN, why);
	if (s->w && hf_sql_is_broken(s->w))
		s->wal.suspect = true;
	return rc;
}

/* Whether the files that are open are still those that the next start will find. */
static int txn_still_there(struct hf_store *s)
{
	int rc = hf_wal_same(&s->wal, &s->files);

	if (rc == -ENOENT) {
		hf_store_enter(s, HF_STORE_RECOVERING,
		    "its file was taken away or replaced while it was in use");
		return HF_EDAMAGED;
	}
	/* without its WAL: closing writes back what is still open, so opening again is enough */
	return rc;
}

static bool is_usable(const struct hf_store *s)
{
	return s->w && s->r && !hf_sql_is_broken(s->w) && !hf_sql_is_broken(s->r);
}

int hf_txn_begin(struct hf_store *s)
{
	int rc = 0;

	if (s->apply.changes || (s->w && hf_sql_in_transaction(s->w)))
		return -EBUSY;
	if (hf_store_get_state(s, NULL, NULL) >= HF_STORE_RECOVERING)
		return HF_EDAMAGED;
	if (is_usable(s))
		rc = txn_still_there(s);
	if (rc == HF_EDAMAGED)
		return rc;
	if (rc || !is_usable(s)) {
		rc = hf_store_revive(s);
		if (rc)
			return txn_fail(s, rc);
	}
	rc = hf_sql_exec(s->w, "BEGIN IMMEDIATE");
	if (rc)
		return txn_fail(s, rc);
	hf_image_free(s->image);
	s->image = NULL;
	return 0;
}

/* The WAL is written back by the thread; only without one, and only when it is large, here. */
static void after_commit(struct hf_store *s)
{
	uint32_t limit = s->opts.checkpoint_pages;

	s->stats.wal_pages = s->w->wal_pages;
	s->stats.wal_bytes = (uint64_t)s->w->wal_pages * s->page_size;
	if (s->w->wal_pages < limit)
		return;
	if (hf_background_checkpoint(s->work) && s->w->wal_pages / 16 >= limit)
		hf_sql_checkpoint(s->w);
}

static int txn_commit(struct hf_store *s, const struct hf_meta *meta)
{
	int64_t begun = hf_time_now_us();
	int rc = meta ? hf_schema_meta_set(s->w, meta) : 0;

	if (!rc)
		rc = hf_sql_exec(s->w, "COMMIT");
	if (rc)
		return rc;
	if (meta)
		s->meta = *meta;
	hf_wal_note(&s->wal, s->w->wal_pages, s->page_size);
	s->stats.commits++;
	s->stats.commit_us = (uint64_t)(hf_time_now_us() - begun);
	hf_store_enter(s, HF_STORE_OK, "");
	after_commit(s);
	return 0;
}

int hf_txn_end(struct hf_store *s, int rc, const struct hf_meta *meta)
{
	if (!rc)
		rc = txn_commit(s, meta);
	if (!rc)
		return 0;
	rc = txn_fail(s, rc);
	/* SQLite may have done that by itself. */
	if (hf_sql_in_transaction(s->w))
		hf_sql_exec(s->w, "ROLLBACK");
	return rc;
}

int hf_store_try(struct hf_store *s)
{
	struct hf_meta meta = s->meta;
	int rc;

	if (hf_store_get_state(s, NULL, NULL) != HF_STORE_NOT_WRITTEN)
		return 0;
	rc = hf_txn_begin(s);
	return rc ? rc : hf_txn_end(s, 0, &meta);
}
