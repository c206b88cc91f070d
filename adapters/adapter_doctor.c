/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "adapters/adapter_head.h"

enum { FOUND_MAX = 4096 + HF_ADAPTER_TEXT_MAX }; /* a path, and what is said of it */

void hf_adapter_found(struct hf_adapter *a, int grade, const char *line, const char *format, ...)
{
	char text[FOUND_MAX];
	struct hf_finding f = { .text = text, .line = line };
	va_list ap;

	f.grade = grade;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	a->host->found(a->host->arg, &f);
}
