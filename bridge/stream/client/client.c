/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a client: it alone changes them. The way and the session report to it. */
#include "bridge/stream/client/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/timing.h"
#include "bridge/stream/client/client_random.h"
#include "bridge/stream/client/dial_rate.h"
#include "bridge/stream/client/dispute_query.h"
#include "bridge/stream/client/owner_list.h"
#include "bridge/stream/client/session.h"
#include "bridge/stream/client/way.h"

enum { ALL_AGAIN_MS = 3600 * 1000 };

struct hf_client {
	struct hf_http *http; /* borrowed, as the four below */
	const struct hf_clock *clock;
	const struct hf_stream_settings *settings;
	const struct hf_client_ops *ops;
	void *arg;
	struct event *timer; /* owned: whatever is due next */

	enum hf_client_state state;
	struct hf_problem problem;
	struct hf_fault fault;
	struct hf_fault owner_fault; /* some owner cannot be followed */
	int64_t since_ms, since_wall_s;
	int64_t contact_wall_s;
	uint64_t problems[HF_PROBLEM_LAST];

	/* when it is tried again */
	int64_t next_try_ms; /* in all states that wait */
	int64_t event_ms;    /* when an event last ended a wait */
	int64_t kept_ms;     /* events do not end a wait before: somebody said how long */
	struct hf_dial_rate rate;
	unsigned attempts;
	struct hf_backoff backoff;
	bool fresh_token; /* a refused token was read again once already */

	/* what the server told */
	struct hf_addresses good;    /* worked last */
	struct hf_server_info *told; /* owned: of this connection or the last */
	bool told_new;               /* it waits to be handed on */
	unsigned warned;             /* of the token's end: 1: 7 days, 2: 1 day, 3: over */
	struct hf_owner_info *all;   /* owned: the last listing of all users ... */
	size_t n_all;
	int64_t all_ms; /* ... and when it was made */

	/* the way to the server and the connection, both owned; NULL in the states that wait */
	struct hf_way *way;
	struct hf_session *session; /* NULL, too, until the way has led there */
	struct hf_owner_list owners;
	struct hf_dispute_query dispute;
	struct hf_session_counts counts;
	char rights[HF_RIGHTS_MAX]; /* of the connection, as REST said before it */
	int64_t refresh_ms;         /* live: when REST is asked next */
	int64_t reconnect_ms;       /* a new connection is wanted, then; 0: not */
	int64_t redial_ms;          /* it is decided, and begins then; 0: not */
};

static const char *const state_names[] = {
	[CLIENT_WAITING] = "waiting",
	[CLIENT_CONNECTING] = "connecting",
	[CLIENT_LIVE] = "live",
	[CLIENT_UNAUTHORISED] = "unauthorised",
	[CLIENT_FAILED] = "failed",
};

const char *hf_client_state_name(enum hf_client_state state)
{
	return state_names[state];
}

/* --- states --- */

/* Whatever was under way ends, and the token is wiped. */
static void client_drop(struct hf_client *c)
{
	hf_dispute_query_drop(&c->dispute);
	hf_session_free(c->session);
	hf_way_free(c->way);
	c->session = NULL;
	c->way = NULL;
	c->told_new = false;
	c->redial_ms = 0;
}

static bool client_waits(const struct hf_client *c)
{
	return c->state != CLIENT_CONNECTING && c->state != CLIENT_LIVE;
}

static bool client_is_asking(const struct hf_client *c)
{
	return c->told_new || hf_way_is_asking(c->way);
}

/* Of an open connection, beside what the session itself has. */
static int64_t live_next(const struct hf_client *c)
{
	int64_t due = hf_dispute_query_next(&c->dispute);

	if (!client_is_asking(c))
		due = hf_time_sooner(due, c->refresh_ms);
	return c->reconnect_ms ? hf_time_sooner(due, c->reconnect_ms) : due;
}

static int64_t client_next_due(struct hf_client *c)
{
	int64_t due;

	if (client_waits(c))
		return c->next_try_ms;
	if (!c->session || c->ops->busy(c->arg))
		return INT64_MAX;
	due = hf_session_next(c->session);
	if (c->redial_ms)
		due = hf_time_sooner(due, c->redial_ms);
	return c->state == CLIENT_LIVE ? hf_time_sooner(due, live_next(c)) : due;
}

