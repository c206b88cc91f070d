/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * log_limit: how many lines a time may have, so that nothing that repeats fills a disk or hides
 * what else is said: so many of one kind, and so many of all kinds. What is left out is counted by
 * kind. Private to the log. Not thread safe.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HF_LOG_LIMIT_KINDS = 64,
	/*
	 * At once, and then a second. In 4 seconds these are 90 lines in all, and the few that say
	 * what was left out.
	 */
	HF_LOG_LIMIT_BURST = 30,
	HF_LOG_LIMIT_RATE = 3,
	HF_LOG_LIMIT_ALL_BURST = 50,
	HF_LOG_LIMIT_ALL_RATE = 10,
	HF_LOG_LIMIT_TELL_MS = 1000,
};

struct hf_log_bucket {
	int64_t used_ms; /* how much of it is used, as time that has to pass: 0 is full */
	int64_t at_ms;
};

struct hf_log_limit {
	struct hf_log_bucket all;
	struct hf_log_kind {
		const char *kind; /* a static text: the format of its lines */
		struct hf_log_bucket bucket;
		uint64_t left_out;
	} kinds[HF_LOG_LIMIT_KINDS];
	int64_t told_ms;
};

/*
 * Whether a line of this kind may be written now; else it counts as left out. Zero the limit before
 * first use.
 */
bool hf_log_limit_pass(struct hf_log_limit *l, const char *kind, int64_t now_ms);
/* The kind of which most was left out, how often, if that is to be said now: once a second. */
bool hf_log_limit_left_out(
    struct hf_log_limit *l, int64_t now_ms, const char **ret_kind, uint64_t *ret_n);
