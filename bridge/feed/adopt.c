/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is there and in no row of the ledger. The adapter lists what it holds, and what is below our
 * suffixes and within our prefix is compared with the ledger: what is not in it becomes a stale
 * row, which a full pass uses if it is wanted, and takes last if it is not. It is looked for where
 * something may have come in: at the start of each life, after a loss, when a suffix leaves, and
 * when somebody asks. With the ledger lost nothing begins before it; else it delays nothing that
 * fails on its own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

enum { ADOPT_ROWS = 512, SEEK_NAMES = 1000 };

/* --- when --- */

void hf_adopt_want(struct hf_feed *f)
{
	f->adopt.due = f->type->list;
	f->adopt.at = 0;
}

int64_t hf_adopt_wait(const struct hf_feed *f)
{
	int64_t wait = f->adopt.at - hf_feed_now(f);

	if (!f->adopt.due)
		return HF_FEED_EVENT;
	return wait > 0 ? wait : 0;
}

void hf_adopt_drop(struct hf_feed *f)
{
	hf_listed_done(&f->adopt.listed);
}

/* --- the listing --- */

/* Too much, or no way to tell: what is not known is not ours. */
static bool cannot_tell(int code)
{
	return code == HF_ELIMIT || code == HF_EUNSUPPORTED || code == -ENOTSUP;
}

int64_t hf_adopt_list(struct hf_feed *f)
{
	if (f->adopt.asked)
		return HF_FEED_EVENT;
	hf_adopt_drop(f);
	f->adopt.due = false;
	f->adopt.rc = 0;
	f->adopt.check = f->check.listing ? f->check.number : 0;
	f->adopt.whole = true;
	f->adopt.too_large = false;
	if (!f->type->list) {
		hf_feed_enter(f, FEED_COMPARING);
		return HF_FEED_AGAIN;
	}
	f->adopt.asked = true;
	f->type->list(f->adapter);
	return HF_FEED_EVENT;
}

/* With the ledger known the rest goes on, and it is asked for the list again later. */
static void list_failed(struct hf_feed *f, int code, const char *text)
{
	f->adopt.due = true;
	f->adopt.at = hf_feed_now(f) + hf_backoff_fail(&f->adopt.wait);
	hf_log_debug("%s: it could not be listed what is there: %s: %s", f->who, hf_errname(code),
	    text ? text : "");
}

/* An earlier run's names that are still there, and that nobody knows of. */
static void tell_not_adopted(struct hf_feed *f, const char *text)
{
	char said[HF_FEED_TEXT_MAX];

	snprintf(said, sizeof(said),
	    "names of an earlier run may be left there, and cannot be listed: %.120s; restart the resolver to be rid of them",
	    text && *text ? text : "there are too many");
	hf_feed_warn(f, HF_FEED_WARN_NOT_ADOPTED, said);
}

static void list_answered(struct hf_feed *f, int code, const char *text)
{
	f->adopt.whole = !code;
	f->adopt.too_large = code == HF_ELIMIT;
	if (code && !cannot_tell(code)) {
		if (f->adopt.lost && !f->clean) {
			hf_feed_failed(f, code, text ? text : "");
			return;
		}
		list_failed(f, code, text);
	} else {
		hf_backoff_reset(&f->adopt.wait);
	}
	if (f->adopt.lost)
		hf_retry_ok(&f->retry);
	if (f->adopt.lost && code == HF_ELIMIT)
		tell_not_adopted(f, text);
	else if (!code)
		hf_feed_warn(f, HF_FEED_WARN_NOT_ADOPTED, NULL);
	hf_feed_enter(f, FEED_COMPARING);
}

void hf_adopt_listed(
    struct hf_feed *f, const struct hf_record *records, size_t n, int code, const char *text)
{
	for (size_t i = 0; !f->adopt.rc && i < n; i++)
		if (hf_addr_is_ours(records[i].addr))
			f->adopt.rc = hf_listed_add(&f->adopt.listed, &records[i]);
	if (n)
		return;
	f->adopt.asked = false;
	if (f->adopt.rc)
		list_answered(f, f->adopt.rc, "what it lists cannot be kept");
	else
		list_answered(f, code, text);
}

/* --- the comparison --- */

static int adopt_row_of(struct hf_feed *f, const struct hf_record *record, uint8_t *ret_row)
{
	struct hf_rows rows;
	int rc;

	if (hf_ledger_waits(&f->ledger, &record->name, record->addr, ret_row))
		return 0;
	rc = hf_ledger_rows(&f->ledger, &record->name, &rows);
	if (!rc)
		*ret_row = hf_ledger_rows_state(&rows, record->addr);
	return rc;
}

static int add_found(struct hf_feed *f, const struct hf_record *record, uint8_t row)
{
	uint8_t stale = (uint8_t)(ROW_STALE | (record->primary ? ROW_PRIMARY : 0));
	char text[HF_NAME_TEXT_MAX];

	snprintf(f->adopt.name, sizeof(f->adopt.name), "%.200s", hf_name_text(&record->name, text));
	return hf_ledger_set(&f->ledger, &record->name, record->addr, row, stale);
}

/* A record may come twice, as an address and as what the address points to. */
static int compare_record(struct hf_feed *f, const struct hf_record *record)
{
	uint8_t row;
	int rc;

	if (!f->type->lists_only_ours && !hf_feed_zones_have(f, &record->name))
		return 0;
	rc = adopt_row_of(f, record, &row);
	if (rc)
		return rc;
	/* What others have there is not ours, whatever its address. */
	if (hf_ledger_row_is_skipped(row) && !f->adopt.lost)
		return 0;
	if (hf_ledger_row_may_be_there(row) && !(row == ROW_STALE && record->primary))
		return 0;
	return add_found(f, record, row);
}

