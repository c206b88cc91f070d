/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound: local data by the control socket. This file opens and closes the adapter, and says
 * which job is next; what a job does is in ub_session.c and ub_zones.c (zones and
 * canaries), ub_apply.c (batches), ub_listing.c.
 */
#include "adapters/unbound/ub_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/error.h"
#include "base/log.h"

enum {
	LOOKS_PER_SECOND = 20000,
	LOOKS_WINDOW = 64, /* more are lost in a socket's default buffer */
	LOOKS_TRIES = 5,
	WATCH_MS = 1000,
	SILENT = 3, /* watches without an answer */
	PACE_START = 20,
	PACE_CAP = 100,
	PACE_PTR_START = 10,
	PACE_PTR_CAP = 30,
};

/* --- jobs --- */

static void take_zones(struct hf_ub *a);

static void ub_job_start(struct hf_ub *a, enum hf_ub_job job)
{
	hf_adapter_job_start(&a->base.job, job);
	a->watch.seq++;
	hf_ub_start_file_prepare(a->start_file);
	switch (job) {
	case HF_UBJOB_APPLY:
		hf_ub_apply_begin(a);
		break;
	case HF_UBJOB_COMPLETE:
		hf_ub_zones_complete(a);
		break;
	case HF_UBJOB_LEAVE:
		hf_ub_zone_leave(a);
		break;
	case HF_UBJOB_LIST:
		hf_ub_list_begin(a);
		break;
	}
}

static bool is_all_whole(const struct hf_ub *a)
{
	for (size_t i = 0; i < a->n_zones; i++)
		if (a->zones[i].state != HF_UBZONE_WHOLE)
			return false;
	return true;
}

static void on_ub_idle(struct hf_adapter *base)
{
	struct hf_ub *a = hf_ub_of(base);

	if (a->new_zones)
		take_zones(a);
	/*
	 * What is taken is answered on out of an auth-zone of a start file until ours over it is
	 * static. A batch of nothing stands for what zones() asked for: its receipt comes after
	 * that.
	 */
	if (a->batch.lent && a->batch.lent->n && a->want_complete && !is_all_whole(a))
		ub_job_start(a, HF_UBJOB_COMPLETE);
	else if (a->batch.lent && (a->batch.lent->n || !a->n_leaving))
		ub_job_start(a, HF_UBJOB_APPLY);
	else if (a->batch.lent)
		ub_job_start(a, HF_UBJOB_LEAVE);
	else if (a->want_list)
		ub_job_start(a, HF_UBJOB_LIST);
	else if (a->want_complete)
		ub_job_start(a, HF_UBJOB_COMPLETE);
	else if (a->n_leaving)
		ub_job_start(a, HF_UBJOB_LEAVE);
}

static void on_ub_tick(evutil_socket_t fd, short what, void *arg)
{
	struct hf_ub *a = arg;

	hf_ub_start_file_tick(a->start_file);
	if (!hf_adapter_job_is_under_way(&a->base.job)) {
		if (a->want_complete || a->n_leaving)
			hf_ub_job_next(a);
		else
			hf_ub_watch_ask(a);
	}
	/* The host may end the adapter. */
	hf_adapter_warnings_set(&a->base.warnings, HF_UB_WARN_NO_ANSWER,
	    a->watch.silent >= SILENT ? "unbound does not answer DNS at the address of 'ask'"
				      : NULL);
}

/* --- the type --- */

static void on_pause(evutil_socket_t fd, short what, void *arg)
{
	hf_ub_apply_go_on(arg);
}

static int ub_make_parts(struct hf_ub *a)
{
	const struct hf_config_unbound *u = &a->base.config->unbound;
	const struct hf_dns_client_opts looks = { .server = &u->ask,
		.per_second = LOOKS_PER_SECOND,
		.window = LOOKS_WINDOW,
		.tries = LOOKS_TRIES,
		.no_recursion = true,
		.pace = &a->dns_pace,
		.gentle = true };
	const struct hf_dns_client_opts asks = {
		.server = &u->ask, .no_recursion = true, .pace = &a->dns_pace
	};
	const struct timeval watch = { .tv_sec = WATCH_MS / 1000 };
	int rc = hf_ub_control_new(a->base.host->base, u->control, u->timeout_ms, &a->control);

	hf_dns_pace_init(&a->dns_pace, LOOKS_PER_SECOND);
	if (!rc)
		rc = hf_dns_client_new(a->base.host->base, &looks, &a->looks);
	if (!rc)
		rc = hf_dns_client_new(a->base.host->base, &asks, &a->asks);
	if (!rc && u->start_file)
		rc = hf_ub_start_file_new(a, &a->start_file);
	if (rc)
		return rc;
	a->batch.pause = evtimer_new(a->base.host->base, on_pause, a);
	a->watch.tick = event_new(a->base.host->base, -1, EV_PERSIST, on_ub_tick, a);
	if (!a->batch.pause || !a->watch.tick || event_add(a->watch.tick, &watch))
		return -ENOMEM;
	return 0;
}

static void unbound_close(struct hf_adapter *base)
{
	struct hf_ub *a = base ? hf_ub_of(base) : NULL;

	if (!a)
		return;
	hf_ub_control_free(a->control);
	hf_dns_client_free(a->looks);
	hf_dns_client_free(a->asks);
	hf_ub_start_file_free(a->start_file);
	if (a->batch.pause)
		event_free(a->batch.pause);
	if (a->watch.tick)
		event_free(a->watch.tick);
	hf_ub_cover_forget(a);
	hf_ub_verify_free(a);
	hf_ub_doctor_free(a);
	hf_ub_sums_free(&a->listed);
	free(a->batch.looked);
	free(a->batch.fates);
	hf_adapter_done(base);
	free(a);
}

