/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * adapter_job: what an adapter is doing: one job at a time, as a row of steps. A step begins some
 * commands and questions, and the next one comes from the loop when all of them are back. What
 * fails first is kept: it is the reason that the host is told. When no job is under way the idle
 * callback begins the next one, if any is wanted.
 *
 *     hf_adapter_job_start(j, JOB_APPLY);
 *     hf_adapter_job_step(j, after_questions);
 *     for (...) {
 *             hf_adapter_job_wait(j);
 *             ask(..., on_answer);              // which calls hf_adapter_job_arrived()
 *     }
 *     hf_adapter_job_arrived(j);                // the step itself has begun all
 */
#include <stdbool.h>

struct event;
struct event_base;
struct hf_adapter;

typedef void (*hf_adapter_step)(struct hf_adapter *a);

enum { HF_ADAPTER_TEXT_MAX = 512 };

struct hf_adapter_job {
	struct hf_adapter *a; /* borrowed: whose it is */
	int kind;             /* the adapter's own number; 0: none is under way */
	int code;             /* the first trouble of the job, 0: none yet; and what it is */
	char text[HF_ADAPTER_TEXT_MAX];

	/* Its own. */
	struct event *turn; /* owned */
	hf_adapter_step then, idle;
	unsigned waiting;
};

/* `idle` may be NULL. 0 or -ENOMEM: done() is called all the same. */
int hf_adapter_job_init(
    struct hf_adapter_job *j, struct event_base *base, struct hf_adapter *a, hf_adapter_step idle);
/* No step and no idle callback comes any more. One that was never initialised (zero) is fine. */
void hf_adapter_job_done(struct hf_adapter_job *j);

/* `kind` is not 0, and no job is under way. */
void hf_adapter_job_start(struct hf_adapter_job *j, int kind);
bool hf_adapter_job_is_under_way(const struct hf_adapter_job *j);
/*
 * A step begins: `then` is called from the loop when all that it waits for has arrived. Whoever
 * begins it counts as one, so that nothing is over before all of it has begun.
 */
void hf_adapter_job_step(struct hf_adapter_job *j, hf_adapter_step then);
void hf_adapter_job_wait(struct hf_adapter_job *j);    /* one more to wait for */
void hf_adapter_job_arrived(struct hf_adapter_job *j); /* one is back */
/* Only the first one of a job is kept. */
void hf_adapter_job_fail(struct hf_adapter_job *j, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* It is over; the next one is begun by hf_adapter_job_next(). */
void hf_adapter_job_end(struct hf_adapter_job *j);
/* Where no job is under way: idle() is called, at once. */
void hf_adapter_job_next(struct hf_adapter_job *j);
