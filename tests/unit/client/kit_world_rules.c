/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds of a client whatever happens. All rules are of what can be seen from outside: the
 * status, what is dialled and asked, what the server gets, what is armed.
 */
#include <check.h>

#include "tests/unit/client/kit_curl.h"
#include "tests/unit/client/kit_loop.h"
#include "tests/unit/client/kit_names.h"
#include "tests/unit/client/kit_world.h"

enum {
	SLACK_MS = 100,
	MINUTE_MS = 60 * 1000,
	PONG_MOST_MS = 700 * 1000, /* 600 s, and pings before it */
	ADDRESSES_MS = 16 * 500,   /* of a dial, one after the other */
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t since(int64_t at)
{
	return world_now() - at;
}

static bool waits(enum hf_client_state state)
{
	return state != CLIENT_CONNECTING && state != CLIENT_LIVE;
}

static bool is_open(void)
{
	return world.coder && world.coder->open && !waits(world.is.state);
}

/* --- what happened --- */

static uint64_t failures(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < HF_PROBLEM_LAST; i++)
		n += world.is.problems[i];
	return n;
}

static void note_failure(void)
{
	const struct hf_problem *p = world.is.problem;

	if (p->wait_s > 0) {
		world.kept_ms = world_now() + p->wait_s * 1000;
		world.forced = false;
	}
	if (world.is.state != CLIENT_UNAUTHORISED)
		return;
	WORLD_RULE(!world.refused_ms[1] ||
		       since(world.refused_ms[1]) >= world.settings.retry.unauthorised_ms,
	    "a refused token was tried three times in %lld ms",
	    (long long)since(world.refused_ms[1]));
	world.refused_ms[1] = world.refused_ms[0];
	world.refused_ms[0] = world_now();
}

void world_note_idle(void)
{
	int64_t ms = since(world.settled_ms);
	struct hf_client_owner_status o;

	if (world.is.state != CLIENT_LIVE)
		world.rest_idle_ms = 0;
	else if (world.was_free)
		world.rest_idle_ms += ms;
	for (unsigned i = 0; i < CODER_OWNERS_MAX; i++) {
		struct hf_uuid id = coder_owner(i);

		if (world.is.state != CLIENT_LIVE || !hf_client_owner(world.client, &id, &o))
			world.idle_ms[i] = 0;
		else if (world.was_free)
			world.idle_ms[i] += ms;
	}
	world.settled_ms = world_now();
	world.was_free = world.is.state == CLIENT_LIVE && !world.busy &&
			 !(world.coder && world.coder->line->full);
}

static void note_what_happened(void)
{
	if (world.is.state != world.was.state)
		world.since_ms = world_now();
	if (world.coder && world.is.state == CLIENT_LIVE && !world.coder->live_ms)
		world.coder->live_ms = world_now();
	world.states |= 1u << world.is.state;
	world.codes |= UINT64_C(1) << world.is.problem->code;
	if (failures() > world.n_failed && waits(world.is.state))
		note_failure();
	world.n_failed = failures();
}

/* --- dials and waits --- */

static void check_dials(void)
{
	size_t n = world.n_dials, most = world.settings.retry.per_minute;

	if (n == world.n_dials_seen)
		return;
	WORLD_RULE(n == world.n_dials_seen + 1, "two dials in a moment");
	world.n_dials_seen = n;
	WORLD_RULE(world.forced || world_now() >= world.kept_ms,
	    "a dial %lld ms before the server wants it", (long long)(world.kept_ms - world_now()));
	WORLD_RULE(n <= most ||
		       since(world.dials[(n - 1 - most) % WORLD_DIALS_MAX]) >= MINUTE_MS - SLACK_MS,
	    "more than %zu dials in a minute", most);
}

static void check_wait(void)
{
	const struct hf_stream_retry *r = &world.settings.retry;
	int64_t most = later(later(r->permanent_ms, r->unauthorised_ms), MINUTE_MS);

	most = later(later(most, r->cap_ms), world.kept_ms - world_now());
	WORLD_RULE(world.is.next_try_ms >= 0 && world.is.next_try_ms <= most,
	    "the next try is in %lld ms", (long long)world.is.next_try_ms);
	WORLD_RULE(loop_next() - world_now() <= world.is.next_try_ms, "nothing is armed");
	WORLD_RULE(!curl_handles() && !curl_connections() && !names_contexts() && !names_children(),
	    "something of the last attempt is left");
}

/* --- something is armed, and nothing lasts --- */

static void check_attempt(void)
{
	const struct hf_stream_timeouts *t = &world.settings.timeouts;
	int64_t most = t->resolve_ms + t->header_command_ms + t->request_ms + t->connect_ms +
		       t->head_ms + t->first_message_ms + t->ping_interval_ms + t->ping_timeout_ms +
		       ADDRESSES_MS + SLACK_MS;
	int64_t quiet = since(later(later(world.progress_ms, world.since_ms), world.busy_ms));

	WORLD_RULE(curl_handles() || names_contexts() || names_children() || world.busy,
	    "nothing is under way");
	if (world.busy)
		return;
	WORLD_RULE(loop_next() < INT64_MAX, "nothing is armed");
	WORLD_RULE(quiet <= most, "nothing has come for %lld ms", (long long)quiet);
}

