/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_answers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "adapters/adapter.h"

/* The host may end the adapter in it: nothing of `s` is touched after that. */
static void answers_give(struct hf_adapter_answers *s, enum hf_adapter_answer which)
{
	const struct hf_adapter_host *host = s->host;
	char text[HF_ADAPTER_TEXT_MAX];

	if (s->give && s->give[which]) {
		s->give[which](s->a);
		return;
	}
	switch (which) {
	case HF_ANSWER_LOST:
		memcpy(text, s->lost_why, sizeof(text));
		host->lost(host->arg, text);
		break;
	case HF_ANSWER_VERIFY:
		memcpy(text, s->verify_text, sizeof(text));
		host->verified(host->arg, s->verify_code, text);
		break;
	case HF_ANSWER_DOCTOR:
		host->examined(host->arg);
		break;
	default:
		break;
	}
}

static void on_answers_turn(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter_answers *s = arg;
	unsigned which = 0;

	while (which < HF_ANSWERS && !(s->due & 1U << which))
		which++;
	if (which == HF_ANSWERS)
		return;
	s->due &= ~(1U << which);
	if (s->due)
		event_active(s->turn, EV_TIMEOUT, 0);
	answers_give(s, (enum hf_adapter_answer)which);
}

int hf_adapter_answers_init(struct hf_adapter_answers *s, struct event_base *base,
    struct hf_adapter *a, const struct hf_adapter_host *host, const hf_adapter_step *give)
{
	memset(s, 0, sizeof(*s));
	s->a = a;
	s->host = host;
	s->give = give;
	s->turn = evtimer_new(base, on_answers_turn, s);
	return s->turn ? 0 : -ENOMEM;
}

void hf_adapter_answers_done(struct hf_adapter_answers *s)
{
	if (s->turn)
		event_free(s->turn);
	memset(s, 0, sizeof(*s));
}

void hf_adapter_answers_due(struct hf_adapter_answers *s, enum hf_adapter_answer which)
{
	s->due |= 1U << which;
	event_active(s->turn, EV_TIMEOUT, 0);
}

void hf_adapter_answers_lost(struct hf_adapter_answers *s, const char *why)
{
	snprintf(s->lost_why, sizeof(s->lost_why), "%s", why);
	hf_adapter_answers_due(s, HF_ANSWER_LOST);
}

void hf_adapter_answers_verified(struct hf_adapter_answers *s, int code, const char *text)
{
	s->verify_code = code;
	snprintf(s->verify_text, sizeof(s->verify_text), "%s", text);
	hf_adapter_answers_due(s, HF_ANSWER_VERIFY);
}

void hf_adapter_answers_examined(struct hf_adapter_answers *s)
{
	hf_adapter_answers_due(s, HF_ANSWER_DOCTOR);
}
