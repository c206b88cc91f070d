/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * survey: one DNS question to each of several places, all at once, on a loop.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/dns_client.h"
#include "config/config.h"

struct event_base;
struct hf_survey; /* opaque */

struct hf_survey_question {
	struct hf_endpoint at; /* an address that means "any" is asked on loopback */
	struct hf_name name;
	uint16_t type;
	uint32_t timeout_ms; /* of one try */
	unsigned tries;
	/* filled in: */
	bool done;
	struct hf_asked asked; /* code 0: it answered, whatever it says */
};

/*
 * Asks. `questions` are borrowed until `done` was called, which is once, from the loop, or until
 * hf_survey_free(). 0 or -ENOMEM.
 */
int hf_survey_new(struct event_base *base, struct hf_survey_question *questions, size_t n,
    void (*done)(void *arg), void *arg, struct hf_survey **ret_survey);
/* `done` is not called any more. Not within `done`. NULL is fine. */
void hf_survey_free(struct hf_survey *s);

/* The same with a loop of its own: waits until all are done. */
int hf_survey_wait(struct hf_survey_question *questions, size_t n);

enum { HF_ENDPOINT_TEXT_MAX = 64 };
/* "127.0.0.1@5453". Returns out. */
char *hf_front_endpoint_text(const struct hf_endpoint *at, char out[static HF_ENDPOINT_TEXT_MAX]);
bool hf_front_endpoint_parse(const char *text, struct hf_endpoint *ret_at);
bool hf_front_endpoint_equal(const struct hf_endpoint *a, const struct hf_endpoint *b);
bool hf_front_endpoint_is_loopback(const struct hf_endpoint *at);
