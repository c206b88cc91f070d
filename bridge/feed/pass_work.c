/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is put, and what is taken: the picture beside the rows of the ledger.
 */
#include <string.h>

#include "bridge/feed/pass_private.h"

enum { TAKE_ROWS = 128, FLUSH_ROWS = 2048 };

/* --- putting --- */

static int record_of(const struct hf_item *item, struct hf_record *ret_record)
{
	memcpy(ret_record->addr, item->addr, sizeof(ret_record->addr));
	ret_record->primary = item->flags & HF_ITEM_PRIMARY;
	return hf_name_parse(item->text, &ret_record->name);
}

/* Another address of ours that the name has there, or NULL. */
static const struct hf_owned *other_row(const struct hf_rows *rows, const uint8_t addr[16])
{
	for (size_t i = 0; i < rows->n; i++)
		if (hf_ledger_row_may_be_there(rows->at[i].state) &&
		    memcmp(rows->at[i].addr, addr, sizeof(rows->at[i].addr)))
			return &rows->at[i];
	return NULL;
}

/* Of one that was cut off nobody knows, if there is nobody to ask. */
static bool is_known_there(const struct hf_pass *p, uint8_t row)
{
	return hf_ledger_row_is_there(row) &&
	       (hf_ledger_row_of(row) != ROW_TRIED || p->env.peer->type->verify);
}

static int push_put(
    struct hf_pass *p, const struct hf_record *record, uint8_t row, const struct hf_owned *was)
{
	struct hf_change c = { .op = HF_CHANGE_PUT, .record = *record };

	c.had = was || is_known_there(p, row);
	memcpy(c.was, was ? was->addr : record->addr, sizeof(c.was));
	return hf_outbox_push(p->env.outbox, &c, row, was ? was->state : ROW_NONE);
}

static int put_item(struct hf_pass *p, const struct hf_item *item)
{
	struct hf_record record;
	struct hf_rows rows;
	uint8_t row,
	    wanted = (uint8_t)(ROW_PUT | (item->flags & HF_ITEM_PRIMARY ? ROW_PRIMARY : 0));
	int rc = record_of(item, &record);

	if (!rc)
		rc = hf_ledger_rows(&p->env.outbox->ledger, &record.name, &rows);
	if (rc)
		return rc;
	row = hf_ledger_rows_state(&rows, record.addr);
	/* A repair of what went meanwhile. */
	if (item->flags & HF_ITEM_AGAIN && !hf_ledger_row_is_there(row))
		return 0;
	if (!p->refill && !(item->flags & HF_ITEM_AGAIN)) {
		/* Put by a run or a pass that was cut off, perhaps, before it was confirmed. */
		if (row == wanted && (p->late || p->unconfirmed))
			hf_pass_sample_add(p, &record, false);
		if (row == wanted)
			return 0;
		if (hf_ledger_row_of(row) == ROW_STALE &&
		    (row & ROW_PRIMARY) == (wanted & ROW_PRIMARY)) {
			hf_pass_sample_add(p, &record, false);
			return hf_ledger_set(
			    &p->env.outbox->ledger, &record.name, record.addr, row, wanted);
		}
	}
	return push_put(
	    p, &record, row, is_known_there(p, row) ? NULL : other_row(&rows, record.addr));
}

/* Goes on over the picture until there is enough for the adapter, or time is up. */
static int pass_gather(
    struct hf_pass *p, int (*each)(struct hf_pass *p, const struct hf_item *item))
{
	int64_t begun = hf_feed_peer_now(p->env.peer);
	struct hf_item item;
	unsigned n = 0;
	int rc = 0;

	while (!rc && p->env.outbox->n < hf_outbox_room(p->env.outbox) &&
	       hf_ledger_waiting(&p->env.outbox->ledger) < FLUSH_ROWS) {
		if (!hf_wanted_at(p->picture, &item)) {
			p->ended = true;
			return 0;
		}
		if (n++ % 16 == 15 && hf_pass_slice_is_over(p, begun))
			return 0;
		rc = each(p, &item);
		if (!rc)
			hf_wanted_next(p->picture);
	}
	return rc;
}

static int put_wanted(struct hf_pass *p, const struct hf_item *item)
{
	return item->flags & HF_ITEM_ABSENT ? 0 : put_item(p, item);
}

/*
 * An adapter whose resolver answers for what is taken as long as it is not told that all is there
 * is told before.
 */
static void complete_before_taking(struct hf_pass *p)
{
	const struct hf_feed_peer *peer = p->env.peer;

	if (p->state != PASS_TAKING || p->completed)
		return;
	p->completed = true;
	if (peer->type->complete)
		peer->type->complete(peer->adapter, p->target);
}

/* Gathers, or hands over what was gathered. */
static struct hf_feed_step work_off(struct hf_pass *p, int (*more)(struct hf_pass *p))
{
	struct hf_outbox *o = p->env.outbox;
	int rc = 0;

	if (hf_outbox_is_out(o))
		return hf_feed_on_event();
	if (!hf_outbox_is_empty(o) && (p->ended || o->at || o->n >= hf_outbox_room(o))) {
		complete_before_taking(p);
		return hf_outbox_send(o, p->target);
	}
	if (hf_ledger_waiting(&o->ledger) >= FLUSH_ROWS)
		rc = hf_ledger_flush(&o->ledger);
	if (!rc)
		rc = more(p);
	return rc ? hf_feed_store_refused(rc) : hf_feed_again();
}

