/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fold: makes a new base out of the old one and what changed since: by a thread of its own, which
 * sees only what nobody changes, or at once by the caller where it is little.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/format.h"

struct hf_cdb_in;
struct hf_folder;
struct hf_overlay;

/* All borrowed; nobody may change it until the fold's result was taken. */
struct hf_fold_job {
	const struct hf_folder *folder;
	const struct hf_cdb_in *base;           /* NULL: none */
	const struct hf_overlay *changes;       /* what is HF_FMT_GONE goes */
	const struct hf_fmt_settings *settings; /* the thread has a copy */
	char name[HF_FMT_FILE_NAME_MAX];
};

/*
 * Do it now. Returns 0 and the new base, open: end it with hf_cdb_in_free(). It has its name in the
 * folder and is synced, its name not yet. HF_EDAMAGED: the old base is not what it was; HF_ELIMIT:
 * too much for one base.
 */
int hf_fold_now(const struct hf_fold_job *job, struct hf_cdb_in **ret_base);

struct hf_fold; /* the thread, from the first fold on; one fold at a time */

int hf_fold_new(struct hf_fold **ret_fold);
/* Waits for the thread; a fold's work is given up. NULL is fine. */
void hf_fold_free(struct hf_fold *f);
/*
 * hf_cdb_in_free() by the thread: where its file was unlinked before, the system frees the space as
 * it is closed, and that takes long for a large one. NULL is fine.
 */
void hf_fold_close_base(struct hf_fold *f, struct hf_cdb_in *base);

/* Readable once the fold that runs has ended. */
int hf_fold_fd(const struct hf_fold *f);
/* Started and not yet taken. */
bool hf_fold_running(const struct hf_fold *f);
/* `job` is copied, but not what it points to. Returns 0 or a code; then nothing was started. */
int hf_fold_start(struct hf_fold *f, const struct hf_fold_job *job);
/* Its result is not wanted any more: it ends soon, with -ECANCELED or all the same. */
void hf_fold_cancel(struct hf_fold *f);
/*
 * Never waits. Returns 1 if it ended, with its code and as hf_fold_now() its base; 0 if none did.
 */
int hf_fold_take(struct hf_fold *f, int *ret_code, struct hf_cdb_in **ret_base);
