/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After each apply the resolver itself is asked, for a sample of at most so many names: before that
 * nothing stale is taken. What was taken and goes on to be answered is taken once more and then set
 * aside: it may be there by other hands, and nothing waits for it. So is what was put and is not
 * answered as it should be, if others are.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/pass_private.h"

static uint64_t next_random(struct hf_pass *p)
{
	uint64_t x = *p->env.random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*p->env.random = x;
	return x;
}

void hf_pass_sample_add(struct hf_pass *p, const struct hf_record *record, bool absent)
{
	uint64_t place = p->n_sample;

	p->sampled++;
	if (p->n_sample == HF_FEED_SAMPLE)
		place = next_random(p) % p->sampled;
	else
		p->n_sample++;
	if (place < HF_FEED_SAMPLE)
		p->sample[place] = (struct hf_expect){ .record = *record, .absent = absent };
}

static bool is_taking(const struct hf_pass *p)
{
	return p->state == PASS_SEEING_OFF;
}

static struct hf_feed_step confirm_passed(struct hf_pass *p)
{
	int rc;

	if (is_taking(p)) {
		p->state = PASS_DONE;
		return hf_feed_again();
	}
	/* What was put is read by who looks for what is to be taken. */
	rc = hf_ledger_flush(&p->env.outbox->ledger);
	if (rc)
		return hf_feed_store_refused(rc);
	p->n_stale = p->env.outbox->ledger.counts[ROW_STALE];
	hf_wanted_rewind(p->picture);
	p->ended = p->has_last = p->unconfirmed = false;
	p->n_looked = 0;
	p->n_sample = 0;
	p->sampled = 0;
	p->state = PASS_TAKING;
	return hf_feed_again();
}

static bool has_news(const struct hf_pass *p)
{
	return hf_store_generation(p->env.peer->store) > p->target;
}

static int leave_stuck(struct hf_pass *p, const struct hf_record *record, const char *why)
{
	const struct hf_change c = { .op = HF_CHANGE_TAKE, .record = *record };

	return hf_outbox_set_aside(p->env.outbox, &c, ROW_NONE, ROW_STUCK, why);
}

static int leave_unanswered(struct hf_pass *p, const struct hf_record *record)
{
	const struct hf_change c = { .op = HF_CHANGE_PUT, .record = *record };
	uint8_t row = (uint8_t)(ROW_PUT | (record->primary ? ROW_PRIMARY : 0));

	return hf_outbox_set_aside(
	    p->env.outbox, &c, row, ROW_FAILED, "it was put, and is not answered as it should be");
}

/* Whether they are gone cannot be seen, and is asked later. */
static void leave_unseen(struct hf_pass *p)
{
	for (size_t i = 0; i < p->n_sample; i++)
		leave_stuck(p, &p->sample[i].record, "whether it is gone was not answered");
	p->n_sample = 0;
}

struct hf_feed_step hf_pass_confirm(struct hf_pass *p)
{
	struct hf_questions *q = p->env.questions;

	if (q->asking != ASK_NOTHING)
		return hf_feed_on_event();
	if (!p->env.peer->type->verify || !p->n_sample)
		return confirm_passed(p);
	if (p->n_looked > 1 && is_taking(p) && (has_news(p) || p->failed)) {
		leave_unseen(p);
		return confirm_passed(p);
	}
	/* It was asked for in vain, and there is news, which is not to wait for it. */
	if (p->unconfirmed && p->n_looked && !is_taking(p) && has_news(p)) {
		p->overtaken = true;
		return hf_feed_again();
	}
	memcpy(q->at, p->sample, p->n_sample * sizeof(p->sample[0]));
	q->n = p->n_sample;
	/*
	 * An address may point to the old name until that is taken; it is looked at later, in turn.
	 */
	for (size_t i = 0; !is_taking(p) && i < q->n; i++)
		q->at[i].record.primary = false;
	hf_questions_ask(q, ASK_RUN);
	return hf_feed_on_event();
}

