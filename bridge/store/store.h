/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store: the last known state on disk. The only code that calls SQLite; private to the bridge, one
 * bridge at a time. It decides nothing: state hands it changesets, it makes them durable, and gives
 * everything back at start. docs/store.md tells people about its files.
 *
 * A changeset is one transaction. It can be applied in slices, so that a snapshot of 100,000 agents
 * never holds the loop; until its last slice is done nothing of it is visible, neither to the
 * reading functions below nor to this process's next start. The WAL's checkpoint and the copy run
 * in a thread of their own.
 *
 * Not thread safe: it belongs to the loop. The program ignores SIGXFSZ, so that a file size limit
 * is an error.
 *
 * A write of any kind returns 0, or a code: then nothing of it is on disk and the state says why.
 * Between hf_store_begin() and the last step every other write returns -EBUSY. Any function may
 * return HF_EDAMAGED for what it read: the state is RECOVERING from then on, until
 * hf_store_recover().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/types/changeset.h"
#include "bridge/types/image.h"

struct hf_clock;
struct hf_store; /* opaque */

enum hf_store_state {
	HF_STORE_OK,
	/* the disk does not take it; changes wait in memory. Each begin tries again */
	HF_STORE_NOT_WRITTEN,
	/* found damaged while it ran: hf_store_recover() is due, writes are refused */
	HF_STORE_RECOVERING,
	/* damaged again after the one recovery: nothing is written any more */
	HF_STORE_FAILED,
};
const char *hf_store_state_name(enum hf_store_state state); /* "ok", "not-written", ... */

/* How the store came to be what it is, for the log and the recovery of bridge/. */
enum hf_store_origin {
	HF_STORE_OPENED, /* it was there and is valid */
	HF_STORE_NEW,    /* there was none */
	HF_STORE_COPY,   /* the damaged one was set aside and the copy taken */
	/* the damaged one was set aside and there was no good copy: the zone may know more */
	HF_STORE_EMPTY,
	/* damaged, and the one recovery was spent before: opened in memory only, state failed */
	HF_STORE_SPENT,
	HF_STORE_IMAGE, /* hf_store_recover(): made anew out of the bridge's memory */
};

struct hf_store_opts {
	const struct hf_clock *clock; /* borrowed; outlives the store */
	uint32_t log_max;             /* name changes kept in the change log; 0: 20,000 */
	uint32_t history_max;         /* lines of history kept; 0: 100,000 */
	/* the WAL is written back when it has so many; 0: 1,000 (4 MB) */
	uint32_t checkpoint_pages;
};

struct hf_store_opened {
	enum hf_store_origin origin;
	char aside[512];   /* where the damaged file lies now, "" if none */
	char reason[256];  /* what was found to be wrong with it, or why it was refused */
	uint64_t orphans;  /* rows whose owner, workspace or source was not there: removed */
	int migrated_from; /* the schema version that it had before, 0 if it was not migrated */
	/*
	 * of the store that was opened or of the copy that was taken, as found; 0: nothing was
	 * there
	 */
	uint64_t generation;
	/*
	 * What the published zone knows beside that is not yet in the store: after a recovery, and
	 * at each open until hf_store_zone_taken(), so that a crash in between loses nothing.
	 */
	bool zone_due;
};

/*
 * Open or make the store at `path` (0600). Integrity check, schema step, lock. HF_ELOCKED at once
 * if another process has it; HF_ESCHEMA if a newer version wrote it (left untouched); HF_EUNSAFE
 * for a symlink, another's file, one that others may write, no regular file, or another program's
 * database: ret_opened->reason (also on failure) says it. A damaged file is set aside under a dated
 * name beside it, never deleted, and *ret_opened tells. Makes a new epoch if it starts anew.
 *
 * Where the disk takes no writes (full, read-only, ...) this still succeeds: with what can be read,
 * state NOT_WRITTEN. A WAL that lost its end (damage, a file taken away) opens as an earlier whole
 * generation; the zone's stamp then has a later one of the same epoch. End with hf_store_free().
 */
int hf_store_open(const char *path, const struct hf_store_opts *opts,
    struct hf_store_opened *ret_opened, struct hf_store **ret_store);
void hf_store_free(struct hf_store *s); /* checkpoints and closes; NULL is fine */

/*
 * ret_reason is "" while all is well, and valid until the next call on the store; ret_since_s is
 * wall clock.
 */
enum hf_store_state hf_store_get_state(
    struct hf_store *s, const char **ret_reason, int64_t *ret_since_s);
const uint8_t *hf_store_epoch(const struct hf_store *s); /* 16 bytes */
uint64_t hf_store_generation(const struct hf_store *s);  /* of the last commit */
/*
 * The zone or a secondary has seen this generation (of an earlier store): the next one will be
 * higher.
 */
