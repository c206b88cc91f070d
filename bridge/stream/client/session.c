/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/stream/client/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/stream/client/heartbeat.h"
#include "bridge/stream/client/link.h"
#include "bridge/stream/client/session_upgrade.h"

enum {
	UNIMPLEMENTED = 12, /* dRPC's code */
};

enum session_at {
	SESSION_UPGRADE,
	SESSION_FIRST, /* open; no snapshot was accepted yet */
	SESSION_LIVE,
};

struct hf_session {
	struct hf_session_config config; /* target and version are NULL after the beginning */
	struct hf_stack *stack;          /* owned */
	struct hf_link *link;            /* owned */
	char version[64];
	enum session_at at;
	bool over;                /* nothing is taken any more; failed() comes ... */
	struct hf_problem end;    /* ... with this */
	struct hf_problem broken; /* how the link broke; code NONE: it did not */
	bool held;                /* it is not read: busy */
	bool goaway;              /* no new call is possible on this connection */
	bool outdated;            /* that was reported */
	struct session_taken {
		uint32_t call;
		bool opening; /* it is the snapshot of the owner's opening call */
		size_t n_workspaces, n_agents;
	} taken;      /* a message that goes on while busy() ... */
	bool goes_on; /* ... if there is one */
	bool steady;
	int64_t connected_ms; /* the upgrade was asked for */
	int64_t live_ms;      /* the first snapshot was accepted */
	struct hf_heartbeat beat;
};

/* --- the end --- */

/* No more than noted here: session_report() tells it. */
static void session_end(struct hf_session *s, const struct hf_problem *p)
{
	if (s->over)
		return;
	s->over = true;
	s->end = *p;
}

static void session_end_code(struct hf_session *s, enum hf_problem_code code, const char *text)
{
	struct hf_problem p;

	hf_problem_set(&p, code, text ? "%s" : NULL, text);
	session_end(s, &p);
}

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

static void fail_upgrade(struct hf_session *s)
{
	const struct hf_upgrade *u = hf_stack_answer(s->stack);
	const struct hf_http_answer answer = { .status = u->status,
		.content_type = u->content_type,
		.location = u->location,
		.retry_after = u->retry_after[0] ? u->retry_after : NULL,
		.body = u->body,
		.body_len = u->n_body };
	struct hf_problem p;

	hf_problem_of_answer(
	    &p, "GET /api/v2/tailnet", &answer, hf_wall_ms(s->config.clock) / 1000);
	p.trouble = hf_stream_fault_name(HF_STREAM_FAULT_HTTP_STATUS);
	session_end(s, &p);
}

static bool is_end_of_file(enum hf_stream_fault t)
{
	return t == HF_STREAM_FAULT_WS_EOF || t == HF_STREAM_FAULT_HTTP_EOF;
}

