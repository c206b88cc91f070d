/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* colour: colours, where `out` is a terminal and NO_COLOR is not set. */
#include <stdbool.h>
#include <stdio.h>

enum hf_colour { COLOUR_PLAIN, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD };

/* Whether there are colours; looked at once for each file in a row of calls. */
bool hf_colour_is_on(FILE *out);
void hf_colour_print(FILE *out, enum hf_colour paint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
