/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/dial.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/timing.h"

struct hf_dial {
	struct hf_dial_config config;
	struct hf_addresses addresses;                    /* as they were at the start */
	struct hf_http_handle *handles[HF_ADDRESSES_MAX]; /* owned; NULL: not begun, or failed */
	size_t n;                                         /* runners in all */
	size_t begun;
	size_t failed;
	struct hf_problem problem; /* what tells most of those that failed */
	struct event *next;        /* owned */
	hf_dial_cb cb;
	void *arg;
};

static void on_done(struct hf_http_handle *h, CURLcode result, void *arg);

static void note_problem(struct hf_dial *r, const struct hf_problem *p)
{
	r->failed++;
	if (r->failed == 1 || hf_problem_tells_more(&r->problem, p))
		r->problem = *p;
}

static int dial_start(struct hf_dial *r, size_t i)
{
	const struct hf_dial_config *c = &r->config;
	struct hf_http_handle *h;
	int rc =
	    hf_http_handle_new(c->http, c->target, r->addresses.n ? r->addresses.at[i] : NULL, &h);

	if (rc)
		return rc;
	rc = c->path ? hf_http_handle_request(h, c->target, c->path, c->body)
		     : hf_http_handle_connect_only(h);
	if (!rc)
		rc = hf_http_handle_keep(h, c->fresh, c->last);
	if (!rc)
		rc = hf_http_handle_start(h, on_done, r);
	if (rc)
		hf_http_handle_free(h);
	else
		r->handles[i] = h;
	return rc;
}

/* Lets the next one run, if there is one; what cannot even start has failed. */
static void begin_next(struct hf_dial *r)
{
	int64_t wait = r->config.target->settings->timeouts.address_delay_ms;
	struct timeval tv = hf_time_of_ms(wait);
	struct hf_problem p;

	while (r->begun < r->n) {
		if (dial_start(r, r->begun++) == 0)
			break;
		hf_problem_set(&p, HF_PROBLEM_MEMORY, NULL);
		note_problem(r, &p);
	}
	/* Where all have failed already, the timer brings the end. */
	if (r->failed == r->n)
		tv = (struct timeval){ 0 };
	if (r->begun < r->n || r->failed == r->n)
		event_add(r->next, &tv);
	else
		event_del(r->next);
}

static void dial_lose(struct hf_dial *r)
{
	hf_dial_cb cb = r->cb;
	void *arg = r->arg;
	struct hf_problem p = r->problem;

	hf_dial_free(r);
	cb(arg, NULL, 0, &p);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
	struct hf_dial *r = arg;

	if (r->failed == r->n)
		dial_lose(r);
	else
		begin_next(r);
}

static void on_done(struct hf_http_handle *h, CURLcode result, void *arg)
{
	struct hf_dial *r = arg;
	hf_dial_cb cb = r->cb;
	void *cb_arg = r->arg;
	struct hf_problem p;
	size_t which = 0;

	while (r->handles[which] != h)
		which++;
	r->handles[which] = NULL;
	if (result == CURLE_OK) {
		hf_dial_free(r);
		cb(cb_arg, h, which, NULL);
		return;
	}
	hf_http_problem(h, result, hf_wall_ms(r->config.clock) / 1000, &p);
	hf_http_handle_free(h);
	note_problem(r, &p);
	if (r->failed == r->n)
		dial_lose(r);
	else if (r->failed == r->begun)
		begin_next(r); /* nobody runs any more */
}

int hf_dial_new(
    const struct hf_dial_config *config, hf_dial_cb cb, void *arg, struct hf_dial **ret_race)
{
	struct hf_dial *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->config = *config;
	r->addresses = *config->addresses;
	r->n = r->addresses.n ? r->addresses.n : 1;
	r->cb = cb;
	r->arg = arg;
	r->next = evtimer_new(hf_http_base(config->http), on_next, r);
	if (!r->next) {
		free(r);
		return -ENOMEM;
	}
	begin_next(r);
	*ret_race = r;
	return 0;
}

void hf_dial_free(struct hf_dial *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		hf_http_handle_free(r->handles[i]);
	event_free(r->next);
	free(r);
}
