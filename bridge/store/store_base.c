/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_base: what all files of the store stand on: its state with the reason, its generation and
 * epoch, and what the result of a read means for it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "bridge/store/background.h"
#include "bridge/store/generation.h"
#include "bridge/store/store_private.h"

static const char *const state_names[] = {
	[HF_STORE_OK] = "ok",
	[HF_STORE_NOT_WRITTEN] = "not-written",
	[HF_STORE_RECOVERING] = "recovering",
	[HF_STORE_FAILED] = "failed",
};

const char *hf_store_state_name(enum hf_store_state state)
{
	return state <= HF_STORE_FAILED ? state_names[state] : "unknown";
}

int64_t hf_store_now_s(const struct hf_store *s)
{
	return hf_wall_ms(s->opts.clock) / 1000;
}

void hf_store_why(char *out, size_t size, int code, const struct hf_sql *q)
{
	const char *detail = q && q->error[0] ? q->error : NULL;
	/* That of the C library, "no locks available", is taken for another process's. */
	const char *text = code == -ENOLCK ? "its file system takes no lock" : hf_strerror(code);

	snprintf(out, size, "%s%s%s%s", text, detail ? " (" : "", detail ? detail : "",
	    detail ? ")" : "");
}

void hf_store_enter(struct hf_store *s, enum hf_store_state state, const char *reason)
{
	if (s->state != state)
		s->since_s = hf_store_now_s(s);
	s->state = state;
	if (reason != s->reason)
		snprintf(s->reason, sizeof(s->reason), "%s", state == HF_STORE_OK ? "" : reason);
}

/* What the thread found since it was last looked at. */
static void store_collect(struct hf_store *s)
{
	if (hf_background_collect(s->work, &s->stats) && s->state != HF_STORE_FAILED)
		hf_store_enter(s, HF_STORE_RECOVERING, "found damaged while a copy of it was made");
}

enum hf_store_state hf_store_get_state(
    struct hf_store *s, const char **ret_reason, int64_t *ret_since_s)
{
	store_collect(s);
	if (ret_reason)
		*ret_reason = s->reason;
	if (ret_since_s)
		*ret_since_s = s->since_s;
	return s->state;
}

void hf_store_get_stats(struct hf_store *s, struct hf_store_stats *ret_stats)
{
	store_collect(s);
	*ret_stats = s->stats;
}

int hf_store_read_done(struct hf_store *s, const struct hf_sql *q, int rc)
{
	char why[256];

	if (rc != HF_EDAMAGED || s->state == HF_STORE_FAILED || s->state == HF_STORE_RECOVERING)
		return rc;
	hf_store_why(why, sizeof(why), rc, q);
	/*
	 * What SQLite calls damage may be a read that failed: the next begin opens the file
	 * again and checks it. A walk has a connection of its own: if the store's were
	 * trusted, that begin would succeed unchecked.
	 */
	if (q && hf_sql_is_broken(q)) {
		hf_sql_distrust(s->r);
		rc = -EIO;
	}
	hf_store_enter(s, rc == -EIO ? HF_STORE_NOT_WRITTEN : HF_STORE_RECOVERING, why);
	return rc;
}

const uint8_t *hf_store_epoch(const struct hf_store *s)
{
	return s->meta.epoch;
}

uint64_t hf_store_generation(const struct hf_store *s)
{
	return s->meta.generation;
}

void hf_store_seen_generation(struct hf_store *s, uint64_t generation)
{
	if (generation > s->seen_generation && generation < INT64_MAX)
		s->seen_generation = generation;
}

uint64_t hf_store_next_generation(const struct hf_store *s)
{
	uint64_t last =
	    s->meta.generation > s->seen_generation ? s->meta.generation : s->seen_generation;

	return hf_generation_next(last, hf_store_now_s(s));
}

bool hf_store_ready(const struct hf_store *s)
{
	return s->meta.ready;
}
