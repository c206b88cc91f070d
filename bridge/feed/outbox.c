/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

static uint8_t with_primary(enum hf_row row, bool primary)
{
	return (uint8_t)(row | (primary ? ROW_PRIMARY : 0));
}

void hf_outbox_init(struct hf_outbox *o, const struct hf_feed_peer *peer, const char *ledger,
    uint32_t floor_ms, int64_t skipped_ms)
{
	o->peer = peer;
	o->next_max = 64;
	o->skipped_ms = o->skipped_wait_ms = skipped_ms;
	hf_ledger_init(&o->ledger, peer->store, peer->clock, ledger);
	hf_aside_init(&o->aside, peer->clock, floor_ms, (uint32_t)skipped_ms);
}

void hf_outbox_done(struct hf_outbox *o)
{
	hf_outbox_drop(o);
	hf_ledger_done(&o->ledger);
	hf_aside_done(&o->aside);
}

int hf_outbox_push(
    struct hf_outbox *o, const struct hf_change *change, uint8_t row, uint8_t row_was)
{

	if (o->n == o->size) {
		size_t size = o->size ? o->size * 2 : 16;
		struct hf_change *changes = reallocarray(o->changes, size, sizeof(*changes));
		void *rows;

		if (!changes)
			return -ENOMEM;
		o->changes = changes;
		rows = reallocarray(o->rows, size, sizeof(o->rows[0]));
		if (!rows)
			return -ENOMEM;
		o->rows = rows;
		rows = reallocarray(o->suspect, size, sizeof(o->suspect[0]));
		if (!rows)
			return -ENOMEM;
		o->suspect = rows;
		o->size = size;
	}
	o->suspect[o->n] = 0;
	o->changes[o->n] = *change;
	o->rows[o->n][0] = row;
	o->rows[o->n][1] = row_was;
	o->n++;
	return 0;
}

bool hf_outbox_is_empty(const struct hf_outbox *o)
{
	return o->at == o->n;
}

bool hf_outbox_is_out(const struct hf_outbox *o)
{
	return o->n_batch || o->empty;
}

size_t hf_outbox_room(const struct hf_outbox *o)
{
	return o->next_max > HF_OUTBOX_CHUNK ? o->next_max : HF_OUTBOX_CHUNK;
}

void hf_outbox_drop(struct hf_outbox *o)
{
	free(o->changes);
	free(o->rows);
	free(o->suspect);
	free(o->texts);
	o->changes = NULL;
	o->rows = NULL;
	o->suspect = NULL;
	o->texts = NULL;
	o->n = o->size = o->at = o->announced_to = o->limit = 0;
	o->n_ok = o->n_ok_then = 0;
	o->announced = false;
}

/* --- intents --- */

/*
 * What is ours there already stays so, however it ends. But of what is taken nobody would know, if
 * there is nobody to ask: it might be wanted again by then.
 */
static bool is_announced(const struct hf_outbox *o, const struct hf_change *c, uint8_t row)
{
	if (c->op == HF_CHANGE_PUT)
		return !hf_ledger_row_may_be_there(row);
	return !o->peer->type->verify && hf_ledger_row_is_there(row) &&
	       hf_ledger_row_of(row) != ROW_TRIED;
}

static int outbox_announce(struct hf_outbox *o)
{
	int rc;

	for (; o->announced_to < o->n; o->announced_to++) {
		struct hf_change *c = &o->changes[o->announced_to];
		uint8_t *row = &o->rows[o->announced_to][0];
		uint8_t tried = with_primary(ROW_TRIED, c->record.primary);

		if (!is_announced(o, c, *row))
			continue;
		rc = hf_ledger_set(&o->ledger, &c->record.name, c->record.addr, *row, tried);
		if (rc)
			return rc;
		*row = tried;
		o->announced = false;
	}
	if (o->announced)
		return 0;
	rc = hf_ledger_flush(&o->ledger);
	if (!rc)
		o->announced = true;
	return rc;
}