/* Takes the timer to what is due next. */
static void client_schedule(struct hf_client *c)
{
	int64_t due = client_next_due(c), wait = due - hf_boot_ms(c->clock);
	struct timeval tv;

	if (due == INT64_MAX) {
		event_del(c->timer);
		return;
	}
	if (wait < 0)
		wait = 0;
	tv = hf_time_of_ms(wait);
	event_add(c->timer, &tv);
}

static void client_enter(struct hf_client *c, enum hf_client_state next)
{
	int64_t now = hf_boot_ms(c->clock);

	if (c->state != next)
		hf_log_debug("source '%s': %s -> %s", c->settings->name, state_names[c->state],
		    state_names[next]);
	if (c->state != next || next == CLIENT_CONNECTING) {
		c->since_ms = now;
		c->since_wall_s = hf_wall_ms(c->clock) / 1000;
	}
	c->state = next;
	if (next == CLIENT_LIVE) {
		c->attempts = 0;
		hf_problem_set(&c->problem, HF_PROBLEM_NONE, NULL);
	}
	client_schedule(c);
}

/* --- how often --- */

static void try_at(struct hf_client *c, int64_t at_ms)
{
	int64_t may = hf_dial_rate_next(&c->rate, c->settings->retry.per_minute);

	c->next_try_ms = at_ms > may ? at_ms : may;
}

/* Live for so long that a failure is a new one. */
static void client_steady(struct hf_client *c)
{
	char what[96];

	hf_backoff_reset(&c->backoff);
	snprintf(what, sizeof(what), "source '%s'", c->settings->name);
	hf_fault_clear(&c->fault, c->clock, what);
}

/*
 * How long until the next attempt, in which state it is waited for, and how long in spite of
 * events.
 */
static int64_t client_plan_retry(struct hf_client *c, const struct hf_problem *p,
    enum hf_client_state *ret_state, int64_t *ret_kept)
{
	const struct hf_stream_retry *retry = &c->settings->retry;
	int64_t wait;

	*ret_kept = 0;
	switch (hf_problem_mends(p->code)) {
	case MENDS_NOT:
		*ret_state = CLIENT_FAILED;
		wait = retry->permanent_ms;
		break;
	case MENDS_TOKEN:
		*ret_state = CLIENT_UNAUTHORISED;
		/* The file may have a new one already: once, at once. */
		wait = c->fresh_token ? retry->unauthorised_ms : retry->floor_ms;
		*ret_kept = c->fresh_token ? wait : 0;
		c->fresh_token = true;
		break;
	default:
		*ret_state = CLIENT_WAITING;
		wait = hf_backoff_fail_jittered(&c->backoff, hf_client_random32());
		break;
	}
	if (p->wait_s * 1000 > *ret_kept)
		*ret_kept = p->wait_s * 1000;
	return *ret_kept > wait ? *ret_kept : wait;
}

/* The one place where things end; frees what belongs to the connection. */
static void client_fail(struct hf_client *c, const struct hf_problem *problem)
{
	enum hf_client_state next;
	int64_t now = hf_boot_ms(c->clock), wait, kept;

	if (c->state == CLIENT_LIVE && now - c->since_ms >= c->settings->retry.steady_ms)
		client_steady(c);
	c->problem = *problem;
	c->problems[problem->code]++;
	c->attempts++;
	client_drop(c);
	c->ops->away(c->arg);
	wait = client_plan_retry(c, &c->problem, &next, &kept);
	c->kept_ms = now + kept;
	try_at(c, now + wait);
	hf_fault_set(&c->fault, c->clock, HF_LOG_WARN, "source '%s': %s", c->settings->name,
	    c->problem.text);
	hf_log_debug("source '%s': attempt %u failed (%s), next in %" PRId64 " ms",
	    c->settings->name, c->attempts, hf_problem_name(c->problem.code), wait);
	client_enter(c, next);
}

static void client_fail_code(struct hf_client *c, enum hf_problem_code code)
{
	struct hf_problem p;

	hf_problem_set(&p, code, NULL);
	client_fail(c, &p);
}

/* --- what the server told --- */

