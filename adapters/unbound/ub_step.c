/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_step: the steps of the job under way, as the frame has them, with commands as a part of them,
 * and what goes wrong at the control socket as its trouble.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "adapters/unbound/ub_private.h"
#include "base/error.h"

static void run_step(struct hf_adapter *base)
{
	struct hf_ub *a = hf_ub_of(base);

	a->then(a);
}

void hf_ub_step_begin(struct hf_ub *a, hf_ub_step then)
{
	a->then = then;
	hf_adapter_job_step(&a->base.job, run_step);
}

void hf_ub_step_wait(struct hf_ub *a)
{
	hf_adapter_job_wait(&a->base.job);
}

void hf_ub_step_end(struct hf_ub *a)
{
	hf_adapter_job_arrived(&a->base.job);
}

void hf_ub_step_fail(struct hf_ub *a, int code, const char *format, ...)
{
	char text[HF_UB_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	hf_adapter_job_fail(&a->base.job, code, "%s", text);
}

void hf_ub_step_control_failed(struct hf_ub *a, int code)
{
	const char *path = a->base.config->unbound.control;

	a->session.open = false;
	switch (code) {
	case -ENOENT:
		hf_ub_step_fail(a, code,
		    "there is no control socket '%s': unbound does not run, or has no 'control-interface: %s'",
		    path, path);
		return;
	case -EACCES:
		hf_ub_step_fail(a, code,
		    "we may not write to the control socket '%s': our user must be in its group",
		    path);
		return;
	case -ECONNREFUSED:
		hf_ub_step_fail(a, code, "nobody listens at the control socket '%s'", path);
		return;
	case -ETIMEDOUT:
		hf_ub_step_fail(
		    a, code, "unbound took a command at '%s' and does not end it", path);
		return;
	default:
		hf_ub_step_fail(a, code, "the control socket '%s': %s", path, hf_strerror(code));
	}
}

static void on_ok(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	char text[HF_UB_TEXT_MAX];

	if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	else if (hf_ub_command_is_ok(reply->text, text, sizeof(text)))
		hf_ub_step_fail(a, HF_EREFUSED, "unbound says: %s", text);
	hf_ub_step_end(a);
}

/* A line that was not taken is complained of before the count. */
static void on_lines(const struct hf_ub_reply *reply, void *arg)
{
	struct hf_ub *a = arg;
	char text[HF_UB_TEXT_MAX];

	if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	else if (hf_ub_command_n_taken(reply->text, text, sizeof(text)) < 0 || *text)
		hf_ub_step_fail(a, HF_EREFUSED, "unbound says: %s", text);
	hf_ub_step_end(a);
}

static void send_as_part(struct hf_ub *a, hf_ub_reply_cb cb)
{
	int rc;

	hf_ub_step_wait(a);
	rc = hf_ub_control_send(a->control, a->command.bytes, a->command.len, cb, a);
	if (rc) {
		hf_ub_step_fail(a, rc, "%s", hf_strerror(rc));
		hf_ub_step_end(a);
	}
}

void hf_ub_step_command(struct hf_ub *a)
{
	send_as_part(a, on_ok);
}

void hf_ub_step_lines(struct hf_ub *a)
{
	send_as_part(a, on_lines);
}

/* --- jobs --- */

void hf_ub_job_next(struct hf_ub *a)
{
	hf_adapter_job_next(&a->base.job);
}

void hf_ub_job_end(struct hf_ub *a)
{
	hf_adapter_job_end(&a->base.job);
	a->watch.seq++;
}
