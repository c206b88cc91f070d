/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store_private: the store itself, for the files of this room. Each function says which part of it
 * it changes.
 *
 *   store_base.c       its state and generation: all others stand on it
 *   change_log.c       the change log and the history
 *   store_attach.c     one file: checked, opened, let go
 *   recovery.c         the one recovery
 *   store_open.c       how a file becomes a store, and becomes one again after the disk failed it
 *   txn.c              every write: what may be trusted, begin, commit, what a failure means
 *   apply_changeset.c  changesets
 *   name_walk.c        the names that are published
 *   adapter_rows.c     cursors, ownership, addresses
 *   store.c            what the owner calls for the store as a whole
 *
 * A file calls only what stands above it here, and the files with a header of their own
 * (background, rebuild, recovery_note, ...), which do not know struct hf_store.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "bridge/store/recovery_note.h"
#include "bridge/store/store_files.h"
#include "bridge/store/image_load.h"
#include "bridge/store/schema.h"
#include "bridge/store/sql.h"
#include "bridge/store/store.h"
#include "bridge/store/wal.h"

struct hf_background;

enum hf_apply_phase {
	APPLY_ROWS,
	APPLY_GONE,
	APPLY_RESTORED,
	APPLY_NAMES,
	APPLY_TRIM,
	APPLY_COMMIT,
};

struct hf_apply {
	const struct hf_changeset *changes; /* borrowed until the last step; NULL: none was begun */
	enum hf_apply_phase phase;
	size_t at;           /* within the phase */
	struct hf_meta meta; /* as it will be */
	uint64_t first_seq;  /* of the lines of `change`, as they will be */
	uint64_t next_seq;
	uint64_t trim_to; /* lines before this one go */
	size_t rows_removed;
};

/* What becomes of a store that could not be made or opened for writing, once the disk takes it. */
enum hf_pending {
	HF_PENDING_NONE, /* it is there: open it again */
	HF_PENDING_NEW,  /* there is none yet */
	/* the damaged one is to be set aside, and one made out of s->attempt.from */
	HF_PENDING_RECOVERY,
};

struct hf_store {
	struct hf_store_opts opts; /* with the defaults filled in */
	const struct hf_schema *schema;
	struct hf_store_files files;
	struct hf_recovery_note attempt;
	struct hf_background *work; /* owned */

	struct hf_sql *w; /* owned; NULL: nothing can be written */
	struct hf_sql *r; /* owned; NULL: nothing can be read. Never sees what is not committed */
	struct hf_wal wal;
	uint32_t page_size;
	enum hf_pending pending;
	/* what is in it was told to the owner: from then on it may not change by itself */
	bool known;
	bool moved_in;   /* the new file has the store's place */
	bool unreadable; /* not even what was just made can be read */

	/* as last committed (or, where nothing could be written, as it is to be) */
	struct hf_meta meta;
	uint64_t seen_generation; /* elsewhere */
	uint64_t first_seq;       /* of the lines of `change` */
	uint64_t next_seq;
	/* owned: what the check at open has read, until it is handed out or something changes */
	struct hf_image *image;
	struct hf_apply apply;

	enum hf_store_state state;
	char reason[512];
	int64_t since_s;
	struct hf_store_stats stats;
};

/* store_base.c */
int64_t hf_store_now_s(const struct hf_store *s);
/* The only one to change the state; the time is kept while only the reason changes. */
void hf_store_enter(struct hf_store *s, enum hf_store_state state, const char *reason);
/* Of the next commit: higher than any that was seen, and not behind the clock. */
uint64_t hf_store_next_generation(const struct hf_store *s);
/* "WHAT: DETAIL" by a code and what the connection (may be NULL) says. */
void hf_store_why(char *out, size_t size, int code, const struct hf_sql *q);
/*
 * What a read by `q` (may be NULL) gave: damage is noted. Returns rc, or -EIO where it is not sure.
 */
int hf_store_read_done(struct hf_store *s, const struct hf_sql *q, int rc);

