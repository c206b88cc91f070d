/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * feed_step: what a step of one of the feed's objects, or an answer of the adapter, has come to.
 * The objects only say it: what a failure means, and when it is tried again, is decided in feed.c.
 */
#include <stdbool.h>
#include <stdint.h>

struct hf_feed_step {
	enum hf_feed_next {
		HF_STEP_AGAIN,    /* there is more to do, at once */
		HF_STEP_IN_MS,    /* in `ms` milliseconds, or earlier if something happens */
		HF_STEP_ON_EVENT, /* when something happens */
		HF_STEP_FAILED,   /* it could not be done: `code`, and `text` for people */
	} next;
	int64_t ms;
	int code;
	const char *text; /* lent by the object until its next step */
	bool store;       /* FAILED: the store refused, not the resolver; -EBUSY is no trouble */
	bool well;        /* the resolver did what it was asked for */
};

static inline struct hf_feed_step hf_feed_again(void)
{
	return (struct hf_feed_step){ .next = HF_STEP_AGAIN };
}

static inline struct hf_feed_step hf_feed_well(void)
{
	return (struct hf_feed_step){ .next = HF_STEP_AGAIN, .well = true };
}

static inline struct hf_feed_step hf_feed_in_ms(int64_t ms)
{
	return (struct hf_feed_step){ .next = HF_STEP_IN_MS, .ms = ms };
}

static inline struct hf_feed_step hf_feed_on_event(void)
{
	return (struct hf_feed_step){ .next = HF_STEP_ON_EVENT };
}

static inline struct hf_feed_step hf_feed_step_failed(int code, const char *text)
{
	return (struct hf_feed_step){ .next = HF_STEP_FAILED, .code = code, .text = text };
}

static inline struct hf_feed_step hf_feed_store_refused(int code)
{
	return (
	    struct hf_feed_step){ .next = HF_STEP_FAILED, .code = code, .text = "", .store = true };
}
