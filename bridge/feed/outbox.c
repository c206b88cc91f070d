/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes wait here until the adapter takes them. A put of what is not owned yet is written down as
 * tried before the adapter hears of it, so that no crash leaves something behind that nobody knows
 * of.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

static uint8_t with_primary(enum hf_row row, bool primary)
{
	return (uint8_t)(row | (primary ? ROW_PRIMARY : 0));
}

int hf_outbox_push(struct hf_feed *f, const struct hf_change *change, uint8_t row, uint8_t row_was)
{
	struct hf_outbox *t = &f->todo;

	if (t->n == t->size) {
		size_t size = t->size ? t->size * 2 : 16;
		struct hf_change *changes = reallocarray(t->changes, size, sizeof(*changes));
		void *rows;

		if (!changes)
			return -ENOMEM;
		t->changes = changes;
		rows = reallocarray(t->rows, size, sizeof(t->rows[0]));
		if (!rows)
			return -ENOMEM;
		t->rows = rows;
		rows = reallocarray(t->suspect, size, sizeof(t->suspect[0]));
		if (!rows)
			return -ENOMEM;
		t->suspect = rows;
		t->size = size;
	}
	t->suspect[t->n] = 0;
	t->changes[t->n] = *change;
	t->rows[t->n][0] = row;
	t->rows[t->n][1] = row_was;
	t->n++;
	return 0;
}

bool hf_outbox_is_empty(const struct hf_feed *f)
{
	return f->todo.at == f->todo.n;
}

bool hf_outbox_is_out(const struct hf_feed *f)
{
	return f->todo.n_batch || f->todo.empty;
}

size_t hf_outbox_room(const struct hf_feed *f)
{
	return f->next_max > HF_FEED_CHUNK ? f->next_max : HF_FEED_CHUNK;
}

void hf_outbox_drop(struct hf_feed *f)
{
	struct hf_outbox *t = &f->todo;
	unsigned n_failed = t->n_failed;

	free(t->changes);
	free(t->rows);
	free(t->suspect);
	free(t->texts);
	memset(t, 0, sizeof(*t));
	t->n_failed = n_failed;
}

/* --- intents --- */

static int outbox_announce(struct hf_feed *f)
{
	struct hf_outbox *t = &f->todo;
	int rc;

	for (; t->announced_to < t->n; t->announced_to++) {
		struct hf_change *c = &t->changes[t->announced_to];
		uint8_t *row = &t->rows[t->announced_to][0];
		uint8_t tried = with_primary(ROW_TRIED, c->record.primary);

		/* What is ours there already stays so, however this ends. */
		if (c->op != HF_CHANGE_PUT || hf_ledger_row_may_be_there(*row))
			continue;
		rc = hf_ledger_set(&f->ledger, &c->record.name, c->record.addr, *row, tried);
		if (rc)
			return rc;
		*row = tried;
		t->announced = false;
	}
	if (t->announced)
		return 0;
	rc = hf_ledger_flush(&f->ledger);
	if (!rc)
		t->announced = true;
	return rc;
}

/* --- to the adapter --- */

static bool same_name(const struct hf_change *a, const struct hf_change *b)
{
	return hf_name_equal(&a->record.name, &b->record.name);
}

