/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a client, and its way to the server, step by step. */
#include "bridge/stream/client/client_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/timing.h"
#include "bridge/stream/client/proxy.h"

enum { ALL_AGAIN_MS = 3600 * 1000 };

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

static uint32_t client_random32(void)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
		r = 0;
	return r;
}

/* --- states --- */

static void wipe_token(struct hf_client *c)
{
	explicit_bzero(c->target.token, sizeof(c->target.token));
}

/* Whatever was under way ends. */
static void client_drop(struct hf_client *c)
{
	hf_client_close_stream(c);
	hf_host_lookup_free(c->resolve);
	hf_header_command_free(c->command);
	hf_inquiry_free(c->ask);
	hf_dial_free(c->dial);
	hf_client_drop_dispute(c);
	c->resolve = NULL;
	c->command = NULL;
	c->ask = NULL;
	c->dial = NULL;
	c->told_new = false;
}

static bool client_waits(const struct hf_client *c)
{
	return c->state != CLIENT_CONNECTING && c->state != CLIENT_LIVE;
}

static int64_t client_next_due(struct hf_client *c)
{
	if (client_waits(c))
		return c->next_try_ms;
	return c->stack ? hf_client_stream_next(c) : INT64_MAX;
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
		c->steady = false;
		hf_problem_set(&c->problem, HF_PROBLEM_NONE, NULL);
	}
	client_schedule(c);
}

/* --- how often --- */

/* When the next connection may begin. */
static int64_t may_dial_ms(const struct hf_client *c)
{
	size_t most = c->settings->retry.per_minute;

	return c->n_dials < most ? 0 : c->dials[(c->n_dials - most) % HF_DIALS_MAX] + 60 * 1000;
}

static void note_dial(struct hf_client *c)
{
	c->dials[c->n_dials++ % HF_DIALS_MAX] = hf_boot_ms(c->clock);
}

static void try_at(struct hf_client *c, int64_t at_ms)
{
	int64_t may = may_dial_ms(c);

	c->next_try_ms = at_ms > may ? at_ms : may;
}

/* Live for so long that a failure is a new one. */
static void client_steady(struct hf_client *c)
{
	char what[96];

	c->steady = true;
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
		wait = hf_backoff_fail_jittered(&c->backoff, client_random32());
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
	wipe_token(c);
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

/* --- the way to the server, step by step --- */

static void on_dialled(
    void *arg, struct hf_http_handle *winner, size_t which, const struct hf_problem *problem)
{
	struct hf_client *c = arg;

	c->dial = NULL;
	if (!winner) {
		client_fail(c, problem);
		return;
	}
	hf_addresses_prefer(&c->addresses, which);
	if (c->addresses.n) {
		c->good = c->addresses;
		if (c->ops->good)
			c->ops->good(c->arg, &c->good);
	}
	c->at = AT_UPGRADE;
	hf_client_open_stream(c, winner);
}

static void client_dial(struct hf_client *c)
{
	const struct hf_dial_config race = {
		.http = c->http, .clock = c->clock, .target = &c->target, .addresses = &c->addresses
	};

	c->at = AT_DIAL;
	if (hf_dial_new(&race, on_dialled, c, &c->dial))
		client_fail_code(c, HF_PROBLEM_MEMORY);
}

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

	return (*now && strcmp(now, c->rights) != 0) || hf_client_readable_changed(c);
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
	if (!c->told->n_owners && (c->told->complete || !c->n_owners)) {
		client_fail(c, &c->told->missing);
		return;
	}
	client_tell_missing(c);
	if (hf_client_set_owners(c, c->told, max_owners(c))) {
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
		hf_client_check_settled(c);
		hf_client_stream_due(c, hf_boot_ms(c->clock));
	}
	client_schedule(c);
}

static void on_told(
    void *arg, struct hf_server_info *told, size_t which, const struct hf_problem *problem)
{
	struct hf_client *c = arg;

	c->ask = NULL;
	if (!told && c->state == CLIENT_LIVE && hf_problem_mends(problem->code) != MENDS_TOKEN) {
		/* The stream itself says how it is; it was only to be asked again. */
		hf_log_debug("source '%s': asked again, without an answer: %s", c->settings->name,
		    problem->text);
		hf_client_stream_due(c, hf_boot_ms(c->clock));
		client_schedule(c);
		return;
	}
	if (!told) {
		client_fail(c, problem);
		return;
	}
	if (c->state != CLIENT_LIVE)
		hf_addresses_prefer(&c->addresses, which);
	hf_server_info_free(c->told);
	c->told = told;
	c->told_new = true;
	if (c->state == CLIENT_CONNECTING)
		c->at = AT_TELL;
	hand_on(c);
}

