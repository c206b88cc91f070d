/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter_job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

static void on_job_turn(evutil_socket_t fd, short what, void *arg)
{
	struct hf_adapter_job *j = arg;

	j->then(j->a);
}

int hf_adapter_job_init(
    struct hf_adapter_job *j, struct event_base *base, struct hf_adapter *a, hf_adapter_step idle)
{
	memset(j, 0, sizeof(*j));
	j->a = a;
	j->idle = idle;
	j->turn = evtimer_new(base, on_job_turn, j);
	return j->turn ? 0 : -ENOMEM;
}

void hf_adapter_job_done(struct hf_adapter_job *j)
{
	if (j->turn)
		event_free(j->turn);
	memset(j, 0, sizeof(*j));
}

void hf_adapter_job_start(struct hf_adapter_job *j, int kind)
{
	j->kind = kind;
	j->code = 0;
	j->text[0] = '\0';
}

bool hf_adapter_job_is_under_way(const struct hf_adapter_job *j)
{
	return j->kind != 0;
}

void hf_adapter_job_step(struct hf_adapter_job *j, hf_adapter_step then)
{
	j->then = then;
	j->waiting = 1;
}

void hf_adapter_job_wait(struct hf_adapter_job *j)
{
	j->waiting++;
}

void hf_adapter_job_arrived(struct hf_adapter_job *j)
{
	if (--j->waiting == 0)
		event_active(j->turn, EV_TIMEOUT, 0);
}

void hf_adapter_job_fail(struct hf_adapter_job *j, int code, const char *format, ...)
{
	va_list ap;

	if (j->code)
		return;
	j->code = code;
	va_start(ap, format);
	vsnprintf(j->text, sizeof(j->text), format, ap);
	va_end(ap);
}

void hf_adapter_job_end(struct hf_adapter_job *j)
{
	j->kind = 0;
}

void hf_adapter_job_next(struct hf_adapter_job *j)
{
	if (!j->kind && j->idle)
		j->idle(j->a);
}