/* --- to the adapter --- */

static bool same_name(const struct hf_change *a, const struct hf_change *b)
{
	return hf_name_equal(&a->record.name, &b->record.name);
}

/* A name is in a batch once; equal ones follow each other. */
static size_t batch_len(const struct hf_outbox *o)
{
	size_t max = o->n - o->at < o->next_max ? o->n - o->at : o->next_max, n = 1;

	if (o->limit && o->limit < max)
		max = o->limit;
	while (n < max && !same_name(&o->changes[o->at + n - 1], &o->changes[o->at + n]))
		n++;
	return n;
}

static const char *outbox_keep_text(char **texts, size_t *len, size_t size, const char *text)
{
	char *at = *texts + *len;
	size_t n = text ? strlen(text) + 1 : 0;

	if (!text || size - *len < n)
		return NULL;
	memcpy(at, text, n);
	*len += n;
	return at;
}

/* Their texts are copied: the state that lends them goes on while the batch is out. */
static void fill_subjects(struct hf_outbox *o, size_t n)
{
	enum { TEXTS = 5 * (HF_LABEL_MAX + 1) };
	struct hf_subject s;
	size_t len = 0;

	/*
	 * A change that is tried again points into the texts of the batch before, and may be
	 * nobody's now.
	 */
	for (size_t i = o->at; i < o->n; i++)
		o->changes[i].subject = (struct hf_subject){ 0 };
	free(o->texts);
	o->texts = o->subject ? malloc(n * TEXTS) : NULL;
	for (size_t i = o->at; o->texts && i < o->at + n; i++) {
		memset(&s, 0, sizeof(s));
		if (!o->subject(o->subject_arg, &o->changes[i].record, &s))
			continue;
		o->changes[i].subject = (struct hf_subject){
			.source = outbox_keep_text(&o->texts, &len, n * TEXTS, s.source),
			.owner = outbox_keep_text(&o->texts, &len, n * TEXTS, s.owner),
			.workspace = outbox_keep_text(&o->texts, &len, n * TEXTS, s.workspace),
			.agent = outbox_keep_text(&o->texts, &len, n * TEXTS, s.agent),
			.agent_id = outbox_keep_text(&o->texts, &len, n * TEXTS, s.agent_id),
			.held = s.held,
		};
	}
}

void hf_outbox_send_empty(struct hf_outbox *o)
{
	o->batch = (struct hf_batch){ .generation = o->ledger.cursor.generation };
	o->empty = true;
	o->empty_done = false;
	o->peer->type->apply(o->peer->adapter, &o->batch);
}

struct hf_feed_step hf_outbox_send(struct hf_outbox *o, uint64_t generation)
{
	int64_t wait = o->resume_at - hf_feed_peer_now(o->peer);
	int rc;

	if (hf_outbox_is_out(o))
		return hf_feed_on_event();
	rc = outbox_announce(o);
	if (rc)
		return hf_feed_store_refused(rc);
	if (wait > 0)
		return hf_feed_in_ms(wait);
	o->n_batch = batch_len(o);
	fill_subjects(o, o->n_batch);
	o->batch = (struct hf_batch){
		.at = o->changes + o->at,
		.n = o->n_batch,
		.generation = generation,
	};
	o->sent_at = hf_feed_peer_now(o->peer);
	o->peer->type->apply(o->peer->adapter, &o->batch);
	return hf_feed_on_event();
}

/* --- receipts --- */

/*
 * A row that was set aside is so no longer. Whether one that was stuck is gone, and one that failed
 * is there, is seen when it is asked for.
 */
static void told_anew(struct hf_outbox *o, const struct hf_change *c, const uint8_t rows[2])
{
	bool is_asked_for = c->op == HF_CHANGE_PUT ? o->peer->type->verify != NULL
						   : hf_ledger_row_of(rows[0]) == ROW_STUCK;

	if (hf_ledger_row_is_aside(rows[0]) && !is_asked_for)
		hf_outbox_not_aside(o, &c->record.name, c->record.addr);
	if (hf_ledger_row_is_aside(rows[1]))
		hf_outbox_not_aside(o, &c->record.name, c->was);
}