/* store_attach.c */
/*
 * Checks the file at PATH and, if it is sound, opens it for reading and writing; an earlier schema
 * is migrated first. `lock_rc`: 0, or the code with which the store's lock was refused: then the
 * file is only checked, and that code is returned. On a code with *ret_sound the file is sound, but
 * could not be opened for writing. `opened` receives what was found.
 */
int hf_store_open_there(
    struct hf_store *s, int lock_rc, struct hf_store_opened *opened, bool *ret_sound);
/*
 * Nothing can be written now. What can be read of what there is, is: of the file if it is `sound`,
 * else of an empty store in memory. It is that which a later write begins from.
 */
int hf_store_open_reader(struct hf_store *s, bool sound);
/* Closes what attaching has opened. */
void hf_store_detach(struct hf_store *s);
/*
 * Make the new file "BASE.new" the store and open it. Where that fails with s->moved_in, go on with
 * the second.
 */
int hf_store_move_in(struct hf_store *s);
int hf_store_open_moved_in(struct hf_store *s);
/* A new one, which no other store has. */
void hf_store_random_epoch(uint8_t epoch[16]);
/* Ends the store with all that it owns; no changeset is under way. */
void hf_store_dispose(struct hf_store *s);

/* store_open.c */
/* Open with another schema than this program's, for the tests of its steps. */
int hf_store_open_schema(const char *path, const struct hf_schema *schema,
    const struct hf_store_opts *opts, struct hf_store_opened *ret_opened,
    struct hf_store **ret_store);
/*
 * Whatever is missing for a write to be possible, after it was found that none is. The content
 * stays what it was.
 */
int hf_store_revive(struct hf_store *s);

/* recovery.c */
/*
 * What it will do, into s->attempt: out of `image` (may be NULL), the copy, or nothing. `found` is
 * what was wrong.
 */
void hf_recovery_plan(struct hf_store *s, const struct hf_image *image, const char *found);
/*
 * Do it, or go on with it: note it, make the new store, set aside what is there, give the new one
 * its place, open it, note that it is done.
 */
int hf_recovery_run(struct hf_store *s, const struct hf_image *image);
/* It cannot be done now: read what it will be made of, and make that the content. */
int hf_recovery_read(struct hf_store *s);
/*
 * A note says that it was begun, and the store is sound and opened: that was it, or it was not
 * needed.
 */
void hf_recovery_settle(struct hf_store *s, struct hf_store_opened *opened);
void hf_recovery_tell(const struct hf_store *s, struct hf_store_opened *ret_opened);
/* The store that was opened is one that was recovered, and what the zone knows is not in it yet. */
void hf_recovery_remind(const struct hf_store *s, struct hf_store_opened *ret_opened);
/*
 * The store is in use, and is made again out of `image`, the owner's memory. If its file is simply
 * gone, nothing is damaged and the recovery is not used. Fills `opened`.
 */
int hf_recovery_from_memory(
    struct hf_store *s, const struct hf_image *image, struct hf_store_opened *opened);
bool hf_recovery_exhausted(const struct hf_store *s);

/* txn.c */
int hf_txn_begin(struct hf_store *s);
/*
 * Commits if rc is 0, else rolls back. `meta` (may be NULL) is written and becomes s->meta. Returns
 * rc or the commit's code.
 */
int hf_txn_end(struct hf_store *s, int rc, const struct hf_meta *meta);

/* change_log.c */
int hf_change_log_open(struct hf_store *s, struct hf_sql *q); /* finds first_seq and next_seq */
int hf_change_log_name(struct hf_sql *q, const struct hf_apply *a, const struct hf_name_change *c);
/* A line about no single name. */
int hf_change_log_note(struct hf_sql *q, const struct hf_apply *a, const char *what,
    enum hf_reason why, const char *detail);
/*
 * The line before which all may go, if there are so many more than are kept that it is worth it;
 * else 0.
 */
uint64_t hf_change_log_excess(const struct hf_store *s, uint64_t first_seq, uint64_t next_seq);
/* Remove the lines before `to`; the log's floor rises. */
int hf_change_log_trim(struct hf_sql *q, uint64_t to, struct hf_meta *meta);