void hf_store_seen_generation(struct hf_store *s, uint64_t generation);
/*
 * Whether the next generation after `last` (0: there was none) may be the wall clock's seconds. Not
 * if the clock is ahead by 2^31 s or more: a generation is also a zone's serial, which would go
 * backwards by RFC 1982, and stay there.
 */
bool hf_store_generation_may_be(uint64_t last, int64_t wall_s);

/*
 * Holds an accepted snapshot, or was refilled: only then may anything be published or removed
 * (contract, store 6).
 */
bool hf_store_ready(const struct hf_store *s);
int hf_store_set_ready(struct hf_store *s);

struct hf_store_stats {
	uint64_t commits;
	uint64_t commit_us; /* the last commit, its sync included */
	uint32_t wal_pages; /* after the last commit */
	uint64_t wal_bytes;
	uint64_t checkpoints;
	int checkpoint_error; /* of the last one: 0 or a code */
	uint64_t copies;
	int copy_error; /* of the last one: 0 or a code */
	bool copying;
};
void hf_store_get_stats(struct hf_store *s, struct hf_store_stats *ret_stats);

/* Everything. The caller owns *ret_image. */
int hf_store_load(struct hf_store *s, struct hf_image **ret_image);
void hf_image_free(struct hf_image *image); /* NULL is fine */

/*
 * Apply a changeset as the next generation. begin, then step until it does not return 1; the commit
 * is within the last step. Between steps no other change may begin. `budget_us` bounds a step
 * (commit apart). step returns 1 (more), 0 (committed; hf_store_generation() has risen), or a code:
 * then nothing of it is on disk, the state is NOT_WRITTEN, and the same changeset may be begun
 * again. After a failed sync the file is opened anew and checked before anything is trusted (by the
 * next begin). -EINVAL: a row that could not be read back; a mistake of the caller's, the state
 * stays. An empty changeset commits nothing and leaves the generation.
 */
int hf_store_begin(struct hf_store *s, const struct hf_changeset *changes);
int hf_store_step(struct hf_store *s, uint32_t budget_us);
void hf_store_abort(struct hf_store *s); /* nothing happens if none was begun */
/*
 * In NOT_WRITTEN, with nothing to write: is the disk well again? A small write tells. 0 or a code;
 * 0 in other states.
 */
int hf_store_try(struct hf_store *s);
/* All at once. */
int hf_store_apply(struct hf_store *s, const struct hf_changeset *changes);

/* --- names: for the zone and the feed --- */

typedef int (*hf_store_name_cb)(
    const struct hf_name_change *change, uint64_t generation, void *arg);

/*
 * Names changed after generation `since`, oldest first, the last change of each only. Returns 0,
 * -ESTALE if the log does not reach back so far (then take all), or cb's non-zero value.
 */
int hf_store_names_since(struct hf_store *s, uint64_t since, hf_store_name_cb cb, void *arg);
/*
 * Names that are removed and not back, of the last `max` name changes in the log, newest first, as
 * they were before. Returns 0, a code, or cb's non-zero value.
 */
int hf_store_names_removed(struct hf_store *s, size_t max, hf_store_name_cb cb, void *arg);
/*
 * All names that are published now (also held, withdrawn, restored). A restored one comes before a
 * live one of that name.
 */
int hf_store_names_all(struct hf_store *s, hf_store_name_cb cb, void *arg);

/*
 * The same in slices: all names of one generation, whatever is committed meanwhile. step calls cb
 * for about `max` names and returns 1 (more), 0 (done), a code, or cb's non-zero value. Free the
 * walk before the store.
 */
struct hf_store_walk; /* opaque */
int hf_store_walk_new(struct hf_store *s, struct hf_store_walk **ret_walk);
int hf_store_walk_step(struct hf_store_walk *w, size_t max, hf_store_name_cb cb, void *arg);
uint64_t hf_store_walk_generation(const struct hf_store_walk *w);
void hf_store_walk_free(struct hf_store_walk *w); /* NULL is fine */

/* --- history --- */

struct hf_history_line {
	int64_t wall_s;
	uint64_t generation;
	const char *name;   /* lent for the call; "" where a line is about no single name */
	const char *what;   /* hf_store_what_name(), or "summary", "hold", "hold-ended" */
	const char *reason; /* hf_store_reason_name() */
	const char *detail; /* the address; of other lines what it is about */
};
typedef int (*hf_store_history_cb)(const struct hf_history_line *line, void *arg);
const char *hf_store_reason_name(enum hf_reason why); /* "snapshot", "diff", ... */
const char *hf_store_what_name(enum hf_what what);    /* "changed", "added", ... */
/* Newest first, at most `max`; `name` (text, as hf_name_text() has it) NULL for all. */
int hf_store_history(
    struct hf_store *s, const char *name, size_t max, hf_store_history_cb cb, void *arg);

