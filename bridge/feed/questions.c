/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/feed/questions.h"

void hf_questions_ask(struct hf_questions *q, enum hf_feed_asking what)
{
	q->asking = what;
	q->peer->type->verify(q->peer->adapter, q->at, q->n);
}

enum hf_feed_asking hf_questions_answered(struct hf_questions *q)
{
	enum hf_feed_asking what = q->asking;

	q->asking = ASK_NOTHING;
	return what;
}

void hf_questions_tally(
    const struct hf_questions *q, int code, struct hf_questions_tally *ret_tally)
{
	struct hf_questions_tally t = { .first_bad = q->n };
	size_t first_silent = q->n;

	for (size_t i = 0; i < q->n; i++) {
		switch (code ? HF_IS_UNKNOWN : q->at[i].is) {
		case HF_IS_SO:
			t.right++;
			break;
		case HF_IS_FOREIGN:
			t.foreign++;
			break;
		case HF_IS_NOT_SO:
			if (!t.wrong++)
				t.first_bad = i;
			break;
		case HF_IS_UNKNOWN:
			if (!t.silent++)
				first_silent = i;
			break;
		}
	}
	if (!t.wrong)
		t.first_bad = first_silent;
	*ret_tally = t;
}
