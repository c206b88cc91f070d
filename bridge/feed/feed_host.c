/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a feed: it opens the adapter and gives it ears for its answers, and a walk over all
 * names.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "base/log.h"
#include "bridge/feed/feed_private.h"
#include "bridge/feed/settle.h"

/* --- answers --- */

static void on_feed_applied(void *arg, const struct hf_receipt *receipt)
{
	struct hf_feed *f = arg;
	struct hf_feed_step step;

	if (hf_outbox_is_out(&f->outbox)) {
		f->outbox.attempts = f->retry.attempts;
		if (f->pass)
			step = hf_outbox_applied(&f->outbox, receipt, hf_pass_told, f->pass);
		else
			step =
			    hf_outbox_applied(&f->outbox, receipt, hf_teardown_told, &f->teardown);
		/* What is not confirmed is not well yet. */
		step.well = step.well && !(f->pass && f->pass->unconfirmed);
		hf_feed_heard(f, &step);
	}
	hf_feed_wake(f);
}

static void on_feed_listed(
    void *arg, const struct hf_record *records, size_t n, int code, const char *text)
{
	struct hf_feed *f = arg;
	struct hf_feed_step step = hf_adopt_listed(&f->adopt, records, n, code, text);

	hf_feed_heard(f, &step);
	hf_feed_wake(f);
}

static void run_verified(struct hf_feed *f, int code, const char *text)
{
	struct hf_feed_step step;
	int verified;

	if (!f->pass)
		return;
	step = hf_pass_answered(f->pass, code, text, &verified);
	if (verified >= 0)
		f->checker.verified = verified;
	hf_feed_heard(f, &step);
}

static void settle_verified(struct hf_feed *f, int code, const char *text)
{
	struct hf_feed_step step;

	if (f->phase != FEED_SETTLING)
		return;
	hf_feed_enter(f, FEED_IDLE);
	step = hf_settle_answered(&f->outbox.ledger, &f->questions, code, text);
	hf_feed_heard(f, &step);
}

static void look_verified(struct hf_feed *f, int code, const char *text)
{
	struct hf_feed_step step;
	bool lost;

	step = hf_checker_answered(&f->checker, code, text, f->n_passes, &lost);
	f->refill = f->refill || lost;
	/* Beside other work it is that work that fails or goes well. */
	if (f->phase == FEED_IDLE)
		hf_feed_heard(f, &step);
}

static void on_feed_verified(void *arg, int code, const char *text)
{
	struct hf_feed *f = arg;

	switch (hf_questions_answered(&f->questions)) {
	case ASK_RUN:
		run_verified(f, code, text);
		break;
	case ASK_SETTLE:
		settle_verified(f, code, text);
		break;
	case ASK_LOOK:
		look_verified(f, code, text);
		break;
	case ASK_SEEK:
		hf_adopt_answered(&f->adopt, code, text);
		break;
	case ASK_NOTHING:
		break;
	}
	hf_feed_wake(f);
}

/* Doctors are asked elsewhere. */
static void on_feed_found(void *arg, const struct hf_finding *finding)
{
}

static void on_feed_examined(void *arg)
{
}

static void on_feed_lost(void *arg, const char *why)
{
	hf_feed_refill(arg, why);
}

static void on_feed_former(void *arg, const struct hf_name *suffix)
{
	struct hf_feed *f = arg;
	char text[HF_NAME_TEXT_MAX];

	hf_log_info("%s: the former suffix '%.200s' is there again, by a file of an earlier state",
	    f->who, hf_name_text(suffix, text));
	hf_feed_zones_former(&f->zones, suffix);
}

static void on_feed_warning(void *arg, const char *code, const char *text)
{
	struct hf_feed *f = arg;

	hf_feed_warnings_set(&f->warnings, code, text);
	if (hf_feed_unwell(f))
		f->checker.verified = -1;
	hf_feed_wake(f);
}

/* --- all that should be there --- */

struct hf_record_walk {
	struct hf_feed *feed;       /* borrowed */
	struct hf_store_walk *walk; /* owned */
	hf_record_cb cb;
	void *cb_arg;
};

static int on_walk_new(void *arg, struct hf_record_walk **ret_walk)
{
	struct hf_record_walk *w = calloc(1, sizeof(*w));
	struct hf_feed *f = arg;
	int rc;

	if (!w)
		return -ENOMEM;
	w->feed = f;
	rc = hf_store_ready(f->env.store) ? hf_store_walk_new(f->env.store, &w->walk) : -EAGAIN;
	if (rc) {
		free(w);
		return rc == -ENOMEM ? rc : -EAGAIN;
	}
	*ret_walk = w;
	return 0;
}

/*
 * What is skipped there, what it could not put, and a restored name that a live one has replaced,
 * are left out.
 */
static bool is_left_out(struct hf_feed *f, const struct hf_name_change *change)
{
	const uint64_t *n = f->outbox.ledger.counts;
	bool skipped = n[ROW_CLASH] + n[ROW_UNFIT] + n[ROW_FAILED];
	bool restored = change->flags & HF_REC_RESTORED;
	struct hf_rows rows;
	uint8_t row;

	if (change->removed || (change->flags & HF_REC_WITHDRAWN))
		return true;
	if ((!skipped && !restored) || hf_ledger_rows(&f->outbox.ledger, &change->name, &rows))
		return false;
	row = hf_ledger_rows_state(&rows, change->addr);
	return hf_ledger_row_is_skipped(row) || hf_ledger_row_of(row) == ROW_FAILED ||
	       (restored && !hf_ledger_row_is_there(row));
}