static int once_more(struct hf_pass *p, const struct hf_expect *e)
{
	struct hf_change c = { .op = e->absent ? HF_CHANGE_TAKE : HF_CHANGE_PUT,
		.record = e->record,
		.had = !e->absent };
	uint8_t row = (uint8_t)(ROW_PUT | (e->record.primary ? ROW_PRIMARY : 0));

	memcpy(c.was, e->record.addr, sizeof(c.was));
	return hf_outbox_push(p->env.outbox, &c, e->absent ? ROW_NONE : row, ROW_NONE);
}

/* What is not as it should be, for the first or the second time. True: it leaves the sample. */
static bool is_settled(struct hf_pass *p, const struct hf_expect *e)
{
	bool before = hf_aside_has(&p->env.outbox->aside, &e->record.name, e->record.addr);
	bool again = p->n_looked > 1 || before;

	if (!is_taking(p) && (before || (p->any_right && p->n_looked > 2)))
		return leave_unanswered(p, &e->record) == 0;
	if (!is_taking(p))
		return p->unconfirmed && once_more(p, e) == 0;
	return (again ? leave_stuck(p, &e->record, "it was taken, and is still answered")
		      : once_more(p, e)) == 0;
}

/* What was answered leaves the sample, and what is settled otherwise. */
static void keep_open_ones(struct hf_pass *p, int code)
{
	size_t n = 0;

	for (size_t i = 0; i < p->env.questions->n; i++) {
		const struct hf_expect e = p->sample[i];
		enum hf_is is = code ? HF_IS_UNKNOWN : p->env.questions->at[i].is;

		if (is == HF_IS_SO || is == HF_IS_FOREIGN) {
			hf_outbox_not_aside(p->env.outbox, &e.record.name, e.record.addr);
			continue;
		}
		if (is == HF_IS_NOT_SO && is_settled(p, &e))
			continue;
		p->sample[n++] = e;
	}
	p->n_sample = n;
	p->sampled = n;
}

static void tally_describe(
    struct hf_pass *p, const struct hf_questions_tally *t, int code, const char *text)
{
	const struct hf_questions *q = p->env.questions;
	char name[HF_NAME_TEXT_MAX] = "";

	if (code) {
		snprintf(p->why, sizeof(p->why), "%s", text ? text : "");
		return;
	}
	if (t->first_bad < q->n)
		hf_name_text(&q->at[t->first_bad].record.name, name);
	snprintf(p->why, sizeof(p->why),
	    "%zu of %zu names that were asked for are %s, such as '%.120s'",
	    t->wrong ? t->wrong : t->silent, q->n,
	    t->wrong ? "not as they should be" : "not answered", name);
}

struct hf_feed_step hf_pass_answered(
    struct hf_pass *p, int code, const char *text, int *ret_verified)
{
	bool taking = is_taking(p);
	struct hf_questions_tally t;

	*ret_verified = -1;
	if (p->state != PASS_CONFIRMING && !taking)
		return hf_feed_again();
	hf_questions_tally(p->env.questions, code, &t);
	p->n_looked++;
	p->any_right = p->any_right || t.right;
	if (t.wrong + t.silent == 0) {
		keep_open_ones(p, code);
		p->unconfirmed = false;
		p->n_sample = 0;
		*ret_verified = 1;
		return hf_feed_well();
	}
	if (t.wrong && !taking)
		*ret_verified = 0;
	tally_describe(p, &t, code, text);
	keep_open_ones(p, code);
	if (!p->n_sample && hf_outbox_is_empty(p->env.outbox))
		return hf_feed_again();
	p->unconfirmed = true;
	p->state = taking ? PASS_TAKING : PASS_PUTTING;
	p->ended = true;
	return hf_feed_step_failed(code ? code : t.wrong ? HF_EREFUSED : -ETIMEDOUT, p->why);
}
