/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a client: it alone changes them. The way and the session report to it. */
#include "bridge/stream/client/client_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/timing.h"
#include "bridge/stream/client/client_random.h"

/* --- states --- */

/* Whatever was under way ends, and the token is wiped. */
static void client_drop(struct hf_client *c)
{
	hf_dispute_query_drop(&c->dispute);
	hf_session_free(c->session);
	hf_way_free(c->way);
	c->session = NULL;
	c->way = NULL;
	c->told.waits = false;
	c->redial_ms = 0;
}

static bool client_is_asking(const struct hf_client *c)
{
	return c->told.waits || hf_way_is_asking(c->way);
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

	if (hf_client_waits(c))
		return c->next.at_ms;
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
		hf_log_debug("source '%s': %s -> %s", c->settings->name,
		    hf_client_state_name(c->state), hf_client_state_name(next));
	if (c->state != next || next == CLIENT_CONNECTING) {
		c->since_ms = now;
		c->since_wall_s = hf_wall_ms(c->clock) / 1000;
	}
	c->state = next;
	if (next == CLIENT_LIVE) {
		hf_next_try_live(&c->next);
		hf_problem_set(&c->problem, HF_PROBLEM_NONE, NULL);
	}
	client_schedule(c);
}

/* --- the end of an attempt --- */

/* Live for so long that a failure is a new one. */
static void client_steady(struct hf_client *c)
{
	char what[96];

	hf_next_try_steady(&c->next);
	snprintf(what, sizeof(what), "source '%s'", c->settings->name);
	hf_fault_clear(&c->fault, c->clock, what);
}

static enum hf_client_state state_after(enum hf_mends mends)
{
	switch (mends) {
	case MENDS_NOT:
		return CLIENT_FAILED;
	case MENDS_TOKEN:
		return CLIENT_UNAUTHORISED;
	case MENDS_SOON:
		break;
	}
	return CLIENT_WAITING;
}

/* The one place where things end; frees what belongs to the connection. */
static void client_fail(struct hf_client *c, const struct hf_problem *problem)
{
	int64_t now = hf_boot_ms(c->clock), wait;

	if (c->state == CLIENT_LIVE && now - c->since_ms >= c->settings->retry.steady_ms)
		client_steady(c);
	c->problem = *problem;
	c->problems[problem->code]++;
	client_drop(c);
	c->ops->away(c->arg);
	wait = hf_next_try_failed(&c->next, &c->problem, now, hf_client_random32());
	hf_fault_set(&c->fault, c->clock, HF_LOG_WARN, "source '%s': %s", c->settings->name,
	    c->problem.text);
	hf_log_debug("source '%s': attempt %u failed (%s), next in %" PRId64 " ms",
	    c->settings->name, c->next.attempts, hf_problem_name(c->problem.code), wait);
	client_enter(c, state_after(hf_problem_mends(c->problem.code)));
}

static void client_fail_code(struct hf_client *c, enum hf_problem_code code)
{
	struct hf_problem p;

	hf_problem_set(&p, code, NULL);
	client_fail(c, &p);
}

/* --- what the server told --- */

static void tell_owners(struct hf_client *c)
{
	const struct hf_server_info *info = c->told.info;

	for (size_t i = 0; i < info->n_owners; i++)
		c->ops->owner(c->arg, &info->owners[i], info->asked_ms);
}

/*
 * What the server told since, and nobody has judged yet, settles nothing: it is handed on first,
 * and then it is seen again.
 */
static void tell_settled(struct hf_client *c)
{
	if (c->told.info->complete && !c->told.waits)
		c->ops->settled(c->arg, c->told.info);
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
	if (now_ms < c->refresh_ms || client_is_asking(c))
		return;
	c->refresh_ms = now_ms + hf_owner_list_interval_ms(c->settings);
	if (hf_way_ask_again(c->way))
		hf_log_debug("source '%s': no memory to ask again", c->settings->name);
}

/* Does what is due on an open connection, if there is one. */
static void connection_due(struct hf_client *c, int64_t now_ms)
{
	if (!c->session || c->ops->busy(c->arg))
		return;
	hf_session_due(c->session, now_ms);
	/* A message may have come, and go on. */
	if (!c->session || c->ops->busy(c->arg))
		return;
	if (c->state == CLIENT_LIVE)
		client_live_due(c, now_ms);
	if (c->session &&
	    (client_wants_connection(c, now_ms) || (c->redial_ms && now_ms >= c->redial_ms)))
		hf_client_redial(c);
}