/* Tells once for each threshold, and anew with another token. */
static void warn_of_expiry(struct hf_client *c)
{
	int64_t left = c->told->token_expires_s - hf_wall_ms(c->clock) / 1000;
	unsigned level = left <= 0 ? 3 : left <= 86400 ? 2 : left <= 7 * 86400 ? 1 : 0;

	if (!c->told->token_expires_s)
		return;
	if (level > c->warned && left > 0)
		hf_log_warn("source '%s': the session token expires in %" PRId64
			    " hours; put a new one in its place before",
		    c->settings->name, left / 3600);
	c->warned = level;
}

/* A connection carries so many calls and no more; a new snapshot needs a second one for a while. */
static size_t max_owners(const struct hf_client *c)
{
	size_t max = c->settings->limits.streams;

	return max > 2 * HF_OPENING_MAX ? max - HF_OPENING_MAX : (max + 1) / 2;
}

static void limit_owners(struct hf_client *c)
{
	size_t max = max_owners(c);

	if (c->told->n_owners <= max)
		return;
	hf_problem_set(&c->told->missing, HF_PROBLEM_NO_USER,
	    "%zu of %zu owners are not followed: limits.streams is %u", c->told->n_owners - max,
	    c->told->n_owners, c->settings->limits.streams);
	c->told->complete = false;
	c->told->n_owners = max;
}

/* Once, not at each snapshot. */
static void client_tell_missing(struct hf_client *c)
{
	char what[112];

	snprintf(what, sizeof(what), "source '%s': the list of owners", c->settings->name);
	if (!c->told->missing.code)
		hf_fault_clear(&c->owner_fault, c->clock, what);
	else
		hf_fault_set(&c->owner_fault, c->clock, HF_LOG_WARN, "source '%s': %s",
		    c->settings->name, c->told->missing.text);
}

static void tell_owners(struct hf_client *c)
{
	for (size_t i = 0; i < c->told->n_owners; i++)
		c->ops->owner(c->arg, &c->told->owners[i], c->told->asked_ms);
}

/* The listing of all users is kept for an hour. */
static void keep_all(struct hf_client *c)
{
	const struct hf_texts *owners = &c->settings->owners;
	struct hf_owner_info *copy;
	bool all = false;

	for (size_t i = 0; i < owners->n; i++)
		all |= !strcmp(owners->at[i], "all");
	if (!all || !c->told->complete || c->all || !c->told->n_owners)
		return;
	copy = calloc(c->told->n_owners, sizeof(*copy));
	if (!copy)
		return;
	c->all = copy;
	c->n_all = 0;
	c->all_ms = hf_boot_ms(c->clock);
	for (size_t i = 0; i < c->told->n_owners; i++) {
		if (!c->told->owners[i].listed)
			continue;
		copy[c->n_all] = c->told->owners[i];
		copy[c->n_all++].readable = READABLE_UNKNOWN; /* that is asked each time */
	}
}

/*
 * The server keeps the rights that a connection began with: what was granted since comes by a new
 * one only. What REST did not tell this time says nothing.
 */
static bool client_rights_changed(const struct hf_client *c)
{
	const char *now = c->told->rights;

	return (*now && strcmp(now, c->rights) != 0) || hf_owner_list_readable_changed(&c->owners);
}

static void check_settled(struct hf_client *c)
{
	if (hf_owner_list_settles(&c->owners) && c->told->complete)
		c->ops->settled(c->arg, c->told);
}

static void client_dial(struct hf_client *c)
{
	struct hf_problem p;

	if (hf_way_dial(c->way, &p))
		client_fail(c, &p);
}

/* At most one an interval, however long what waits for it is not content. */
static bool client_wants_connection(struct hf_client *c, int64_t now_ms)
{
	c->reconnect_ms = 0;
	if (c->state != CLIENT_LIVE || !c->ops->wants_connection(c->arg))
		return false;
	c->reconnect_ms = hf_session_connected_ms(c->session) + hf_owner_list_again_ms(c->settings);
	return now_ms >= c->reconnect_ms;
}

static void client_live_due(struct hf_client *c, int64_t now_ms)
{
	hf_dispute_query_due(&c->dispute, hf_way_target(c->way), hf_way_addresses(c->way),
	    hf_owner_list_again_ms(c->settings), now_ms);
	if (now_ms < c->refresh_ms)
		return;
	c->refresh_ms = now_ms + hf_owner_list_interval_ms(c->settings);
	if (!client_is_asking(c) && hf_way_ask_again(c->way))
		hf_log_debug("source '%s': no memory to ask again", c->settings->name);
}

