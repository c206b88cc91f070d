/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/settle.h"

#include <errno.h>
#include <string.h>

static int add_tried(const struct hf_owned *row, void *arg)
{
	struct hf_questions *q = arg;
	struct hf_expect *e = &q->at[q->n];

	if (q->n == HF_FEED_SAMPLE)
		return 1;
	*e = (struct hf_expect){ .record.name = row->name,
		.record.primary = row->state & ROW_PRIMARY };
	memcpy(e->record.addr, row->addr, sizeof(e->record.addr));
	q->rows[q->n++] = row->state;
	return 0;
}

int hf_settle_fill(struct hf_ledger *l, struct hf_questions *q)
{
	int rc;

	q->n = 0;
	rc = hf_store_owned_state(l->store, l->adapter, ROW_TRIED, add_tried, q);
	if (rc >= 0)
		rc = hf_store_owned_state(
		    l->store, l->adapter, ROW_TRIED | ROW_PRIMARY, add_tried, q);
	if (rc < 0)
		return rc;
	if (!q->n)
		l->counts[ROW_TRIED] = 0;
	return (int)q->n;
}

struct hf_feed_step hf_settle_answered(
    struct hf_ledger *l, const struct hf_questions *q, int code, const char *text)
{
	struct hf_questions_tally t;
	int rc = 0;

	hf_questions_tally(q, code, &t);
	for (size_t i = 0; !code && !rc && i < q->n; i++) {
		const struct hf_expect *e = &q->at[i];
		uint8_t row = q->rows[i];

		if (e->is == HF_IS_SO)
			rc = hf_ledger_set(l, &e->record.name, e->record.addr, row,
			    (uint8_t)(ROW_PUT | (row & ROW_PRIMARY)));
		else if (e->is != HF_IS_UNKNOWN)
			rc = hf_ledger_gone(l, &e->record.name, e->record.addr, row);
	}
	if (rc)
		return hf_feed_step_failed(rc, "what it answers cannot be kept");
	if (code || t.silent)
		return hf_feed_step_failed(code ? code : -ETIMEDOUT,
		    code && text && *text ? text : "it does not answer what it is asked");
	return hf_feed_well();
}