/* A name is in a batch once; equal ones follow each other. */
static size_t batch_len(const struct hf_feed *f)
{
	const struct hf_outbox *t = &f->todo;
	size_t max = t->n - t->at < f->next_max ? t->n - t->at : f->next_max, n = 1;

	if (t->limit && t->limit < max)
		max = t->limit;

	while (n < max && !same_name(&t->changes[t->at + n - 1], &t->changes[t->at + n]))
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
static void fill_subjects(struct hf_feed *f, size_t n)
{
	enum { TEXTS = 5 * (HF_LABEL_MAX + 1) };
	struct hf_outbox *t = &f->todo;
	struct hf_subject s;
	size_t len = 0;

	/*
	 * A change that is tried again points into the texts of the batch before, and may be
	 * nobody's now.
	 */
	for (size_t i = t->at; i < t->n; i++)
		t->changes[i].subject = (struct hf_subject){ 0 };
	free(t->texts);
	t->texts = f->env.subject ? malloc(n * TEXTS) : NULL;
	for (size_t i = t->at; t->texts && i < t->at + n; i++) {
		memset(&s, 0, sizeof(s));
		if (!f->env.subject(f->env.arg, &t->changes[i].record, &s))
			continue;
		t->changes[i].subject = (struct hf_subject){
			.source = outbox_keep_text(&t->texts, &len, n * TEXTS, s.source),
			.owner = outbox_keep_text(&t->texts, &len, n * TEXTS, s.owner),
			.workspace = outbox_keep_text(&t->texts, &len, n * TEXTS, s.workspace),
			.agent = outbox_keep_text(&t->texts, &len, n * TEXTS, s.agent),
			.agent_id = outbox_keep_text(&t->texts, &len, n * TEXTS, s.agent_id),
			.held = s.held,
		};
	}
}

static void outbox_hand_over(struct hf_feed *f, size_t n)
{
	fill_subjects(f, n);
	f->todo.batch = (struct hf_batch){
		.at = f->todo.changes + f->todo.at,
		.n = n,
		.generation = f->run.target,
	};
	f->todo.n_batch = n;
	f->todo.sent_at = hf_feed_now(f);
	f->type->apply(f->adapter, &f->todo.batch);
}

void hf_outbox_send_empty(struct hf_feed *f)
{
	f->todo.batch = (struct hf_batch){ .generation = f->ledger.cursor.generation };
	f->todo.empty = true;
	f->empty_done = false;
	f->type->apply(f->adapter, &f->todo.batch);
}

int64_t hf_outbox_send(struct hf_feed *f)
{
	int64_t wait = f->resume_at - hf_feed_now(f);
	int rc;

	if (hf_outbox_is_out(f))
		return HF_FEED_EVENT;
	rc = outbox_announce(f);
	if (rc)
		return hf_feed_store_failed(f, rc);
	if (wait > 0)
		return wait;
	outbox_hand_over(f, batch_len(f));
	return HF_FEED_EVENT;
}

/* --- receipts --- */

static void note_skipped(struct hf_feed *f, enum hf_row row, const struct hf_name *name)
{
	char text[HF_NAME_TEXT_MAX];

	snprintf(f->skipped_name[row == ROW_UNFIT], sizeof(f->skipped_name[0]), "%.250s",
	    hf_name_text(name, text));
}

/* A row that was set aside is so no longer. Whether one that was stuck is gone is seen later. */
static void told_anew(struct hf_feed *f, const struct hf_change *c, const uint8_t rows[2])
{
	bool stuck = hf_ledger_row_of(rows[0]) == ROW_STUCK;

	if (hf_ledger_row_is_aside(rows[0]) && !(stuck && c->op == HF_CHANGE_TAKE))
		hf_pass_not_aside(f, &c->record.name, c->record.addr);
	if (hf_ledger_row_is_aside(rows[1]))
		hf_pass_not_aside(f, &c->record.name, c->was);
}

static int failed_told(
    struct hf_feed *f, const struct hf_change *c, const uint8_t rows[2], const char *why)
{
	if (hf_ledger_row_of(rows[0]) != ROW_FAILED)
		f->todo.n_failed++;
	return hf_pass_set_aside(f, c, rows[0], ROW_FAILED, why ? why : "");
}

static int put_told(
    struct hf_feed *f, const struct hf_change *c, const uint8_t rows[2], uint8_t fate)
{
	enum hf_row row = fate == HF_FATE_DONE    ? ROW_PUT
			  : fate == HF_FATE_CLASH ? ROW_CLASH
						  : ROW_UNFIT;
	int rc = hf_ledger_set(&f->ledger, &c->record.name, c->record.addr, rows[0],
	    with_primary(row, c->record.primary));

	if (row != ROW_PUT) {
		note_skipped(f, row, &c->record.name);
		return rc;
	}
	f->run.n_put++;
	hf_pass_sample_add(f, &c->record, false);
	if (!rc && c->had && memcmp(c->was, c->record.addr, sizeof(c->was)))
		rc = hf_ledger_gone(&f->ledger, &c->record.name, c->was, rows[1]);
	return rc;
}

static int take_told(
    struct hf_feed *f, const struct hf_change *c, const uint8_t rows[2], uint8_t fate)
{
	char text[HF_NAME_TEXT_MAX];

	if (fate == HF_FATE_DONE) {
		f->run.n_taken++;
		hf_pass_sample_add(f, &c->record, true);
	} else {
		hf_log_info(
		    "%s: '%s' carries what others put there; it is left as it is, and no longer ours",
		    f->who, hf_name_text(&c->record.name, text));
	}
	return hf_ledger_gone(&f->ledger, &c->record.name, c->record.addr, rows[0]);
}

static int fates_told(struct hf_feed *f, const struct hf_receipt *receipt, size_t n)
{
	struct hf_outbox *t = &f->todo;
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++, t->at++) {
		const struct hf_change *c = &t->changes[t->at];
		const uint8_t *rows = t->rows[t->at];
		uint8_t fate = receipt->fates ? receipt->fates[i] : HF_FATE_DONE;

		if (fate == HF_FATE_FAILED) {
			rc = failed_told(f, c, rows, receipt->whys ? receipt->whys[i] : NULL);
			continue;
		}
		t->n_failed = 0;
		told_anew(f, c, rows);
		rc = (c->op == HF_CHANGE_PUT ? put_told : take_told)(f, c, rows, fate);
	}
	return rc;
}

/* --- which one it is --- */

/*
 * A batch may fail as a whole because of one of its changes. The batches are halved until one fails
 * alone. If others were done since the first batch with it failed it is set aside; else it goes
 * behind the others.
 */
