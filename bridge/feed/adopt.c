/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/adopt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

enum { ADOPT_ROWS = 512, SEEK_NAMES = 1000 };

/* --- when --- */

void hf_adopt_want(struct hf_adopt *a)
{
	a->due = a->peer->type->list;
	a->at = 0;
}

int64_t hf_adopt_wait(const struct hf_adopt *a)
{
	int64_t wait = a->at - hf_feed_peer_now(a->peer);

	if (!a->due)
		return -1;
	return wait > 0 ? wait : 0;
}

void hf_adopt_drop(struct hf_adopt *a)
{
	hf_listed_done(&a->listed);
	a->state = ADOPT_NOTHING;
}

void hf_adopt_done(struct hf_adopt *a)
{
	hf_listed_done(&a->listed);
}

/* --- the listing --- */

/* Too much, or no way to tell: what is not known is not ours. */
static bool cannot_tell(int code)
{
	return code == HF_ELIMIT || code == HF_EUNSUPPORTED || code == -ENOTSUP;
}

void hf_adopt_begin(struct hf_adopt *a, uint64_t check)
{
	hf_listed_done(&a->listed);
	a->state = ADOPT_LISTING;
	a->check = check;
}

static struct hf_feed_step adopt_list(struct hf_adopt *a)
{
	const struct hf_feed_peer *peer = a->peer;

	if (a->asked)
		return hf_feed_on_event();
	hf_listed_done(&a->listed);
	a->due = a->too_large = false;
	a->rc = 0;
	a->whole = true;
	if (!peer->type->list) {
		a->state = ADOPT_COMPARING;
		return hf_feed_again();
	}
	a->asked = true;
	peer->type->list(peer->adapter);
	return hf_feed_on_event();
}

/* With the ledger known the rest goes on, and it is asked for the list again later. */
static void list_failed(struct hf_adopt *a, int code, const char *text)
{
	a->due = true;
	a->at = hf_feed_peer_now(a->peer) + hf_backoff_fail(&a->wait);
	hf_log_debug("%s: it could not be listed what is there: %s: %s", a->peer->who,
	    hf_errname(code), text ? text : "");
}

/* An earlier run's names that are still there, and that nobody knows of. */
static void tell_not_adopted(struct hf_adopt *a, const char *text)
{
	char said[HF_FEED_TEXT_MAX];

	snprintf(said, sizeof(said),
	    "names of an earlier run may be left there, and cannot be listed: %.120s; restart the resolver to be rid of them",
	    text && *text ? text : "there are too many");
	hf_feed_warnings_set(a->warnings, HF_FEED_WARN_NOT_ADOPTED, said);
}

static struct hf_feed_step list_answered(struct hf_adopt *a, int code, const char *text)
{
	bool failed = code && !cannot_tell(code);

	snprintf(a->why, sizeof(a->why), "%s", text ? text : "");
	a->whole = !code;
	a->too_large = code == HF_ELIMIT;
	if (failed && a->lost && !a->leaving)
		return hf_feed_step_failed(code, a->why);
	if (failed)
		list_failed(a, code, a->why);
	else
		hf_backoff_reset(&a->wait);
	if (a->lost && code == HF_ELIMIT)
		tell_not_adopted(a, a->why);
	else if (!code)
		hf_feed_warnings_set(a->warnings, HF_FEED_WARN_NOT_ADOPTED, NULL);
	a->state = ADOPT_COMPARING;
	return a->lost ? hf_feed_well() : hf_feed_again();
}

struct hf_feed_step hf_adopt_listed(
    struct hf_adopt *a, const struct hf_record *records, size_t n, int code, const char *text)
{
	if (!a->asked)
		return hf_feed_again();
	for (size_t i = 0; !a->rc && i < n; i++)
		if (hf_addr_is_ours(records[i].addr))
			a->rc = hf_listed_add(&a->listed, &records[i]);
	if (n)
		return hf_feed_again();
	a->asked = false;
	if (a->rc)
		return list_answered(a, a->rc, "what it lists cannot be kept");
	return list_answered(a, code, text);
}

/* --- the comparison --- */

static int adopt_row_of(struct hf_adopt *a, const struct hf_record *record, uint8_t *ret_row)
{
	struct hf_rows rows;
	int rc;

	if (hf_ledger_waits(&a->outbox->ledger, &record->name, record->addr, ret_row))
		return 0;
	rc = hf_ledger_rows(&a->outbox->ledger, &record->name, &rows);
	if (!rc)
		*ret_row = hf_ledger_rows_state(&rows, record->addr);
	return rc;
}

static int add_found(struct hf_adopt *a, const struct hf_record *record, uint8_t row)
{
	uint8_t stale = (uint8_t)(ROW_STALE | (record->primary ? ROW_PRIMARY : 0));
	char text[HF_NAME_TEXT_MAX];

	snprintf(a->name, sizeof(a->name), "%.200s", hf_name_text(&record->name, text));
	return hf_ledger_set(&a->outbox->ledger, &record->name, record->addr, row, stale);
}

/* A record may come twice, as an address and as what the address points to. */
static int compare_record(struct hf_adopt *a, const struct hf_record *record)
{
	uint8_t row;
	int rc;

	if (!a->peer->type->lists_only_ours && !hf_feed_zones_have(a->zones, &record->name))
		return 0;
	rc = adopt_row_of(a, record, &row);
	if (rc)
		return rc;
	/* What others have there is not ours, whatever its address. */
	if (hf_ledger_row_is_skipped(row) && !a->lost)
		return 0;
	if (hf_ledger_row_may_be_there(row) && !(row == ROW_STALE && record->primary))
		return 0;
	return add_found(a, record, row);
}