static int failed_told(
    struct hf_outbox *o, const struct hf_change *c, const uint8_t rows[2], const char *why)
{
	if (hf_ledger_row_of(rows[0]) != ROW_FAILED)
		o->n_failed++;
	return hf_outbox_set_aside(o, c, rows[0], ROW_FAILED, why ? why : "");
}

static int put_told(
    struct hf_outbox *o, const struct hf_change *c, const uint8_t rows[2], enum hf_fate fate)
{
	enum hf_row row = fate == HF_FATE_DONE    ? ROW_PUT
			  : fate == HF_FATE_CLASH ? ROW_CLASH
						  : ROW_UNFIT;
	int rc = hf_ledger_set(&o->ledger, &c->record.name, c->record.addr, rows[0],
	    with_primary(row, c->record.primary));

	if (row != ROW_PUT)
		hf_outbox_note_skipped(o, row, &c->record.name);
	else if (!rc && c->had && memcmp(c->was, c->record.addr, sizeof(c->was)))
		rc = hf_ledger_gone(&o->ledger, &c->record.name, c->was, rows[1]);
	return rc;
}

static int take_told(
    struct hf_outbox *o, const struct hf_change *c, const uint8_t rows[2], enum hf_fate fate)
{
	char text[HF_NAME_TEXT_MAX];

	if (fate != HF_FATE_DONE)
		hf_log_info(
		    "%s: '%s' carries what others put there; it is left as it is, and no longer ours",
		    o->peer->who, hf_name_text(&c->record.name, text));
	return hf_ledger_gone(&o->ledger, &c->record.name, c->record.addr, rows[0]);
}

static int fates_told(struct hf_outbox *o, const struct hf_receipt *receipt, size_t n,
    hf_outbox_fate_cb cb, void *arg)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++, o->at++) {
		const struct hf_change *c = &o->changes[o->at];
		const uint8_t *rows = o->rows[o->at];
		enum hf_fate fate = receipt->fates ? (enum hf_fate)receipt->fates[i] : HF_FATE_DONE;

		if (fate == HF_FATE_FAILED) {
			rc = failed_told(o, c, rows, receipt->whys ? receipt->whys[i] : NULL);
			continue;
		}
		o->n_failed = 0;
		told_anew(o, c, rows);
		rc = (c->op == HF_CHANGE_PUT ? put_told : take_told)(o, c, rows, fate);
		if (cb)
			cb(arg, c, fate);
	}
	return rc;
}

/* --- which one it is --- */

/*
 * A batch may fail as a whole because of one of its changes. The batches are halved until one fails
 * alone. If others were done since the first batch with it failed it is set aside; else it goes
 * behind the others.
 */
static void put_behind(struct hf_outbox *o)
{
	const struct hf_change change = o->changes[o->at];
	const uint8_t rows[2] = { o->rows[o->at][0], o->rows[o->at][1] };
	uint64_t suspect = o->suspect[o->at];
	size_t n = o->n - o->at - 1;

	/* Changes of one name keep their order. */
	if (!n || same_name(&change, &o->changes[o->at + 1]))
		return;
	memmove(&o->changes[o->at], &o->changes[o->at + 1], n * sizeof(o->changes[0]));
	memmove(&o->rows[o->at], &o->rows[o->at + 1], n * sizeof(o->rows[0]));
	memmove(&o->suspect[o->at], &o->suspect[o->at + 1], n * sizeof(o->suspect[0]));
	o->changes[o->n - 1] = change;
	memcpy(o->rows[o->n - 1], rows, sizeof(rows));
	o->suspect[o->n - 1] = suspect;
}

/* It is not the adapter's to say so of all: it was heard, and refused. */
static bool was_heard(int code)
{
	return code == HF_EREFUSED || code == HF_EFORMAT;
}

