/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One catching up: what is wanted is drawn out of the store, what is missing or other is put, the
 * resolver is asked for it, and only then what is stale is taken.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "bridge/feed/feed_private.h"

enum { DRAW_NAMES = 256, TAKE_ROWS = 128, FLUSH_ROWS = 2048 };

static bool slice_is_over(const struct hf_feed *f, int64_t begun)
{
	return hf_feed_now(f) - begun >= HF_FEED_SLICE_MS;
}

/* --- beginning --- */

static int pass_begin(struct hf_feed *f, uint64_t target)
{
	struct hf_pass *r = &f->run;

	hf_pass_drop(f);
	f->n_runs++;
	r->target = target;
	r->begun_at = hf_feed_now(f);
	memcpy(r->epoch, hf_store_epoch(f->env.store), sizeof(r->epoch));
	return hf_wanted_new(&r->picture);
}

static int64_t pass_sealed(struct hf_feed *f)
{
	int rc = hf_wanted_seal(f->run.picture);

	if (rc) {
		hf_pass_drop(f);
		return hf_feed_store_failed(f, rc);
	}
	hf_feed_zones_tell(f);
	hf_feed_enter(f, FEED_PUTTING);
	return HF_FEED_AGAIN;
}

int64_t hf_pass_begin_full(struct hf_feed *f, bool refill)
{
	int rc = pass_begin(f, 0);

	if (!rc)
		rc = hf_store_walk_new(f->env.store, &f->run.walk);
	if (rc) {
		hf_pass_drop(f);
		return hf_feed_store_failed(f, rc);
	}
	f->run.full = true;
	f->run.refill = refill;
	f->run.fresh = refill || f->ledger.counts[ROW_PUT] + f->ledger.counts[ROW_TRIED] +
					 f->ledger.counts[ROW_STALE] ==
				     0;
	f->run.target = hf_store_walk_generation(f->run.walk);
	f->full = f->refill = false;
	hf_feed_enter(f, FEED_DRAWING);
	return HF_FEED_AGAIN;
}

static int draw_name(const struct hf_name_change *change, uint64_t generation, void *arg)
{
	struct hf_feed *f = arg;
	bool absent = change->removed || (change->flags & HF_REC_WITHDRAWN);

	if (absent && f->run.full)
		return 0;
	return hf_wanted_add(f->run.picture, &change->name, change->addr,
	    (uint8_t)((absent ? HF_ITEM_ABSENT : 0) |
		      (change->flags & HF_REC_PRIMARY ? HF_ITEM_PRIMARY : 0)));
}

/* What was not confirmed is put once more; what the log says of the same name counts. */
static int draw_unconfirmed(struct hf_feed *f)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < f->n_sample; i++) {
		const struct hf_expect *e = &f->sample[i];

		if (!e->absent)
			rc = hf_wanted_add(f->run.picture, &e->record.name, e->record.addr,
			    (uint8_t)(HF_ITEM_AGAIN | (e->record.primary ? HF_ITEM_PRIMARY : 0)));
	}
	return rc;
}

int64_t hf_pass_begin_log(struct hf_feed *f)
{
	uint64_t since = f->ledger.cursor.generation;
	bool unconfirmed = f->run.unconfirmed;
	int rc = pass_begin(f, hf_store_generation(f->env.store));

	f->run.unconfirmed = unconfirmed;
	if (!rc && unconfirmed)
		rc = draw_unconfirmed(f);
	if (!rc)
		rc = hf_pass_draw_aside(f);
	if (!rc)
		rc = hf_store_names_since(f->env.store, since, draw_name, f);
	if (rc == -ESTALE)
		return hf_pass_begin_full(f, unconfirmed);
	if (rc) {
		hf_pass_drop(f);
		return hf_feed_store_failed(f, rc);
	}
	f->sampled = f->n_sample = 0;
	return pass_sealed(f);
}

