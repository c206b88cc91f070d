/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are in trouble by themselves: the adapter could not do them, or what was taken is
 * still answered. They keep a row in the ledger, so that no restart forgets them, and are drawn
 * into a pass when they are due. And names that are left out: they come into full passes.
 */
#include <stdio.h>

#include "base/log.h"
#include "bridge/feed/outbox.h"

enum { DUE_MAX = 16 }; /* of one catching up: the others wait for what they take */

uint64_t hf_outbox_n_aside(const struct hf_outbox *o)
{
	return o->ledger.counts[ROW_FAILED] + o->ledger.counts[ROW_STUCK];
}

int hf_outbox_set_aside(struct hf_outbox *o, const struct hf_change *change, uint8_t before,
    enum hf_row row, const char *why)
{
	const struct hf_record *r = &change->record;
	uint8_t state = (uint8_t)(row | (r->primary ? ROW_PRIMARY : 0));
	int64_t cost = row == ROW_FAILED ? 2 * (hf_feed_peer_now(o->peer) - o->sent_at) : 0;

	if (!hf_aside_failed(&o->aside, r, change->op == HF_CHANGE_TAKE, (uint8_t)row, cost, why) &&
	    !o->skipped_at)
		o->skipped_at = hf_feed_peer_now(o->peer) + o->skipped_ms;
	return hf_ledger_set(&o->ledger, &r->name, r->addr, before, state);
}

void hf_outbox_not_aside(struct hf_outbox *o, const struct hf_name *name, const uint8_t addr[16])
{
	hf_aside_drop(&o->aside, name, addr);
}

/* --- tried again --- */

/* 1: it is not aside any more. */
static int draw_due(struct hf_outbox *o, const struct hf_aside_change *c, struct hf_wanted *picture)
{
	uint8_t flags = c->take ? HF_ITEM_ABSENT | HF_ITEM_ONE : 0;
	struct hf_rows rows;
	int rc = hf_ledger_rows(&o->ledger, &c->record.name, &rows);

	if (rc)
		return rc;
	if (!hf_ledger_row_is_aside(hf_ledger_rows_state(&rows, c->record.addr)))
		return 1;
	if (!c->take && c->record.primary)
		flags |= HF_ITEM_PRIMARY;
	return hf_wanted_add(picture, &c->record.name, c->record.addr, flags);
}

/* Of a name that is to be put what is to be taken goes with that: the last one counts. */
int hf_outbox_draw_aside(struct hf_outbox *o, struct hf_wanted *picture)
{
	const struct hf_aside_change *c;
	struct hf_record r;
	unsigned n = 0;

	for (int put = 0; put < 2; put++) {
		while (n < DUE_MAX && (c = hf_aside_next(&o->aside, !put))) {
			int rc;

			r = c->record;
			rc = draw_due(o, c, picture);
			if (rc < 0)
				return rc;
			if (rc)
				hf_aside_drop(&o->aside, &r.name, r.addr);
			n += !rc;
		}
	}
	return 0;
}

/* --- told --- */

const char *hf_outbox_aside_why(struct hf_outbox *o, enum hf_row row)
{
	const struct hf_aside_change *c = hf_aside_first(&o->aside, (uint8_t)row);
	char *why = o->aside_why[row == ROW_STUCK], name[HF_NAME_TEXT_MAX];

	why[0] = '\0';
	if (c)
		snprintf(why, HF_FEED_WHY_MAX, "'%.150s'%s%s", hf_name_text(&c->record.name, name),
		    c->why[0] ? ": " : "", c->why);
	return why;
}

static void tell_aside(struct hf_outbox *o)
{
	static const struct {
		enum hf_row row;
		const char *text;
	} tell[] = {
		{ ROW_FAILED, "names could not be put or taken there" },
		{ ROW_STUCK, "names were taken and are not seen to be gone: others may have them" },
	};

	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = o->ledger.counts[tell[i].row];

		if (n)
			hf_fault_set(&o->aside_fault[i], o->peer->clock, HF_LOG_WARN,
			    "%s: %llu %s (%s); tried again by themselves", o->peer->who,
			    (unsigned long long)n, tell[i].text,
			    hf_outbox_aside_why(o, tell[i].row));
		else
			hf_fault_clear(&o->aside_fault[i], o->peer->clock, o->peer->who);
	}
}

/* --- left out --- */

void hf_outbox_note_skipped(struct hf_outbox *o, enum hf_row row, const struct hf_name *name)
{
	char text[HF_NAME_TEXT_MAX];

	snprintf(o->skipped_name[row == ROW_UNFIT], sizeof(o->skipped_name[0]), "%.250s",
	    hf_name_text(name, text));
}

uint64_t hf_outbox_n_skipped(const struct hf_outbox *o)
{
	return o->ledger.counts[ROW_CLASH] + o->ledger.counts[ROW_UNFIT];
}

int64_t hf_outbox_skipped_wait(const struct hf_outbox *o)
{
	int64_t wait = o->skipped_at - hf_feed_peer_now(o->peer);

	if (!o->skipped_at)
		return -1;
	return wait > 0 ? wait : 0;
}

void hf_outbox_loaded(struct hf_outbox *o)
{
	if (hf_outbox_n_skipped(o))
		o->skipped_at = hf_feed_peer_now(o->peer) + o->skipped_ms;
}

static void tell_skipped(struct hf_outbox *o)
{
	static const char *const texts[] = { "names belong to others there and are left alone",
		"names do not fit there" };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = o->ledger.counts[i ? ROW_UNFIT : ROW_CLASH];

		if (n)
			hf_fault_set(&o->skipped_fault[i], o->peer->clock, HF_LOG_WARN,
			    "%s: %llu %s (such as '%s'); tried again from time to time",
			    o->peer->who, (unsigned long long)n, texts[i], o->skipped_name[i]);
		else
			hf_fault_clear(&o->skipped_fault[i], o->peer->clock, o->peer->who);
	}
}

void hf_outbox_passed(struct hf_outbox *o, bool full)
{
	bool skipped = hf_outbox_n_skipped(o);

	tell_skipped(o);
	tell_aside(o);
	if (full && skipped) {
		/* Those that were tried now and are there still are tried less and less. */
		o->skipped_at = hf_feed_peer_now(o->peer) + o->skipped_wait_ms;
		if (o->skipped_wait_ms < 10 * o->skipped_ms)
			o->skipped_wait_ms *= 2;
	} else if (skipped && !o->skipped_at) {
		o->skipped_at = hf_feed_peer_now(o->peer) + o->skipped_ms;
	}
	if (!skipped) {
		o->skipped_at = 0;
		o->skipped_wait_ms = o->skipped_ms;
	}
}
