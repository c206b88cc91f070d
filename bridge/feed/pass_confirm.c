/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After each apply the resolver itself is asked, for a sample of at most so many names: before that
 * nothing stale is taken.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

static uint64_t next_random(struct hf_feed *f)
{
	uint64_t x = f->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	f->random = x;
	return x;
}

/* Each of all that are added has the same chance to be in the sample at the end. */
void hf_pass_sample_add(struct hf_feed *f, const struct hf_record *record, bool absent)
{
	uint64_t place = f->n_sample;

	f->sampled++;
	if (f->n_sample == HF_FEED_SAMPLE)
		place = next_random(f) % f->sampled;
	else
		f->n_sample++;
	if (place < HF_FEED_SAMPLE)
		f->sample[place] = (struct hf_expect){ .record = *record, .absent = absent };
}

void hf_feed_ask(struct hf_feed *f, enum hf_feed_asking why)
{
	f->asking = why;
	f->type->verify(f->adapter, f->expect, f->n_expect);
}

void hf_feed_tally(const struct hf_feed *f, int code, struct hf_feed_tally *ret_tally)
{
	struct hf_feed_tally t = { .first_bad = f->n_expect };
	size_t first_silent = f->n_expect;

	for (size_t i = 0; i < f->n_expect; i++) {
		switch (code ? HF_IS_UNKNOWN : f->expect[i].is) {
		case HF_IS_SO:
			t.right++;
			break;
		case HF_IS_FOREIGN:
			t.foreign++;
			break;
		case HF_IS_NOT_SO:
			if (!t.wrong++)
				t.first_bad = i;
			break;
		case HF_IS_UNKNOWN:
			if (!t.silent++)
				first_silent = i;
			break;
		}
	}
	if (!t.wrong)
		t.first_bad = first_silent;
	*ret_tally = t;
}

static bool is_taking(const struct hf_feed *f)
{
	return f->phase == FEED_SEEING_OFF;
}

static int64_t confirm_passed(struct hf_feed *f)
{
	int64_t wait;

	if (is_taking(f)) {
		hf_pass_finish(f);
		return HF_FEED_AGAIN;
	}
	/* What was put is read by who looks for what is to be taken. */
	wait = hf_feed_flush(f, true);
	if (wait)
		return wait - 1;
	hf_wanted_rewind(f->run.picture);
	f->run.ended = f->run.has_last = f->run.unconfirmed = false;
	f->n_sample = 0;
	f->sampled = 0;
	hf_feed_enter(f, FEED_TAKING);
	return HF_FEED_AGAIN;
}

/* It cannot be confirmed, and there is news: they are not to wait for it. */
static int64_t with_news(struct hf_feed *f)
{
	f->full = f->full || f->run.full;
	return hf_pass_begin_log(f);
}

int64_t hf_pass_confirm_step(struct hf_feed *f)
{
	if (f->asking != ASK_NOTHING)
		return HF_FEED_EVENT;
	if (!f->type->verify || !f->n_sample)
		return confirm_passed(f);
	if (is_taking(f) && f->run.unconfirmed && f->retry.failed) {
		hf_log_warn("%s: %zu names that were taken do not go; they are no longer asked for",
		    f->who, f->n_sample);
		return confirm_passed(f);
	}
	if (!is_taking(f) && f->run.unconfirmed &&
	    hf_store_generation(f->env.store) > f->run.target)
		return with_news(f);
	memcpy(f->expect, f->sample, f->n_sample * sizeof(f->sample[0]));
	f->n_expect = f->n_sample;
	/*
	 * An address may point to the old name until that is taken; it is looked at later, in turn.
	 */
	for (size_t i = 0; !is_taking(f) && i < f->n_expect; i++)
		f->expect[i].record.primary = false;
	hf_feed_ask(f, ASK_RUN);
	return HF_FEED_EVENT;
}

static int once_more(struct hf_feed *f, const struct hf_expect *e)
{
	struct hf_change c = { .op = e->absent ? HF_CHANGE_TAKE : HF_CHANGE_PUT,
		.record = e->record,
		.had = !e->absent };
	uint8_t row = (uint8_t)(ROW_PUT | (e->record.primary ? ROW_PRIMARY : 0));

	memcpy(c.was, e->record.addr, sizeof(c.was));
	return hf_outbox_push(f, &c, e->absent ? ROW_NONE : row, ROW_NONE);
}

/* What was answered leaves the sample. What is wrong for the second time is done once more. */
static void keep_open_ones(struct hf_feed *f, int code)
{
	bool again = f->run.unconfirmed;
	size_t n = 0;

	for (size_t i = 0; i < f->n_expect; i++) {
		const struct hf_expect e = f->sample[i];
		enum hf_is is = code ? HF_IS_UNKNOWN : f->expect[i].is;

		if (is == HF_IS_SO || is == HF_IS_FOREIGN)
			continue;
		if (is == HF_IS_NOT_SO && again && once_more(f, &e) == 0)
			continue;
		f->sample[n++] = e;
	}
	f->n_sample = n;
	f->sampled = n;
}

static void tally_describe(const struct hf_feed *f, const struct hf_feed_tally *t, int code,
    const char *text, char *out, size_t size)
{
	char name[HF_NAME_TEXT_MAX] = "";

	if (code) {
		snprintf(out, size, "%s", text ? text : "");
		return;
	}
	if (t->first_bad < f->n_expect)
		hf_name_text(&f->expect[t->first_bad].record.name, name);
	snprintf(out, size, "%zu of %zu names that were asked for are %s, such as '%.120s'",
	    t->wrong ? t->wrong : t->silent, f->n_expect,
	    t->wrong ? "not as they should be" : "not answered", name);
}

void hf_pass_confirm_answered(struct hf_feed *f, int code, const char *text)
{
	char why[HF_FEED_TEXT_MAX];
	struct hf_feed_tally t;

	if (f->phase != FEED_CONFIRMING && f->phase != FEED_SEEING_OFF)
		return;
	hf_feed_tally(f, code, &t);
	if (t.wrong + t.silent == 0) {
		f->run.unconfirmed = false;
		f->n_sample = 0;
		f->verified = 1;
		hf_retry_ok(&f->retry);
		return;
	}
	f->verified = t.wrong ? 0 : f->verified;
	tally_describe(f, &t, code, text, why, sizeof(why));
	keep_open_ones(f, code);
	f->run.unconfirmed = true;
	hf_feed_failed(f, code ? code : t.wrong ? HF_EREFUSED : -ETIMEDOUT, why);
	hf_feed_enter(f, is_taking(f) ? FEED_TAKING : FEED_PUTTING);
	f->run.ended = true;
}
