/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_adapters: each adapter looks at its own resolver; it is opened for that and nothing is
 * fed.
 */
#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "adapters/adapter.h"
#include "base/clock.h"
#include "base/error.h"
#include "bridge/ctl/doctor/doctor.h"
#include "bridge/ctl/doctor/doctor_report.h"

enum { PATIENCE_S = 30 };

struct visit {
	struct hf_doctor *d;
	char area[80];
	bool ended;
};

static void on_visit_found(void *arg, const struct hf_finding *f)
{
	struct visit *v = arg;

	hf_doctor_report(v->d, v->area, (enum hf_grade)f->grade, f->line, "%s", f->text);
}

static void on_visit_examined(void *arg)
{
	struct visit *v = arg;

	v->ended = true;
	event_base_loopbreak(v->d->base);
}

/* What a doctor does not ask for. */
static void on_visit_applied(void *arg, const struct hf_receipt *receipt)
{
}

static void on_visit_listed(
    void *arg, const struct hf_record *records, size_t n, int code, const char *text)
{
}

static void on_visit_verified(void *arg, int code, const char *text)
{
}

static void on_visit_lost(void *arg, const char *why)
{
}

static void on_visit_former(void *arg, const struct hf_name *suffix)
{
}

static void on_visit_warn(void *arg, const char *code, const char *text)
{
	struct visit *v = arg;

	if (text)
		hf_doctor_report(v->d, v->area, GRADE_NOTE, "", "%s", text);
}

/* Here it is not known what should be in a resolver: an adapter must not write its files. */
static int walk_new(void *arg, struct hf_record_walk **ret_walk)
{
	return -EAGAIN;
}

static int walk_step(struct hf_record_walk *walk, size_t max, hf_record_cb cb, void *cb_arg)
{
	return 0;
}

static void walk_free(struct hf_record_walk *walk)
{
}

static void adapter_visit(struct hf_doctor *d, const struct hf_config_adapter *config)
{
	const struct hf_adapter_type *type = hf_adapter_type((int)config->kind);
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct visit v = { .d = d };
	struct hf_adapter_host host = { .base = d->base,
		.clock = &hf_clock_system,
		.arg = &v,
		.applied = on_visit_applied,
		.listed = on_visit_listed,
		.verified = on_visit_verified,
		.found = on_visit_found,
		.examined = on_visit_examined,
		.lost = on_visit_lost,
		.former = on_visit_former,
		.warn = on_visit_warn,
		.walk_new = walk_new,
		.walk_step = walk_step,
		.walk_free = walk_free };
	struct hf_adapter *a = NULL;

	snprintf(v.area, sizeof(v.area), "adapter %.60s", config->name);
	if (!type || type->open(config, &host, &a)) {
		hf_doctor_report(d, v.area, GRADE_BAD, "", "it cannot be opened here");
		return;
	}
	if (d->has_suffix)
		type->zones(a, &d->suffix, 1, (uint32_t)d->config->ttl_s);
	event_base_loopexit(d->base, &patience);
	type->doctor(a);
	while (
	    !v.ended && event_base_loop(d->base, EVLOOP_ONCE) == 0 && !event_base_got_exit(d->base))
		;
	if (!v.ended)
		hf_doctor_report(
		    d, v.area, GRADE_BAD, "", "its examination takes longer than %d s", PATIENCE_S);
	type->close(a);
}

void hf_doctor_adapters(struct hf_doctor *d)
{
	for (size_t i = 0; i < d->config->adapters.n; i++)
		adapter_visit(d, &d->config->adapters.at[i]);
}