static void looked_lost(struct hf_feed *f)
{
	uint64_t n = f->ledger.counts[ROW_STALE];

	if (n)
		hf_log_info(
		    "%s: %llu names of an earlier run are there; what is still wanted stays, the others go when all is confirmed",
		    f->who, (unsigned long long)n);
	hf_ledger_reached(&f->ledger, hf_store_epoch(f->env.store), 0, true);
	f->adopt.lost = false;
	f->full = true;
}

/* What is stale is taken by a full pass, which sees first whether it is wanted. */
static void adopt_looked(struct hf_feed *f)
{
	char text[HF_FEED_TEXT_MAX];

	hf_adopt_drop(f);
	hf_feed_enter(f, FEED_IDLE);
	if (f->adopt.lost) {
		looked_lost(f);
		return;
	}
	if (!f->ledger.counts[ROW_STALE]) {
		hf_spot_check_counted(f, f->adopt.whole ? 0 : -1);
		return;
	}
	f->full = true;
	snprintf(text, sizeof(text),
	    "names are there that should not be, such as '%.120s'; they are removed when all wanted names are confirmed",
	    f->adopt.name);
	if (f->adopt.name[0])
		hf_feed_warn(f, HF_FEED_WARN_UNEXPECTED, text);
}

/* --- what cannot be listed --- */

/*
 * Where the resolver has more than can be listed, it is asked for the names that were removed last,
 * as far as the change log has them: a file that it read may have brought them back.
 */
static int seek_add(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	struct hf_record record = { .name = change->name,
		.primary = change->flags & HF_REC_PRIMARY };
	struct hf_feed *f = arg;

	memcpy(record.addr, change->addr, sizeof(record.addr));
	return hf_addr_is_ours(record.addr) && hf_feed_zones_have(f, &record.name)
		   ? hf_listed_add(&f->adopt.listed, &record)
		   : 0;
}

static int64_t seek_begin(struct hf_feed *f)
{
	int rc =
	    f->type->verify ? hf_store_names_removed(f->env.store, SEEK_NAMES, seek_add, f) : 0;

	if (rc) {
		hf_adopt_drop(f);
		return hf_feed_store_failed(f, rc);
	}
	hf_feed_enter(f, FEED_SEEKING);
	return HF_FEED_AGAIN;
}

/* The next ones that no row knows of. 0 or a code. */
static int seek_fill(struct hf_feed *f)
{
	size_t pos = f->adopt.listed.pos;
	struct hf_record record;
	uint8_t row;
	int rc;

	f->n_expect = 0;
	while (f->n_expect < HF_FEED_SAMPLE && hf_listed_next(&f->adopt.listed, &record)) {
		rc = adopt_row_of(f, &record, &row);
		if (rc) {
			f->adopt.listed.pos = pos;
			return rc;
		}
		if (hf_ledger_row_of(row) != ROW_NONE)
			continue;
		f->expect[f->n_expect++] = (struct hf_expect){ .record = record, .absent = true };
	}
	return 0;
}

int64_t hf_adopt_seek(struct hf_feed *f)
{
	int rc;

	if (f->asking != ASK_NOTHING)
		return HF_FEED_EVENT;
	rc = seek_fill(f);
	if (rc)
		return hf_feed_store_failed(f, rc);
	if (f->n_expect)
		hf_feed_ask(f, ASK_SEEK);
	else
		adopt_looked(f);
	return HF_FEED_AGAIN;
}

void hf_adopt_sought(struct hf_feed *f, int code, const char *text)
{
	struct hf_feed_tally t;
	int rc = 0;

	if (f->phase != FEED_SEEKING)
		return;
	hf_feed_tally(f, code, &t);
	for (size_t i = 0; !code && !rc && i < f->n_expect; i++)
		if (f->expect[i].is == HF_IS_NOT_SO)
			rc = add_found(f, &f->expect[i].record, ROW_NONE);
	if (!code && !rc && !t.silent)
		return;
	/* What was not answered is asked for again, with all others, later. */
	list_failed(f, rc ? rc : code ? code : -ETIMEDOUT, text);
	adopt_looked(f);
}

/* --- going through it --- */

int64_t hf_adopt_compare(struct hf_feed *f)
{
	struct hf_listed *l = &f->adopt.listed;
	int64_t begun = hf_feed_now(f), wait;
	struct hf_record record;
	size_t pos = l->pos;
	unsigned n = 0;
	int rc;

	for (; hf_listed_next(l, &record); pos = l->pos) {
		rc = compare_record(f, &record);
		if (rc) {
			l->pos = pos;
			return hf_feed_store_failed(f, rc);
		}
		wait = hf_feed_flush(f, hf_ledger_waiting(&f->ledger) >= ADOPT_ROWS);
		if (wait)
			return wait - 1;
		if (++n % 16 == 0 && hf_feed_now(f) - begun >= HF_FEED_SLICE_MS)
			return HF_FEED_AGAIN;
	}
	hf_adopt_drop(f);
	if (f->adopt.too_large && !f->clean)
		return seek_begin(f);
	adopt_looked(f);
	return HF_FEED_AGAIN;
}

void hf_adopt_taking(struct hf_feed *f)
{
	hf_spot_check_counted(f, (int64_t)f->ledger.counts[ROW_STALE]);
}

void hf_adopt_finished(struct hf_feed *f)
{
	if (f->ledger.counts[ROW_STALE])
		return;
	f->adopt.name[0] = '\0';
	hf_feed_warn(f, HF_FEED_WARN_UNEXPECTED, NULL);
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
	/* Nobody to ask: a comparison of all puts it once more, or takes it. */
	return hf_pass_begin_full(f, f->refill);
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
