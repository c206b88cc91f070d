/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ub_job: the job under way: its steps, the first thing that failed in it, and its end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <event2/event.h>

#include "adapters/unbound/ub_private.h"
#include "base/error.h"

/* --- steps --- */

void hf_ub_step_begin(struct hf_adapter *a, hf_ub_step then)
{
	a->then = then;
	a->waiting = 1; /* until the one who begins it has begun all */
}

void hf_ub_step_wait(struct hf_adapter *a)
{
	a->waiting++;
}

void hf_ub_step_end(struct hf_adapter *a)
{
	if (--a->waiting == 0)
		event_active(a->step, EV_TIMEOUT, 0);
}

void hf_ub_job_on_step(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter *a = arg;

	a->then(a);
}

void hf_ub_step_fail(struct hf_adapter *a, int code, const char *format, ...)
{
	va_list ap;

	if (a->code)
		return;
	a->code = code;
	va_start(ap, format);
	vsnprintf(a->text, sizeof(a->text), format, ap);
	va_end(ap);
}

void hf_ub_step_control_failed(struct hf_adapter *a, int code)
{
	const char *path = a->config->unbound.control;

	a->open = false;
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
	struct hf_adapter *a = arg;
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
	struct hf_adapter *a = arg;
	char text[HF_UB_TEXT_MAX];

	if (reply->code)
		hf_ub_step_control_failed(a, reply->code);
	else if (hf_ub_command_n_taken(reply->text, text, sizeof(text)) < 0 || *text)
		hf_ub_step_fail(a, HF_EREFUSED, "unbound says: %s", text);
	hf_ub_step_end(a);
}

static void send_as_part(struct hf_adapter *a, hf_ub_reply_cb cb)
{
	int rc;

	hf_ub_step_wait(a);
	rc = hf_ub_control_send(a->control, a->command.bytes, a->command.len, cb, a);
	if (rc) {
		hf_ub_step_fail(a, rc, "%s", hf_strerror(rc));
		hf_ub_step_end(a);
	}
}

void hf_ub_step_command(struct hf_adapter *a)
{
	send_as_part(a, on_ok);
}

void hf_ub_step_lines(struct hf_adapter *a)
{
	send_as_part(a, on_lines);
}

/* --- jobs --- */

void hf_ub_job_next(struct hf_adapter *a)
{
	if (a->job == HF_UBJOB_NONE)
		a->on_idle(a);
}

void hf_ub_job_end(struct hf_adapter *a)
{
	a->job = HF_UBJOB_NONE;
	a->watch_seq++;
}
