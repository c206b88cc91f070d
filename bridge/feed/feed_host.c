/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the adapter is given: ears for its answers, and a walk over all names.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

void hf_feed_wake(struct hf_feed *f)
{
	if (f->env.wake)
		f->env.wake(f->env.arg);
}

static void on_feed_applied(void *arg, const struct hf_receipt *receipt)
{
	struct hf_feed *f = arg;

	if (hf_outbox_is_out(f))
		hf_outbox_applied(f, receipt);
	hf_feed_wake(f);
}

static void on_feed_listed(
    void *arg, const struct hf_record *records, size_t n, int code, const char *text)
{
	struct hf_feed *f = arg;

	if (f->adopt.asked)
		hf_adopt_listed(f, records, n, code, text);
	hf_feed_wake(f);
}

static void on_feed_verified(void *arg, int code, const char *text)
{
	struct hf_feed *f = arg;
	enum hf_feed_asking why = f->asking;

	f->asking = ASK_NOTHING;
	switch (why) {
	case ASK_RUN:
		hf_pass_confirm_answered(f, code, text);
		break;
	case ASK_SETTLE:
		hf_adopt_settled(f, code, text);
		break;
	case ASK_SEEK:
		hf_adopt_sought(f, code, text);
		break;
	case ASK_LOOK:
		hf_spot_check_answered(f, code, text);
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

/* What the adapter says of the resolver as a whole: it is not fed, whatever our ledger has. */
static bool is_of_resolver(const char *code)
{
	return !strcmp(code, HF_WARN_NO_ANSWER) || !strcmp(code, HF_WARN_INCOMPLETE);
}

static void note_unwell(struct hf_feed *f)
{
	const char *text = NULL;

	for (size_t i = 0; i < f->n_warnings; i++)
		if (is_of_resolver(f->warnings[i].code))
			text = f->warnings[i].text;
	f->unwell = text;
	if (text)
		f->verified = -1;
	hf_feed_wake(f);
}

static void keep_warning(struct hf_feed *f, const char *code, const char *text)
{
	size_t i = 0;

	while (i < f->n_warnings && strcmp(f->warnings[i].code, code))
		i++;
	if (!text) {
		if (i < f->n_warnings) {
			hf_log_info("%s: no longer: %s", f->who, f->warnings[i].text);
			f->warnings[i] = f->warnings[--f->n_warnings];
		}
		return;
	}
	if (i == HF_FEED_WARNINGS_MAX)
		return;
	if (i == f->n_warnings) {
		f->n_warnings++;
		memset(&f->warnings[i], 0, sizeof(f->warnings[i]));
		snprintf(f->warnings[i].code, sizeof(f->warnings[i].code), "%s", code);
		f->warnings[i].since_s = hf_wall_ms(f->env.clock) / 1000;
	}
	if (!strncmp(f->warnings[i].text, text, HF_FEED_TEXT_MAX - 1))
		return;
	snprintf(f->warnings[i].text, sizeof(f->warnings[i].text), "%s", text);
	hf_log_warn("%s: %s", f->who, text);
}

void hf_feed_warn(struct hf_feed *f, const char *code, const char *text)
{
	keep_warning(f, code, text);
}

static void on_feed_warning(void *arg, const char *code, const char *text)
{
	struct hf_feed *f = arg;

	keep_warning(f, code, text);
	if (is_of_resolver(code))
		note_unwell(f);
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
	const uint64_t *n = f->ledger.counts;
	bool skipped = n[ROW_CLASH] + n[ROW_UNFIT] + n[ROW_FAILED];
	bool restored = change->flags & HF_REC_RESTORED;
	struct hf_rows rows;
	uint8_t row;

	if (change->removed || (change->flags & HF_REC_WITHDRAWN))
		return true;
	if ((!skipped && !restored) || hf_ledger_rows(&f->ledger, &change->name, &rows))
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

void hf_feed_host(struct hf_feed *f)
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
		.warn = on_feed_warning,
		.walk_new = on_walk_new,
		.walk_step = on_walk_step,
		.walk_free = on_walk_free,
	};
}
