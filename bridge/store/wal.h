/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wal: what of the -wal file is known to be on disk, and that the files are still those that were
 * opened.
 *
 * When a sync fails, the kernel may forget what it could not write: the pages still read as written
 * but are not on disk, and a later sync says nothing of them. A transaction whose commit failed
 * that way would come back at the next open out of memory, and be gone after a power cut. So it is
 * cut off before anything is trusted again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bridge/store/store_files.h"

struct hf_wal {
	int fd; /* owned; of the -wal file, -1: none */
	dev_t store_dev;
	ino_t store_ino;
	dev_t wal_dev;
	ino_t wal_ino;
	/* a read or write failed: what is in it may not be what is on disk */
	bool suspect;
	bool known;      /* the two below hold */
	uint8_t salt[8]; /* of the WAL that the last commit went to */
	uint64_t good;   /* its length after that */
};

void hf_wal_init(struct hf_wal *w);
void hf_wal_done(struct hf_wal *w);
/* After the store was opened. `empty`: the WAL was just cut to nothing, so that all is known. */
int hf_wal_open(struct hf_wal *w, const struct hf_store_files *f, bool empty);
/* After a commit that left so many pages in the WAL. */
void hf_wal_note(struct hf_wal *w, uint32_t pages, uint32_t page_size);
/* 0; -ENOENT: the store's file is gone or another; -ESTALE: the -wal is. */
int hf_wal_same(const struct hf_wal *w, const struct hf_store_files *f);
/*
 * After a failed sync and with no connection open: cut off what was not committed, and sync. 0 or
 * -errno.
 */
int hf_wal_cut(struct hf_wal *w);
