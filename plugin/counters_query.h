/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* counters_query: the one question that is about who answers and not about the zone. */
#include <stdbool.h>
#include <stddef.h>

#include "plugin/counters.h"

struct hf_answer;
struct hf_question;
struct hf_zone_reader;

/*
 * True if the question was about the counters' own name, _holdfast-counters.SUFFIX, and came from
 * loopback: *ret_answer then is their sum, as of the reader called `name`. Else nothing is done.
 * The answer lies in ret_answer.
 */
bool hf_counters_query(const struct hf_zone_reader *r, const struct hf_question *q,
    const struct hf_counters *sets, size_t n, const char *name, struct hf_answer *ret_answer);
