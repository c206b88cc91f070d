/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 40 };

static unsigned nearest_least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static char nearest_fold(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

/*
 * Row by row through the table of all prefixes (Damerau and Levenshtein; a pair is swapped once at
 * most).
 */
unsigned hf_nearest_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1];
	size_t na = strnlen(a, WORD_MAX), nb = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			bool same = nearest_fold(a[i - 1]) == nearest_fold(b[j - 1]);

			row[j] = nearest_least(
			    nearest_least(last[j], row[j - 1]) + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && nearest_fold(a[i - 1]) == nearest_fold(b[j - 2]) &&
			    nearest_fold(a[i - 2]) == nearest_fold(b[j - 1]))
				row[j] = nearest_least(row[j], before[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

static void nearest_of(
    const struct hf_keys *keys, const char *name, unsigned *best, const struct hf_key **ret_key)
{
	for (size_t i = 0; keys && i < keys->n; i++) {
		unsigned d = hf_nearest_distance(name, keys->at[i].name);

		/* Short words are near to everything: one slip in three letters is what counts. */
		if (d < *best && d <= (strlen(keys->at[i].name) + 2) / 3) {
			*best = d;
			*ret_key = &keys->at[i];
		}
	}
}

const struct hf_key *hf_key_nearest(
    const struct hf_keys *keys, const struct hf_keys *more, const char *name)
{
	const struct hf_key *key = NULL;
	unsigned best = WORD_MAX;

	nearest_of(keys, name, &best, &key);
	nearest_of(more, name, &best, &key);
	return key;
}

static bool keys_have_elsewhere(
    const struct hf_keys *keys, const char *name, char *out, size_t size)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct hf_key *key = &keys->at[i];
		size_t n;

		if (!strcmp(key->name, name)) {
			snprintf(out, size, "%s", name);
			return true;
		}
		n = (size_t)snprintf(
		    out, size, "%s%s.", key->name, key->kind == HF_KEY_ENTRIES ? "[]" : "");
		if (key->keys.n && n < size && hf_key_elsewhere(key, name, out + n, size - n))
			return true;
	}
	return false;
}

bool hf_key_elsewhere(const struct hf_key *map, const char *name, char *out, size_t size)
{
	if (keys_have_elsewhere(&map->keys, name, out, size))
		return true;
	for (const struct hf_variant *v = map->variants; v && v->word; v++) {
		if (keys_have_elsewhere(&v->keys, name, out, size))
			return true;
	}
	return false;
}