/* --- adapters: cursors, ownership, receipts --- */

struct hf_cursor {
	uint8_t epoch[16];
	uint64_t generation;
};
/* 1 and the cursor, 0 if the adapter has none, or a code. */
int hf_store_cursor_get(struct hf_store *s, const char *adapter, struct hf_cursor *ret_cursor);

struct hf_owned {
	struct hf_name name;
	uint8_t addr[16];
	uint8_t state; /* the adapter's feed decides: applied, confirmed, stale of an earlier run */
	uint64_t generation;
};
/* One transaction: what was applied, what is no longer owned, and how far it came. */
struct hf_receipt_rows {
	const char *adapter; /* at most HF_TEXT_MAX - 1 long */
	struct hf_cursor cursor;
	const struct hf_owned *set;
	size_t n_set;
	const struct hf_owned *gone; /* by name and address; taken out before `set` is written */
	size_t n_gone;
};
int hf_store_receipt(struct hf_store *s, const struct hf_receipt_rows *receipt);
typedef int (*hf_store_owned_cb)(const struct hf_owned *owned, void *arg);
int hf_store_owned_all(struct hf_store *s, const char *adapter, hf_store_owned_cb cb, void *arg);
/* Those of one name: one an address. */
int hf_store_owned_name(struct hf_store *s, const char *adapter, const struct hf_name *name,
    hf_store_owned_cb cb, void *arg);
/*
 * At most `max`, in the order of the name's text (byte by byte) and the address, beginning behind
 * `after` (NULL: with the first). Whatever was written meanwhile, none that was there all the time
 * is left out.
 */
int hf_store_owned_after(struct hf_store *s, const char *adapter, const struct hf_owned *after,
    size_t max, hf_store_owned_cb cb, void *arg);
/* Those of one state, in the same order. Looks at them all. */
int hf_store_owned_state(
    struct hf_store *s, const char *adapter, uint8_t state, hf_store_owned_cb cb, void *arg);
/* ret_counts[state] is how many have it. Reads them all. */
int hf_store_owned_count(struct hf_store *s, const char *adapter, uint64_t ret_counts[static 256]);
/*
 * The adapter goes on under another name, with its cursor and all that it owns; of one that had the
 * other name already nothing is left. 0 also if it is not known.
 */
int hf_store_adapter_rename(struct hf_store *s, const char *adapter, const char *name);
/* Forget all about an adapter that was taken out of the configuration. */
int hf_store_adapter_forget(struct hf_store *s, const char *adapter);
/* The adapters that the store knows, also those that are no longer configured. */
typedef int (*hf_store_adapter_cb)(const char *adapter, void *arg);
int hf_store_adapters(struct hf_store *s, hf_store_adapter_cb cb, void *arg);

/* --- last good addresses of a source's server --- */

enum { HF_STORE_ADDRESSES_MAX = 64, HF_STORE_ADDRESS_TEXT_MAX = 64 };
/* Replaces them all. `source` is its name. -EINVAL beyond the limits above. */
int hf_store_addresses_set(
    struct hf_store *s, const char *source, const char *const *addresses, size_t n);
typedef int (*hf_store_address_cb)(const char *address, void *arg);
int hf_store_addresses(struct hf_store *s, const char *source, hf_store_address_cb cb, void *arg);

/* --- the one recovery --- */

/* Written beside the store ("<path>.recovery") before an attempt starts; survives restarts. */
bool hf_store_attempt_spent(const struct hf_store *s);
/*
 * What the published zone knew is in the store now (hf_store_opened.zone_due); nothing happens if
 * it was already.
 */
int hf_store_zone_taken(struct hf_store *s);
/*
 * Allowed again: after one hour fresh, or by the operator. A store that has failed is
 * RECOVERING then.
 */
int hf_store_attempt_rearm(struct hf_store *s);
/*
 * The running store was found damaged: set aside, a new one made out of `image` (the bridge's
 * memory), with a new epoch; ready as it was before. Spends the attempt, but where the file is
 * simply gone. HF_EDAMAGED if it was spent: the state is FAILED. Another code (the disk is full,
 * -EAGAIN: the thread is at work): call it again. Cursors, ownership, addresses and history are
 * lost.
 */
int hf_store_recover(
    struct hf_store *s, const struct hf_image *image, struct hf_store_opened *ret_opened);

/*
 * Refresh the copy ("<path>.copy") in the background thread: checked, synced, renamed. 0, -EALREADY
 * while one is being made, or a code. Its age is in the copy's mtime, its outcome in the stats.
 */
int hf_store_copy_begin(struct hf_store *s);