static void take_end(struct hf_session *s, const struct hf_stack_event *e)
{
	enum hf_problem_code code = HF_PROBLEM_PROTOCOL;
	struct hf_problem p;

	if (e->trouble == HF_STREAM_FAULT_HTTP_STATUS) {
		fail_upgrade(s);
		return;
	}
	if (s->broken.code && is_end_of_file(e->trouble)) {
		p = s->broken;
		p.trouble = hf_stream_fault_name(e->trouble);
		session_end(s, &p);
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
	session_set_problem(&p, code, e);
	session_end(s, &p);
}

/* --- snapshots and changes --- */

static void snapshot_accepted(
    struct hf_session *s, struct hf_owner_stream *f, const struct session_taken *t)
{
	hf_owner_list_accepted(s->config.owners, f);
	if (s->at != SESSION_LIVE) {
		s->at = SESSION_LIVE;
		s->live_ms = hf_boot_ms(s->config.clock);
		s->config.reports->live(s->config.arg);
	}
	hf_log_debug("source '%s': snapshot of '%s': %zu workspaces, %zu agents",
	    s->config.settings->name, f->owner.name, t->n_workspaces, t->n_agents);
	if (hf_owner_list_settles(s->config.owners))
		s->config.reports->settled(s->config.arg);
}

/* Told once, until one is accepted. */
static void snapshot_refused(struct hf_session *s, struct hf_owner_stream *f, const char *why)
{
	struct hf_problem p;

	s->config.counts->refused++;
	hf_problem_set(
	    &p, HF_PROBLEM_VERDICT, "the snapshot of '%s' was refused: %s", f->owner.name, why);
	if (s->at == SESSION_LIVE && !f->refused)
		hf_log_warn("source '%s': %s", s->config.settings->name, p.text);
	f->refused = true;
	if (!hf_owner_list_give_up(s->config.owners, f, &p))
		session_end(s, &p);
}

/* `rc` and `j`: of update() or updated(); it does not go on. */
static void session_judged(
    struct hf_session *s, const struct session_taken *t, int rc, const struct hf_judgement *j)
{
	struct hf_owner_stream *f = hf_owner_list_of_call(s->config.owners, t->call);
	bool accepted = rc == 0 && j->verdict == HF_VERDICT_ACCEPTED, again = j->want_snapshot;
	const char *why = rc ? hf_strerror(rc) : j->reason ? j->reason : "";

	if (!f)
		return;
	if (accepted && t->opening) {
		snapshot_accepted(s, f, t);
	} else if (t->opening) {
		snapshot_refused(s, f, why);
	} else if (!accepted) {
		s->config.counts->refused++;
		again = true;
		hf_log_debug("source '%s': a change of '%s' was refused: %s",
		    s->config.settings->name, f->owner.name, why);
	}
	if (s->over)
		return;
	if (again)
		hf_owner_list_want_again(s->config.owners, f);
	s->config.reports->alive(s->config.arg);
}

static void take_update(struct hf_session *s, const struct hf_stack_event *e)
{
	struct hf_owner_stream *f = hf_owner_list_of_call(s->config.owners, e->call);
	struct hf_judgement j = { .verdict = HF_VERDICT_REFUSED };
	struct session_taken t = { .call = e->call };
	int rc;

	if (!f) {
		hf_update_free(e->update);
		return;
	}
	t.opening = hf_owner_stream_is(f, e->call) == CALL_IS_OPENING;
	t.n_workspaces = e->update->n_upserted_workspaces;
	t.n_agents = e->update->n_upserted_agents;
	e->update->connected_ms = s->connected_ms;
	rc = s->config.ops->update(s->config.ops_arg, e->update, &j);
	if (rc == 1) {
		s->taken = t;
		s->goes_on = true;
		return;
	}
	hf_update_free(e->update);
	session_judged(s, &t, rc, &j);
}

/* What became of a message that went on, if that is known now. */
static void take_outcome(struct hf_session *s)
{
	struct hf_judgement j = { .verdict = HF_VERDICT_REFUSED };
	int rc;

	if (!s->goes_on || s->config.ops->busy(s->config.ops_arg))
		return;
	rc = s->config.ops->updated(s->config.ops_arg, &j);
	if (rc == 1)
		return;
	s->goes_on = false;
	session_judged(s, &s->taken, rc, &j);
}

/* --- calls --- */

/* A server that is older, or one whose API was taken back. */
static void set_too_old(const struct hf_session *s, struct hf_problem *p)
{
	hf_problem_set(p, HF_PROBLEM_OLD,
	    "the server is too old: it has no workspace updates (it says it is %s), and Coder v2.18 or newer is needed",
	    s->version[0] ? s->version : "of no version");
}

static void take_call_end(struct hf_session *s, const struct hf_stack_event *e)
{
	struct hf_owner_stream *f = hf_owner_list_of_call(s->config.owners, e->call);
	struct hf_problem p;

	s->config.counts->troubles[e->trouble]++;
	if (!f)
		return;
	if (e->trouble == HF_STREAM_FAULT_CALL_ERROR && e->code == UNIMPLEMENTED)
		set_too_old(s, &p);
	else
		session_set_problem(&p, HF_PROBLEM_CALL, e);
	if (!hf_owner_list_call_ended(s->config.owners, f, e->call, &p))
		session_end(s, &p);
}

static void take_refused(struct hf_session *s, const struct hf_stack_event *e)
{
	struct hf_owner_stream *f = hf_owner_list_of_call(s->config.owners, e->call);

	s->config.counts->troubles[e->trouble]++;
	if (f && hf_owner_stream_is(f, e->call) == CALL_IS_OPENING) {
		snapshot_refused(s, f, hf_stream_fault_text(e->trouble));
		return;
	}
	s->config.counts->refused++;
	if (f)
		hf_owner_list_want_again(s->config.owners, f);
}

static void take_open(struct hf_session *s)
{
	int64_t now = hf_boot_ms(s->config.clock);

	s->at = SESSION_FIRST;
	hf_heartbeat_begin(&s->beat, &s->config.settings->timeouts, now);
	hf_owner_list_open_calls(s->config.owners, now);
}

static void take_event(struct hf_session *s, const struct hf_stack_event *e)
{
	switch (e->what) {
	case STACK_OPEN:
		take_open(s);
		break;
	case STACK_UPDATE:
		take_update(s, e);
		break;
	case STACK_REFUSED:
		take_refused(s, e);
		break;
	case STACK_CALL_ENDED:
		take_call_end(s, e);
		break;
	case STACK_PONG:
		hf_heartbeat_pong(&s->beat);
		s->config.reports->alive(s->config.arg);
		break;
	case STACK_GOAWAY:
		s->goaway = true;
		break;
	case STACK_ENDED:
		s->config.counts->troubles[e->trouble]++;
		take_end(s, e);
		break;
	}
}

/* --- how long the server is waited for --- */

/* While we did not read, nobody could be late: all that is waited for has its whole time again. */
static void session_forgive(struct hf_session *s, int64_t now_ms)
{
	hf_heartbeat_forgive(&s->beat, now_ms, hf_link_received(s->link));
	hf_owner_list_await_again(s->config.owners, now_ms);
}

/* What came is a sign of life of what it belongs to, and of nothing else. */
static void note_bytes(struct hf_session *s, int64_t now_ms)
{
	hf_heartbeat_note(&s->beat, now_ms, hf_link_received(s->link));
	hf_owner_list_note_bytes(s->config.owners, now_ms);
}

static void session_ping(struct hf_session *s, int64_t now_ms)
{
	bool sent = hf_stack_ping(s->stack) == 0;

	hf_heartbeat_ping(&s->beat, sent, now_ms, hf_link_received(s->link));
	hf_link_send(s->link);
}

void hf_session_doubt(struct hf_session *s, int64_t now_ms)
{
	if (s->at == SESSION_UPGRADE || s->beat.doubt_ms)
		return;
	hf_log_debug("source '%s': the connection is doubted", s->config.settings->name);
	session_ping(s, now_ms);
	hf_heartbeat_doubt(&s->beat, now_ms, hf_link_received(s->link));
}

/* --- what came --- */

/*
 * The server takes no new call, one is wanted, and a connection that has just begun has nothing
 * more to give.
 */
static bool is_used_up(struct hf_session *s)
{
	return s->goaway && (s->steady || !hf_owner_list_any_opening(s->config.owners)) &&
	       hf_owner_list_any_wanted(s->config.owners);
}

/* The last act of each way in. */
static void session_report(struct hf_session *s)
{
	if (s->over)
		s->config.reports->failed(s->config.arg, &s->end);
	else
		s->config.reports->due_changed(s->config.arg);
}

/* Takes what came, as far as it may be taken now. */
static void take_events(struct hf_session *s)
{
	struct hf_stack_event e;
	bool busy = false;

	if (!s->over)
		take_outcome(s);
	while (!s->over && !(busy = s->config.ops->busy(s->config.ops_arg)) &&
	       hf_stack_next(s->stack, &e))
		take_event(s, &e);
	if (s->over)
		return;
	note_bytes(s, hf_boot_ms(s->config.clock));
	if (s->held && !busy)
		session_forgive(s, hf_boot_ms(s->config.clock));
	s->held = busy;
	hf_link_hold(s->link, busy);
	if (!busy && !s->goaway && s->at != SESSION_UPGRADE)
		hf_owner_list_open_calls(s->config.owners, hf_boot_ms(s->config.clock));
	hf_link_send(s->link);
}

static void on_link(void *arg, const struct hf_problem *problem)
{
	struct hf_session *s = arg;

	if (problem)
		s->broken = *problem;
	take_events(s);
	session_report(s);
}

void hf_session_go_on(struct hf_session *s)
{
	take_events(s);
	session_report(s);
}

/* --- what is due --- */

int64_t hf_session_next(struct hf_session *s)
{
	const struct hf_stream_settings *settings = s->config.settings;
	int64_t due;

	if (s->config.ops->busy(s->config.ops_arg))
		return INT64_MAX; /* what is not read cannot be missed */
	if (s->at == SESSION_UPGRADE)
		return s->connected_ms + settings->timeouts.head_ms;
	if (is_used_up(s) && !s->outdated)
		return 0;
	due =
	    hf_time_sooner(hf_heartbeat_next(&s->beat), hf_owner_list_late_next(s->config.owners));
	if (s->at != SESSION_LIVE)
		return due;
	due = hf_time_sooner(due, hf_owner_list_next(s->config.owners));
	if (!s->steady)
		due = hf_time_sooner(due, s->live_ms + settings->retry.steady_ms);
	return due;
}

static void end_what_is_late(struct hf_session *s, int64_t now_ms)
{
	struct hf_owner_stream *f;
	struct hf_problem p;

	if (hf_heartbeat_is_late(&s->beat, now_ms)) {
		session_end_code(s, HF_PROBLEM_SILENT, NULL);
		return;
	}
	hf_problem_set(&p, HF_PROBLEM_FIRST, NULL);
	while ((f = hf_owner_list_late(s->config.owners, now_ms)))
		if (!hf_owner_list_give_up(s->config.owners, f, &p)) {
			session_end(s, &p);
			return;
		}
}

static void end_late_upgrade(struct hf_session *s, int64_t now_ms)
{
	if (now_ms < s->connected_ms + s->config.settings->timeouts.head_ms)
		return;
	hf_problem_set(&s->broken, HF_PROBLEM_TIMEOUT,
	    "the server does not answer the request for the stream");
	hf_stack_eof(s->stack);
}

static void session_live_due(struct hf_session *s, int64_t now_ms)
{
	hf_owner_list_due(s->config.owners, now_ms);
	if (s->steady || now_ms < s->live_ms + s->config.settings->retry.steady_ms)
		return;
	s->steady = true;
	s->config.reports->steady(s->config.arg);
}

/* True if a new connection is to take the place of this one, which was not reported yet. */
static bool note_used_up(struct hf_session *s)
{
	if (s->over || !is_used_up(s))
		return false;
	if (!s->steady) {
		session_end_code(s, HF_PROBLEM_CLOSED,
		    "the server takes no more calls on a connection that has just begun");
		return false;
	}
	if (s->outdated)
		return false;
	s->outdated = true;
	return true;
}

void hf_session_due(struct hf_session *s, int64_t now_ms)
{
	bool outdated = false;

	if (s->config.ops->busy(s->config.ops_arg))
		return;
	if (s->at == SESSION_UPGRADE) {
		end_late_upgrade(s, now_ms);
	} else {
		end_what_is_late(s, now_ms);
		if (!s->over && now_ms >= s->beat.ping_ms)
			session_ping(s, now_ms);
		if (!s->over && s->at == SESSION_LIVE)
			session_live_due(s, now_ms);
		outdated = note_used_up(s);
		if (!s->over)
			hf_owner_list_open_calls(s->config.owners, now_ms);
	}
	take_events(s);
	if (outdated && !s->over)
		s->config.reports->outdated(s->config.arg);
	else
		session_report(s);
}

bool hf_session_concerns(const struct hf_session *s, const struct hf_interfaces *changed)
{
	return !changed || hf_link_concerns(s->link, changed);
}

int64_t hf_session_connected_ms(const struct hf_session *s)
{
	return s->connected_ms;
}

/* --- begin and end --- */

static int session_begin(struct hf_session *s, struct hf_http_handle *handle)
{
	const struct hf_stream_timeouts *timeouts = &s->config.settings->timeouts;
	int rc = hf_session_upgrade(s->config.target, &s->config.settings->limits, &s->stack);

	if (rc) {
		hf_http_handle_free(handle);
		return rc;
	}
	rc = hf_link_new(handle, s->stack, s->config.clock, on_link, s, &s->link);
	if (rc)
		return rc;
	hf_owner_list_attach(s->config.owners, s->stack);
	hf_link_patience(s->link, timeouts->ping_interval_ms + timeouts->ping_timeout_ms);
	hf_link_send(s->link);
	return 0;
}

int hf_session_new(const struct hf_session_config *config, struct hf_http_handle *handle,
    struct hf_session **ret_session, struct hf_problem *ret_problem)
{
	struct hf_session *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (s) {
		s->config = *config;
		s->connected_ms = hf_boot_ms(config->clock);
		snprintf(s->version, sizeof(s->version), "%s", config->version);
		hf_problem_set(&s->broken, HF_PROBLEM_NONE, NULL);
		rc = session_begin(s, handle);
		s->config.target = NULL;
		s->config.version = NULL;
	} else {
		hf_http_handle_free(handle);
	}
	if (rc) {
		hf_session_free(s);
		hf_problem_set(ret_problem, rc == -EINVAL ? HF_PROBLEM_HEADERS : HF_PROBLEM_MEMORY,
		    rc == -EINVAL ? "a header of the configuration cannot be sent" : NULL);
		return -1;
	}
	*ret_session = s;
	return 0;
}

void hf_session_free(struct hf_session *s)
{
	if (!s)
		return;
	if (s->stack && s->link) {
		/* A goodbye, if it goes at once. */
		hf_stack_close(s->stack, 1000);
		hf_link_send(s->link);
	}
	hf_owner_list_detach(s->config.owners);
	hf_link_free(s->link);
	hf_stack_free(s->stack);
	free(s);
}