/* Does what is due on an open connection, if there is one. */
static void connection_due(struct hf_client *c, int64_t now_ms)
{
	if (!c->session || c->ops->busy(c->arg))
		return;
	hf_session_due(c->session, now_ms);
	if (c->session && c->state == CLIENT_LIVE)
		client_live_due(c, now_ms);
	if (c->session &&
	    (client_wants_connection(c, now_ms) || (c->redial_ms && now_ms >= c->redial_ms)))
		hf_client_redial(c);
}

/* Hands on what the server told, as soon as it may be; then the stream can be opened. */
static void hand_on(struct hf_client *c)
{
	enum hf_client_verdict verdict;

	if (!c->told_new || c->ops->busy(c->arg))
		return;
	c->told_new = false;
	c->fresh_token = false;
	warn_of_expiry(c);
	verdict = c->ops->identify(c->arg, c->told);
	if (verdict != CLIENT_ACCEPTED) {
		/* What is not held could not be taken: there was no memory for it. */
		client_fail_code(c, verdict == CLIENT_HELD ? HF_PROBLEM_HELD : HF_PROBLEM_MEMORY);
		return;
	}
	keep_all(c);
	limit_owners(c);
	tell_owners(c);
	if (!c->told->n_owners && (c->told->complete || !c->owners.n)) {
		client_fail(c, &c->told->missing);
		return;
	}
	client_tell_missing(c);
	if (hf_owner_list_set(&c->owners, c->told, max_owners(c))) {
		client_fail_code(c, HF_PROBLEM_MEMORY);
		return;
	}
	if (c->state != CLIENT_LIVE) {
		memcpy(c->rights, c->told->rights, sizeof(c->rights));
		client_dial(c);
	} else if (client_rights_changed(c)) {
		hf_log_info(
		    "source '%s': what the token may read has changed; a new connection is made for it",
		    c->settings->name);
		hf_client_redial(c);
		return;
	} else {
		check_settled(c);
		connection_due(c, hf_boot_ms(c->clock));
	}
	client_schedule(c);
}

/* --- what the session reports --- */

static void on_session_failed(void *arg, const struct hf_problem *problem)
{
	client_fail(arg, problem);
}

static void on_session_outdated(void *arg)
{
	hf_client_redial(arg);
}

static void on_session_live(void *arg)
{
	struct hf_client *c = arg;

	/* Where it was away, the end of that is told when it has lasted. */
	hf_log(c->fault.text[0] ? HF_LOG_DEBUG : HF_LOG_INFO,
	    "source '%s': live with %s, Coder %s, user '%s'", c->settings->name,
	    hf_way_target(c->way)->place.base, c->told->version[0] ? c->told->version : "(unknown)",
	    c->told->user_name);
	client_enter(c, CLIENT_LIVE);
}

static void on_session_steady(void *arg)
{
	client_steady(arg);
}

static void on_session_alive(void *arg)
{
	struct hf_client *c = arg;

	c->contact_wall_s = hf_wall_ms(c->clock) / 1000;
	if (c->state == CLIENT_LIVE)
		c->ops->contact(c->arg);
}

static void on_session_settled(void *arg)
{
	struct hf_client *c = arg;

	if (c->told->complete)
		c->ops->settled(c->arg, c->told);
}

static void on_session_due_changed(void *arg)
{
	client_schedule(arg);
}

static const struct hf_session_reports session_reports = {
	.failed = on_session_failed,
	.outdated = on_session_outdated,
	.live = on_session_live,
	.steady = on_session_steady,
	.alive = on_session_alive,
	.settled = on_session_settled,
	.due_changed = on_session_due_changed,
};

/* --- what the way reports --- */

static const struct hf_owner_info *client_listing(void *arg, size_t *ret_n)
{
	struct hf_client *c = arg;

	if (c->all && hf_boot_ms(c->clock) - c->all_ms >= ALL_AGAIN_MS) {
		free(c->all);
		c->all = NULL;
		c->n_all = 0;
	}
	*ret_n = c->n_all;
	return c->all;
}