static void looked_lost(struct hf_adopt *a)
{
	uint64_t n = a->outbox->ledger.counts[ROW_STALE];

	if (n)
		hf_log_info(
		    "%s: %llu names of an earlier run are there; what is still wanted stays, the others go when all is confirmed",
		    a->peer->who, (unsigned long long)n);
	hf_ledger_reached(&a->outbox->ledger, hf_store_epoch(a->peer->store), 0, true);
	a->lost = false;
}

/* What is stale is taken by a full pass, which sees first whether it is wanted. */
static void adopt_looked(struct hf_adopt *a)
{
	char text[HF_FEED_TEXT_MAX];

	hf_adopt_drop(a);
	if (a->lost) {
		looked_lost(a);
		return;
	}
	if (!a->outbox->ledger.counts[ROW_STALE] || !a->name[0])
		return;
	snprintf(text, sizeof(text),
	    "names are there that should not be, such as '%.120s'; they are removed when all wanted names are confirmed",
	    a->name);
	hf_feed_warnings_set(a->warnings, HF_FEED_WARN_UNEXPECTED, text);
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
	struct hf_adopt *a = arg;

	memcpy(record.addr, change->addr, sizeof(record.addr));
	return hf_addr_is_ours(record.addr) && hf_feed_zones_have(a->zones, &record.name)
		   ? hf_listed_add(&a->listed, &record)
		   : 0;
}

static struct hf_feed_step seek_begin(struct hf_adopt *a)
{
	int rc = a->peer->type->verify
		     ? hf_store_names_removed(a->peer->store, SEEK_NAMES, seek_add, a)
		     : 0;

	if (rc) {
		hf_listed_done(&a->listed);
		return hf_feed_store_refused(rc);
	}
	a->state = ADOPT_SEEKING;
	return hf_feed_again();
}

/* The next ones that no row knows of. 0 or a code. */
static int seek_fill(struct hf_adopt *a)
{
	size_t pos = a->listed.pos;
	struct hf_record record;
	uint8_t row;
	int rc;

	a->questions->n = 0;
	while (a->questions->n < HF_FEED_SAMPLE && hf_listed_next(&a->listed, &record)) {
		rc = adopt_row_of(a, &record, &row);
		if (rc) {
			a->listed.pos = pos;
			return rc;
		}
		if (hf_ledger_row_of(row) != ROW_NONE)
			continue;
		a->questions->at[a->questions->n++] =
		    (struct hf_expect){ .record = record, .absent = true };
	}
	return 0;
}

static struct hf_feed_step adopt_seek(struct hf_adopt *a)
{
	int rc;

	if (a->questions->asking != ASK_NOTHING)
		return hf_feed_on_event();
	rc = seek_fill(a);
	if (rc)
		return hf_feed_store_refused(rc);
	if (a->questions->n)
		hf_questions_ask(a->questions, ASK_SEEK);
	else
		adopt_looked(a);
	return hf_feed_again();
}

void hf_adopt_answered(struct hf_adopt *a, int code, const char *text)
{
	const struct hf_questions *q = a->questions;
	struct hf_questions_tally t;
	int rc = 0;

	if (a->state != ADOPT_SEEKING)
		return;
	hf_questions_tally(q, code, &t);
	for (size_t i = 0; !code && !rc && i < q->n; i++)
		if (q->at[i].is == HF_IS_NOT_SO)
			rc = add_found(a, &q->at[i].record, ROW_NONE);
	if (!code && !rc && !t.silent)
		return;
	/* What was not answered is asked for again, with all others, later. */
	list_failed(a, rc ? rc : code ? code : -ETIMEDOUT, text);
	adopt_looked(a);
}

/* --- going through it --- */

static struct hf_feed_step adopt_compare(struct hf_adopt *a)
{
	int64_t begun = hf_feed_peer_now(a->peer);
	struct hf_ledger *ledger = &a->outbox->ledger;
	struct hf_listed *l = &a->listed;
	struct hf_record record;
	size_t pos = l->pos;
	unsigned n = 0;
	int rc = 0;

	for (; hf_listed_next(l, &record); pos = l->pos) {
		if (hf_ledger_waiting(ledger) >= ADOPT_ROWS)
			rc = hf_ledger_flush(ledger);
		if (!rc)
			rc = compare_record(a, &record);
		if (rc) {
			l->pos = pos;
			return hf_feed_store_refused(rc);
		}
		if (++n % 16 == 0 && hf_feed_peer_now(a->peer) - begun >= HF_FEED_SLICE_MS)
			return hf_feed_again();
	}
	hf_listed_done(l);
	if (a->too_large && !a->leaving)
		return seek_begin(a);
	adopt_looked(a);
	return hf_feed_again();
}

struct hf_feed_step hf_adopt_step(struct hf_adopt *a)
{
	switch (a->state) {
	case ADOPT_LISTING:
		return adopt_list(a);
	case ADOPT_COMPARING:
		return adopt_compare(a);
	case ADOPT_SEEKING:
		return adopt_seek(a);
	case ADOPT_NOTHING:
		break;
	}
	return hf_feed_again();
}

void hf_adopt_passed(struct hf_adopt *a)
{
	if (a->outbox->ledger.counts[ROW_STALE])
		return;
	a->name[0] = '\0';
	hf_feed_warnings_set(a->warnings, HF_FEED_WARN_UNEXPECTED, NULL);
}
