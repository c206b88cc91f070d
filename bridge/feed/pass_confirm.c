/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After each apply the resolver itself is asked, for a sample of at most so many names: before that
 * nothing stale is taken. What was taken and goes on to be answered is taken once more and then set
 * aside: it may be there by other hands, and nothing waits for it.
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
	if (f->run.full)
		hf_adopt_taking(f);
	hf_wanted_rewind(f->run.picture);
	f->run.ended = f->run.has_last = f->run.unconfirmed = false;
	f->n_sample = 0;
	f->sampled = 0;
	hf_feed_enter(f, FEED_TAKING);
	return HF_FEED_AGAIN;
}

static bool has_news(const struct hf_feed *f)
{
	return hf_store_generation(f->env.store) > f->run.target;
}

static int leave_stuck(struct hf_feed *f, const struct hf_record *record, const char *why)
{
	const struct hf_change c = { .op = HF_CHANGE_TAKE, .record = *record };

	return hf_pass_set_aside(f, &c, ROW_NONE, ROW_STUCK, why);
}

/* Whether they are gone cannot be seen, and is asked later. */
static void leave_unseen(struct hf_feed *f)
{
	for (size_t i = 0; i < f->n_sample; i++)
		leave_stuck(f, &f->sample[i].record, "whether it is gone was not answered");
	f->n_sample = 0;
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
	if (f->run.n_looked > 1 && is_taking(f) && (has_news(f) || f->retry.failed)) {
		leave_unseen(f);
		return confirm_passed(f);
	}
	if (f->run.unconfirmed && !is_taking(f) && has_news(f))
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

/* What is not as it should be, for the first or the second time. True: it leaves the sample. */
static bool is_settled(struct hf_feed *f, const struct hf_expect *e)
{
	bool again = f->run.n_looked > 1;

	if (!is_taking(f))
		return f->run.unconfirmed && once_more(f, e) == 0;
	again = again || hf_aside_has(&f->aside, &e->record.name, e->record.addr);
	return (again ? leave_stuck(f, &e->record, "it was taken, and is still answered")
		      : once_more(f, e)) == 0;
}

/* What was answered leaves the sample, and what is settled otherwise. */
static void keep_open_ones(struct hf_feed *f, int code)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_expect; i++) {
		const struct hf_expect e = f->sample[i];
		enum hf_is is = code ? HF_IS_UNKNOWN : f->expect[i].is;

		if (is == HF_IS_SO || is == HF_IS_FOREIGN) {
			if (e.absent)
				hf_pass_not_aside(f, &e.record.name, e.record.addr);
			continue;
		}
		if (is == HF_IS_NOT_SO && is_settled(f, &e))
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
	f->run.n_looked += is_taking(f);
	if (t.wrong + t.silent == 0) {
		keep_open_ones(f, code);
		f->run.unconfirmed = false;
		f->n_sample = 0;
		f->verified = 1;
		hf_retry_ok(&f->retry);
		return;
	}
	if (t.wrong && !is_taking(f))
		f->verified = 0;
	tally_describe(f, &t, code, text, why, sizeof(why));
	keep_open_ones(f, code);
	if (is_taking(f) && !f->n_sample && hf_outbox_is_empty(f))
		return;
	f->run.unconfirmed = true;
	hf_feed_failed(f, code ? code : t.wrong ? HF_EREFUSED : -ETIMEDOUT, why);
	hf_feed_enter(f, is_taking(f) ? FEED_TAKING : FEED_PUTTING);
	f->run.ended = true;
}
