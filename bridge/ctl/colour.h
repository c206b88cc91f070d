/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* colour: colours, where `out` is a terminal and NO_COLOR is not set. */
#include <stdbool.h>
#include <stdio.h>

enum hf_paint { PAINT_PLAIN, PAINT_GOOD, PAINT_WARN, PAINT_BAD };

/* Whether there are colours; looked at once for each file in a row of calls. */
bool hf_paints(FILE *out);
void hf_paint(FILE *out, enum hf_paint paint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