static void client_ask(struct hf_client *c)
{
	struct hf_inquiry_config config = { .http = c->http,
		.clock = c->clock,
		.target = &c->target,
		.addresses = &c->addresses,
		.all = c->all,
		.n_all = c->n_all,
		.partial = c->state != CLIENT_LIVE };

	if (c->all && hf_boot_ms(c->clock) - c->all_ms >= ALL_AGAIN_MS) {
		free(c->all);
		c->all = NULL;
		c->n_all = 0;
		config.all = NULL;
		config.n_all = 0;
	}
	if (hf_inquiry_new(&config, on_told, c, &c->ask))
		client_fail_code(c, HF_PROBLEM_MEMORY);
}

static int add_lines(struct curl_slist **list, const struct hf_texts *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct curl_slist *more = curl_slist_append(*list, lines->at[i]);

		if (!more)
			return -ENOMEM;
		*list = more;
	}
	return 0;
}

/*
 * The operator's headers and, after them, the command's (NULL: none). 0 or -ENOMEM, then all is as
 * it was.
 */
static int client_set_headers(struct hf_client *c, const struct hf_texts *lines)
{
	struct curl_slist *next = NULL;

	if (add_lines(&next, &c->settings->headers) || (lines && add_lines(&next, lines))) {
		curl_slist_free_all(next);
		return -ENOMEM;
	}
	curl_slist_free_all(c->target.headers);
	c->target.headers = next;
	return 0;
}

static void on_headers(void *arg, const struct hf_texts *lines, const struct hf_problem *problem)
{
	struct hf_client *c = arg;
	bool live = c->state == CLIENT_LIVE;

	c->command = NULL;
	if (problem && live)
		hf_log_debug("source '%s': asked again with the headers from before: %s",
		    c->settings->name, problem->text);
	if (problem && !live) {
		client_fail(c, problem);
		return;
	}
	if (!problem && client_set_headers(c, lines) && !live) {
		client_fail_code(c, HF_PROBLEM_MEMORY);
		return;
	}
	if (!live)
		c->at = AT_ASK;
	client_ask(c);
	client_schedule(c);
}

/* 0, or `problem` says why the command cannot be run. */
static int run_command(struct hf_client *c, struct hf_problem *problem)
{
	const struct hf_stream_settings *s = c->settings;

	return hf_header_command_new(hf_http_base(c->http), &s->header_command,
	    s->timeouts.header_command_ms, on_headers, c, &c->command, problem);
}

/*
 * Asks the server again, for the next snapshots, unless it is being asked. What the command told
 * may have run out meanwhile.
 */
static void client_refresh(struct hf_client *c)
{
	struct hf_problem p;

	if (hf_client_is_asking(c))
		return;
	if (!c->settings->header_command.n || run_command(c, &p))
		client_ask(c);
}

static void get_headers(struct hf_client *c)
{
	struct hf_problem p;

	if (client_set_headers(c, NULL)) {
		client_fail_code(c, HF_PROBLEM_MEMORY);
		return;
	}
	c->at = AT_HEADERS;
	if (!c->settings->header_command.n) {
		c->at = AT_ASK;
		client_ask(c);
		return;
	}
	if (run_command(c, &p))
		client_fail(c, &p);
}

static void on_resolved(
    void *arg, const struct hf_addresses *addresses, const struct hf_problem *problem)
{
	struct hf_client *c = arg;

	c->resolve = NULL;
	if (problem && !c->good.n) {
		client_fail(c, problem);
		return;
	}
	if (problem)
		hf_log_debug("source '%s': %s; its last good addresses are tried",
		    c->settings->name, problem->text);
	c->addresses = problem ? c->good : *addresses;
	get_headers(c);
}

/* Not the token is missing, but what it takes to read it. */
static bool is_shortage(int rc)
{
	return rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE;
}

static int find_token(struct hf_client *c)
{
	char why[HF_CLIENT_WHY_MAX];
	struct hf_problem p;
	int rc = c->ops->token(c->arg, c->target.token, why);

	if (rc) {
		hf_problem_set(
		    &p, is_shortage(rc) ? HF_PROBLEM_MEMORY : HF_PROBLEM_NO_TOKEN, "%.300s", why);
		client_fail(c, &p);
	}
	return rc;
}

