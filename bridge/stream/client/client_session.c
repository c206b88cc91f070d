/* SPDX-License-Identifier: Apache-2.0 */
/* What comes over an open connection, and what is due on it. */
#include "bridge/stream/client/client_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/timing.h"

enum {
	UNIMPLEMENTED = 12,        /* dRPC's code */
	PONG_MOST_MS = 600 * 1000, /* a pong, however steadily something else comes before it */
};

/* --- what came --- */

static void session_set_problem(
    struct hf_problem *p, enum hf_problem_code code, const struct hf_stack_event *e)
{
	if (e->code)
		hf_problem_set(p, code, "%s (%llu%s%.150s)", hf_stream_fault_text(e->trouble),
		    (unsigned long long)e->code, e->text && *e->text ? ": " : "",
		    e->text ? e->text : "");
	else
		hf_problem_set(p, code, "%s%s%.150s", hf_stream_fault_text(e->trouble),
		    e->text && *e->text ? ": " : "", e->text ? e->text : "");
	p->trouble = hf_stream_fault_name(e->trouble);
}

static void fail_trouble(
    struct hf_client *c, enum hf_problem_code code, const struct hf_stack_event *e)
{
	struct hf_problem p;

	session_set_problem(&p, code, e);
	c->reports->failed(c, &p);
}

static void fail_upgrade(struct hf_client *c)
{
	const struct hf_upgrade *u = hf_stack_answer(c->stack);
	const struct hf_http_answer answer = { .status = u->status,
		.content_type = u->content_type,
		.location = u->location,
		.retry_after = u->retry_after[0] ? u->retry_after : NULL,
		.body = u->body,
		.body_len = u->n_body };
	struct hf_problem p;

	hf_problem_of_answer(&p, "GET /api/v2/tailnet", &answer, hf_wall_ms(c->clock) / 1000);
	p.trouble = hf_stream_fault_name(HF_STREAM_FAULT_HTTP_STATUS);
	c->reports->failed(c, &p);
}

static bool is_end_of_file(enum hf_stream_fault t)
{
	return t == HF_STREAM_FAULT_WS_EOF || t == HF_STREAM_FAULT_HTTP_EOF;
}

static void take_end(struct hf_client *c, const struct hf_stack_event *e)
{
	enum hf_problem_code code = HF_PROBLEM_PROTOCOL;

	if (e->trouble == HF_STREAM_FAULT_HTTP_STATUS) {
		fail_upgrade(c);
		return;
	}
	if (c->broken.code && is_end_of_file(e->trouble)) {
		struct hf_problem p = c->broken;

		p.trouble = hf_stream_fault_name(e->trouble);
		c->reports->failed(c, &p);
		return;
	}
	switch (hf_stream_fault_code(e->trouble)) {
	case HF_ECLOSED:
		code = HF_PROBLEM_CLOSED;
		break;
	case -ENOMEM:
		code = HF_PROBLEM_MEMORY;
		break;
	}
	fail_trouble(c, code, e);
}

static void prove_life(struct hf_client *c)
{
	c->contact_wall_s = hf_wall_ms(c->clock) / 1000;
	if (c->state == CLIENT_LIVE)
		c->ops->contact(c->arg);
}

static void snapshot_accepted(
    struct hf_client *c, struct hf_owner_stream *f, const struct hf_client_taken *t)
{
	hf_client_accepted(c, f);
	if (c->state != CLIENT_LIVE) {
		/* Where it was away, the end of that is told when it has lasted. */
		hf_log(c->fault.text[0] ? HF_LOG_DEBUG : HF_LOG_INFO,
		    "source '%s': live with %s, Coder %s, user '%s'", c->settings->name,
		    c->target.place.base, c->told->version[0] ? c->told->version : "(unknown)",
		    c->told->user_name);
		c->reports->live(c);
	}
	hf_log_debug("source '%s': snapshot of '%s': %zu workspaces, %zu agents", c->settings->name,
	    f->owner.name, t->n_workspaces, t->n_agents);
	hf_client_check_settled(c);
}

