/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_limit.h"

#include <string.h>

/* Whether one more fits: each uses the time after which another one would. */
static bool bucket_fits(struct hf_log_bucket *b, int64_t now_ms, int burst, int rate)
{
	int64_t passed = now_ms - b->at_ms, each = 1000 / rate;

	/* A clock that went back, of a test, is a new beginning. */
	if (passed < 0 || passed > b->used_ms)
		b->used_ms = 0;
	else
		b->used_ms -= passed;
	b->at_ms = now_ms;
	return b->used_ms + each <= burst * each;
}

/* Few kinds share a place; then the later one has it, with a bucket of its own. */
static struct hf_log_kind *bucket_of_kind(struct hf_log_limit *l, const char *kind)
{
	uintptr_t n = (uintptr_t)kind;
	struct hf_log_kind *k = &l->kinds[(n ^ n >> 6 ^ n >> 12) % HF_LOG_LIMIT_KINDS];

	if (k->kind != kind)
		*k = (struct hf_log_kind){ .kind = kind };
	return k;
}

bool hf_log_limit_pass(struct hf_log_limit *l, const char *kind, int64_t now_ms)
{
	struct hf_log_kind *k = bucket_of_kind(l, kind);
	bool mine = bucket_fits(&k->bucket, now_ms, HF_LOG_LIMIT_BURST, HF_LOG_LIMIT_RATE);
	bool all = bucket_fits(&l->all, now_ms, HF_LOG_LIMIT_ALL_BURST, HF_LOG_LIMIT_ALL_RATE);

	if (!mine || !all) {
		k->left_out++;
		return false;
	}
	k->bucket.used_ms += 1000 / HF_LOG_LIMIT_RATE;
	l->all.used_ms += 1000 / HF_LOG_LIMIT_ALL_RATE;
	return true;
}

bool hf_log_limit_left_out(
    struct hf_log_limit *l, int64_t now_ms, const char **ret_kind, uint64_t *ret_n)
{
	struct hf_log_kind *most = &l->kinds[0];

	if (l->told_ms && now_ms >= l->told_ms && now_ms - l->told_ms < HF_LOG_LIMIT_TELL_MS)
		return false;
	for (size_t i = 1; i < HF_LOG_LIMIT_KINDS; i++)
		if (l->kinds[i].left_out > most->left_out)
			most = &l->kinds[i];
	if (!most->left_out)
		return false;
	*ret_kind = most->kind;
	*ret_n = most->left_out;
	most->left_out = 0;
	l->told_ms = now_ms ? now_ms : 1;
	return true;
}
