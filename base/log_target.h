/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * log_target: writes whole lines to a descriptor that may be anything, and never waits for it.
 * Private to the log. Not thread safe.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/log_line.h"

struct hf_log_target {
	int fd;     /* borrowed */
	int own_fd; /* owned; what `fd` leads to, opened once more and without blocking; -1: none */
	bool socket;
	bool ask_first; /* it may block and could not be opened once more: ask poll() before */
	dev_t dev;      /* which file it is */
	ino_t ino;
	size_t rest_len;
	char rest[HF_LOG_LINE_MAX]; /* the end of a line of which only the beginning was taken */
};

/* `fd` outlives it; an invalid one takes nothing. End it with hf_log_target_done(). */
void hf_log_target_init(struct hf_log_target *t, int fd);
void hf_log_target_done(struct hf_log_target *t);
/* From now on `fd`. If that is the same file, it still gets the rest of what it took a part of. */
void hf_log_target_change(struct hf_log_target *t, int fd);

/*
 * Write a line of at most HF_LOG_LINE_MAX bytes. Returns false if the target does not take it now:
 * the line is lost. Of what was begun the rest is written before the next line, so no line is cut.
 * No SIGPIPE or SIGXFSZ comes of it.
 */
bool hf_log_target_write(struct hf_log_target *t, const char *line, size_t len);