static void on_way_failed(void *arg, const struct hf_problem *problem)
{
	struct hf_client *c = arg;

	if (c->state != CLIENT_LIVE || hf_problem_mends(problem->code) == MENDS_TOKEN) {
		client_fail(c, problem);
		return;
	}
	/* The stream itself says how it is; it was only to be asked again. */
	hf_log_debug(
	    "source '%s': asked again, without an answer: %s", c->settings->name, problem->text);
	connection_due(c, hf_boot_ms(c->clock));
	client_schedule(c);
}

static void on_way_told(void *arg, struct hf_server_info *told)
{
	struct hf_client *c = arg;

	hf_server_info_free(c->told);
	c->told = told;
	c->told_new = true;
	hand_on(c);
}

static void on_way_dialled(void *arg, struct hf_http_handle *handle)
{
	struct hf_client *c = arg;
	const struct hf_session_config config = { .clock = c->clock,
		.settings = c->settings,
		.ops = c->ops,
		.ops_arg = c->arg,
		.target = hf_way_target(c->way),
		.version = c->told->version,
		.owners = &c->owners,
		.counts = &c->counts,
		.reports = &session_reports,
		.arg = c };
	struct hf_problem p;

	if (hf_way_addresses(c->way)->n) {
		c->good = *hf_way_addresses(c->way);
		if (c->ops->good)
			c->ops->good(c->arg, &c->good);
	}
	c->refresh_ms = hf_boot_ms(c->clock) + hf_owner_list_interval_ms(c->settings);
	c->reconnect_ms = 0;
	if (hf_session_new(&config, handle, &c->session, &p))
		client_fail(c, &p);
	else
		client_schedule(c);
}

static const struct hf_way_reports way_reports = {
	.listing = client_listing,
	.failed = on_way_failed,
	.told = on_way_told,
	.dialled = on_way_dialled,
};

static void connect_now(struct hf_client *c)
{
	const struct hf_way_config config = { .http = c->http,
		.clock = c->clock,
		.settings = c->settings,
		.ops = c->ops,
		.ops_arg = c->arg,
		.good = &c->good,
		.reports = &way_reports,
		.arg = c };
	struct hf_problem p;

	client_drop(c);
	hf_dial_rate_note(&c->rate, hf_boot_ms(c->clock));
	client_enter(c, CLIENT_CONNECTING);
	if (hf_way_new(&config, &c->way, &p))
		client_fail(c, &p);
}

/* What is open serves on until then. */
void hf_client_redial(struct hf_client *c)
{
	int64_t now = hf_boot_ms(c->clock);
	int64_t may = hf_dial_rate_next(&c->rate, c->settings->retry.per_minute);

	if (may <= now) {
		connect_now(c);
		return;
	}
	if (client_waits(c))
		try_at(c, now);
	else if (c->session)
		c->redial_ms = may;
	client_schedule(c);
}

/* --- time --- */

static void on_client_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_client *c = arg;
	int64_t now = hf_boot_ms(c->clock);

	if (client_waits(c) && now >= c->next_try_ms)
		connect_now(c);
	else
		connection_due(c, now);
	client_schedule(c);
}

/* --- from outside --- */

/*
 * An event in a wait: one in retry.events_ms begins the backoff anew, those between only move the
 * wait's end. How long a server asked to be left alone, and the minute after a refused token, they
 * leave as they are; only a token that may be another, or the operator, ends the latter.
 */
static void end_wait(struct hf_client *c, enum hf_client_event event, int64_t now)
{
	int64_t at = c->event_ms + c->settings->retry.events_ms;
	bool asked = event == CLIENT_EVENT_TOKEN || event == CLIENT_EVENT_RELOAD;
	bool keeps = c->state != CLIENT_UNAUTHORISED || !asked || c->problem.wait_s > 0;

	if (c->event_ms && at > now) {
		if (c->next_try_ms < at)
			return;
	} else {
		at = now;
	}
	if (keeps && at < c->kept_ms)
		return;
	if (at == now) {
		c->event_ms = now;
		hf_backoff_reset(&c->backoff);
		c->fresh_token = c->fresh_token && !asked;
	}
	try_at(c, at);
}

