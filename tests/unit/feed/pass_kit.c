/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feed/pass_kit.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

void run_init(struct run *r)
{
	memset(r, 0, sizeof(*r));
	peer_init(&r->p);
	parts_init(&r->s, &r->p);
	r->random = 88172645463325252;
	r->verified = -2;
}

void run_done(struct run *r)
{
	hf_pass_free(r->pass);
	parts_done(&r->s);
	peer_done(&r->p);
}

struct hf_pass_env run_env(struct run *r)
{
	return (struct hf_pass_env){
		.peer = &r->p.peer,
		.outbox = &r->s.outbox,
		.zones = &r->s.zones,
		.questions = &r->s.questions,
		.random = &r->random,
	};
}

void run_full(struct run *r, bool refill)
{
	const struct hf_pass_env env = run_env(r);

	ck_assert_int_eq(hf_pass_new_full(&env, refill, &r->pass), 0);
}

void run_log(struct run *r, struct hf_pass *before)
{
	const struct hf_pass_env env = run_env(r);

	ck_assert_int_eq(hf_pass_new_log(&env, before, &r->pass), 0);
	hf_pass_free(before);
}

void run_reached(struct run *r)
{
	struct hf_ledger *l = &r->s.outbox.ledger;

	hf_ledger_reached(
	    l, hf_store_epoch(r->p.fx.store), hf_store_generation(r->p.fx.store), true);
	ck_assert_int_eq(hf_ledger_flush(l), 0);
}

/* --- what it hears --- */

void run_forget(struct run *r)
{
	r->heard_len = 0;
	r->heard[0] = '\0';
}

static void note(struct run *r, const char *text)
{
	size_t len = strlen(text);

	ck_assert_uint_lt(r->heard_len + len, sizeof(r->heard));
	memcpy(r->heard + r->heard_len, text, len + 1);
	r->heard_len += len;
}

static void note_change(struct run *r, const struct hf_change *c)
{
	char name[HF_NAME_TEXT_MAX], text[100], was[8] = "";

	if (c->had && !memcmp(c->was, c->record.addr, sizeof(c->was)))
		snprintf(was, sizeof(was), "=");
	else if (c->had)
		snprintf(was, sizeof(was), "<%u", c->was[15]);
	snprintf(text, sizeof(text), "%s %.60s %u%s%s;", c->op == HF_CHANGE_PUT ? "put" : "take",
	    hf_name_text(&c->record.name, name), c->record.addr[15], c->record.primary ? "*" : "",
	    was);
	note(r, text);
}

static void note_all(struct run *r)
{
	for (; r->n_completes < r->p.n_completes; r->n_completes++)
		note(r, "complete;");
	for (size_t i = 0; r->p.batch && i < r->p.batch->n; i++)
		note_change(r, &r->p.batch->at[i]);
	if (r->s.questions.asking == ASK_NOTHING)
		return;
	note(r, "ask ");
	note(r, parts_lot(&r->s));
}

/* --- driven --- */

struct hf_feed_step run_on(struct run *r)
{
	struct hf_feed_step step;

	do {
		step = hf_pass_step(r->pass);
	} while (step.next == HF_STEP_AGAIN && r->pass->state != PASS_DONE && !r->pass->overtaken);
	note_all(r);
	return step;
}

struct hf_feed_step run_receipt(struct run *r, const uint8_t *fates)
{
	const struct hf_receipt receipt = { .n_done = r->p.batch->n, .fates = fates, .text = "" };

	r->p.batch = NULL;
	return hf_outbox_applied(&r->s.outbox, &receipt, hf_pass_told, r->pass);
}

struct hf_feed_step run_answered(struct run *r, int code, const char *text)
{
	parts_answered(&r->s);
	return hf_pass_answered(r->pass, code, text, &r->verified);
}

struct hf_feed_step run_answer(struct run *r, enum hf_is is)
{
	parts_answer(&r->s, is);
	return hf_pass_answered(r->pass, 0, "", &r->verified);
}

void run_to_question(struct run *r)
{
	while (r->s.questions.asking == ASK_NOTHING) {
		ck_assert_int_ne(run_on(r).next, HF_STEP_FAILED);
		ck_assert_int_ne(r->pass->state, PASS_DONE);
		ck_assert(!r->pass->overtaken);
		if (r->p.batch)
			run_receipt(r, NULL);
	}
}

void run_all(struct run *r)
{
	while (r->pass->state != PASS_DONE) {
		ck_assert_int_ne(run_on(r).next, HF_STEP_FAILED);
		ck_assert(!r->pass->overtaken);
		if (r->p.batch)
			run_receipt(r, NULL);
		if (r->s.questions.asking != ASK_NOTHING)
			run_answer(r, HF_IS_SO);
	}
	ck_assert_int_eq(hf_ledger_flush(&r->s.outbox.ledger), 0);
}
