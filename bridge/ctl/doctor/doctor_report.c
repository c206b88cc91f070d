/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/ctl/doctor/doctor_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bridge/ctl/colour.h"
#include "bridge/ctl/doctor/doctor.h"

enum { TEXT_MAX = 900 };

static const char *const grades[] = { "good", "note", "bad" };
static const enum hf_colour paints[] = { COLOUR_GOOD, COLOUR_PLAIN, COLOUR_BAD };

void hf_doctor_report(struct hf_doctor *d, const char *area, enum hf_grade grade, const char *line,
    const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	d->n_bad += grade == GRADE_BAD;
	json_array_append_new(d->findings, json_pack("{s:s, s:s, s:s, s:s}", "area", area, "grade",
					       grades[grade], "text", text, "line", line));
}

static void report_print_text(const struct hf_doctor *d, FILE *out)
{
	const json_t *f;
	size_t i;

	json_array_foreach(d->findings, i, f)
	{
		const char *grade = json_string_value(json_object_get(f, "grade"));
		const char *line = json_string_value(json_object_get(f, "line"));
		unsigned g = 0;

		while (strcmp(grades[g], grade))
			g++;
		hf_colour_print(out, paints[g], "%-4s", grade);
		fprintf(out, "  %s: %s\n", json_string_value(json_object_get(f, "area")),
		    json_string_value(json_object_get(f, "text")));
		for (; *line; line += strspn(line, "\n")) {
			size_t n = strcspn(line, "\n");

			fprintf(out, "        %.*s\n", (int)n, line);
			line += n;
		}
	}
}

void hf_doctor_report_print(const struct hf_doctor *d, bool json, FILE *out)
{
	if (json) {
		json_dumpf(d->findings, out, JSON_INDENT(2));
		fputc('\n', out);
	} else {
		report_print_text(d, out);
	}
}
