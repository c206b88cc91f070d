/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static void __attribute__((format(printf, 3, 4)))
log_kind(enum hf_log_level level, const char *kind, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	hf_vlog_kind(level, kind, format, ap);
	va_end(ap);
}

int hf_fault_set(struct hf_fault *f, const struct hf_clock *clock, enum hf_log_level level,
    const char *format, ...)
{
	char text[sizeof(f->text)];
	va_list ap;

	va_start(ap, format);
	if (vsnprintf(text, sizeof(text), format, ap) <= 0)
		snprintf(text, sizeof(text), "failed"); /* "" would mean that there is no fault */
	va_end(ap);
	if (!f->text[0]) {
		f->since_boot_ms = hf_boot_ms(clock);
		f->since_wall_ms = hf_wall_ms(clock);
		f->times = 0;
	}
	f->times++;
	if (!strcmp(f->text, text))
		return 0;
	memcpy(f->text, text, sizeof(text));
	log_kind(level, format, "%s", text);
	return 1;
}

void hf_fault_clear(struct hf_fault *f, const struct hf_clock *clock, const char *what)
{
	if (!f->text[0])
		return;
	hf_log_info("%s again well after %llu failure%s in %lld s", what,
	    (unsigned long long)f->times, f->times == 1 ? "" : "s",
	    (long long)(hf_boot_ms(clock) - f->since_boot_ms) / 1000);
	memset(f, 0, sizeof(*f));
}
