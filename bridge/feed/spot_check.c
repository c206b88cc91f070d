/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In turn, round after round, the resolver is asked for all that it should have. What is missing
 * there is put again; where most of it is missing, all of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

enum { LOOK_ROWS = 2 * HF_FEED_SAMPLE };

/* All that should be there, and what should no longer be. */
static uint64_t n_asked_for(const struct hf_feed *f)
{
	return f->ledger.counts[ROW_PUT] + f->ledger.counts[ROW_STUCK];
}

int64_t hf_spot_check_round_ms(const struct hf_feed *f)
{
	int64_t need = (int64_t)(n_asked_for(f) * 1000 / HF_FEED_ASK_RATE);

	return need > f->verify_ms ? need : f->verify_ms;
}

static int64_t spot_check_gap(const struct hf_feed *f)
{
	uint64_t n = n_asked_for(f);

	if (f->look_left)
		return 0;
	if (n <= HF_FEED_SAMPLE)
		return f->verify_ms;
	return hf_spot_check_round_ms(f) * HF_FEED_SAMPLE / (int64_t)n;
}

int64_t hf_spot_check_wait(struct hf_feed *f)
{
	int64_t wait = f->look_at - hf_feed_now(f);

	if (!f->type->verify || f->asking != ASK_NOTHING)
		return HF_FEED_EVENT;
	if (f->look_now || f->look_left)
		return 0;
	if (!n_asked_for(f))
		return HF_FEED_EVENT;
	return wait > 0 ? wait : 0;
}

static int add_row(const struct hf_owned *row, void *arg)
{
	struct hf_feed *f = arg;
	struct hf_expect *e = &f->expect[f->n_expect];

	if (f->n_expect == HF_FEED_SAMPLE)
		return 1;
	f->look_last = *row;
	f->has_look_last = true;
	if (hf_ledger_row_of(row->state) != ROW_PUT && hf_ledger_row_of(row->state) != ROW_STUCK)
		return 0;
	*e = (struct hf_expect){ .record.name = row->name,
		.record.primary = row->state & ROW_PRIMARY,
		.absent = hf_ledger_row_of(row->state) == ROW_STUCK };
	memcpy(e->record.addr, row->addr, sizeof(e->record.addr));
	f->n_expect++;
	return 0;
}

static void note_running(struct hf_feed *f)
{
	f->check.running = f->look_now || f->look_left || f->check.listing;
}

void hf_spot_check_counted(struct hf_feed *f, int64_t n)
{
	if (!f->check.listing || f->adopt.check != f->check.number)
		return;
	f->check.listing = false;
	f->check.unexpected = n;
	note_running(f);
}

/* A full one is over, or there was nothing to ask for. */
static void spot_check_ended(struct hf_feed *f)
{
	f->look_left = 0;
	f->look_now = false;
	note_running(f);
	f->look_at = hf_feed_now(f) + spot_check_gap(f);
}

/* --- others' records --- */

uint64_t hf_spot_check_foreign(const struct hf_feed *f)
{
	const struct hf_foreign_seen *s = &f->foreign;

	return s->now > s->before ? s->now : s->before;
}

static void foreign_over(struct hf_feed *f)
{
	f->foreign = (struct hf_foreign_seen){ 0 };
	hf_feed_warn(f, HF_FEED_WARN_CLASH, NULL);
}

/* A round is through: what it saw counts until the next one is. */
static void foreign_round(struct hf_feed *f)
{
	if (!f->foreign.now) {
		foreign_over(f);
		return;
	}
	f->foreign.before = f->foreign.now;
	f->foreign.now = 0;
}

void hf_spot_check_restart(struct hf_feed *f)
{
	f->has_look_last = false;
	f->foreign.before = hf_spot_check_foreign(f);
	f->foreign.now = 0;
}

void hf_spot_check_passed(struct hf_feed *f)
{
	if (!f->ledger.counts[ROW_PUT])
		foreign_over(f);
}

static void foreign_add(struct hf_feed *f, const struct hf_feed_tally *t)
{
	char name[HF_NAME_TEXT_MAX], text[HF_FEED_TEXT_MAX];
	size_t i = 0;

	if (!t->foreign)
		return;
	while (f->expect[i].is != HF_IS_FOREIGN)
		i++;
	if (!f->foreign.now && !f->foreign.before) {
		snprintf(text, sizeof(text),
		    "others have records at names of ours, such as '%.120s'; theirs stay as they are",
		    hf_name_text(&f->expect[i].record.name, name));
		hf_feed_warn(f, HF_FEED_WARN_CLASH, text);
	}
	f->foreign.now += t->foreign;
}

/* --- the questions --- */