/* Told once, until one is accepted. */
static void snapshot_refused(struct hf_client *c, struct hf_owner_stream *f, const char *why)
{
	struct hf_problem p;

	c->refused++;
	hf_problem_set(
	    &p, HF_PROBLEM_VERDICT, "the snapshot of '%s' was refused: %s", f->owner.name, why);
	if (c->state == CLIENT_LIVE && !f->refused)
		hf_log_warn("source '%s': %s", c->settings->name, p.text);
	f->refused = true;
	hf_client_give_up(c, f);
	if (!hf_client_snapshot_failed(c, f, &p))
		c->reports->failed(c, &p);
}

static void session_judged(struct hf_client *c, const struct hf_client_taken *t,
    enum hf_client_verdict verdict, bool again, const char *why)
{
	struct hf_owner_stream *f = hf_client_owner_of(c, t->call);

	if (!f)
		return;
	if (verdict == CLIENT_ACCEPTED && t->opening) {
		snapshot_accepted(c, f, t);
	} else if (t->opening) {
		snapshot_refused(c, f, why ? why : "");
	} else if (verdict != CLIENT_ACCEPTED) {
		c->refused++;
		again = true;
		hf_log_debug("source '%s': a change of '%s' was refused: %s", c->settings->name,
		    f->owner.name, why ? why : "");
	}
	if (c->stack && again)
		hf_client_want_again(c, f);
	if (c->stack)
		prove_life(c);
}

static void take_update(struct hf_client *c, const struct hf_stack_event *e)
{
	struct hf_owner_stream *f = hf_client_owner_of(c, e->call);
	struct hf_client_taken t = { .call = e->call };
	enum hf_client_verdict verdict;
	const char *why = "";
	bool again = false;

	if (!f) {
		hf_update_free(e->update);
		return;
	}
	t.opening = hf_owner_stream_is(f, e->call) == CALL_IS_OPENING;
	t.n_workspaces = e->update->n_upserted_workspaces;
	t.n_agents = e->update->n_upserted_agents;
	e->update->connected_ms = c->connected_ms;
	verdict = c->ops->update(c->arg, e->update, &again, &why);
	if (verdict == CLIENT_GOES_ON) {
		c->taken = t;
		c->goes_on = true;
		return;
	}
	hf_update_free(e->update);
	session_judged(c, &t, verdict, again, why);
}

void hf_client_take_outcome(struct hf_client *c)
{
	enum hf_client_verdict verdict;
	const char *why = "";
	bool again = false;

	if (!c->goes_on || c->ops->busy(c->arg))
		return;
	verdict = c->ops->updated(c->arg, &again, &why);
	if (verdict == CLIENT_GOES_ON)
		return;
	c->goes_on = false;
	session_judged(c, &c->taken, verdict, again, why);
}

/* A server that is older, or one whose API was taken back. */
static void set_too_old(const struct hf_client *c, struct hf_problem *p)
{
	hf_problem_set(p, HF_PROBLEM_OLD,
	    "the server is too old: it has no workspace updates (it says it is %s), and Coder v2.18 or newer is needed",
	    c->told->version[0] ? c->told->version : "of no version");
}

static void take_call_end(struct hf_client *c, const struct hf_stack_event *e)
{
	struct hf_owner_stream *f = hf_client_owner_of(c, e->call);
	struct hf_problem p;

	c->troubles[e->trouble]++;
	if (!f)
		return;
	if (e->trouble == HF_STREAM_FAULT_CALL_ERROR && e->code == UNIMPLEMENTED)
		set_too_old(c, &p);
	else
		session_set_problem(&p, HF_PROBLEM_CALL, e);
	if (!hf_client_call_ended(c, f, e->call, &p))
		c->reports->failed(c, &p);
}