/* The one that failed alone. 1: it is set aside, 0: it is tried again, or a code. */
static int judge_alone(struct hf_outbox *o, int code, const char *text)
{
	/* Where it is not even heard, one is not taken for another that was at fault. */
	bool others_are_done =
	    o->n_ok >= o->suspect[o->at] && (was_heard(code) || o->n_ok > o->n_ok_then);
	bool is_in_the_way = was_heard(code) && o->attempts >= HF_OUTBOX_ALONE_MAX &&
			     o->batch.generation < hf_store_generation(o->peer->store);
	int rc;

	if (!others_are_done && !is_in_the_way) {
		put_behind(o);
		return 0;
	}
	rc = failed_told(o, &o->changes[o->at], o->rows[o->at], text);
	o->at++;
	o->n_ok_then = o->n_ok;
	return rc ? rc : 1;
}

/* What a receipt of n done changes out of n_batch says. As judge_alone(). */
static int outbox_blame(struct hf_outbox *o, size_t n, int code, const char *text)
{
	/* What a batch had done counts, too, if the adapter was heard until it failed. */
	uint64_t suspect = o->n_ok + (was_heard(code) ? 0 : n) + 1;

	o->n_ok += n;
	if (!code) {
		o->limit = o->limit && o->limit < o->next_max ? 2 * o->limit : 0;
		return 0;
	}
	for (size_t i = o->at; i < o->at + o->n_batch - n; i++)
		o->suspect[i] = o->suspect[i] ? o->suspect[i] : suspect;
	if (o->n_batch == 1 && !n)
		return judge_alone(o, code, text);
	o->limit = n || o->n_batch < 2 ? 1 : o->n_batch / 2;
	return 0;
}

static void outbox_pace(struct hf_outbox *o, const struct hf_receipt *receipt)
{
	o->resume_at = hf_feed_peer_now(o->peer) + (receipt->pause_us + 500) / 1000;
	if (receipt->next_max)
		o->next_max = receipt->next_max < HF_OUTBOX_BATCH_MAX ? receipt->next_max
								      : HF_OUTBOX_BATCH_MAX;
}

/* A receipt's code and text, and where it says nothing, that. */
static int receipt_code(
    const struct hf_outbox *o, const struct hf_receipt *receipt, const char **text)
{
	*text = receipt->code && receipt->text ? receipt->text : "";
	if (receipt->code || receipt->n_done || !o->n_batch)
		return receipt->code;
	*text = "the adapter did nothing and does not say why";
	return HF_EPEER;
}

/* How it went. */
static struct hf_feed_step outbox_tell(struct hf_outbox *o, int rc, int code, const char *text)
{
	if (rc)
		return hf_feed_step_failed(rc, "its receipt cannot be kept");
	if (code)
		return hf_feed_step_failed(code, text);
	if (o->n_failed >= HF_OUTBOX_FAILED_MAX)
		return hf_feed_step_failed(HF_EREFUSED, hf_outbox_aside_why(o, ROW_FAILED));
	return o->n_failed ? hf_feed_again() : hf_feed_well();
}

struct hf_feed_step hf_outbox_applied(
    struct hf_outbox *o, const struct hf_receipt *receipt, hf_outbox_fate_cb cb, void *arg)
{
	size_t n = receipt->n_done < o->n_batch ? receipt->n_done : o->n_batch;
	const char *text;
	int code = receipt_code(o, receipt, &text), rc = fates_told(o, receipt, n, cb, arg);

	if (o->empty)
		o->empty_done = !code;
	else if (!rc)
		rc = outbox_blame(o, n, code, text);
	/* One was set aside: that is what had failed. */
	if (rc > 0)
		rc = code = 0;
	o->n_batch = 0;
	o->empty = false;
	outbox_pace(o, receipt);
	if (o->at == o->n)
		o->at = o->n = o->announced_to = 0;
	return outbox_tell(o, rc, code, text);
}
