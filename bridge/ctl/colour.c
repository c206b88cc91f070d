/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/colour.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* https://no-color.org: any value but the empty one. */
static bool colour_look(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb");
}

bool hf_colour_is_on(FILE *out)
{
	static FILE *looked; /* the last one that was looked at */
	static bool paints;

	if (out != looked)
		paints = colour_look(out);
	looked = out;
	return paints;
}

void hf_colour_print(FILE *out, enum hf_colour paint, const char *format, ...)
{
	static const char *const begin[] = { "", "\033[32m", "\033[33m", "\033[31m" };
	bool colour = paint != COLOUR_PLAIN && hf_colour_is_on(out);
	va_list ap;

	if (colour)
		fputs(begin[paint], out);
	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	if (colour)
		fputs("\033[0m", out);
}
