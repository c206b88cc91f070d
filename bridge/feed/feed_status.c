/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bridge/feed/feed_private.h"

static const char *const state_names[] = {
	[HF_FEED_SYNCED] = "synced",
	[HF_FEED_APPLYING] = "applying",
	[HF_FEED_RETRYING] = "retrying",
	[HF_FEED_FAILED] = "failed",
};

const char *hf_feed_state_name(enum hf_feed_state state)
{
	return state_names[state];
}

void hf_feed_status(struct hf_feed *f, struct hf_feed_status *ret_status)
{
	const char *failing_why = hf_outbox_aside_why(&f->outbox, ROW_FAILED);
	const uint64_t *n = f->outbox.ledger.counts;
	const char *unwell = hf_feed_unwell(f);
	unsigned attempts = f->retry.attempts;

	*ret_status = (struct hf_feed_status){
		.name = f->name,
		.type = f->peer.type->name,
		.state = f->told_state,
		.since_s = f->since_s,
		.generation = f->outbox.ledger.cursor.generation,
		.owned = n[ROW_TRIED] + n[ROW_PUT] + n[ROW_STALE],
		.skipped = hf_outbox_n_skipped(&f->outbox) + hf_checker_n_foreign(&f->checker),
		.leaving = n[ROW_STALE],
		.failing = n[ROW_FAILED],
		.failing_why = failing_why,
		.stuck = n[ROW_STUCK],
		.stuck_why = hf_outbox_aside_why(&f->outbox, ROW_STUCK),
		.verified = f->checker.verified,
		.attempts = attempts,
		.last_error = f->retry.error[0] ? f->retry.error
			      : unwell          ? unwell
			      : failing_why[0]  ? failing_why
						: f->store_fault.text,
		.next_try_ms = attempts        ? hf_retry_wait(&f->retry)
			       : n[ROW_FAILED] ? hf_aside_wait(&f->outbox.aside)
					       : -1,
		.round_ms = hf_checker_round_ms(&f->checker),
		.warnings = f->warnings.at,
		.n_warnings = f->warnings.n,
		.check = f->checker.check,
	};
}

static int count_left(const struct hf_owned *row, void *arg)
{
	*(uint64_t *)arg += hf_ledger_row_may_be_there(row->state);
	return 0;
}

uint64_t hf_feed_left(struct hf_store *store, const char *ledger)
{
	uint64_t n = 0;

	hf_store_owned_all(store, ledger, count_left, &n);
	return n;
}
