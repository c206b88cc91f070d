/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/dns_pace.h"

enum {
	SECOND_US = 1000 * 1000,
	BURST_US = 20 * 1000, /* what is not asked in one moment may be made up for in the next */
	FIRST_RATE = 250,
	LEAST_RATE = 10,        /* however much is lost */
	DOUBLE_US = 100 * 1000, /* while nothing was lost */
	GROW_US = SECOND_US,    /* after that */
};

static uint32_t pace_top(const struct hf_dns_pace *p)
{
	uint32_t half = p->limit > 2 ? p->limit / 2 : 1;

	return p->limit && half < p->top ? half : p->top;
}

static void pace_set(struct hf_dns_pace *p, uint32_t rate, int64_t now_us)
{
	p->rate = rate < LEAST_RATE ? LEAST_RATE : rate;
	if (p->rate > pace_top(p))
		p->rate = pace_top(p);
	p->grown_us = now_us;
	p->sent = 0;
}

void hf_dns_pace_init(struct hf_dns_pace *p, uint32_t top)
{
	*p = (struct hf_dns_pace){ .top = top };
	pace_set(p, FIRST_RATE, 0);
	p->slowed_us = -1;
}

void hf_dns_pace_limit(struct hf_dns_pace *p, uint32_t limit)
{
	if (p->told && limit == p->limit)
		return;
	p->told = true;
	p->limit = limit;
	p->borne = 0;
	pace_set(p, limit ? FIRST_RATE : p->top, p->grown_us);
}

/*
 * Only a rate that was made use of has shown anything. Well above what was borne once, that was no
 * limit, only a server that was busy.
 */
static void pace_grow(struct hf_dns_pace *p, int64_t now_us)
{
	int64_t since_us = now_us - p->grown_us;
	uint32_t rate = p->rate;

	if (rate > p->borne / 4 * 5)
		p->borne = 0;
	if (since_us < (p->borne ? GROW_US : DOUBLE_US))
		return;
	p->unused = (int64_t)p->sent * SECOND_US * 2 < since_us * rate;
	if (p->unused)
		; /* it stays */
	else if (!p->borne)
		rate *= 2;
	else if (rate < p->borne / 4 * 3)
		rate += p->borne / 8 + 1;
	else
		rate += rate / (rate < p->borne ? 100 : 50) + 1;
	pace_set(p, rate, now_us);
}

bool hf_dns_pace_take(struct hf_dns_pace *p, int64_t now_us)
{
	if (p->ready_us > now_us)
		return false;
	pace_grow(p, now_us);
	if (p->ready_us < now_us - BURST_US)
		p->ready_us = now_us - BURST_US;
	p->ready_us += SECOND_US / p->rate;
	p->sent++;
	return true;
}

void hf_dns_pace_heard(struct hf_dns_pace *p, int64_t now_us)
{
	int64_t since_us = now_us - p->second_us;

	if (since_us >= SECOND_US) {
		p->heard_before = since_us < 2 * SECOND_US ? p->heard : 0;
		p->heard = 0;
		p->second_us = now_us;
	}
	p->heard++;
	p->heard_us = now_us;
}

/*
 * Limits are of a second: a server that answers nobody for longer has shown none, and is asked as
 * slowly as at first. One that falls silent for a while says the same with many losses: each takes
 * a quarter at most.
 */
void hf_dns_pace_lost(struct hf_dns_pace *p, int64_t sent_us, int64_t now_us)
{
	uint32_t heard = p->heard > p->heard_before ? p->heard : p->heard_before;

	if (sent_us <= p->slowed_us)
		return;
	p->slowed_us = now_us;
	if (now_us - p->heard_us >= SECOND_US) {
		heard = p->borne = 0;
	} else if (p->unused) {
		pace_set(p, p->rate < FIRST_RATE ? p->rate : FIRST_RATE, now_us);
		return;
	}
	if (heard < p->borne / 4 * 3)
		heard = p->borne / 4 * 3;
	p->borne = heard;
	pace_set(p, heard ? heard / 2 : FIRST_RATE, now_us);
}
