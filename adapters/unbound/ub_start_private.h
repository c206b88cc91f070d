/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ub_start_private: a write of the start files under way, for ub_start_file.c (when),
 * ub_start_write.c (what is in which file), ub_start_left.c (suffixes that are no longer ours),
 * ub_start_read.c (what was in them) and ub_start_out.c (one file).
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "adapters/unbound/ub_private.h"

enum {
	HF_UB_START_OUTS_MAX = HF_UB_ZONES_MAX + 1,
	HF_UB_START_INCLUDE_PTR_MAX = 5000,
};

struct evbuffer;

/* One file. */
struct hf_ub_start_out {
	int fd; /* -1: not open */
	char name[NAME_MAX + 1];
	char temp[NAME_MAX + 8];
	struct evbuffer *lines; /* owned: not written yet */
	struct stat st;         /* after the rename */
};

/* What a file looked like when we had written it: another look is another's work. */
struct hf_ub_start_seen {
	char name[NAME_MAX + 1];
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct hf_ub_start_file {
	struct hf_ub *a;    /* borrowed: the owner */
	struct event *turn; /* owned */

	/* The write under way. */
	int dir; /* the folder; -1: nothing is being written */
	struct hf_ub_start_out outs[HF_UB_START_OUTS_MAX];
	size_t n_outs;
	struct hf_record_walk *walk; /* owned */
	struct evbuffer *ptrs;       /* owned: of an include, until it is known how many */
	size_t n_ptrs;
	uint64_t writing; /* the generation that it will have */
	int64_t began_ms;
	int64_t took_ms; /* the last write */
	hf_ub_step then; /* who waits for the end of the write; NULL: nobody */

	/*
	 * zonefile: the suffix whose file has no suffix in its name (the bare one). Fixed by that
	 * file as long as it is there, so that no order of the sources gives one zone another's
	 * file.
	 */
	struct hf_name bare;
	bool has_bare;

	struct hf_ub_start_seen seen[HF_UB_START_OUTS_MAX];
	size_t n_seen;
	/* Files that were not ours and that a write replaced, open, until they are read. */
	int former[HF_UB_START_OUTS_MAX];
	size_t n_former;
	struct hf_ub_start_reading *reading; /* owned; NULL: nothing is being read */
	/* Suffixes that are not ours, in what unbound has read, perhaps. */
	struct hf_name former_zones[HF_UB_ZONES_MAX];
	size_t n_former_zones;

	/* When. */
	bool written;       /* in this life, and nothing has happened to it since */
	bool touched;       /* unbound got something since */
	bool removed;       /* and lost something: that is not to come back */
	bool confirmed;     /* all is confirmed: the file may be written */
	int64_t touched_ms; /* since when */
	int64_t next_ms;    /* not before, for additions */
	int64_t soon_ms;    /* not before, for all else */
	bool warned;
};

static inline bool hf_ub_start_is_include(const struct hf_ub_start_file *f)
{
	return f->a->base.config->unbound.start_form == HF_START_INCLUDE;
}

/* --- ub_start_out.c --- */

/*
 * One more file of the write, with the zone's head in it; zone: NULL for a file of all zones. Also
 * on failure it is one of f->outs: hf_ub_start_outs_close() ends it. Returns 0 or a code.
 */
int hf_ub_start_out_add(struct hf_ub_start_file *f, const char *name, const struct hf_name *zone);
/* What a file says of a zone before its names: of a zone file the SOA record. */
void hf_ub_start_out_head(
    struct hf_ub_start_file *f, struct evbuffer *lines, const struct hf_name *zone);

/* f->dir. */
int hf_ub_start_folder_open(struct hf_ub_start_file *f, const char **ret_base);
/* As it is under its own name, for the next look at it. */
void hf_ub_start_note_seen(struct hf_ub_start_file *f, const struct hf_ub_start_out *out);
/* Whether a file is another one than we have written. */
bool hf_ub_start_is_foreign(int dir, const struct hf_ub_start_seen *s);
/* A file, and no link, device or pipe, to be read. -1: it is none. */
int hf_ub_start_open_plain(int dir, const char *name);

/* --- ub_start_former.c --- */

/* The suffixes of the file of that name, if it is a start file. Leaves `fd` at its beginning. */
void hf_ub_start_former_note(struct hf_ub_start_file *f, const char *name, int fd);

/* --- ub_start_read.c --- */

/*
 * The file of that name in f->dir is about to be replaced: the suffixes that it names are noted,
 * and if it is not ours it is kept open.
 */
void hf_ub_start_former_keep(struct hf_ub_start_file *f, const char *name);
void hf_ub_start_read_end(struct hf_ub_start_file *f);

/* --- ub_start_write.c --- */

/* Opens all files of our zones, each with its head. hf_ub_start_outs_close() ends it. */
int hf_ub_start_outs_open(struct hf_ub_start_file *f);
/* An arg for walk_step(). */
int hf_ub_start_outs_record(const struct hf_record *r, void *f);
/* Writes what waits. */
int hf_ub_start_outs_flush(struct hf_ub_start_file *f);
/* All are whole before the first is renamed. `only_missing`: those that are there stay. */
int hf_ub_start_outs_finish(struct hf_ub_start_file *f, bool only_missing);
void hf_ub_start_outs_close(struct hf_ub_start_file *f);
/* The file's name for the zone. */
int hf_ub_start_name(const struct hf_ub_start_file *f, const char *base, const struct hf_name *zone,
    char ret_name[static NAME_MAX + 1]);

/* --- ub_start_left.c --- */

/* zonefile: whose zone the bare file is; of none, if it is missing or no file of ours. */
void hf_ub_start_bare_read(struct hf_ub_start_file *f, const char *base);
/* And where it is missing, of the first suffix that has no file under its own name. */
void hf_ub_start_bare_choose(struct hf_ub_start_file *f, const char *base);
/*
 * zonefile: files of ours in the folder whose zone is no longer ours are opened, to be without
 * names.
 */
int hf_ub_start_left_open(struct hf_ub_start_file *f, const char *base);
