/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/checker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { CHECKER_ROWS = 2 * HF_FEED_SAMPLE, STORE_MS = 1000 };

/* All that should be there, and what should no longer be. */
static uint64_t n_asked_for(const struct hf_checker *c)
{
	return c->outbox->ledger.counts[ROW_PUT] + c->outbox->ledger.counts[ROW_STUCK];
}

int64_t hf_checker_round_ms(const struct hf_checker *c)
{
	int64_t need = (int64_t)(n_asked_for(c) * 1000 / HF_CHECKER_RATE);

	return need > c->verify_ms ? need : c->verify_ms;
}

static int64_t checker_gap(const struct hf_checker *c)
{
	uint64_t n = n_asked_for(c);

	if (c->left)
		return 0;
	if (n <= HF_FEED_SAMPLE)
		return c->verify_ms;
	return hf_checker_round_ms(c) * HF_FEED_SAMPLE / (int64_t)n;
}

int64_t hf_checker_wait(const struct hf_checker *c)
{
	int64_t wait = c->at - hf_feed_peer_now(c->peer);

	if (!c->peer->type->verify || c->questions->asking != ASK_NOTHING)
		return -1;
	if (c->now || c->left)
		return 0;
	if (!n_asked_for(c))
		return -1;
	return wait > 0 ? wait : 0;
}

static int add_row(const struct hf_owned *row, void *arg)
{
	struct hf_checker *c = arg;
	struct hf_expect *e = &c->questions->at[c->questions->n];

	if (c->questions->n == HF_FEED_SAMPLE)
		return 1;
	c->last = *row;
	c->has_last = true;
	if (hf_ledger_row_of(row->state) != ROW_PUT && hf_ledger_row_of(row->state) != ROW_STUCK)
		return 0;
	*e = (struct hf_expect){ .record.name = row->name,
		.record.primary = row->state & ROW_PRIMARY,
		.absent = hf_ledger_row_of(row->state) == ROW_STUCK };
	memcpy(e->record.addr, row->addr, sizeof(e->record.addr));
	c->questions->n++;
	return 0;
}

static void note_running(struct hf_checker *c)
{
	c->check.running = c->now || c->left || c->check.listing;
}

void hf_checker_counted(struct hf_checker *c, uint64_t number, int64_t n)
{
	if (!c->check.listing || number != c->check.number)
		return;
	c->check.listing = false;
	c->check.unexpected = n;
	note_running(c);
}

/* A full one is over, or there was nothing to ask for. */
static void checker_ended(struct hf_checker *c)
{
	c->left = 0;
	c->now = false;
	note_running(c);
	c->at = hf_feed_peer_now(c->peer) + checker_gap(c);
}

/* --- others' records --- */

uint64_t hf_checker_n_foreign(const struct hf_checker *c)
{
	const struct hf_checker_foreign *s = &c->foreign;

	return s->now > s->before ? s->now : s->before;
}

static void foreign_over(struct hf_checker *c)
{
	c->foreign = (struct hf_checker_foreign){ 0 };
	hf_feed_warnings_set(c->warnings, HF_FEED_WARN_CLASH, NULL);
}

/* A round is through: what it saw counts until the next one is. */
static void foreign_round(struct hf_checker *c)
{
	if (!c->foreign.now) {
		foreign_over(c);
		return;
	}
	c->foreign.before = c->foreign.now;
	c->foreign.now = 0;
}

static void checker_restart(struct hf_checker *c)
{
	c->has_last = false;
	c->foreign.before = hf_checker_n_foreign(c);
	c->foreign.now = 0;
}

void hf_checker_passed(struct hf_checker *c)
{
	if (!c->outbox->ledger.counts[ROW_PUT])
		foreign_over(c);
}

static void foreign_add(struct hf_checker *c, const struct hf_questions_tally *t)
{
	char name[HF_NAME_TEXT_MAX], text[HF_FEED_TEXT_MAX];
	size_t i = 0;

	if (!t->foreign)
		return;
	while (c->questions->at[i].is != HF_IS_FOREIGN)
		i++;
	if (!c->foreign.now && !c->foreign.before) {
		snprintf(text, sizeof(text),
		    "others have records at names of ours, such as '%.120s'; theirs stay as they are",
		    hf_name_text(&c->questions->at[i].record.name, name));
		hf_feed_warnings_set(c->warnings, HF_FEED_WARN_CLASH, text);
	}
	c->foreign.now += t->foreign;
}

/* --- the questions --- */

/*
 * There are no more rows. Whether to go on with the first one: once, since what is counted may be
 * in no row yet.
 */
static bool checker_at_end(struct hf_checker *c, bool had)
{
	if (!had || c->wrapped)
		return false;
	foreign_round(c);
	c->wrapped = n_asked_for(c);
	return c->wrapped;
}

struct hf_feed_step hf_checker_step(struct hf_checker *c, uint64_t n_passes)
{
	struct hf_owned after = c->last;
	bool had = c->has_last;
	int rc;

