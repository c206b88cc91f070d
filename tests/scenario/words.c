/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/words.h"

#include <stdlib.h>
#include <string.h>

void words_split(char *line, struct words *ret_words)
{
	char *rest = NULL;

	ret_words->n = 0;
	line[strcspn(line, "#\n")] = '\0';
	for (char *t = strtok_r(line, " \t", &rest); t && ret_words->n < WORDS;
	     t = strtok_r(NULL, " \t", &rest))
		ret_words->at[ret_words->n++] = t;
}

const char *words_at(const struct words *a, size_t i)
{
	return i < a->n ? a->at[i] : "";
}

const char *words_option(const struct words *a, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < a->n; i++)
		if (!strncmp(a->at[i], key, len) && a->at[i][len] == '=')
			return a->at[i] + len + 1;
	return NULL;
}

bool words_span(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 }, { "y", 365 * 86400000LL } };
	char *end;
	int64_t n = strtoll(text, &end, 10);

	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		*ret_ms = n * units[i].ms;
		return true;
	}
	return false;
}