static void take_refused(struct hf_client *c, const struct hf_stack_event *e)
{
	struct hf_owner_stream *f = hf_client_owner_of(c, e->call);

	c->troubles[e->trouble]++;
	if (f && hf_owner_stream_is(f, e->call) == CALL_IS_OPENING) {
		snapshot_refused(c, f, hf_stream_fault_text(e->trouble));
		return;
	}
	c->refused++;
	if (f)
		hf_client_want_again(c, f);
}

static void take_open(struct hf_client *c)
{
	int64_t now = hf_boot_ms(c->clock);

	c->at = AT_FIRST;
	c->opened_ms = now;
	c->ping_ms = now + c->settings->timeouts.ping_interval_ms;
	c->refresh_ms = now + hf_client_interval_ms(c);
	hf_client_open_calls(c, now);
}

static void take_event(struct hf_client *c, const struct hf_stack_event *e)
{
	switch (e->what) {
	case STACK_OPEN:
		take_open(c);
		break;
	case STACK_UPDATE:
		take_update(c, e);
		break;
	case STACK_REFUSED:
		take_refused(c, e);
		break;
	case STACK_CALL_ENDED:
		take_call_end(c, e);
		break;
	case STACK_PONG:
		c->pinged = false;
		c->doubt_ms = 0;
		prove_life(c);
		break;
	case STACK_GOAWAY:
		c->goaway = true;
		break;
	case STACK_ENDED:
		c->troubles[e->trouble]++;
		take_end(c, e);
		break;
	}
}

static void await_pong(struct hf_client *c, int64_t now_ms)
{
	hf_patience_begin(&c->pong, c->settings->timeouts.ping_timeout_ms, PONG_MOST_MS, now_ms,
	    hf_link_received(c->link));
}

/* While we did not read, nobody could be late: all that is waited for has its whole time again. */
static void session_forgive(struct hf_client *c, int64_t now_ms)
{
	c->doubt_ms = 0;
	await_pong(c, now_ms);
	hf_client_await_again(c, now_ms);
}

/* What came is a sign of life of what it belongs to, and of nothing else. */
static void note_bytes(struct hf_client *c, int64_t now_ms)
{
	uint64_t received = hf_link_received(c->link);

	hf_patience_note(&c->pong, now_ms, received);
	if (received != c->doubt_at)
		c->doubt_ms = 0;
	for (size_t i = 0; i < c->n_opening; i++) {
		struct hf_owner_stream *f = c->opening[i];

		if (f->opening)
			hf_patience_note(
			    &f->first, now_ms, hf_stack_received(c->stack, f->opening));
	}
}

void hf_client_take_events(struct hf_client *c)
{
	struct hf_stack_event e;
	bool busy = false;

	hf_client_take_outcome(c);
	while (c->stack && !(busy = c->ops->busy(c->arg)) && hf_stack_next(c->stack, &e))
		take_event(c, &e);
	if (!c->stack)
		return;
	note_bytes(c, hf_boot_ms(c->clock));
	if (c->held && !busy)
		session_forgive(c, hf_boot_ms(c->clock));
	c->held = busy;
	hf_link_hold(c->link, busy);
	if (!busy && !c->goaway && c->at == AT_FIRST)
		hf_client_open_calls(c, hf_boot_ms(c->clock));
	hf_link_send(c->link);
	c->reports->due_changed(c);
}

static void on_link(void *arg, const struct hf_problem *problem)
{
	struct hf_client *c = arg;

	if (problem)
		c->broken = *problem;
	hf_client_take_events(c);
}

/* --- begin and end --- */

static int make_stack(struct hf_client *c)
{
	const struct hf_stack_config config = { .limits = &c->settings->limits,
		.random = hf_client_random };
	struct hf_upgrade_header headers[64];
	char *lines[64];
	struct hf_upgrade_request request = { .host = c->target.place.authority,
		.prefix = c->target.place.prefix,
		.token = c->target.token,
		.headers = headers };
	int rc;

	for (const struct curl_slist *l = c->target.headers; l && request.n_headers < 64;
	     l = l->next) {
		char *copy = strdup(l->data), *colon = copy ? strchr(copy, ':') : NULL;

		if (!colon) {
			free(copy);
			continue;
		}
		*colon = '\0';
		lines[request.n_headers] = copy;
		headers[request.n_headers++] = (struct hf_upgrade_header){ .name = copy,
			.value = colon + 1 + strspn(colon + 1, " \t") };
	}
	rc = hf_stack_new(&config, &request, &c->stack);
	for (size_t i = 0; i < request.n_headers; i++)
		free(lines[i]);
	return rc;
}

