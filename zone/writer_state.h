/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * writer_state: what the writer's files share. writer.c decides what is to be published when,
 * writer_publish.c makes it visible, writer_open.c takes up what an earlier writer left.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/format.h"
#include "zone/tree.h"
#include "zone/writer.h"
#include "zone/writer_folder.h"

struct hf_fold;

/* What a publication is called, and its settings as they are in its files. */
struct hf_publication {
	uint8_t epoch[16];
	uint64_t generation;
	struct hf_fmt_settings settings;
};

enum { HF_RETIRED_MAX = 4 };

struct hf_zone_writer {
	const struct hf_clock *clock; /* borrowed */
	uint32_t fold_names;
	uint32_t direct_names;
	uint32_t fold_every_ms;
	struct hf_folder folder; /* owned */

	struct hf_tree tree;      /* owned */
	struct hf_zone_meta meta; /* of the next publication */
	bool has_meta;
	bool settle_due; /* the tree's apexes are not yet those of meta */

	/* What was last asked for: the layers below `fresh` are it. */
	bool has_target;
	bool behind; /* readers do not see it yet */
	struct hf_publication target;
	int64_t retry_at_ms; /* while behind, unless a fold runs */

	/* What readers see. */
	bool has_published;
	struct hf_fmt_current published;
	struct hf_fmt_settings base_settings; /* of the tree's base */

	struct hf_fold *fold;         /* owned */
	int64_t fold_at_ms;           /* not before */
	struct hf_publication frozen; /* what base and frozen layer together are */
	bool published_since;         /* something younger than `frozen` was published */
	/* Its result is not wanted; what it reads is kept for it. */
	bool fold_lost;
	struct hf_overlay *lost_changes; /* owned */
	struct hf_cdb_in *lost_base;     /* owned */

	uint64_t next_n; /* numbers of file names */
	uint64_t next_m;
	/* Files that `current` named once, until the rename that replaced them is durable. */
	char retired[HF_RETIRED_MAX][HF_FMT_FILE_NAME_MAX];
	size_t n_retired;
	struct hf_cdb_in
	    *former_base;   /* owned; open until its file is unlinked, see hf_fold_close_base() */
	bool sync_due;      /* the last rename is not known to be durable */
	int64_t sync_at_ms; /* when it is seen to at the latest */
	bool sweep_due;     /* the folder has files of which nobody knows whether they are wanted */
};

/* --- writer_publish.c --- */

/* Entries of the layers that are not in the base. */
size_t hf_writer_changes(const struct hf_zone_writer *w);

/* Make the target visible as a delta on the tree's base. Returns 1 or a code. */
int hf_writer_show_delta(struct hf_zone_writer *w);
/* Make the last rename durable; what it replaced goes. 0 or a code. */
int hf_writer_settle_rename(struct hf_zone_writer *w);
/* Make `p` visible as the tree's base alone. Returns 1 or a code. */
int hf_writer_show_base(struct hf_zone_writer *w, const struct hf_publication *p);

/* --- writer_open.c --- */

/*
 * Take up the picture in the folder. Returns 1 and *ret_stamp, or a code: then nothing of it is in
 * w.
 */
int hf_writer_take_picture(struct hf_zone_writer *w, struct hf_zone_stamp *ret_stamp);