int64_t hf_spot_check_step(struct hf_feed *f)
{
	struct hf_owned after = f->look_last;
	bool had = f->has_look_last;
	int rc;

	f->look_before = after;
	f->had_look_before = had;
	f->look_runs = f->n_runs;
	f->has_look_last = false;
	f->n_expect = 0;
	rc = hf_store_owned_after(
	    f->env.store, f->ledger.adapter, had ? &after : NULL, LOOK_ROWS, add_row, f);
	if (rc < 0) {
		f->look_at = hf_feed_now(f) + HF_FEED_STORE_MS;
		return hf_feed_store_failed(f, rc);
	}
	/* At the end: the next time from the beginning. */
	if (!f->n_expect && had)
		foreign_round(f);
	if (!f->n_expect && had && n_asked_for(f))
		return HF_FEED_AGAIN;
	if (!f->n_expect) {
		spot_check_ended(f);
		return HF_FEED_AGAIN;
	}
	hf_feed_ask(f, ASK_LOOK);
	return HF_FEED_EVENT;
}

static void add_repair(struct hf_feed *f, const struct hf_record *record)
{
	uint8_t flags = (uint8_t)(HF_ITEM_AGAIN | (record->primary ? HF_ITEM_PRIMARY : 0));

	if (!f->repairs && hf_wanted_new(&f->repairs))
		return;
	hf_wanted_add(f->repairs, &record->name, record->addr, flags);
}

static void tell_wrong(struct hf_feed *f, const struct hf_feed_tally *t)
{
	char name[HF_NAME_TEXT_MAX];

	if (!t->wrong) {
		if (t->right)
			hf_fault_clear(&f->wrong, f->env.clock, f->who);
		return;
	}
	hf_name_text(&f->expect[t->first_bad].record.name, name);
	hf_fault_set(&f->wrong, f->env.clock, HF_LOG_WARN,
	    "%s: names are missing or wrong there, the first '%.100s'; they are put again", f->who,
	    name);
}

/* Most of what was asked for is missing: it is not worth finding out one by one. */
static bool is_lost(const struct hf_feed *f, const struct hf_feed_tally *t)
{
	return t->wrong && t->wrong * 2 >= f->n_expect &&
	       (t->wrong >= 10 || t->wrong == f->n_expect);
}

static void spot_check_judge(struct hf_feed *f, const struct hf_feed_tally *t)
{
	if (t->wrong)
		f->verified = 0;
	else if (t->right)
		f->verified = 1;
	tell_wrong(f, t);
	foreign_add(f, t);
	if (is_lost(f, t)) {
		f->refill = true;
		return;
	}
	for (size_t i = 0; t->wrong && i < f->n_expect; i++)
		if (f->expect[i].is == HF_IS_NOT_SO)
			add_repair(f, &f->expect[i].record);
}

/*
 * Of those that were taken: what is seen to be gone, or to be others', is forgotten; what is not is
 * taken again when it is due. The others are left in f->expect.
 */
static void judge_stuck(struct hf_feed *f, int code)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_expect; i++) {
		const struct hf_expect e = f->expect[i];
		uint8_t row = (uint8_t)(ROW_STUCK | (e.record.primary ? ROW_PRIMARY : 0));

		if (!e.absent) {
			f->expect[n++] = e;
			continue;
		}
		if (code || e.is == HF_IS_NOT_SO || e.is == HF_IS_UNKNOWN)
			continue;
		if (!hf_ledger_gone(&f->ledger, &e.record.name, e.record.addr, row))
			hf_pass_not_aside(f, &e.record.name, e.record.addr);
	}
	f->n_expect = n;
}

static void note_check(struct hf_feed *f, const struct hf_feed_tally *t, uint64_t asked)
{

	if (!f->check.running)
		return;
	f->check.asked += asked;
	f->check.right += t->right;
	f->check.wrong += t->wrong;
	f->check.foreign += t->foreign;
	f->check.silent += t->silent;
	f->look_left -= asked < f->look_left ? asked : f->look_left;
	f->look_now = false;
	note_running(f);
}

void hf_spot_check_answered(struct hf_feed *f, int code, const char *text)
{
	uint64_t asked = f->n_expect;
	char why[HF_FEED_TEXT_MAX];
	struct hf_feed_tally t;

	if (f->n_runs == f->look_runs)
		judge_stuck(f, code);
	hf_feed_tally(f, code, &t);
	if (t.wrong && f->n_runs != f->look_runs) {
		/* It was asked for what has changed since: once more. */
		f->look_last = f->look_before;
		f->has_look_last = f->had_look_before;
		f->look_at = 0;
		return;
	}
	note_check(f, &t, asked);
	f->look_at = hf_feed_now(f) + spot_check_gap(f);
	if (code || t.silent * 2 > f->n_expect) {
		snprintf(why, sizeof(why), "%s",
		    code && text && *text ? text : "it does not answer what it is asked");
		f->look_left = 0;
		note_running(f);
		f->look_at = 0;
		if (f->phase == FEED_IDLE)
			hf_feed_failed(f, code ? code : -ETIMEDOUT, why);
		return;
	}
	if (f->phase == FEED_IDLE)
		hf_retry_ok(&f->retry);
	spot_check_judge(f, &t);
}
