/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * next_try: when a client that failed tries again: by the backoff, each minute or each few minutes,
 * as soon as an event makes it worth while, and never more often than so many times a minute,
 * whatever asks for it. Plain values; the clock's time is passed in.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "bridge/stream/client/client_settings.h"
#include "bridge/stream/wire/problem.h"

enum { HF_NEXT_TRY_DIALS_MAX = 1000 }; /* what retry.per_minute may be */

/* Part of its client. */
struct hf_next_try {
	const struct hf_stream_retry *retry; /* borrowed */
	int64_t at_ms;
	int64_t event_ms;  /* when an event last ended a wait; 0: none did */
	int64_t kept_ms;   /* events do not end a wait before: somebody said how long */
	unsigned attempts; /* that failed since it was last live */
	unsigned held;     /* of the last ones, that found another deployment */
	struct hf_backoff backoff;
	bool fresh_token;                     /* a refused token was read again once already */
	int64_t dials[HF_NEXT_TRY_DIALS_MAX]; /* when the last ones began, in a ring */
	size_t n_dials;                       /* so many began in all */
};

/* At once. */
void hf_next_try_init(struct hf_next_try *t, const struct hf_stream_retry *retry, int64_t now_ms);
/* When the next dial may begin at the earliest. */
int64_t hf_next_try_may(const struct hf_next_try *t);
/* One begins. */
void hf_next_try_dial(struct hf_next_try *t, int64_t now_ms);
/* It failed; at_ms is the next try. `random`: 32 bits. Returns the wait, the rate left aside. */
int64_t hf_next_try_failed(
    struct hf_next_try *t, const struct hf_problem *problem, int64_t now_ms, uint32_t random);
/* Not before the rate allows it. */
void hf_next_try_at(struct hf_next_try *t, int64_t at_ms);
/*
 * An event in a wait: one in retry.events_ms begins the backoff anew, those between only move the
 * wait's end. How long a server asked to be left alone, and the minute after a refused token, they
 * leave as they are; only a token that may be another, or the operator (`token`), ends the latter.
 */
void hf_next_try_event(
    struct hf_next_try *t, const struct hf_problem *waits_for, bool token, int64_t now_ms);
/* The server took the token. */
void hf_next_try_token_taken(struct hf_next_try *t);
/* Live. */
void hf_next_try_live(struct hf_next_try *t);
/* Live for so long that a failure is a new one. */
void hf_next_try_steady(struct hf_next_try *t);
