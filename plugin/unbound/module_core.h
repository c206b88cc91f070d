/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * module_core: all of the module but unbound. There is one in a process, for any number of threads;
 * each gets a seat of its own (its view of the zone, its counters) at its first question. Knows
 * nothing of unbound.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_answer;
struct hf_clock;
struct hf_module_location;
struct hf_module_core;

/*
 * Reads nothing and starts no thread before the first question or hf_module_core_begin(): who forks
 * first does no harm. From then on a thread looks at the zone each second, asked or not. Copies
 * `place`; `clock` is borrowed and outlives it. 0 or -ENOMEM. The caller owns *ret_plug; end it
 * with hf_module_core_free().
 */
int hf_module_core_new(const struct hf_module_location *place, const struct hf_clock *clock,
    struct hf_module_core **ret_plug);
/*
 * The process forks no more: the zone is loaded now, by its thread, and not by the first question.
 */
void hf_module_core_begin(struct hf_module_core *p);
/* No thread may ask any more. Joins the zone's thread. NULL is fine. */
void hf_module_core_free(struct hf_module_core *p);

/* A question as unbound has it: the name in wire form. */
struct hf_module_core_question {
	const uint8_t *name;
	size_t name_len;
	uint16_t type;
	uint16_t class;
	bool from_loopback;
};

/* The answer, or NULL if it is none of ours. Lent until this thread's next question. */
const struct hf_answer *hf_module_core_ask(
    struct hf_module_core *p, const struct hf_module_core_question *q);

/*
 * This thread is through with what was lent: an old picture of the zone is not kept for it until
 * its next question, which may come in the morning.
 */
void hf_module_core_rest(struct hf_module_core *p);

enum { HF_MODULE_CORE_NEWS_MAX = 512 };
enum hf_module_core_news { HF_MODULE_CORE_NOTHING, HF_MODULE_CORE_GOOD, HF_MODULE_CORE_TROUBLE };

/*
 * Something to log, if anything has changed since the last time that there was: a line without its
 * end in `out`. Looked for by one thread when `now_s`, any clock's seconds, is another than the
 * last time; costs next to nothing otherwise. What was lent before ends here.
 */
enum hf_module_core_news hf_module_core_news(
    struct hf_module_core *p, int64_t now_s, char out[static HF_MODULE_CORE_NEWS_MAX]);