int64_t hf_pass_begin_repairs(struct hf_feed *f)
{
	struct hf_wanted *repairs = f->repairs;
	int rc;

	f->repairs = NULL;
	rc = pass_begin(f, f->ledger.cursor.generation);
	hf_wanted_free(f->run.picture);
	f->run.picture = repairs;
	f->sampled = f->n_sample = 0;
	if (rc) {
		hf_pass_drop(f);
		return hf_feed_store_failed(f, rc);
	}
	return pass_sealed(f);
}

int64_t hf_pass_draw(struct hf_feed *f)
{
	int64_t begun = hf_feed_now(f);
	int rc;

	do {
		rc = hf_store_walk_step(f->run.walk, DRAW_NAMES, draw_name, f);
	} while (rc == 1 && !slice_is_over(f, begun));
	if (rc == 1)
		return HF_FEED_AGAIN;
	hf_store_walk_free(f->run.walk);
	f->run.walk = NULL;
	if (rc) {
		hf_pass_drop(f);
		f->full = true;
		hf_feed_enter(f, FEED_IDLE);
		return hf_feed_store_failed(f, rc);
	}
	f->sampled = f->n_sample = 0;
	return pass_sealed(f);
}

void hf_pass_drop(struct hf_feed *f)
{
	hf_wanted_free(f->run.picture);
	hf_store_walk_free(f->run.walk);
	memset(&f->run, 0, sizeof(f->run));
	hf_outbox_drop(f);
}

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
static bool is_known_there(const struct hf_feed *f, uint8_t row)
{
	return hf_ledger_row_is_there(row) &&
	       (hf_ledger_row_of(row) != ROW_TRIED || f->type->verify);
}

static int push_put(
    struct hf_feed *f, const struct hf_record *record, uint8_t row, const struct hf_owned *was)
{
	struct hf_change c = { .op = HF_CHANGE_PUT, .record = *record };

	c.had = was || is_known_there(f, row);
	memcpy(c.was, was ? was->addr : record->addr, sizeof(c.was));
	return hf_outbox_push(f, &c, row, was ? was->state : ROW_NONE);
}

static int put_item(struct hf_feed *f, const struct hf_item *item)
{
	struct hf_record record;
	struct hf_rows rows;
	uint8_t row,
	    wanted = (uint8_t)(ROW_PUT | (item->flags & HF_ITEM_PRIMARY ? ROW_PRIMARY : 0));
	int rc = record_of(item, &record);

	if (!rc)
		rc = hf_ledger_rows(&f->ledger, &record.name, &rows);
	if (rc)
		return rc;
	row = hf_ledger_rows_state(&rows, record.addr);
	/* A repair of what went meanwhile. */
	if (item->flags & HF_ITEM_AGAIN && !hf_ledger_row_is_there(row))
		return 0;
	if (!f->run.refill && !(item->flags & HF_ITEM_AGAIN)) {
		/* Put by a run that was cut off, perhaps, before it was confirmed. */
		if (row == wanted && f->late)
			hf_pass_sample_add(f, &record, false);
		if (row == wanted)
			return 0;
		if (hf_ledger_row_of(row) == ROW_STALE &&
		    (row & ROW_PRIMARY) == (wanted & ROW_PRIMARY)) {
			hf_pass_sample_add(f, &record, false);
			return hf_ledger_set(&f->ledger, &record.name, record.addr, row, wanted);
		}
	}
	return push_put(
	    f, &record, row, is_known_there(f, row) ? NULL : other_row(&rows, record.addr));
}

/* Goes on over the picture until there is enough for the adapter, or time is up. */
static int pass_gather(
    struct hf_feed *f, int (*each)(struct hf_feed *f, const struct hf_item *item))
{
	int64_t begun = hf_feed_now(f);
	struct hf_item item;
	unsigned n = 0;
	int rc = 0;

	while (!rc && f->todo.n < hf_outbox_room(f) && hf_ledger_waiting(&f->ledger) < FLUSH_ROWS) {
		if (!hf_wanted_at(f->run.picture, &item)) {
			f->run.ended = true;
			return 0;
		}
		if (n++ % 16 == 15 && slice_is_over(f, begun))
			return 0;
		rc = each(f, &item);
		if (!rc)
			hf_wanted_next(f->run.picture);
	}
	return rc;
}

