/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/unbound/module_core.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/counters_query.h"
#include "plugin/unbound/module_location.h"
#include "zone/answer.h"

enum { SEATS_MAX = 256, TROUBLE_SIZE = 300 };

/* A thread's own. */
struct seat {
	struct hf_zone_reader *reader;
	struct hf_counters *own;
	struct hf_answer answer;
	struct seat *next;
};

struct hf_module_core {
	uint64_t life;
	struct hf_module_location place;
	struct hf_zone *zone;
	pthread_mutex_t lock; /* of the list */
	struct seat *seats;   /* owned, all of them */
	size_t n_seats;
	struct hf_counters *sets;           /* SEATS_MAX; touched only as far as there are seats */
	_Atomic int64_t news_s;             /* when news were last looked for */
	char said[HF_MODULE_CORE_NEWS_MAX]; /* the last news */
};

/* The seat of this thread, and whose: unbound ends a module and makes another one at a reload. */
static _Thread_local struct {
	uint64_t life;
	struct seat *seat;
} mine;

static uint64_t next_life(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

int hf_module_core_new(const struct hf_module_location *place, const struct hf_clock *clock,
    struct hf_module_core **ret_plug)
{
	struct hf_module_core *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	p->life = next_life();
	p->place = *place;
	p->sets = aligned_alloc(_Alignof(struct hf_counters), SEATS_MAX * sizeof(*p->sets));
	if (p->sets)
		memset(p->sets, 0, SEATS_MAX * sizeof(*p->sets));
	if (!p->sets || hf_zone_open(place->zone, clock, &p->zone)) {
		hf_module_core_free(p);
		return -ENOMEM;
	}
	hf_zone_keep_up(p->zone);
	*ret_plug = p;
	return 0;
}

void hf_module_core_begin(struct hf_module_core *p)
{
	hf_zone_begin(p->zone);
}

void hf_module_core_free(struct hf_module_core *p)
{
	if (!p)
		return;
	while (p->seats) {
		struct seat *s = p->seats;

		p->seats = s->next;
		hf_zone_reader_free(s->reader);
		free(s);
	}
	hf_zone_close(p->zone);
	pthread_mutex_destroy(&p->lock);
	free(p->sets);
	free(p);
}

static struct seat *sit_down(struct hf_module_core *p)
{
	struct seat *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (hf_zone_reader_new(p->zone, &s->reader)) {
		free(s);
		return NULL;
	}
	pthread_mutex_lock(&p->lock);
	/*
	 * So many threads are not to be expected; those beyond share a set, and may lose a count.
	 */
	s->own = &p->sets[p->n_seats < SEATS_MAX ? p->n_seats++ : SEATS_MAX - 1];
	s->next = p->seats;
	p->seats = s;
	pthread_mutex_unlock(&p->lock);
	mine.life = p->life;
	mine.seat = s;
	return s;
}

static struct seat *seat_of(struct hf_module_core *p)
{
	return mine.life == p->life ? mine.seat : sit_down(p);
}

/* There is no zone: what the file beside the module says is all that is known. */
static void answer_without_zone(
    const struct hf_module_core *p, const struct hf_question *q, struct hf_answer *ret_answer)
{
	for (size_t i = 0; i < p->place.n_suffixes; i++) {
		hf_answer_unpublished(&p->place.suffixes[i], p->place.not_ready, q, ret_answer);
		if (ret_answer->ours)
			return;
	}
	ret_answer->ours = false;
}

const struct hf_answer *hf_module_core_ask(
    struct hf_module_core *p, const struct hf_module_core_question *q)
{
	struct hf_question question = { NULL, q->type, q->class, q->from_loopback };
	struct seat *s = seat_of(p);
	struct hf_name name;

	if (!s || hf_name_from_wire(q->name, q->name_len, &name) < 0)
		return NULL;
	question.name = &name;
	if (!hf_zone_reader_refresh(s->reader))
		answer_without_zone(p, &question, &s->answer);
	else if (hf_counters_query(s->reader, &question, p->sets, SEATS_MAX, "unbound", &s->answer))
		return &s->answer;
	else
		hf_answer(s->reader, &question, &s->answer);
	if (!s->answer.ours)
		return NULL;
	hf_counters_add_answer(s->own, &s->answer);
	return &s->answer;
}

void hf_module_core_rest(struct hf_module_core *p)
{
	if (mine.life == p->life)
		hf_zone_reader_rest(mine.seat->reader);
}

static enum hf_module_core_news news_describe(
    const struct hf_module_core *p, const struct seat *s, char out[static HF_MODULE_CORE_NEWS_MAX])
{
	const char *meanwhile = "";
	char trouble[TROUBLE_SIZE];
	bool has_picture = hf_zone_reader_refresh(s->reader);

	if (hf_zone_trouble(p->zone, trouble, sizeof(trouble)) > 0) {
		if (!has_picture)
			meanwhile = p->place.n_suffixes
					? "; until it is there its names are not ready"
					: "; until it is there its names are passed on";
		snprintf(out, HF_MODULE_CORE_NEWS_MAX, "%s%s", trouble, meanwhile);
		return HF_MODULE_CORE_TROUBLE;
	}
	if (!has_picture)
		return HF_MODULE_CORE_NOTHING; /* it is being loaded */
	snprintf(out, HF_MODULE_CORE_NEWS_MAX, "answers out of %.400s", p->place.zone);
	return HF_MODULE_CORE_GOOD;
}

enum hf_module_core_news hf_module_core_news(
    struct hf_module_core *p, int64_t now_s, char out[static HF_MODULE_CORE_NEWS_MAX])
{
	int64_t last = atomic_load_explicit(&p->news_s, memory_order_relaxed);
	enum hf_module_core_news kind;
	struct seat *s;

	if (now_s == last || !atomic_compare_exchange_strong(&p->news_s, &last, now_s))
		return HF_MODULE_CORE_NOTHING;
	s = seat_of(p);
	kind = s ? news_describe(p, s, out) : HF_MODULE_CORE_NOTHING;
	/* A turn lasts a second: nobody else is here, but one that was stopped for so long. */
	pthread_mutex_lock(&p->lock);
	if (kind == HF_MODULE_CORE_NOTHING || !strcmp(p->said, out))
		kind = HF_MODULE_CORE_NOTHING;
	else
		memcpy(p->said, out, HF_MODULE_CORE_NEWS_MAX);
	pthread_mutex_unlock(&p->lock);
	return kind;
}
