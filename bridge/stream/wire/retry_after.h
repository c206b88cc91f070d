/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * retry_after: what a Retry-After line asks for, within reason.
 */
#include <stdint.h>

enum { HF_RETRY_AFTER_MAX_S = 3600 };

/*
 * Seconds from now, 0 to HF_RETRY_AFTER_MAX_S; -1 where the text is neither a number of seconds nor
 * a date ("Sun, 06 Nov 1994 08:49:37 GMT"). `wall_s` is now, by the wall clock.
 */
int64_t hf_retry_after(const char *text, int64_t wall_s);