void hf_client_open_stream(struct hf_client *c, struct hf_http_handle *handle)
{
	struct hf_problem p;
	int rc = make_stack(c);

	c->goaway = false;
	c->redial_ms = 0;
	c->pinged = false;
	c->doubt_ms = 0;
	hf_problem_set(&c->broken, HF_PROBLEM_NONE, NULL);
	c->opened_ms = c->connected_ms = hf_boot_ms(c->clock);
	if (rc)
		hf_http_handle_free(handle);
	else
		rc = hf_link_new(handle, c->stack, c->clock, on_link, c, &c->link);
	if (rc) {
		hf_problem_set(&p, rc == -EINVAL ? HF_PROBLEM_HEADERS : HF_PROBLEM_MEMORY,
		    rc == -EINVAL ? "a header of the configuration cannot be sent" : NULL);
		c->reports->failed(c, &p);
		return;
	}
	hf_link_patience(c->link,
	    c->settings->timeouts.ping_interval_ms + c->settings->timeouts.ping_timeout_ms);
	hf_link_send(c->link);
	c->reports->due_changed(c);
}

void hf_client_close_stream(struct hf_client *c)
{
	if (c->stack && c->link) {
		/* A goodbye, if it goes at once. */
		hf_stack_close(c->stack, 1000);
		hf_link_send(c->link);
	}
	hf_link_free(c->link);
	hf_stack_free(c->stack);
	c->link = NULL;
	c->stack = NULL;
	c->goes_on = false;
	hf_client_forget_calls(c);
}

/* --- what is due --- */

static bool is_opening(const struct hf_client *c)
{
	for (size_t i = 0; i < c->n_opening; i++)
		if (c->opening[i]->opening)
			return true;
	return false;
}

static bool is_steady(const struct hf_client *c)
{
	return c->state == CLIENT_LIVE && c->steady;
}

/*
 * The server takes no new call, one is wanted, and a connection that has just begun has nothing
 * more to give.
 */
static bool is_used_up(struct hf_client *c)
{
	return c->goaway && (is_steady(c) || !is_opening(c)) && hf_client_any_wanted(c);
}

int64_t hf_client_stream_next(struct hf_client *c)
{
	int64_t due = INT64_MAX;

	if (c->ops->busy(c->arg))
		return due; /* what is not read cannot be missed */
	if (c->at == AT_UPGRADE)
		return c->opened_ms + c->settings->timeouts.head_ms;
	if (is_used_up(c) && !c->redial_ms)
		return 0;
	due = c->ping_ms;
	if (c->pinged)
		due = hf_time_sooner(due, hf_patience_next(&c->pong));
	if (c->doubt_ms)
		due = hf_time_sooner(due, c->doubt_ms);
	for (size_t i = 0; i < c->n_opening; i++)
		if (c->opening[i]->opening)
			due = hf_time_sooner(due, hf_patience_next(&c->opening[i]->first));
	if (c->redial_ms)
		due = hf_time_sooner(due, c->redial_ms);
	if (c->state != CLIENT_LIVE)
		return due;
	due = hf_time_sooner(due, hf_client_owners_next(c));
	if (!hf_client_is_asking(c))
		due = hf_time_sooner(due, c->refresh_ms);
	due = hf_time_sooner(due, hf_client_disputes_next(c));
	if (c->reconnect_ms)
		due = hf_time_sooner(due, c->reconnect_ms);
	if (!c->steady)
		due = hf_time_sooner(due, c->since_ms + c->settings->retry.steady_ms);
	return due;
}

