/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/next_try.h"

void hf_next_try_init(struct hf_next_try *t, const struct hf_stream_retry *retry, int64_t now_ms)
{
	*t = (struct hf_next_try){ .retry = retry,
		.at_ms = now_ms,
		.backoff = {
		    .floor_ms = (uint32_t)retry->floor_ms, .cap_ms = (uint32_t)retry->cap_ms } };
}

int64_t hf_next_try_may(const struct hf_next_try *t)
{
	size_t most = t->retry->per_minute;

	if (t->n_dials < most)
		return 0;
	return t->dials[(t->n_dials - most) % HF_NEXT_TRY_DIALS_MAX] + 60 * 1000;
}

void hf_next_try_dial(struct hf_next_try *t, int64_t now_ms)
{
	t->dials[t->n_dials++ % HF_NEXT_TRY_DIALS_MAX] = now_ms;
}

void hf_next_try_at(struct hf_next_try *t, int64_t at_ms)
{
	int64_t may = hf_next_try_may(t);

	t->at_ms = at_ms > may ? at_ms : may;
}

/*
 * Another deployment answers: the right one may be back any time, without an event that could be
 * seen here (a proxy, a name, a port that was forwarded elsewhere). Whether it is costs one dial.
 */
static int64_t wait_for_the_right_one(struct hf_next_try *t)
{
	int64_t wait = (t->retry->permanent_ms + 9) / 10;

	for (unsigned i = 0; i < t->held && wait < t->retry->permanent_ms; i++)
		wait *= 2;
	t->held++;
	return wait < t->retry->permanent_ms ? wait : t->retry->permanent_ms;
}

int64_t hf_next_try_failed(
    struct hf_next_try *t, const struct hf_problem *problem, int64_t now_ms, uint32_t random)
{
	const struct hf_stream_retry *retry = t->retry;
	int64_t wait, kept = 0;

	t->attempts++;
	if (problem->code != HF_PROBLEM_HELD)
		t->held = 0;
	switch (hf_problem_mends(problem->code)) {
	case MENDS_NOT:
		wait = problem->code == HF_PROBLEM_HELD ? wait_for_the_right_one(t)
							: retry->permanent_ms;
		break;
	case MENDS_TOKEN:
		/* The file may have a new one already: once, at once. */
		wait = t->fresh_token ? retry->unauthorised_ms : retry->floor_ms;
		kept = t->fresh_token ? wait : 0;
		t->fresh_token = true;
		break;
	default:
		wait = hf_backoff_fail_jittered(&t->backoff, random);
		break;
	}
	if (problem->wait_s * 1000 > kept)
		kept = problem->wait_s * 1000;
	if (kept > wait)
		wait = kept;
	t->kept_ms = now_ms + kept;
	hf_next_try_at(t, now_ms + wait);
	return wait;
}

void hf_next_try_event(
    struct hf_next_try *t, const struct hf_problem *waits_for, bool token, int64_t now_ms)
{
	int64_t at = t->event_ms + t->retry->events_ms;
	bool refused = hf_problem_mends(waits_for->code) == MENDS_TOKEN;
	bool keeps = !refused || !token || waits_for->wait_s > 0;

	if (t->event_ms && at > now_ms) {
		if (t->at_ms < at)
			return;
	} else {
		at = now_ms;
	}
	if (keeps && at < t->kept_ms)
		return;
	if (at == now_ms) {
		t->event_ms = now_ms;
		hf_backoff_reset(&t->backoff);
		t->held = 0;
		t->fresh_token = t->fresh_token && !token;
	}
	hf_next_try_at(t, at);
}

void hf_next_try_token_taken(struct hf_next_try *t)
{
	t->fresh_token = false;
}

void hf_next_try_live(struct hf_next_try *t)
{
	t->attempts = t->held = 0;
}

void hf_next_try_steady(struct hf_next_try *t)
{
	hf_backoff_reset(&t->backoff);
}
