/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/suggest.h"

#include "config/nearest.h"

void hf_suggest(FILE *err, const char *what, const char *word, const char *const *known, size_t n)
{
	const char *near = NULL;
	unsigned best = 3;

	for (size_t i = 0; i < n; i++) {
		unsigned d = hf_nearest_distance(word, known[i]);

		if (d < best) {
			best = d;
			near = known[i];
		}
	}
	fprintf(err, "holdfastctl: there is no %s '%s'", what, word);
	if (near)
		fprintf(err, "; did you mean '%s'?\n", near);
	else
		fputs("; holdfastctl help shows all\n", err);
}