static int put_wanted(struct hf_feed *f, const struct hf_item *item)
{
	return item->flags & HF_ITEM_ABSENT ? 0 : put_item(f, item);
}

/*
 * An adapter whose resolver answers for what is taken as long as it is not told that all is there
 * is told before.
 */
static void complete_before_taking(struct hf_feed *f)
{
	if (f->phase != FEED_TAKING || f->run.completed)
		return;
	f->run.completed = true;
	hf_feed_complete(f, f->run.target);
}

/*
 * Gathers, or hands over what was gathered. HF_FEED_AGAIN with `ended` and nothing waiting:
 * through.
 */
static int64_t work_off(struct hf_feed *f, int (*more)(struct hf_feed *f))
{
	int64_t wait;
	int rc;

	if (hf_outbox_is_out(f))
		return HF_FEED_EVENT;
	if (!hf_outbox_is_empty(f) &&
	    (f->run.ended || f->todo.at || f->todo.n >= hf_outbox_room(f))) {
		complete_before_taking(f);
		return hf_outbox_send(f);
	}
	wait = hf_feed_flush(f, hf_ledger_waiting(&f->ledger) >= FLUSH_ROWS);
	if (wait)
		return wait - 1;
	rc = more(f);
	return rc ? hf_feed_store_failed(f, rc) : HF_FEED_AGAIN;
}

static int more_puts(struct hf_feed *f)
{
	return pass_gather(f, put_wanted);
}

int64_t hf_pass_put(struct hf_feed *f)
{
	if (f->run.ended && hf_outbox_is_empty(f) && !hf_outbox_is_out(f)) {
		hf_feed_enter(f, FEED_CONFIRMING);
		return HF_FEED_AGAIN;
	}
	return work_off(f, more_puts);
}

/* --- taking --- */

/* A row, and what is wanted of its name (NULL: nothing). */
static int pass_take_row(struct hf_feed *f, const struct hf_owned *row, const struct hf_item *item)
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
		return hf_ledger_gone(&f->ledger, &row->name, row->addr, row->state);
	if (wanted) {
		rc = record_of(item, &record);
		if (!rc)
			rc = hf_ledger_rows(&f->ledger, &record.name, &rows);
		if (rc)
			return rc;
		/* It stays until the other address could be put. */
		if (hf_ledger_row_of(hf_ledger_rows_state(&rows, record.addr)) == ROW_FAILED)
			return 0;
		/* The name goes on with its other address. */
		if (hf_ledger_row_is_there(hf_ledger_rows_state(&rows, record.addr)))
			return push_put(f, &record, hf_ledger_rows_state(&rows, record.addr), row);
	}
	take.record.name = row->name;
	memcpy(take.record.addr, row->addr, sizeof(take.record.addr));
	take.record.primary = row->state & ROW_PRIMARY;
	return hf_outbox_push(f, &take, row->state, ROW_NONE);
}

/* The log, or repairs: name by name. */
static int take_item(struct hf_feed *f, const struct hf_item *item)
{
	struct hf_record record;
	struct hf_rows rows;
	int rc;

	/* A repair knows what should be there, but not that nothing else should. */
	if (item->flags & HF_ITEM_AGAIN)
		return 0;
	rc = record_of(item, &record);
	if (!rc)
		rc = hf_ledger_rows(&f->ledger, &record.name, &rows);
	for (size_t i = 0; !rc && i < rows.n; i++)
		rc = pass_take_row(f, &rows.at[i], item);
	return rc;
}

