/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows RFC 9110: Retry-After (10.2.3), IMF-fixdate (5.6.7). Parsed by hand: strptime() listens
 * to the locale.
 */
#include "bridge/stream/wire/retry_after.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t wait_clamp(int64_t s)
{
	return s < 0 ? 0 : s > HF_RETRY_AFTER_MAX_S ? HF_RETRY_AFTER_MAX_S : s;
}

static int64_t parse_seconds(const char *text)
{
	int64_t s = 0;

	for (; isdigit((unsigned char)*text); text++)
		s = wait_clamp(s * 10 + (*text - '0'));
	return *text ? -1 : s;
}

/* Matches `form` in which '0' is a digit, 'a' a letter, and all else itself. */
static bool has_form(const char *text, const char *form)
{
	for (; *form; text++, form++) {
		bool ok = *form == '0'   ? isdigit((unsigned char)*text)
			  : *form == 'a' ? isalpha((unsigned char)*text)
					 : *text == *form;

		if (!ok)
			return false;
	}
	return !*text;
}

static int digits_number(const char *at, int digits)
{
	int n = 0;

	while (digits--)
		n = n * 10 + (*at++ - '0');
	return n;
}

static int month_of(const char *at)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int m = 0; m < 12; m++)
		if (!memcmp(names + 3 * m, at, 3))
			return m;
	return -1;
}

int64_t hf_retry_after(const char *text, int64_t wall_s)
{
	struct tm tm = { 0 };

	if (isdigit((unsigned char)*text))
		return parse_seconds(text);
	if (!has_form(text, "aaa, 00 aaa 0000 00:00:00 GMT"))
		return -1;
	tm.tm_mday = digits_number(text + 5, 2);
	tm.tm_mon = month_of(text + 8);
	tm.tm_year = digits_number(text + 12, 4) - 1900;
	tm.tm_hour = digits_number(text + 17, 2);
	tm.tm_min = digits_number(text + 20, 2);
	tm.tm_sec = digits_number(text + 23, 2);
	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
	    tm.tm_min > 59 || tm.tm_sec > 60)
		return -1;
	return wait_clamp((int64_t)timegm(&tm) - wall_s);
}
