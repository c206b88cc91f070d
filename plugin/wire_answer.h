/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wire_answer: a reply as bytes. Pure, allocates nothing. The question is echoed bit for bit, and
 * owner names point into it, so that they follow the client's case.
 */
#include <stddef.h>
#include <stdint.h>

#include "plugin/wire_query.h"

struct hf_answer; /* zone/answer.h */

/* The least that `max` below may be: header, the longest question, and OPT with EDE. */
enum { HF_WIRE_REPLY_MIN = HF_WIRE_HEADER + HF_NAME_MAX + 4 + 17 };

/*
 * The reply to a whole question. What does not fit into `max` bytes is left off by whole records,
 * and TC says so. Returns its length. `answer->ours` false is REFUSED.
 */
size_t hf_wire_answer_put(
    const struct hf_wire_query *query, const struct hf_answer *answer, size_t max, uint8_t *out);

/* A reply without records: `rcode` may be HF_RCODE_BADVERS. Returns its length. */
size_t hf_wire_answer_put_error(const struct hf_wire_query *query, uint16_t rcode, uint8_t *out);
