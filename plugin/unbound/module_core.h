/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * module_core: all of the module but unbound. One plug a process, any number of threads; each gets a seat
 * of its own (its view of the zone, its counters) at its first question. Knows nothing of unbound.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_answer;
struct hf_clock;
struct hf_place;
struct hf_plug;

/*
 * Reads nothing and starts no thread before the first question or hf_plug_begin(): who forks first
 * does no harm. From then on a thread looks at the zone each second, asked or not. Copies `place`; `clock` is borrowed and outlives it. 0 or -ENOMEM. The caller owns *ret_plug; end
 * it with hf_plug_free().
 */
int hf_plug_new(
    const struct hf_place *place, const struct hf_clock *clock, struct hf_plug **ret_plug);
/*
 * The process forks no more: the zone is loaded now, by its thread, and not by the first question.
 */
void hf_plug_begin(struct hf_plug *p);
/* No thread may ask any more. Joins the zone's thread. NULL is fine. */
void hf_plug_free(struct hf_plug *p);

/* A question as unbound has it: the name in wire form. */
struct hf_plug_question {
	const uint8_t *name;
	size_t name_len;
	uint16_t type;
	uint16_t class;
	bool from_loopback;
};

/* The answer, or NULL if it is none of ours. Lent until this thread's next question. */
const struct hf_answer *hf_plug_ask(struct hf_plug *p, const struct hf_plug_question *q);

/*
 * This thread is through with what was lent: an old picture of the zone is not kept for it until its
 * next question, which may come in the morning.
 */
void hf_plug_rest(struct hf_plug *p);

enum { HF_PLUG_NEWS_MAX = 512 };
enum hf_plug_news { HF_PLUG_NOTHING, HF_PLUG_GOOD, HF_PLUG_TROUBLE };

/*
 * Something to log, if anything has changed since the last time that there was: a line without its
 * end in `out`. Looked for by one thread when `now_s`, any clock's seconds, is another than the
 * last time; costs next to nothing otherwise. What was lent before ends here.
 */
enum hf_plug_news hf_plug_news(struct hf_plug *p, int64_t now_s, char out[static HF_PLUG_NEWS_MAX]);
