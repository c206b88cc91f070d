/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/kit_loop.h"

#include <stdlib.h>

#include <event2/event.h>

struct event {
	struct event *next, *before;
	evutil_socket_t fd;
	short what;
	event_callback_fn cb;
	void *arg;
	bool added;     /* it waits for its descriptor */
	int64_t due_ms; /* INT64_MAX: it has no timer */
	short active;   /* it was made active with these bits */
	uint64_t turn;  /* when it ran last: each has its turn */
};

struct hf_fake_clock loop_clock;
bool (*loop_is_ready)(int fd, short what);
static struct event *events;
static uint64_t turns;

struct event *event_new(
    struct event_base *base, evutil_socket_t fd, short what, event_callback_fn cb, void *arg)
{
	struct event *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	*e = (struct event){
		.next = events, .fd = fd, .what = what, .cb = cb, .arg = arg, .due_ms = INT64_MAX
	};
	if (events)
		events->before = e;
	events = e;
	return e;
}

void event_free(struct event *e)
{
	if (e->before)
		e->before->next = e->next;
	else
		events = e->next;
	if (e->next)
		e->next->before = e->before;
	free(e);
}

int event_add(struct event *e, const struct timeval *wait)
{
	e->added = e->fd >= 0;
	if (wait)
		e->due_ms = hf_boot_ms(&loop_clock.clock) + (int64_t)wait->tv_sec * 1000 +
			    (wait->tv_usec + 999) / 1000;
	return 0;
}

int event_del(struct event *e)
{
	e->added = false;
	e->due_ms = INT64_MAX;
	e->active = 0;
	return 0;
}

void event_active(struct event *e, int what, short n)
{
	e->active |= (short)what;
}

evutil_socket_t event_get_fd(const struct event *e)
{
	return e->fd;
}

/* Which bits it would be called with now; 0: it is not. */
static short bits_of(const struct event *e)
{
	short bits = e->active;

	if (e->due_ms <= hf_boot_ms(&loop_clock.clock))
		bits |= EV_TIMEOUT;
	if (e->added && e->what & EV_READ && loop_is_ready(e->fd, EV_READ))
		bits |= EV_READ;
	if (e->added && e->what & EV_WRITE && loop_is_ready(e->fd, EV_WRITE))
		bits |= EV_WRITE;
	return bits;
}

/* The one that has waited for longest. */
static struct event *whose_turn(void)
{
	struct event *found = NULL;

	for (struct event *e = events; e; e = e->next)
		if ((!found || e->turn < found->turn) && bits_of(e))
			found = e;
	return found;
}

size_t loop_run(size_t most)
{
	struct event *e;
	size_t n = 0;

	for (; n < most && (e = whose_turn()); n++) {
		short bits = bits_of(e);

		e->turn = ++turns;
		e->active = 0;
		if (bits & EV_TIMEOUT)
			e->due_ms = INT64_MAX;
		if (!(e->what & EV_PERSIST))
			e->added = false;
		e->cb(e->fd, bits, e->arg);
	}
	return n;
}

int64_t loop_next(void)
{
	int64_t next = INT64_MAX;

	for (const struct event *e = events; e; e = e->next)
		next = e->due_ms < next ? e->due_ms : next;
	return next;
}

size_t loop_events(void)
{
	size_t n = 0;

	for (const struct event *e = events; e; e = e->next)
		n++;
	return n;
}
