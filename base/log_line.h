/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * log_line: one event as one line of bytes, whatever the text holds. Private to the log.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/* At most what a pipe takes whole or not at all, so that no line is ever cut in two. */
enum { HF_LOG_LINE_MAX = 4096 };

/* "error", "warn", ... */
extern const char *const hf_log_level_names[];

/*
 * Fills `out`, without NUL. A text that is too long ends in "...". Returns the length, newline
 * included.
 */
size_t hf_log_line(char out[static HF_LOG_LINE_MAX], enum hf_log_level level,
    enum hf_log_format format, int64_t wall_ms, const char *text);