static bool is_through(const struct hf_pass *p)
{
	return p->ended && hf_outbox_is_empty(p->env.outbox) && !hf_outbox_is_out(p->env.outbox);
}

static int more_puts(struct hf_pass *p)
{
	return pass_gather(p, put_wanted);
}

struct hf_feed_step hf_pass_put(struct hf_pass *p)
{
	if (!is_through(p))
		return work_off(p, more_puts);
	p->state = PASS_CONFIRMING;
	return hf_feed_again();
}

/* --- taking --- */

/* The name that is to come in the place of this one could not be put yet. */
static bool has_to_stay(const struct hf_pass *p, const struct hf_owned *row)
{
	const struct hf_outbox *o = p->env.outbox;

	return hf_ledger_row_of(row->state) != ROW_STALE &&
	       hf_ledger_row_of(row->state) != ROW_STUCK && hf_aside_puts(&o->aside, row->addr);
}

/* A row, and what is wanted of its name (NULL: nothing). */
static int pass_take_row(struct hf_pass *p, const struct hf_owned *row, const struct hf_item *item)
{
	bool wanted = item && !(item->flags & HF_ITEM_ABSENT);
	struct hf_change take = { .op = HF_CHANGE_TAKE };
	struct hf_record record;
	struct hf_rows rows;
	int rc;

	if (hf_ledger_row_of(row->state) == ROW_ZONE)
		return 0;
	if (wanted && !memcmp(row->addr, item->addr, sizeof(row->addr)))
		return 0;
	if (item && item->flags & HF_ITEM_ONE &&
	    memcmp(row->addr, item->addr, sizeof(row->addr)) != 0)
		return 0;
	if (!hf_ledger_row_may_be_there(row->state))
		return hf_ledger_gone(&p->env.outbox->ledger, &row->name, row->addr, row->state);
	if (wanted) {
		rc = record_of(item, &record);
		if (!rc)
			rc = hf_ledger_rows(&p->env.outbox->ledger, &record.name, &rows);
		if (rc)
			return rc;
		/* It stays until the other address could be put. */
		if (hf_ledger_row_of(hf_ledger_rows_state(&rows, record.addr)) == ROW_FAILED)
			return 0;
		/* The name goes on with its other address. */
		if (hf_ledger_row_is_there(hf_ledger_rows_state(&rows, record.addr)))
			return push_put(p, &record, hf_ledger_rows_state(&rows, record.addr), row);
	}
	take.record.name = row->name;
	memcpy(take.record.addr, row->addr, sizeof(take.record.addr));
	take.record.primary = row->state & ROW_PRIMARY;
	if (has_to_stay(p, row))
		return hf_outbox_set_aside(p->env.outbox, &take, row->state, ROW_FAILED,
		    "it stays until the name that comes in its place could be put");
	return hf_outbox_push(p->env.outbox, &take, row->state, ROW_NONE);
}

/* The log, or repairs: name by name. */
static int take_item(struct hf_pass *p, const struct hf_item *item)
{
	struct hf_record record;
	struct hf_rows rows;
	int rc;

	/* A repair knows what should be there, but not that nothing else should. */
	if (item->flags & HF_ITEM_AGAIN)
		return 0;
	rc = record_of(item, &record);
	if (!rc)
		rc = hf_ledger_rows(&p->env.outbox->ledger, &record.name, &rows);
	for (size_t i = 0; !rc && i < rows.n; i++)
		rc = pass_take_row(p, &rows.at[i], item);
	return rc;
}

/* Everything: what is owned and what is wanted, both in the order of their names, side by side. */
static int take_owned(const struct hf_owned *row, void *arg)
{
	struct hf_pass *p = arg;
	char text[HF_NAME_TEXT_MAX];
	struct hf_item item;
	bool any, same;

	hf_name_text(&row->name, text);
	while ((any = hf_wanted_at(p->picture, &item)) && strcmp(item.text, text) < 0)
		hf_wanted_next(p->picture);
	same = any && !strcmp(item.text, text);
	p->last = *row;
	p->has_last = true;
	return pass_take_row(p, row, same ? &item : NULL);
}

static int more_of_all(struct hf_pass *p)
{
	struct hf_owned last = p->last;
	bool had = p->has_last;
	int rc;

	p->has_last = false;
	rc = hf_store_owned_after(p->env.peer->store, p->env.outbox->ledger.adapter,
	    had ? &last : NULL, TAKE_ROWS, take_owned, p);
	if (rc)
		p->last = last;
	if (!rc && !p->has_last)
		p->ended = true;
	p->has_last = p->has_last || had;
	return rc;
}

static int more_takes(struct hf_pass *p)
{
	return p->full ? more_of_all(p) : pass_gather(p, take_item);
}

struct hf_feed_step hf_pass_take(struct hf_pass *p)
{
	if (!is_through(p))
		return work_off(p, more_takes);
	p->state = PASS_SEEING_OFF;
	return hf_feed_again();
}