/* Hands on what the server told, as soon as it may be; then the stream can be opened. */
static void hand_on(struct hf_client *c)
{
	enum hf_verdict verdict;

	if (!c->told.waits || c->ops->busy(c->arg))
		return;
	c->told.waits = false;
	hf_next_try_token_taken(&c->next);
	hf_told_warn_of_expiry(&c->told);
	verdict = c->ops->identify(c->arg, c->told.info);
	if (verdict != HF_VERDICT_ACCEPTED) {
		/* What is not held could not be taken: there was no memory for it. */
		client_fail_code(
		    c, verdict == HF_VERDICT_HELD ? HF_PROBLEM_HELD : HF_PROBLEM_MEMORY);
		return;
	}
	hf_told_keep(&c->told);
	tell_owners(c);
	if (!c->told.info->n_owners && (c->told.info->complete || !c->owners.n)) {
		client_fail(c, &c->told.info->missing);
		return;
	}
	hf_told_tell_missing(&c->told);
	if (hf_owner_list_set(&c->owners, c->told.info, hf_told_owners_max(&c->told))) {
		client_fail_code(c, HF_PROBLEM_MEMORY);
		return;
	}
	if (c->state != CLIENT_LIVE) {
		hf_told_note_rights(&c->told);
		client_dial(c);
	} else if (hf_told_rights_changed(&c->told) || hf_owner_list_readable_changed(&c->owners)) {
		hf_log_info(
		    "source '%s': what the token may read has changed; a new connection is made for it",
		    c->settings->name);
		hf_client_redial(c);
		return;
	} else {
		if (hf_owner_list_settles(&c->owners))
			tell_settled(c);
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
	    hf_way_target(c->way)->place.base,
	    c->told.info->version[0] ? c->told.info->version : "(unknown)",
	    c->told.info->user_name);
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
	tell_settled(arg);
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

	return hf_told_listing(&c->told, ret_n);
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

	hf_told_take(&c->told, told);
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
		.version = c->told.info->version,
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
	hf_next_try_dial(&c->next, hf_boot_ms(c->clock));
	client_enter(c, CLIENT_CONNECTING);
	if (hf_way_new(&config, &c->way, &p))
		client_fail(c, &p);
}

/* What is open serves on until then. */
void hf_client_redial(struct hf_client *c)
{
	int64_t now = hf_boot_ms(c->clock), may = hf_next_try_may(&c->next);

	if (may <= now) {
		connect_now(c);
		return;
	}
	if (hf_client_waits(c))
		hf_next_try_at(&c->next, now);
	else if (c->session)
		c->redial_ms = may;
	client_schedule(c);
}

/* --- time --- */

static void on_client_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hf_client *c = arg;
	int64_t now = hf_boot_ms(c->clock);

	if (hf_client_waits(c) && now >= c->next.at_ms)
		connect_now(c);
	else
		connection_due(c, now);
	client_schedule(c);
}

/* --- from outside --- */

void hf_client_kick(struct hf_client *c, enum hf_client_event event, const struct hf_interfaces *at)
{
	int64_t now = hf_boot_ms(c->clock);

	if (hf_client_waits(c)) {
		hf_next_try_event(&c->next, &c->problem,
		    event == CLIENT_EVENT_TOKEN || event == CLIENT_EVENT_RELOAD, now);
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
		hf_next_try_at(&c->next, hf_boot_ms(c->clock));
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
	hf_problem_set(&c->problem, HF_PROBLEM_NONE, NULL);
	if (good)
		c->good = *good;
	c->told.clock = c->owners.clock = c->dispute.clock = clock;
	c->told.settings = c->owners.settings = c->dispute.settings = settings;
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
	hf_next_try_init(&c->next, &settings->retry, hf_boot_ms(clock));
	client_enter(c, CLIENT_WAITING);
	*ret_client = c;
	return 0;
}

void hf_client_free(struct hf_client *c)
{
	if (!c)
		return;
	client_drop(c);
	hf_told_done(&c->told);
	hf_owner_list_done(&c->owners);
	event_free(c->timer);
	free(c);
}