static int walk_name(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	struct hf_record_walk *w = arg;
	struct hf_record record = { .name = change->name,
		.primary = change->flags & HF_REC_PRIMARY };

	if (is_left_out(w->feed, change))
		return 0;
	memcpy(record.addr, change->addr, sizeof(record.addr));
	return w->cb(&record, w->cb_arg);
}

static int on_walk_step(struct hf_record_walk *walk, size_t max, hf_record_cb cb, void *cb_arg)
{
	walk->cb = cb;
	walk->cb_arg = cb_arg;
	return hf_store_walk_step(walk->walk, max, walk_name, walk);
}

static void on_walk_free(struct hf_record_walk *walk)
{
	if (!walk)
		return;
	hf_store_walk_free(walk->walk);
	free(walk);
}

static void feed_host_fill(struct hf_feed *f)
{
	f->host = (struct hf_adapter_host){
		.base = f->env.base,
		.clock = f->env.clock,
		.arg = f,
		.applied = on_feed_applied,
		.listed = on_feed_listed,
		.verified = on_feed_verified,
		.found = on_feed_found,
		.examined = on_feed_examined,
		.lost = on_feed_lost,
		.former = on_feed_former,
		.warn = on_feed_warning,
		.walk_new = on_walk_new,
		.walk_step = on_walk_step,
		.walk_free = on_walk_free,
	};
}

/* --- life --- */

void hf_feed_succeed(struct hf_feed *f, const struct hf_config_adapter *next)
{
	if (f->peer.type->succeed)
		f->peer.type->succeed(f->peer.adapter, next);
}

void hf_feed_rename(struct hf_feed *f, const char *name)
{
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->who, sizeof(f->who), "adapter '%s'", f->name);
}

/* Each of them knows what it works with. */
static void join_objects(struct hf_feed *f)
{
	f->peer = (struct hf_feed_peer){
		.type = f->peer.type,
		.store = f->env.store,
		.clock = f->env.clock,
		.who = f->who,
	};
	f->questions.peer = f->warnings.peer = f->zones.peer = &f->peer;
	f->checker.peer = f->adopt.peer = f->teardown.peer = &f->peer;
	f->checker.outbox = f->adopt.outbox = f->teardown.outbox = &f->outbox;
	f->checker.questions = f->adopt.questions = &f->questions;
	f->checker.warnings = f->adopt.warnings = &f->warnings;
	f->adopt.zones = f->teardown.zones = &f->zones;
	f->zones.ledger = &f->outbox.ledger;
	f->outbox.subject = f->env.subject;
	f->outbox.subject_arg = f->env.arg;
}

static void take_conf(struct hf_feed *f, const struct hf_feed_conf *conf)
{
	uint32_t floor_ms = (uint32_t)conf->floor_ms, cap_ms = (uint32_t)conf->cap_ms;

	f->peer.type = conf->type;
	hf_feed_rename(f, conf->name);
	join_objects(f);
	hf_outbox_init(&f->outbox, &f->peer, conf->ledger ? conf->ledger : conf->name, floor_ms,
	    conf->skipped_ms);
	f->checker.verify_ms = conf->verify_ms;
	f->checker.verified = -1;
	f->checker.check.unexpected = -1;
	f->adopt.wait = (struct hf_backoff){ floor_ms, cap_ms, 0 };
	hf_adopt_want(&f->adopt);
	f->retry = (struct hf_retry){
		.who = f->who,
		.clock = f->env.clock,
		.wait = { .floor_ms = floor_ms, .cap_ms = cap_ms },
		.failed_ms = conf->failed_ms,
	};
}

int hf_feed_new(
    const struct hf_feed_env *env, const struct hf_feed_conf *conf, struct hf_feed **ret_feed)
{
	struct hf_feed *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->env = *env;
	take_conf(f, conf);
	f->late = true;
	f->told_state = HF_FEED_APPLYING;
	f->since_s = hf_wall_ms(env->clock) / 1000;
	if (getrandom(&f->random, sizeof(f->random), 0) != sizeof(f->random) || !f->random)
		f->random = 1;
	feed_host_fill(f);
	rc = conf->type->open(conf->config, &f->host, &f->peer.adapter);
	if (rc) {
		f->peer.adapter = NULL;
		hf_feed_free(f);
		return rc;
	}
	*ret_feed = f;
	return 0;
}

void hf_feed_free(struct hf_feed *f)
{
	if (!f)
		return;
	if (f->peer.adapter)
		f->peer.type->close(f->peer.adapter);
	/* What cannot be written now is found out by the next one. */
	if (f->phase != FEED_CLEAN)
		hf_ledger_flush(&f->outbox.ledger);
	hf_pass_free(f->pass);
	hf_adopt_done(&f->adopt);
	hf_checker_done(&f->checker);
	hf_outbox_done(&f->outbox);
	free(f);
}