static void check_connection(const struct coder *s)
{
	const struct hf_stream_timeouts *t = &world.settings.timeouts;
	int64_t quiet = since(later(s->byte_ms, world.busy_ms));
	/* What the client said in between did not come. */
	int64_t begin = later(world.busy_ms, world.full_ms);

	WORLD_RULE(s->n_streams || world.is.state == CLIENT_LIVE || s->line->full || world.hungry,
	    "open, and no owner is called");
	WORLD_RULE(loop_next() - world_now() <= t->ping_interval_ms, "the next ping is not armed");
	WORLD_RULE(quiet <= t->ping_interval_ms + t->ping_timeout_ms + SLACK_MS,
	    "the server is silent for %lld ms", (long long)quiet);
	WORLD_RULE(!s->n_pings || since(later(s->ping_ms[0], world.busy_ms)) <= PONG_MOST_MS,
	    "a ping was not answered for too long");
	for (size_t i = 0; i < s->n_streams; i++) {
		const struct coder_stream *c = &s->streams[i];
		int64_t call = since(later(later(c->byte_ms, c->since_ms), begin));

		WORLD_RULE(c->closed || c->snapshot || call <= t->first_message_ms + SLACK_MS,
		    "no byte of the snapshot of owner %d for %lld ms", c->owner, (long long)call);
	}
}

/* --- nobody starves --- */

static void check_live(void)
{
	const struct hf_stream_settings *s = &world.settings;
	int64_t rounds = (int64_t)world.is.n_owners / 8 + 2;
	int64_t most = 2 * world.interval_ms + 2 * MINUTE_MS +
		       2 * rounds * s->timeouts.first_message_ms + SLACK_MS;

	WORLD_RULE(world.hungry || curl_transfers() || names_children() ||
		       world.rest_idle_ms <= world.interval_ms + SLACK_MS,
	    "REST was not asked for %lld ms", (long long)world.rest_idle_ms);
	for (unsigned i = 0; i < CODER_OWNERS_MAX; i++)
		WORLD_RULE(world.idle_ms[i] <= most, "owner %u was not asked for %lld ms", i,
		    (long long)world.idle_ms[i]);
	WORLD_RULE(!world.redial_ms ||
		       since(later(world.redial_ms, world.busy_ms)) <= MINUTE_MS + SLACK_MS,
	    "no dial since one was asked for");
	WORLD_RULE(
	    world.is.n_owners >= world.was.n_owners || !world.bad_answer || s->limits.streams < 64,
	    "an owner was left without a word of REST");
}

/* --- a connection ends for a reason --- */

static void check_silent(const struct coder *s)
{
	const struct hf_stream_timeouts *t = &world.settings.timeouts;
	int64_t ping, quiet = since(s->byte_ms);

	/* A ping may have found no way out, or no memory. */
	if (world.full_ms >= s->since_ms || world.hungry)
		return;
	WORLD_RULE(s->n_pings, "silent, and no ping waits for its answer");
	ping = since(s->ping_ms[0]);
	WORLD_RULE(ping >= t->ping_timeout_ms || (ping >= t->doubt_ms && quiet >= t->doubt_ms),
	    "silent after %lld ms, and %lld ms after a ping (limits %lld, %lld)", (long long)quiet,
	    (long long)ping, (long long)t->ping_timeout_ms, (long long)t->doubt_ms);
}

/* One who may still get a snapshot, of which nothing has come yet, holds the connection. */
static void check_hopeless(const struct coder *s)
{
	size_t hope = 0;

	if (world.full_ms >= s->since_ms)
		return;
	for (size_t i = 0; i < s->n_streams; i++) {
		const struct coder_stream *c = &s->streams[i];
		bool nothing = !c->closed && !c->begun;

		hope += nothing && since(c->since_ms) < world.settings.timeouts.first_message_ms;
	}
	WORLD_RULE(!hope, "the connection was given up while %zu owners were waited for", hope);
}

static void check_end(const struct coder *s)
{
	switch (world.is.problem->code) {
	case HF_PROBLEM_SILENT:
		check_silent(s);
		break;
	case HF_PROBLEM_CALL:
	case HF_PROBLEM_VERDICT:
	case HF_PROBLEM_FIRST:
	case HF_PROBLEM_OLD:
		check_hopeless(s);
		break;
	default:
		break;
	}
}

/* One that had just begun, and served nobody for long, counts as failed. */
static void check_replaced(const struct coder *s)
{
	WORLD_RULE(s->excused || (s->goaway && s->live_ms &&
				     since(s->live_ms) >= world.settings.retry.steady_ms),
	    "a connection of %lld ms is left for another one", (long long)since(s->since_ms));
}

void world_rules(const struct coder *cut)
{
	note_what_happened();
	check_dials();
	if (waits(world.is.state))
		check_wait();
	else if (world.is.state == CLIENT_CONNECTING)
		check_attempt();
	if (is_open() && !world.busy)
		check_connection(world.coder);
	if (is_open() && !world.busy && world.is.state == CLIENT_LIVE)
		check_live();
	if (cut && waits(world.is.state))
		check_end(cut);
	else if (cut)
		check_replaced(cut);
}