void hf_client_doubt(struct hf_client *c, int64_t now_ms)
{
	if (!c->stack || c->at == AT_UPGRADE || c->doubt_ms)
		return;
	hf_log_debug("source '%s': the connection is doubted", c->settings->name);
	hf_client_ping(c, now_ms);
	c->doubt_ms = now_ms + c->settings->timeouts.doubt_ms;
	c->doubt_at = hf_link_received(c->link);
}

void hf_client_ping(struct hf_client *c, int64_t now_ms)
{
	if (!c->stack || c->at == AT_UPGRADE)
		return;
	if (hf_stack_ping(c->stack) == 0 && !c->pinged) {
		c->pinged = true;
		await_pong(c, now_ms);
	}
	c->ping_ms = now_ms + c->settings->timeouts.ping_interval_ms;
	hf_link_send(c->link);
}

/* True if the connection was ended. */
static bool end_what_is_late(struct hf_client *c, int64_t now_ms)
{
	struct hf_problem p;

	if ((c->pinged && hf_patience_over(&c->pong, now_ms)) ||
	    (c->doubt_ms && now_ms >= c->doubt_ms)) {
		hf_problem_set(&p, HF_PROBLEM_SILENT, NULL);
		c->reports->failed(c, &p);
		return true;
	}
	for (size_t i = 0; i < c->n_opening; i++) {
		struct hf_owner_stream *f = c->opening[i];

		if (!f->opening || !hf_patience_over(&f->first, now_ms))
			continue;
		hf_problem_set(&p, HF_PROBLEM_FIRST, NULL);
		hf_client_give_up(c, f);
		if (!hf_client_snapshot_failed(c, f, &p)) {
			c->reports->failed(c, &p);
			return true;
		}
	}
	return false;
}

/* At most one an interval, however long what waits for it is not content. */
static bool session_wants_connection(struct hf_client *c, int64_t now_ms)
{
	c->reconnect_ms = 0;
	if (c->state != CLIENT_LIVE || !c->ops->wants_connection(c->arg))
		return false;
	c->reconnect_ms = c->connected_ms + hf_client_again_ms(c);
	return now_ms >= c->reconnect_ms;
}

void hf_client_stream_due(struct hf_client *c, int64_t now_ms)
{
	struct hf_problem p;

	if (c->ops->busy(c->arg))
		return;
	if (c->at == AT_UPGRADE) {
		if (now_ms < c->opened_ms + c->settings->timeouts.head_ms)
			return;
		hf_problem_set(&c->broken, HF_PROBLEM_TIMEOUT,
		    "the server does not answer the request for the stream");
		hf_stack_eof(c->stack);
		hf_client_take_events(c);
		return;
	}
	if (end_what_is_late(c, now_ms))
		return;
	if (now_ms >= c->ping_ms)
		hf_client_ping(c, now_ms);
	if (c->state == CLIENT_LIVE)
		hf_client_owners_due(c, now_ms);
	if (c->state == CLIENT_LIVE)
		hf_client_disputes_due(c, now_ms);
	if (c->state == CLIENT_LIVE && !c->steady &&
	    now_ms >= c->since_ms + c->settings->retry.steady_ms)
		c->reports->steady(c);
	if (c->state == CLIENT_LIVE && now_ms >= c->refresh_ms) {
		c->refresh_ms = now_ms + hf_client_interval_ms(c);
		c->reports->refresh_due(c);
	}
	if (is_used_up(c) && !is_steady(c)) {
		hf_problem_set(&p, HF_PROBLEM_CLOSED,
		    "the server takes no more calls on a connection that has just begun");
		c->reports->failed(c, &p);
		return;
	}
	if (session_wants_connection(c, now_ms) || (c->redial_ms && now_ms >= c->redial_ms) ||
	    (is_used_up(c) && !c->redial_ms))
		c->reports->outdated(c);
	if (!c->stack)
		return;
	hf_client_open_calls(c, now_ms);
	hf_client_take_events(c);
}