/* Everything: what is owned and what is wanted, both in the order of their names, side by side. */
static int take_owned(const struct hf_owned *row, void *arg)
{
	struct hf_feed *f = arg;
	struct hf_wanted *p = f->run.picture;
	char text[HF_NAME_TEXT_MAX];
	struct hf_item item;
	bool any, same;

	hf_name_text(&row->name, text);
	while ((any = hf_wanted_at(p, &item)) && strcmp(item.text, text) < 0)
		hf_wanted_next(p);
	same = any && !strcmp(item.text, text);
	f->run.last = *row;
	f->run.has_last = true;
	return pass_take_row(f, row, same ? &item : NULL);
}

static int more_of_all(struct hf_feed *f)
{
	struct hf_owned last = f->run.last;
	bool had = f->run.has_last;
	int rc;

	f->run.has_last = false;
	rc = hf_store_owned_after(
	    f->env.store, f->ledger.adapter, had ? &last : NULL, TAKE_ROWS, take_owned, f);
	if (rc)
		f->run.last = last;
	if (!rc && !f->run.has_last)
		f->run.ended = true;
	f->run.has_last = f->run.has_last || had;
	return rc;
}

static int more_takes(struct hf_feed *f)
{
	return f->run.full ? more_of_all(f) : pass_gather(f, take_item);
}

int64_t hf_pass_take(struct hf_feed *f)
{
	if (f->run.ended && hf_outbox_is_empty(f) && !hf_outbox_is_out(f)) {
		hf_feed_enter(f, FEED_SEEING_OFF);
		return HF_FEED_AGAIN;
	}
	return work_off(f, more_takes);
}

/* --- the end --- */

static void tell_skipped(struct hf_feed *f)
{
	static const char *const texts[] = { "names belong to others there and are left alone",
		"names do not fit there" };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = f->ledger.counts[i ? ROW_UNFIT : ROW_CLASH];

		if (n)
			hf_fault_set(&f->skipped_fault[i], f->env.clock, HF_LOG_WARN,
			    "%s: %llu %s (such as '%s'); tried again from time to time", f->who,
			    (unsigned long long)n, texts[i], f->skipped_name[i]);
		else
			hf_fault_clear(&f->skipped_fault[i], f->env.clock, f->who);
	}
}

static void pass_tell_end(struct hf_feed *f)
{
	const struct hf_pass *r = &f->run;
	enum hf_log_level level = r->full && (r->n_put || r->n_taken) ? HF_LOG_INFO : HF_LOG_DEBUG;

	hf_log(level, "%s: has generation %llu: %llu names put, %llu taken in %lld ms", f->who,
	    (unsigned long long)r->target, (unsigned long long)r->n_put,
	    (unsigned long long)r->n_taken, (long long)(hf_feed_now(f) - r->begun_at));
	tell_skipped(f);
	hf_pass_tell_aside(f);
}

void hf_pass_finish(struct hf_feed *f)
{
	struct hf_pass *r = &f->run;
	bool changed = r->n_put || r->n_taken;
	bool skipped = f->ledger.counts[ROW_CLASH] + f->ledger.counts[ROW_UNFIT];

	hf_ledger_reached(&f->ledger, r->epoch, r->target, changed || r->full);
	pass_tell_end(f);
	hf_adopt_finished(f);
	hf_spot_check_passed(f);
	f->late = false;
	if (r->full && skipped) {
		/* Those that were tried now and are there still are tried less and less. */
		f->skipped_at = hf_feed_now(f) + f->skipped_wait_ms;
		if (f->skipped_wait_ms < 10 * f->skipped_ms)
			f->skipped_wait_ms *= 2;
	} else if (skipped && !f->skipped_at) {
		f->skipped_at = hf_feed_now(f) + f->skipped_ms;
	}
	if (!skipped) {
		f->skipped_at = 0;
		f->skipped_wait_ms = f->skipped_ms;
	}
	if (f->todo.n_failed < HF_FEED_FAILED_MAX)
		hf_retry_ok(&f->retry);
	if (changed || r->full || !f->completed)
		hf_feed_complete(f, r->target);
	hf_pass_drop(f);
	f->leave = f->n_old > 0;
	hf_feed_enter(f, FEED_IDLE);
}