void hf_client_kick(struct hf_client *c, enum hf_client_event event, const struct hf_interfaces *at)
{
	int64_t now = hf_boot_ms(c->clock);

	if (client_waits(c)) {
		end_wait(c, event, now);
	} else if (event == CLIENT_EVENT_WAKE && c->session) {
		/* Nothing that was open before a sleep can be trusted. */
		hf_client_redial(c);
		if (c->session)
			hf_session_doubt(c->session, now);
	} else if (c->session &&
		   (event == CLIENT_EVENT_CLOCK ||
		       (event == CLIENT_EVENT_NETWORK && hf_session_concerns(c->session, at)))) {
		hf_session_doubt(c->session, now);
	}
	client_schedule(c);
}

void hf_client_poke(struct hf_client *c)
{
	if (c->ops->busy(c->arg))
		return;
	if (c->session)
		hf_session_go_on(c->session);
	hand_on(c);
	hf_dispute_query_tell(&c->dispute);
	hf_owner_list_ask_state(&c->owners);
	if (c->state == CLIENT_LIVE)
		connection_due(c, hf_boot_ms(c->clock));
	client_schedule(c);
}

void hf_client_decided(struct hf_client *c)
{
	if (c->state == CLIENT_FAILED && c->problem.code == HF_PROBLEM_HELD) {
		c->next_try_ms = hf_boot_ms(c->clock);
		client_schedule(c);
	}
}

int hf_client_new(struct hf_http *http, const struct hf_clock *clock,
    const struct hf_stream_settings *settings, const struct hf_addresses *good,
    const struct hf_client_ops *ops, void *arg, struct hf_client **ret_client)
{
	struct hf_client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->http = http;
	c->clock = clock;
	c->settings = settings;
	c->ops = ops;
	c->arg = arg;
	c->backoff = (struct hf_backoff){ .floor_ms = (uint32_t)settings->retry.floor_ms,
		.cap_ms = (uint32_t)settings->retry.cap_ms };
	hf_problem_set(&c->problem, HF_PROBLEM_NONE, NULL);
	if (good)
		c->good = *good;
	c->owners.clock = c->dispute.clock = clock;
	c->owners.settings = c->dispute.settings = settings;
	c->owners.ops = c->dispute.ops = ops;
	c->owners.ops_arg = c->dispute.ops_arg = arg;
	c->dispute.http = http;
	c->dispute.changed = on_session_due_changed;
	c->dispute.arg = c;
	c->timer = evtimer_new(hf_http_base(http), on_client_timer, c);
	if (!c->timer) {
		free(c);
		return -ENOMEM;
	}
	c->next_try_ms = hf_boot_ms(clock);
	client_enter(c, CLIENT_WAITING);
	*ret_client = c;
	return 0;
}

void hf_client_free(struct hf_client *c)
{
	if (!c)
		return;
	client_drop(c);
	hf_server_info_free(c->told);
	free(c->all);
	hf_owner_list_done(&c->owners);
	event_free(c->timer);
	free(c);
}

void hf_client_status(const struct hf_client *c, struct hf_client_status *ret_status)
{
	struct hf_client_status s = { .state = c->state,
		.problem = &c->problem,
		.since_wall_s = c->since_wall_s,
		.contact_wall_s = c->contact_wall_s,
		.attempts = c->attempts,
		.next_try_ms = -1,
		.told = c->told,
		.n_owners = c->owners.n,
		.refused = c->counts.refused,
		.problems = c->problems,
		.troubles = c->counts.troubles };

	if (client_waits(c)) {
		s.next_try_ms = c->next_try_ms - hf_boot_ms(c->clock);
		if (s.next_try_ms < 0)
			s.next_try_ms = 0;
	}
	for (size_t i = 0; i < c->owners.n; i++)
		s.n_live += c->owners.at[i].live != 0;
	*ret_status = s;
}

bool hf_client_owner(const struct hf_client *c, const struct hf_uuid *owner,
    struct hf_client_owner_status *ret_status)
{
	const struct hf_owner_stream *f = hf_owner_list_find(&c->owners, owner);
	int64_t wait;

	if (!f)
		return false;
	*ret_status = (struct hf_client_owner_status){ .live = f->live != 0,
		.opening = f->opening != 0,
		.problem = f->problem,
		.next_try_ms = -1 };
	if (f->problem && !f->opening && c->state == CLIENT_LIVE) {
		wait = f->again_ms ? f->again_ms - hf_boot_ms(c->clock) : 0;
		ret_status->next_try_ms = wait > 0 ? wait : 0;
	}
	return true;
}
