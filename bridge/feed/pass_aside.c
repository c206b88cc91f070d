/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are in trouble by themselves: the adapter could not do them, or what was taken is
 * still answered. They keep a row in the ledger, so that no restart forgets them, and are drawn
 * into a catching up when they are due.
 */
#include <stdio.h>

#include "bridge/feed/feed_private.h"

enum { DUE_MAX = 16 }; /* of one catching up: the others wait for what they take */

uint64_t hf_pass_n_aside(const struct hf_feed *f)
{
	return f->ledger.counts[ROW_FAILED] + f->ledger.counts[ROW_STUCK];
}

int hf_pass_set_aside(struct hf_feed *f, const struct hf_change *change, uint8_t before,
    enum hf_row row, const char *why)
{
	const struct hf_record *r = &change->record;
	uint8_t state = (uint8_t)(row | (r->primary ? ROW_PRIMARY : 0));
	int64_t cost = row == ROW_FAILED ? 2 * (hf_feed_now(f) - f->todo.sent_at) : 0;

	if (!hf_aside_failed(&f->aside, r, change->op == HF_CHANGE_TAKE, (uint8_t)row, cost, why) &&
	    !f->skipped_at)
		f->skipped_at = hf_feed_now(f) + f->skipped_ms;
	return hf_ledger_set(&f->ledger, &r->name, r->addr, before, state);
}

void hf_pass_not_aside(struct hf_feed *f, const struct hf_name *name, const uint8_t addr[16])
{
	hf_aside_drop(&f->aside, name, addr);
}

/* --- tried again --- */

/* 1: it is not aside any more. */
static int draw_due(struct hf_feed *f, const struct hf_aside_change *c)
{
	uint8_t flags = c->take ? HF_ITEM_ABSENT | HF_ITEM_ONE : 0;
	struct hf_rows rows;
	int rc = hf_ledger_rows(&f->ledger, &c->record.name, &rows);

	if (rc)
		return rc;
	if (!hf_ledger_row_is_aside(hf_ledger_rows_state(&rows, c->record.addr)))
		return 1;
	if (!c->take && c->record.primary)
		flags |= HF_ITEM_PRIMARY;
	return hf_wanted_add(f->run.picture, &c->record.name, c->record.addr, flags);
}

/* Of a name that is to be put what is to be taken goes with that: the last one counts. */
int hf_pass_draw_aside(struct hf_feed *f)
{
	const struct hf_aside_change *c;
	struct hf_record r;
	unsigned n = 0;

	for (int put = 0; put < 2; put++) {
		while (n < DUE_MAX && (c = hf_aside_next(&f->aside, !put))) {
			int rc;

			r = c->record;
			rc = draw_due(f, c);
			if (rc < 0)
				return rc;
			if (rc)
				hf_aside_drop(&f->aside, &r.name, r.addr);
			n += !rc;
		}
	}
	return 0;
}

/* --- told --- */

const char *hf_pass_aside_why(struct hf_feed *f, enum hf_row row)
{
	const struct hf_aside_change *c = hf_aside_first(&f->aside, (uint8_t)row);
	char *why = f->aside_why[row == ROW_STUCK], name[HF_NAME_TEXT_MAX];

	why[0] = '\0';
	if (c)
		snprintf(why, HF_FEED_TEXT_MAX, "'%.100s'%s%.140s",
		    hf_name_text(&c->record.name, name), c->why[0] ? ": " : "", c->why);
	return why;
}

void hf_pass_tell_aside(struct hf_feed *f)
{
	static const struct {
		enum hf_row row;
		const char *text;
	} tell[] = {
		{ ROW_FAILED, "names could not be put or taken there" },
		{ ROW_STUCK, "names were taken and are not seen to be gone: others may have them" },
	};

	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = f->ledger.counts[tell[i].row];

		if (n)
			hf_fault_set(&f->aside_fault[i], f->env.clock, HF_LOG_WARN,
			    "%s: %llu %s (%s); tried again by themselves", f->who,
			    (unsigned long long)n, tell[i].text, hf_pass_aside_why(f, tell[i].row));
		else
			hf_fault_clear(&f->aside_fault[i], f->env.clock, f->who);
	}
}
