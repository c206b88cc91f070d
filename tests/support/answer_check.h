/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * answer_check: what holds for every answer, whatever the question and whatever is in the zone.
 * Ends the program where it does not.
 */
#include "zone/answer.h"

void hf_answer_check(const struct hf_question *q, const struct hf_answer *a);