	c->before = after;
	c->had_before = had;
	c->n_passes = n_passes;
	c->has_last = false;
	c->questions->n = 0;
	rc = hf_store_owned_after(c->peer->store, c->outbox->ledger.adapter, had ? &after : NULL,
	    CHECKER_ROWS, add_row, c);
	if (rc < 0) {
		c->at = hf_feed_peer_now(c->peer) + STORE_MS;
		return hf_feed_store_refused(rc);
	}
	/* Rows, but none that is asked for. */
	if (!c->questions->n && c->has_last)
		return hf_feed_again();
	if (!c->questions->n && checker_at_end(c, had))
		return hf_feed_again();
	c->wrapped = false;
	if (!c->questions->n) {
		checker_ended(c);
		return hf_feed_again();
	}
	hf_questions_ask(c->questions, ASK_LOOK);
	return hf_feed_on_event();
}

static void add_repair(struct hf_checker *c, const struct hf_record *record)
{
	uint8_t flags = (uint8_t)(HF_ITEM_AGAIN | (record->primary ? HF_ITEM_PRIMARY : 0));

	if (!c->repairs && hf_wanted_new(&c->repairs))
		return;
	hf_wanted_add(c->repairs, &record->name, record->addr, flags);
}

static void tell_wrong(struct hf_checker *c, const struct hf_questions_tally *t)
{
	char name[HF_NAME_TEXT_MAX];

	if (!t->wrong) {
		if (t->right)
			hf_fault_clear(&c->wrong, c->peer->clock, c->peer->who);
		return;
	}
	hf_name_text(&c->questions->at[t->first_bad].record.name, name);
	hf_fault_set(&c->wrong, c->peer->clock, HF_LOG_WARN,
	    "%s: names are missing or wrong there, the first '%.100s'; they are put again",
	    c->peer->who, name);
}

/* Most of what was asked for is missing: it is not worth finding out one by one. */
static bool is_lost(const struct hf_checker *c, const struct hf_questions_tally *t)
{
	return t->wrong && t->wrong * 2 >= c->questions->n &&
	       (t->wrong >= 10 || t->wrong == c->questions->n);
}

/* Whether most of it is missing. */
static bool checker_judge(struct hf_checker *c, const struct hf_questions_tally *t)
{
	if (t->wrong)
		c->verified = 0;
	else if (t->right)
		c->verified = 1;
	tell_wrong(c, t);
	foreign_add(c, t);
	if (is_lost(c, t))
		return true;
	for (size_t i = 0; t->wrong && i < c->questions->n; i++)
		if (c->questions->at[i].is == HF_IS_NOT_SO)
			add_repair(c, &c->questions->at[i].record);
	return false;
}

/*
 * Of those that were taken: what is seen to be gone, or to be others', is forgotten; what is not is
 * taken again when it is due. The others are left in the lot.
 */
static void judge_stuck(struct hf_checker *c, int code)
{
	size_t n = 0;

	for (size_t i = 0; i < c->questions->n; i++) {
		const struct hf_expect e = c->questions->at[i];
		uint8_t row = (uint8_t)(ROW_STUCK | (e.record.primary ? ROW_PRIMARY : 0));

		if (!e.absent) {
			c->questions->at[n++] = e;
			continue;
		}
		if (code || e.is == HF_IS_NOT_SO || e.is == HF_IS_UNKNOWN)
			continue;
		if (!hf_ledger_gone(&c->outbox->ledger, &e.record.name, e.record.addr, row))
			hf_outbox_not_aside(c->outbox, &e.record.name, e.record.addr);
	}
	c->questions->n = n;
}

static void note_check(struct hf_checker *c, const struct hf_questions_tally *t, uint64_t asked)
{

	if (!c->check.running)
		return;
	c->check.asked += asked;
	c->check.right += t->right;
	c->check.wrong += t->wrong;
	c->check.foreign += t->foreign;
	c->check.silent += t->silent;
	c->left -= asked < c->left ? asked : c->left;
	c->now = false;
	note_running(c);
}

struct hf_feed_step hf_checker_answered(
    struct hf_checker *c, int code, const char *text, uint64_t n_passes, bool *ret_lost)
{
	uint64_t asked = c->questions->n;
	struct hf_questions_tally t;

	*ret_lost = false;
	if (n_passes == c->n_passes)
		judge_stuck(c, code);
	hf_questions_tally(c->questions, code, &t);
	if (t.wrong && n_passes != c->n_passes) {
		/* It was asked for what has changed since: once more. */
		c->last = c->before;
		c->has_last = c->had_before;
		c->at = 0;
		return hf_feed_again();
	}
	note_check(c, &t, asked);
	c->at = hf_feed_peer_now(c->peer) + checker_gap(c);
	if (code || t.silent * 2 > c->questions->n) {
		c->left = 0;
		note_running(c);
		c->at = 0;
		return hf_feed_step_failed(code ? code : -ETIMEDOUT,
		    code && text && *text ? text : "it does not answer what it is asked");
	}
	*ret_lost = checker_judge(c, &t);
	return hf_feed_well();
}

void hf_checker_verify(struct hf_checker *c, bool full)
{
	const struct hf_adapter_type *type = c->peer->type;

	c->check = (struct hf_feed_check){
		.number = c->check.number + 1,
		.full = full,
		.listing = full && type->list,
		.unexpected = -1,
	};
	c->now = type->verify;
	c->left = full && type->verify ? n_asked_for(c) : 0;
	if (full)
		checker_restart(c);
	note_running(c);
}

void hf_checker_done(struct hf_checker *c)
{
	hf_wanted_free(c->repairs);
}