static void put_behind(struct hf_outbox *t)
{
	const struct hf_change change = t->changes[t->at];
	const uint8_t rows[2] = { t->rows[t->at][0], t->rows[t->at][1] };
	uint64_t suspect = t->suspect[t->at];
	size_t n = t->n - t->at - 1;

	/* Changes of one name keep their order. */
	if (!n || same_name(&change, &t->changes[t->at + 1]))
		return;
	memmove(&t->changes[t->at], &t->changes[t->at + 1], n * sizeof(t->changes[0]));
	memmove(&t->rows[t->at], &t->rows[t->at + 1], n * sizeof(t->rows[0]));
	memmove(&t->suspect[t->at], &t->suspect[t->at + 1], n * sizeof(t->suspect[0]));
	t->changes[t->n - 1] = change;
	memcpy(t->rows[t->n - 1], rows, sizeof(rows));
	t->suspect[t->n - 1] = suspect;
}

/* It is not the adapter's to say so of all: it was heard, and refused. */
static bool was_heard(int code)
{
	return code == HF_EREFUSED || code == HF_EFORMAT;
}

/* The one that failed alone. 1: it is set aside, 0: it is tried again, or a code. */
static int judge_alone(struct hf_feed *f, int code, const char *text)
{
	struct hf_outbox *t = &f->todo;
	/* Where it is not even heard, one is not taken for another that was at fault. */
	bool others_are_done =
	    t->n_ok >= t->suspect[t->at] && (was_heard(code) || t->n_ok > t->n_ok_then);
	bool is_in_the_way = was_heard(code) && f->retry.attempts >= HF_FEED_ALONE_MAX &&
			     f->run.target < hf_store_generation(f->env.store);
	int rc;

	if (!others_are_done && !is_in_the_way) {
		put_behind(t);
		return 0;
	}
	rc = failed_told(f, &t->changes[t->at], t->rows[t->at], text);
	t->at++;
	t->n_ok_then = t->n_ok;
	return rc ? rc : 1;
}

/* What a receipt of n done changes out of n_batch says. As judge_alone(). */
static int outbox_blame(struct hf_feed *f, size_t n, int code, const char *text)
{
	struct hf_outbox *t = &f->todo;
	/* What a batch had done counts, too, if the adapter was heard until it failed. */
	uint64_t suspect = t->n_ok + (was_heard(code) ? 0 : n) + 1;

	t->n_ok += n;
	if (!code) {
		t->limit = t->limit && t->limit < f->next_max ? 2 * t->limit : 0;
		return 0;
	}
	for (size_t i = t->at; i < t->at + t->n_batch - n; i++)
		t->suspect[i] = t->suspect[i] ? t->suspect[i] : suspect;
	if (t->n_batch == 1 && !n)
		return judge_alone(f, code, text);
	t->limit = n || t->n_batch < 2 ? 1 : t->n_batch / 2;
	return 0;
}

static void outbox_pace(struct hf_feed *f, const struct hf_receipt *receipt)
{
	f->resume_at = hf_feed_now(f) + (receipt->pause_us + 500) / 1000;
	if (receipt->next_max)
		f->next_max =
		    receipt->next_max < HF_FEED_BATCH_MAX ? receipt->next_max : HF_FEED_BATCH_MAX;
}

/* A receipt's code and text, and where it says nothing, that. */
static int receipt_code(
    const struct hf_feed *f, const struct hf_receipt *receipt, const char **text)
{
	*text = receipt->code && receipt->text ? receipt->text : "";
	if (receipt->code || receipt->n_done || !f->todo.n_batch)
		return receipt->code;
	*text = "the adapter did nothing and does not say why";
	return HF_EPEER;
}

/* How it went, for the table of waits. */
static void outbox_tell(struct hf_feed *f, int rc, int code, const char *text)
{
	unsigned n_failed = f->todo.n_failed;

	if (rc)
		hf_feed_failed(f, rc, "its receipt cannot be kept");
	else if (code)
		hf_feed_failed(f, code, text);
	else if (n_failed >= HF_FEED_FAILED_MAX)
		hf_feed_failed(f, HF_EREFUSED, hf_pass_aside_why(f, ROW_FAILED));
	else if (!f->run.unconfirmed && !n_failed)
		hf_retry_ok(&f->retry);
}

void hf_outbox_applied(struct hf_feed *f, const struct hf_receipt *receipt)
{
	struct hf_outbox *t = &f->todo;
	size_t n = receipt->n_done < t->n_batch ? receipt->n_done : t->n_batch;
	const char *text;
	int code = receipt_code(f, receipt, &text), rc = fates_told(f, receipt, n);

	if (t->empty)
		f->empty_done = !code;
	else if (!rc)
		rc = outbox_blame(f, n, code, text);
	/* One was set aside: that is what had failed. */
	if (rc > 0)
		rc = code = 0;
	t->n_batch = 0;
	t->empty = false;
	outbox_pace(f, receipt);
	if (t->at == t->n)
		t->at = t->n = t->announced_to = 0;
	outbox_tell(f, rc, code, text);
}
