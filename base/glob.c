/* SPDX-License-Identifier: Apache-2.0 */
#include "base/glob.h"

#include <stddef.h>

static unsigned char glob_fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* The "]" that ends the set which begins at `p`, or NULL. A "]" that is its first is one of it. */
static const char *set_end(const char *p)
{
	p += p[1] == '!' || p[1] == '^' ? 2 : 1;
	if (*p == ']')
		p++;
	while (*p && *p != ']') {
		if (*p == '\\' && p[1])
			p++;
		p++;
	}
	return *p ? p : NULL;
}

static unsigned char glob_take(const char **p)
{
	if (**p == '\\')
		++*p;
	return glob_fold(*(*p)++);
}

static bool in_set(const char *p, const char *end, unsigned char c)
{
	bool not = p[1] == '!' || p[1] == '^', in = false;

	p += not ? 2 : 1;
	while (p < end) {
		unsigned char from = glob_take(&p), to = from;

		if (p + 1 < end && *p == '-') {
			p++;
			to = glob_take(&p);
		}
		in = in || (c >= from && c <= to);
	}
	return in != not ;
}

/*
 * One byte by what the pattern has there. Returns what follows in the pattern, NULL: it does not
 * match.
 */
static const char *match_one(const char *p, char c)
{
	const char *end = *p == '[' ? set_end(p) : NULL;

	if (end)
		return in_set(p, end, glob_fold(c)) ? end + 1 : NULL;
	if (*p == '?')
		return p + 1;
	if (*p == '\\' && p[1])
		p++;
	return *p && glob_fold(*p) == glob_fold(c) ? p + 1 : NULL;
}

bool hf_glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL, *next;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if ((next = match_one(pattern, *text))) {
			pattern = next;
			text++;
		} else if (star) {
			/*
			 * Only the last "*" takes more: what those before it took need not change.
			 */
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
