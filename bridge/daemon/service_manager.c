/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/daemon/service_manager.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/notify.h"
#include "base/timing.h"
#include "bridge/engine/engine.h"
#include "bridge/control/status_line.h"

enum {
	LOOK_MS = 5000,  /* freshness ends by itself: so often it is looked at */
	LATE_MS = 10000, /* the engine is called so late at most, or something is wrong */
};

struct hf_service_manager {
	const struct hf_clock *clock; /* borrowed, as the engine */
	struct hf_engine *engine;
	const struct hf_listeners *listeners; /* borrowed; NULL: not yet */
	struct event *timer;                  /* owned; NULL: no service manager */
	bool watched;                         /* it wants signs of life */
	int64_t every_ms;
	int64_t due_ms; /* boottime: the engine wants to be called by then */
	char told[HF_STATUS_LINE_MAX];
};

static void service_tell(struct hf_service_manager *s)
{
	char text[HF_STATUS_LINE_MAX], line[HF_STATUS_LINE_MAX + 16];
	struct hf_status_line summary;

	/* Half a message is nothing to show; this is called again when it is whole. */
	if (hf_engine_updating(s->engine))
		return;
	hf_status_line_fill(s->engine, s->listeners, &summary);
	if (!strcmp(hf_status_line_text(&summary, text), s->told))
		return;
	memcpy(s->told, text, sizeof(s->told));
	snprintf(line, sizeof(line), "STATUS=%s", text);
	hf_notify(line);
}

static void on_service_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_service_manager *s = arg;

	(void)fd;
	(void)what;
	if (s->watched && hf_boot_ms(s->clock) - s->due_ms <= LATE_MS)
		hf_notify("WATCHDOG=1");
	service_tell(s);
}

/* Half of the time that it allows, or 0 where it wants no signs from this process. */
static int64_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long n = usec ? strtoll(usec, NULL, 10) : 0;

	if (pid && strtoll(pid, NULL, 10) != getpid())
		return 0;
	return n > 0 ? (n / 2000 > 1 ? n / 2000 : 1) : 0;
}

static int service_arm(struct hf_service_manager *s)
{
	struct timeval tv;

	s->every_ms = watchdog_ms();
	s->watched = s->every_ms > 0;
	if (!s->watched || s->every_ms > LOOK_MS)
		s->every_ms = LOOK_MS;
	tv = hf_time_of_ms(s->every_ms);
	return event_add(s->timer, &tv);
}

int hf_service_manager_new(struct event_base *base, const struct hf_clock *clock,
    struct hf_engine *engine, struct hf_service_manager **ret_service)
{
	struct hf_service_manager *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->clock = clock;
	s->engine = engine;
	s->due_ms = hf_boot_ms(clock);
	if (getenv("NOTIFY_SOCKET")) {
		s->timer = event_new(base, -1, EV_PERSIST, on_service_timer, s);
		if (!s->timer || service_arm(s)) {
			hf_service_manager_free(s);
			return -ENOMEM;
		}
	}
	*ret_service = s;
	return 0;
}

void hf_service_manager_watch(struct hf_service_manager *s, const struct hf_listeners *listeners)
{
	s->listeners = listeners;
}

void hf_service_manager_worked(struct hf_service_manager *s, int64_t wait_ms)
{
	s->due_ms = hf_boot_ms(s->clock) + wait_ms;
	/* Not between the slices of one change. */
	if (s->timer && wait_ms)
		service_tell(s);
}

void hf_service_manager_free(struct hf_service_manager *s)
{
	if (!s)
		return;
	if (s->timer)
		event_free(s->timer);
	free(s);
}
