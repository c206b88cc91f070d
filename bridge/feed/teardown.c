/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/teardown.h"

#include <string.h>

#include "base/log.h"

/*
 * Rows go, and how far it came would say that nothing is to be done: should it be cut off and be
 * configured again, all that is wanted is compared with what is left. It is written with the rows.
 */
static void begin_anew_then(struct hf_ledger *l)
{
	if (l->cursor.generation)
		hf_ledger_reached(l, hf_store_epoch(l->store), 0, true);
}

void hf_teardown_begin(struct hf_feed_teardown *t, bool unreached)
{
	t->unreached = unreached;
	t->ended = t->has_last = false;
	t->n_taken = 0;
	t->n_emptied = 0;
	t->outbox->empty_done = false;
	begin_anew_then(&t->outbox->ledger);
}

void hf_teardown_told(void *arg, const struct hf_change *change, enum hf_fate fate)
{
	struct hf_feed_teardown *t = arg;

	t->n_taken += fate == HF_FATE_DONE;
}

static int take_any(const struct hf_owned *row, void *arg)
{
	struct hf_change c = { .op = HF_CHANGE_TAKE,
		.record.name = row->name,
		.record.primary = row->state & ROW_PRIMARY };
	struct hf_feed_teardown *t = arg;

	t->last = *row;
	t->has_last = true;
	if (!hf_ledger_row_may_be_there(row->state))
		return hf_ledger_gone(&t->outbox->ledger, &row->name, row->addr, row->state);
	memcpy(c.record.addr, row->addr, sizeof(c.record.addr));
	return hf_outbox_push(t->outbox, &c, row->state, ROW_NONE);
}

/*
 * The zones themselves, and then the ledger. Where nothing ever was, one attempt is enough: a slip
 * in a path is reached never.
 */
static struct hf_feed_step last_things(struct hf_feed_teardown *t)
{
	bool give_up = t->unreached && t->n_emptied;
	const struct hf_feed_peer *peer = t->peer;
	int rc;

	if (!t->outbox->empty_done && !give_up) {
		t->n_emptied++;
		peer->type->zones(peer->adapter, t->zones->now, 0, t->zones->ttl_s);
		hf_outbox_send_empty(t->outbox);
		return hf_feed_on_event();
	}
	rc = hf_ledger_forget(&t->outbox->ledger);
	if (rc)
		return hf_feed_store_refused(rc);
	if (t->outbox->empty_done)
		hf_log_info("%s: all %llu names of ours were taken out of it", peer->who,
		    (unsigned long long)t->n_taken);
	else
		hf_log_info(
		    "%s: it never had a name of ours, and is not tried any more", peer->who);
	hf_outbox_drop(t->outbox);
	t->clean = true;
	return hf_feed_on_event();
}

struct hf_feed_step hf_teardown_step(struct hf_feed_teardown *t)
{
	struct hf_outbox *o = t->outbox;
	struct hf_owned last = t->last;
	bool had = t->has_last;
	int64_t wait;
	int rc;

	if (hf_outbox_is_out(o))
		return hf_feed_on_event();
	if (!hf_outbox_is_empty(o))
		return hf_outbox_send(o, 0);
	if (t->ended && !o->ledger.counts[ROW_FAILED])
		return last_things(t);
	rc = hf_ledger_flush(&o->ledger);
	if (rc)
		return hf_feed_store_refused(rc);
	/* Those that could not be taken are left: once more, when one of them is due. */
	if (t->ended) {
		wait = hf_aside_wait(&o->aside);
		if (wait > 0)
			return hf_feed_in_ms(wait);
		had = false;
	}
	t->has_last = false;
	rc = hf_store_owned_after(
	    t->peer->store, o->ledger.adapter, had ? &last : NULL, hf_outbox_room(o), take_any, t);
	if (rc < 0)
		return hf_feed_store_refused(rc);
	t->ended = !t->has_last;
	o->empty_done = false;
	return hf_feed_again();
}
