/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * child: runs an operator's program once, on the loop: without a shell, with a short environment,
 * with no descriptors but its own three, in a process group of its own, for a limited time. The
 * loop never waits for it. A program that others may write is refused.
 *
 * The process is expected to ignore SIGPIPE: a program may leave its input unread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct hf_child; /* opaque */

enum { HF_CHILD_WHY_MAX = 200, HF_CHILD_ERRORS_MAX = 400 };

struct hf_child_opts {
	const char *const *argv; /* ends with NULL; [0] is a path */
	const char *const
	    *env;          /* NAME=VALUE beside what it gets of ours; ends with NULL; or NULL */
	const void *input; /* for its standard input; lent while it runs */
	size_t input_len;
	size_t output_max;   /* of its standard output; at least 1 */
	bool output_clipped; /* more is thrown away; else it is the end of the program */
	bool errors_kept;    /* the beginning of its standard error too; else that is ours */
	int64_t limit_ms;
};

/* How it ended. Lent for the call; the texts end with NUL beyond their length. */
struct hf_child_end {
	int code; /* 0: it ended by itself, with status 0; else HF_EREFUSED, -ETIMEDOUT, HF_ELIMIT
		   */
	char what[64]; /* "ended with status 3", "took too long and was ended"; "" with code 0 */
	char *output;  /* may be changed */
	size_t output_len;
	char *errors; /* "" where they are not kept */
};

/* Called once, from the loop, as the last thing: the child may be freed in it, and is to be. */
typedef void (*hf_child_cb)(void *arg, struct hf_child_end *end);

/* 0; or a code, and a text in ret_why. */
int hf_child_run(struct event_base *base, const struct hf_child_opts *opts, hf_child_cb cb,
    void *arg, struct hf_child **ret_child, char ret_why[static HF_CHILD_WHY_MAX]);
/* With all that it started, if it still runs. NULL is fine. */
void hf_child_free(struct hf_child *c);
