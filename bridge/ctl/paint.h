#pragma once
/*
 * paint: colours where a person looks at a terminal, and none elsewhere, nor where NO_COLOR is set.
 */
#include <stdio.h>

enum hf_paint { PAINT_PLAIN, PAINT_GOOD, PAINT_WARN, PAINT_BAD };

void hf_paint(FILE *out, enum hf_paint paint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
