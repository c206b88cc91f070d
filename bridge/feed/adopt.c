/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier run left: with its ledger lost, all below our suffixes and within our prefix that
 * the adapter finds is ours to replace or to take; with its ledger kept, only what was under way
 * when it was cut off has to be asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

enum { FLUSH_ROWS = 2048 };

/* --- a lost ledger --- */

static int64_t adopt_done(struct hf_feed *f)
{
	uint64_t n = f->ledger.counts[ROW_STALE];

	if (n)
		hf_log_info(
		    "%s: %llu names of an earlier run are there; what is still wanted stays, the others go when all is confirmed",
		    f->who, (unsigned long long)n);
	hf_ledger_reached(&f->ledger, hf_store_epoch(f->env.store), 0, true);
	f->full = true;
	hf_feed_enter(f, FEED_IDLE);
	return HF_FEED_AGAIN;
}

int64_t hf_adopt_list(struct hf_feed *f)
{
	if (f->listing)
		return HF_FEED_EVENT;
	if (!f->type->list)
		return adopt_done(f);
	f->listing = true;
	f->type->list(f->adapter);
	return HF_FEED_EVENT;
}

static int adopt_record(struct hf_feed *f, const struct hf_record *record)
{
	uint8_t state = (uint8_t)(ROW_STALE | (record->primary ? ROW_PRIMARY : 0)), row;
	struct hf_rows rows;
	int rc;

	if (!hf_addr_is_ours(record->addr) || !hf_feed_zones_have(f, &record->name))
		return 0;
	rc = hf_ledger_rows(&f->ledger, &record->name, &rows);
	if (rc)
		return rc;
	row = hf_ledger_rows_state(&rows, record->addr);
	return hf_ledger_row_is_there(row)
		   ? 0
		   : hf_ledger_set(&f->ledger, &record->name, record->addr, row, state);
}

/* Too much, or no way to tell: what is not known is not ours. */
static bool cannot_tell(int code)
{
	return code == HF_ELIMIT || code == HF_EUNSUPPORTED || code == -ENOTSUP;
}

void hf_adopt_listed(
    struct hf_feed *f, const struct hf_record *records, size_t n, int code, const char *text)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = adopt_record(f, &records[i]);
	if (!rc && hf_ledger_waiting(&f->ledger) > FLUSH_ROWS)
		hf_ledger_flush(&f->ledger);
	if (rc)
		hf_feed_failed(f, rc, "what it lists cannot be kept");
	if (n)
		return;
	f->listing = false;
	if (f->phase != FEED_LISTING || rc)
		return;
	if (code && !cannot_tell(code)) {
		hf_feed_failed(f, code, text ? text : "");
		return;
	}
	hf_retry_ok(&f->retry);
	adopt_done(f);
}

/* --- a run that was cut off --- */

static int add_tried(const struct hf_owned *row, void *arg)
{
	struct hf_feed *f = arg;
	struct hf_expect *e = &f->expect[f->n_expect];

	if (f->n_expect == HF_FEED_SAMPLE)
		return 1;
	*e = (struct hf_expect){ .record.name = row->name,
		.record.primary = row->state & ROW_PRIMARY };
	memcpy(e->record.addr, row->addr, sizeof(e->record.addr));
	f->expect_rows[f->n_expect++] = row->state;
	return 0;
}

int64_t hf_adopt_settle(struct hf_feed *f)
{
	int rc;

	if (f->asking != ASK_NOTHING)
		return HF_FEED_EVENT;
	f->n_expect = 0;
	rc = hf_store_owned_state(f->env.store, f->ledger.adapter, ROW_TRIED, add_tried, f);
	if (rc >= 0)
		rc = hf_store_owned_state(
		    f->env.store, f->ledger.adapter, ROW_TRIED | ROW_PRIMARY, add_tried, f);
	if (rc < 0)
		return hf_feed_store_failed(f, rc);
	if (!f->n_expect) {
		f->ledger.counts[ROW_TRIED] = 0;
		hf_feed_enter(f, FEED_IDLE);
		return HF_FEED_AGAIN;
	}
	if (f->type->verify) {
		hf_feed_ask(f, ASK_SETTLE);
		return HF_FEED_EVENT;
	}
	/* Nobody to ask: it is taken for done, and put again in case. */
	for (size_t i = 0; i < f->n_expect; i++)
		f->expect[i].is = HF_IS_SO;
	f->refill = true;
	hf_adopt_settled(f, 0, "");
	return HF_FEED_AGAIN;
}

void hf_adopt_settled(struct hf_feed *f, int code, const char *text)
{
	struct hf_feed_tally t;
	int rc = 0;

	if (f->phase != FEED_SETTLING)
		return;
	hf_feed_tally(f, code, &t);
	for (size_t i = 0; !code && !rc && i < f->n_expect; i++) {
		const struct hf_expect *e = &f->expect[i];
		uint8_t row = f->expect_rows[i];

		if (e->is == HF_IS_SO)
			rc = hf_ledger_set(&f->ledger, &e->record.name, e->record.addr, row,
			    (uint8_t)(ROW_PUT | (row & ROW_PRIMARY)));
		else if (e->is != HF_IS_UNKNOWN)
			rc = hf_ledger_gone(&f->ledger, &e->record.name, e->record.addr, row);
	}
	hf_feed_enter(f, FEED_IDLE);
	if (rc)
		hf_feed_failed(f, rc, "what it answers cannot be kept");
	else if (code || t.silent)
		hf_feed_failed(f, code ? code : -ETIMEDOUT,
		    code && text && *text ? text : "it does not answer what it is asked");
	else
		hf_retry_ok(&f->retry);
}