static void answer_doctor(struct hf_adapter *base)
{
	hf_ub_doctor_turn(hf_ub_of(base));
}

static const char *const warning_codes[] = {
	[HF_UB_WARN_NO_ANSWER] = HF_WARN_NO_ANSWER,
	[HF_UB_WARN_INCOMPLETE] = HF_WARN_INCOMPLETE,
};

static const struct hf_adapter_parts unbound_parts = {
	.type = &hf_ub_adapter_type,
	.answers = { [HF_ANSWER_DOCTOR] = answer_doctor },
	.idle = on_ub_idle,
	.warnings = warning_codes,
};

static int unbound_open(const struct hf_config_adapter *config, const struct hf_adapter_host *host,
    struct hf_adapter **ret_adapter)
{
	struct hf_ub *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	a->ttl_s = 30;
	hf_ub_pace_init(&a->batch.pace, PACE_START, PACE_CAP);
	hf_ub_pace_init(&a->batch.pace_ptr, PACE_PTR_START, PACE_PTR_CAP);
	rc = hf_adapter_init(&a->base, &unbound_parts, config, host);
	if (!rc)
		rc = ub_make_parts(a);
	if (rc) {
		unbound_close(&a->base);
		return rc;
	}
	*ret_adapter = &a->base;
	return 0;
}

static bool has_zone(const struct hf_name *names, size_t n, const struct hf_name *name)
{
	for (size_t i = 0; i < n; i++)
		if (hf_name_equal(&names[i], name))
			return true;
	return false;
}

static void leave_zone(struct hf_ub *a, size_t i)
{
	if (a->n_leaving < HF_UB_ZONES_MAX)
		a->leaving[a->n_leaving++] = a->zones[i].name;
	a->n_zones--;
	memmove(&a->zones[i], &a->zones[i + 1], (a->n_zones - i) * sizeof(a->zones[0]));
}

static void ub_add_zone(struct hf_ub *a, const struct hf_name *name)
{
	struct hf_ub_zone zone = { .name = *name };
	size_t n = 0;

	for (size_t i = 0; i < a->n_zones; i++)
		if (hf_name_equal(&a->zones[i].name, name))
			return;
	for (size_t i = 0; i < a->n_leaving; i++)
		if (!hf_name_equal(&a->leaving[i], name))
			a->leaving[n++] = a->leaving[i];
	a->n_leaving = n;
	if (a->n_zones == HF_UB_ZONES_MAX || !hf_ub_command_name_ok(name) ||
	    hf_ub_canary_name(name, &zone.canary_name) || hf_ub_fill_name(name, &zone.fill_name)) {
		hf_log_warn("adapter '%s': one suffix is not served: too long, or too many",
		    a->base.config->name);
		return;
	}
	a->zones[a->n_zones++] = zone;
}

/* Between two jobs: what a job asks for is about places in the table. */
static void take_zones(struct hf_ub *a)
{
	a->new_zones = false;
	hf_ub_start_file_rezone(a->start_file);
	a->watch.seq++;
	a->ttl_s = a->base.ttl_s;
	for (size_t i = a->n_zones; i > 0; i--)
		if (!has_zone(a->base.suffixes, a->base.n_suffixes, &a->zones[i - 1].name))
			leave_zone(a, i - 1);
	for (size_t i = 0; i < a->base.n_suffixes; i++)
		ub_add_zone(a, &a->base.suffixes[i]);
}

static void unbound_zones(
    struct hf_adapter *base, const struct hf_name *suffixes, size_t n, uint32_t ttl_s)
{
	struct hf_ub *a = hf_ub_of(base);

	hf_adapter_keep_zones(base, suffixes, n, ttl_s);
	a->new_zones = true;
	if (!hf_adapter_job_is_under_way(&base->job))
		take_zones(a);
}

/* Of what is put anew nothing is confirmed yet. */
static bool has_new(const struct hf_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		if (batch->at[i].op == HF_CHANGE_PUT && !batch->at[i].had)
			return true;
	return false;
}

static void unbound_apply(struct hf_adapter *base, const struct hf_batch *batch)
{
	struct hf_ub *a = hf_ub_of(base);

	a->batch.lent = batch;
	if (has_new(batch))
		a->want_complete = false;
	hf_ub_job_next(a);
}

static void unbound_complete(struct hf_adapter *base, uint64_t generation)
{
	struct hf_ub *a = hf_ub_of(base);

	a->want_complete = true;
	a->generation = generation;
	hf_ub_job_next(a);
}

static void unbound_list(struct hf_adapter *base)
{
	struct hf_ub *a = hf_ub_of(base);

	a->want_list = true;
	hf_ub_job_next(a);
}

static void unbound_succeed(struct hf_adapter *base, const struct hf_config_adapter *next)
{
	struct hf_ub *a = hf_ub_of(base);

	hf_ub_start_file_succeed(a->start_file, &next->unbound);
}

static void unbound_verify(struct hf_adapter *base, struct hf_expect *expect, size_t n)
{
	hf_ub_verify_begin(hf_ub_of(base), expect, n);
}

static void unbound_doctor(struct hf_adapter *base)
{
	hf_adapter_answers_due(&base->answers, HF_ANSWER_DOCTOR);
}

const struct hf_adapter_type hf_ub_adapter_type = {
	.name = "unbound",
	.open = unbound_open,
	.close = unbound_close,
	.succeed = unbound_succeed,
	.zones = unbound_zones,
	.apply = unbound_apply,
	.complete = unbound_complete,
	.list = unbound_list,
	.verify = unbound_verify,
	.doctor = unbound_doctor,
	.setup = hf_ub_setup,
};
