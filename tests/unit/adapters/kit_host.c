/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/adapters/kit_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "base/clock.h"

static void tell(struct kit_host *k, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct kit_host *k, const char *format, ...)
{
	size_t len = strlen(k->told);
	va_list ap;

	va_start(ap, format);
	len += (size_t)vsnprintf(k->told + len, sizeof(k->told) - len, format, ap);
	va_end(ap);
	ck_assert_uint_lt(len, sizeof(k->told));
	if (k->then)
		k->then(k->arg);
}

static void on_applied(void *arg, const struct hf_receipt *r)
{
	tell(arg, "applied %zu %d\n", r->n_done, r->code);
}

static void on_listed(
    void *arg, const struct hf_record *records, size_t n, int code, const char *text)
{
	tell(arg, "listed %zu %d\n", n, code);
}

static void on_verified(void *arg, int code, const char *text)
{
	tell(arg, "verified %d %s\n", code, text);
}

static void on_found(void *arg, const struct hf_finding *f)
{
	tell(arg, "found %d %s %s\n", (int)f->grade, f->text, f->line);
}

static void on_examined(void *arg)
{
	tell(arg, "examined\n");
}

static void on_lost(void *arg, const char *why)
{
	tell(arg, "lost %s\n", why);
}

static void on_former(void *arg, const struct hf_name *suffix)
{
	char text[HF_NAME_TEXT_MAX];

	tell(arg, "former %s\n", hf_name_text(suffix, text));
}

static void on_warn(void *arg, const char *code, const char *text)
{
	tell(arg, "warn %s %s\n", code, text ? text : "-");
}

void kit_host_open(struct kit_host *k)
{
	memset(k, 0, sizeof(*k));
	k->host = (struct hf_adapter_host){ .base = event_base_new(),
		.clock = &hf_clock_system,
		.arg = k,
		.applied = on_applied,
		.listed = on_listed,
		.verified = on_verified,
		.found = on_found,
		.examined = on_examined,
		.lost = on_lost,
		.former = on_former,
		.warn = on_warn };
	ck_assert_ptr_nonnull(k->host.base);
}

void kit_host_close(struct kit_host *k)
{
	event_base_free(k->host.base);
}

void kit_host_run(struct kit_host *k)
{
	event_base_loop(k->host.base, EVLOOP_NONBLOCK);
}
