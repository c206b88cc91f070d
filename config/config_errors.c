/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *hf_config_errors_printable(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; text[n] && n + 1 < size; n++)
		out[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
	/* What was cut off is shown to be. */
	if (text[n] && size > 4)
		memcpy(out + n - 3, "...", 3);
	out[n] = '\0';
	return out;
}

void hf_config_errors_init(struct hf_config_errors *e, const char *file)
{
	memset(e, 0, sizeof(*e));
	hf_config_errors_printable(file, e->file, sizeof(e->file));
}

void hf_config_errors_add(struct hf_config_errors *e, unsigned line, unsigned column,
    const char *path, const char *format, ...)
{
	struct hf_config_error *at = &e->at[e->n];
	char text[sizeof(at->text)];
	va_list ap;

	if (e->n == HF_CONFIG_ERRORS_MAX) {
		e->more++;
		return;
	}
	e->n++;
	at->line = line;
	at->column = column;
	hf_config_errors_printable(path, at->path, sizeof(at->path));
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	hf_config_errors_printable(text, at->text, sizeof(at->text));
}

static int errors_by_line(const void *a, const void *b)
{
	const struct hf_config_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->path, y->path);
}

void hf_config_errors_sort(struct hf_config_errors *e)
{
	qsort(e->at, e->n, sizeof(e->at[0]), errors_by_line);
}

char *hf_config_error_text(const struct hf_config_errors *e, size_t i, char *out, size_t size)
{
	const struct hf_config_error *at = &e->at[i];
	char place[32] = "";

	if (at->line)
		snprintf(place, sizeof(place), "%u:%u:", at->line, at->column);
	snprintf(
	    out, size, "%s:%s %s%s%s", e->file, place, at->path, at->path[0] ? ": " : "", at->text);
	return out;
}
