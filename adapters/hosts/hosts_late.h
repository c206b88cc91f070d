/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hosts_late: hosts files that we replaced while somebody may still write into them: who opened one
 * before the replacement writes into a file without a name, and what is written there would be
 * lost. Each is kept open and looked at until nobody has it open for writing.
 *
 * A file that somebody put there in the very instant of our replacement is held for a while longer:
 * whoever has read ours, without what is in theirs, may put one without it there again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "adapters/hosts/hosts_merge.h"

enum { HF_HOSTS_LATE_MAX = 64 };

struct hf_hosts_late {
	int fd;      /* owned; opened for reading only. -1: it can be forgotten */
	char *bytes; /* owned; the part of its content that the file that replaced it has */
	size_t len;
	struct stat seen; /* of the last look */
	bool unread;      /* its content was not taken since it changed */
	int64_t since_ms; /* when it last changed, as far as we saw */
	int64_t end_ms;   /* it is brought in again and again, but not after this; 0: only once */
	int64_t
	    hold_ms; /* ... until then: since it was last missing; 0: it was not brought in yet */
	int64_t looked_ms;
	bool missing; /* the last look had to bring in something of it */
	bool held;    /* by the last look */
	bool brought; /* it was brought in once: from then on only what is new in it */

	char *found; /* owned; what the last look found, till hf_hosts_late_done(); or NULL */
	size_t n_found;
	bool over; /* nobody can write to it any more: it goes with hf_hosts_late_done() */
};

struct hf_hosts_lates {
	struct hf_hosts_late at[HF_HOSTS_LATE_MAX];
	size_t n;
};

/* One more; fd and bytes are taken over. If there are too many, the oldest is forgotten. */
void hf_hosts_late_add(struct hf_hosts_lates *l, int fd, char *bytes, size_t len, int64_t now_ms);
/*
 * One that was put there meanwhile, and not by us; `base` is what it was made of, or what we think
 * so. Both are taken over.
 */
void hf_hosts_late_add_held(
    struct hf_hosts_lates *l, int fd, char *base, size_t len, int64_t now_ms);
/* Some of them is not only held: somebody writes to it, or it was not looked at yet. */
bool hf_hosts_late_is_urgent(const struct hf_hosts_lates *l);
void hf_hosts_late_free(struct hf_hosts_lates *l);

/*
 * The content `file` of the file that is there, with what was written since into the files that it
 * replaced. The caller owns *ret_bytes; end it with free(). Then hf_hosts_late_done(): `written`,
 * the file has it now; else the next call finds it again. Returns 0 or -ENOMEM.
 */
int hf_hosts_late_content(struct hf_hosts_lates *l, const struct hf_text *file, int64_t now_ms,
    char **ret_bytes, size_t *ret_len);
void hf_hosts_late_done(struct hf_hosts_lates *l, bool written);

/*
 * Whether a process has the file open for writing: 1, 0, or a code if that cannot be known. `fd`
 * must be opened for reading only.
 */
int hf_hosts_late_is_written(int fd);
