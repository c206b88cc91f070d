/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * retry: when a failed attempt is made again, and when it is said aloud that it fails: the table of
 * waits, without jitter, for ever.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"

struct hf_clock;

struct hf_retry {
	const char *who; /* for the log: "adapter 'x'"; borrowed */
	const struct hf_clock *clock;
	struct hf_backoff wait;
	unsigned attempts; /* without success, in a row */
	int64_t failed_ms; /* so long without success: it has failed */
	bool failed;
	int64_t first_at; /* boottime of the first failure since the last success */
	int64_t next_at;  /* boottime; 0: no failure */
	char error[256];  /* of the last failure; "" if there is none */
};

/* One more failure. `text` is what people read beside the code; "" for none. Returns the wait. */
uint32_t hf_retry_fail(struct hf_retry *r, int code, const char *text);
/* It went well. */
void hf_retry_ok(struct hf_retry *r);
/* Milliseconds until the next attempt is due, 0: now. */
int64_t hf_retry_wait(const struct hf_retry *r);
/* Looks at the clock: logs once that it failed. Milliseconds until that may come; -1: never. */
int64_t hf_retry_look(struct hf_retry *r);
