/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hostsdir: the files of a hostsdir. All names of one address are in one file, so that its PTR is
 * always read as a whole; 1,024 files at most, since dnsmasq's cost of a change is that of the
 * file's lines and its cost of an answer that of the number of files. A file is written under a dot
 * name, which dnsmasq does not read, and renamed in; it ends by unlink, the one end that dnsmasq
 * notices.
 *
 * Ours is what has our name and begins with our mark. All else in the folder is left alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/record_table.h"

enum { HF_HOSTSDIR_FILES = 1024, HF_HOSTSDIR_FILE_BYTES_MAX = 16 * 1024 * 1024 };

struct hf_hostsdir; /* opaque */

/* Both strings are borrowed and outlive it. Touches nothing. */
int hf_hostsdir_new(
    const char *path, struct hf_record_table *table, struct hf_hostsdir **ret_shards);
void hf_hostsdir_free(struct hf_hostsdir *s); /* NULL is fine */

/*
 * Opens the folder (again, if it is open). On failure ret_why says what is wrong and what mends it.
 */
int hf_hostsdir_open(struct hf_hostsdir *s, char *ret_why, size_t why_size);

/*
 * Read file i into the table. 1: it was ours and as it was written; 0: there is none; HF_EFORMAT:
 * ours, but not as we left it (its lines that are of our form are in the table); HF_EREFUSED: not
 * ours, although it has our name, so nothing can be written there. Or another code.
 */
int hf_hostsdir_load(struct hf_hostsdir *s, unsigned i);

/*
 * The records that file i has now into another table, for a look that changes nothing. 0, also if
 * it is missing or not ours; or a code.
 */
int hf_hostsdir_peek(const struct hf_hostsdir *s, unsigned i, struct hf_record_table *table);

/*
 * Remove what a run that was killed has left half written, by our names for it. Once in a life, and
 * only by who feeds: such a file may be another process's.
 */
void hf_hostsdir_sweep(struct hf_hostsdir *s);

/* Make file i what the table says. HF_EREFUSED as above. On failure the old one is as it was. */
int hf_hostsdir_write(struct hf_hostsdir *s, unsigned i);
/* Make it durable. */
int hf_hostsdir_sync(struct hf_hostsdir *s, unsigned i);
int hf_hostsdir_sync_folder(struct hf_hostsdir *s);

/* Whether file i is no longer what was last written or loaded. */
bool hf_hostsdir_changed(const struct hf_hostsdir *s, unsigned i);
/* Whether something that is not ours has the name of file i, as of load() or write(). */
bool hf_hostsdir_blocked(const struct hf_hostsdir *s, unsigned i);
/* Whether the path leads to another folder than the open one, or to none. */
bool hf_hostsdir_replaced(const struct hf_hostsdir *s);

/*
 * The number of files that dnsmasq reads as data and that are not ours; the first one's name in
 * ret_name (size HF_HOSTSDIR_FILE_NAME_MAX). Or -errno.
 */
enum { HF_HOSTSDIR_FILE_NAME_MAX = 256 };
int hf_hostsdir_foreign(
    const struct hf_hostsdir *s, char ret_name[static HF_HOSTSDIR_FILE_NAME_MAX]);

/* "holdfast-3ff.hosts" */
const char *hf_hostsdir_file_name(unsigned i, char out[static HF_HOSTSDIR_FILE_NAME_MAX]);
