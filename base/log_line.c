/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const hf_log_level_names[] = { "error", "warn", "info", "debug" };

enum {
	ESCAPE_MAX = 8, /* the longest of what stands for one character, with its NUL */
	END_MAX = 6,    /* "...", a quote, a brace, a newline */
};

/* Decodes the character at s. Returns its length, 0 if the bytes there are not UTF-8 (RFC 3629). */
static size_t utf8_get(const unsigned char *s, uint32_t *ret_char)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc0 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf8 ? 4
				 : 0;
	uint32_t c = n > 1 ? s[0] & (0x7fu >> n) : s[0];

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n == 0 || c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return n;
}

/* C0, DEL and C1; line and paragraph ends; what turns the direction of the text that follows. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* What stands for the character at *s, which goes on behind it. Returns the length in `out`. */
static size_t char_escape(const unsigned char **s, bool json, char out[static ESCAPE_MAX])
{
	const unsigned char *at = *s;
	uint32_t c = 0;
	size_t n = utf8_get(at, &c);

	*s += n ? n : 1;
	if (!n) /* read back from JSON it is the same text */
		return (size_t)snprintf(out, ESCAPE_MAX, json ? "\\\\x%02x" : "\\x%02x", *at);
	if (is_control(c))
		return (size_t)snprintf(
		    out, ESCAPE_MAX, json || c > 0x7f ? "\\u%04x" : "\\x%02x", (unsigned)c);
	if (json && (c == '"' || c == '\\')) {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	memcpy(out, at, n);
	return n;
}

static size_t log_line_put(char *out, size_t at, size_t max, const char *text, bool json)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		char one[ESCAPE_MAX];
		size_t n = char_escape(&s, json, one);

		if (at + n > max) {
			memcpy(out + at, "...", 3);
			return at + 3;
		}
		memcpy(out + at, one, n);
		at += n;
	}
	return at;
}

static size_t put_head(char *out, enum hf_log_level level, bool json, int64_t wall_ms)
{
	int ms = (int)(wall_ms % 1000);
	time_t s = (time_t)(wall_ms / 1000);
	char when[40];
	struct tm tm;

	if (ms < 0) {
		ms += 1000;
		s--;
	}
	gmtime_r(&s, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	return (size_t)snprintf(out, HF_LOG_LINE_MAX,
	    json ? "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"text\":\"" : "%s.%03dZ %s: ", when,
	    ms, hf_log_level_names[level]);
}

size_t hf_log_line(char out[static HF_LOG_LINE_MAX], enum hf_log_level level,
    enum hf_log_format format, int64_t wall_ms, const char *text)
{
	bool json = format == HF_LOG_JSON;
	size_t at = put_head(out, level, json, wall_ms);

	at = log_line_put(out, at, HF_LOG_LINE_MAX - END_MAX, text, json);
	if (json) {
		out[at++] = '"';
		out[at++] = '}';
	}
	out[at++] = '\n';
	return at;
}