static void connect_now(struct hf_client *c)
{
	const struct hf_stream_settings *s = c->settings;
	struct hf_host_lookup_config config = { .base = hf_http_base(c->http),
		.host = c->target.place.host,
		.resolv_conf = s->resolv_conf,
		.hosts = s->hosts,
		.limit_ms = s->timeouts.resolve_ms };
	int rc;

	client_drop(c);
	note_dial(c);
	client_enter(c, CLIENT_CONNECTING);
	rc = hf_server_url_parse(s->url, &c->target.place);
	if (rc) {
		client_fail_code(c, rc == -ENOMEM ? HF_PROBLEM_MEMORY : HF_PROBLEM_URL);
		return;
	}
	if (find_token(c))
		return;
	snprintf(c->target.proxy, sizeof(c->target.proxy), "%s",
	    hf_proxy_for(
		s->proxy, c->target.place.tls, c->target.place.host, c->target.place.port, getenv));
	c->addresses.n = 0;
	c->at = AT_RESOLVE;
	if (c->target.proxy[0])
		get_headers(c); /* the proxy resolves */
	else if (hf_host_lookup_new(&config, on_resolved, c, &c->resolve))
		client_fail_code(c, HF_PROBLEM_MEMORY);
}

/* What is open serves on until then. */
void hf_client_redial(struct hf_client *c)
{
	int64_t now = hf_boot_ms(c->clock), may = may_dial_ms(c);

	if (may <= now) {
		connect_now(c);
		return;
	}
	if (client_waits(c))
		try_at(c, now);
	else if (c->stack)
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
	else if (c->stack)
		hf_client_stream_due(c, now);
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
	} else if (event == CLIENT_EVENT_WAKE && c->stack) {
		/* Nothing that was open before a sleep can be trusted. */
		hf_client_redial(c);
		hf_client_doubt(c, now);
		return;
	} else if (event == CLIENT_EVENT_CLOCK || (event == CLIENT_EVENT_NETWORK && c->link &&
						      (!at || hf_link_concerns(c->link, at)))) {
		hf_client_doubt(c, now);
	}
	client_schedule(c);
}

void hf_client_poke(struct hf_client *c)
{
	if (c->ops->busy(c->arg))
		return;
	hf_client_take_outcome(c);
	hand_on(c);
	hf_client_tell_dispute(c);
	hf_client_ask_state(c);
	if (c->stack)
		hf_client_take_events(c);
	if (c->stack && c->state == CLIENT_LIVE)
		hf_client_stream_due(c, hf_boot_ms(c->clock));
	client_schedule(c);
}

void hf_client_decided(struct hf_client *c)
{
	if (c->state == CLIENT_FAILED && c->problem.code == HF_PROBLEM_HELD) {
		c->next_try_ms = hf_boot_ms(c->clock);
		client_schedule(c);
	}
}

static void client_live(struct hf_client *c)
{
	client_enter(c, CLIENT_LIVE);
}

static const struct hf_client_reports reports = {
	.failed = client_fail,
	.live = client_live,
	.steady = client_steady,
	.outdated = hf_client_redial,
	.refresh_due = client_refresh,
	.due_changed = client_schedule,
};

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
	c->reports = &reports;
	c->arg = arg;
	c->target.settings = settings;
	c->backoff = (struct hf_backoff){ .floor_ms = (uint32_t)settings->retry.floor_ms,
		.cap_ms = (uint32_t)settings->retry.cap_ms };
	hf_problem_set(&c->problem, HF_PROBLEM_NONE, NULL);
	if (good)
		c->good = *good;
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
	wipe_token(c);
	curl_slist_free_all(c->target.headers);
	hf_server_info_free(c->told);
	free(c->all);
	free(c->owners);
	free(c->by_id);
	free(c->by_call);
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
		.n_owners = c->n_owners,
		.refused = c->refused,
		.problems = c->problems,
		.troubles = c->troubles };

	if (client_waits(c)) {
		s.next_try_ms = c->next_try_ms - hf_boot_ms(c->clock);
		if (s.next_try_ms < 0)
			s.next_try_ms = 0;
	}
	for (size_t i = 0; i < c->n_owners; i++)
		s.n_live += c->owners[i].live != 0;
	*ret_status = s;
}
